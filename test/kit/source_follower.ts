import { bell } from "../../engine/bell.ts";
import { wallClock } from "../../engine/clock.ts";
import type { Position } from "../../engine/ids.ts";
import { retry } from "../../engine/retry.ts";
import type { Batch, Source } from "../../engine/source.ts";
import { type Order, orderOf, positionsBehind } from "./source_reading.ts";

/** Reads a source that goes on, as a pump does: what it takes is stored at once. `isPatient`: after an outage it begins again. */
export class SourceFollower {
  readonly batches: Batch[] = [];
  /** How it ended: null, or what it threw. */
  readonly ended: Promise<unknown>;
  #positions: ReadonlyMap<string, Position>;
  readonly #stop = new AbortController();
  readonly #news = bell();
  #isOver = false;
  #failure: unknown = null;

  constructor(source: Source, after: ReadonlyMap<string, Position> = new Map(), isPatient = false) {
    this.#positions = after;
    const { signal } = this.#stop;
    const often = { clock: wallClock, random: Math.random, signal, longestMs: 500 };
    const read = isPatient ? retry(() => this.#read(source), often) : this.#read(source);
    this.ended = read.then(
      () => this.#end(null),
      (error: unknown) => this.#end(error),
    );
  }

  get positions(): ReadonlyMap<string, Position> {
    return this.#positions;
  }

  get order(): Order {
    return orderOf(this.batches);
  }

  get count(): number {
    return this.batches.reduce((sum, { records }) => sum + records.length, 0);
  }

  /** Resolves once what was read fulfils the condition; rejects with what the source threw before. */
  async until(isEnough: () => boolean): Promise<void> {
    for (;;) {
      const heard = this.#news.heard();
      if (isEnough()) return;
      if (this.#isOver) throw this.#failure ?? new Error("the source ended before there was enough");
      await heard;
    }
  }

  /** Resolves once a partition said that it has nothing more, after all that is here now. */
  untilIdle(): Promise<void> {
    const from = this.batches.length;
    return this.until(() => this.batches.slice(from).some(({ idle }) => idle) || (from > 0 && this.batches.at(-1)?.idle === true));
  }

  /** Wakes those who wait: something they look at has changed elsewhere. */
  readonly look = (): void => this.#news.ring();

  async stop(): Promise<void> {
    this.#stop.abort();
    const error = await this.ended;
    if (error !== null) throw error;
  }

  async #read(source: Source): Promise<void> {
    for await (const batch of source.read(this.#positions, this.#stop.signal)) {
      this.batches.push(batch);
      this.#positions = positionsBehind([batch], this.#positions);
      source.stored?.(batch.resumeAt);
      this.#news.ring();
    }
  }

  #end(error: unknown): unknown {
    this.#isOver = true;
    this.#failure = error;
    this.#news.ring();
    return error;
  }
}
