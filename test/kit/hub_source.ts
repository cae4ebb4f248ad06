import { bell } from "../../engine/bell.ts";
import { wallClock } from "../../engine/clock.ts";
import { type Position, SourceId } from "../../engine/ids.ts";
import type { Batch, Source } from "../../engine/source.ts";
import { type EventHubOptions, eventHub } from "../../sources/event_hub.ts";
import type { AmqpHub, HubEvent } from "./amqp_hub.ts";

export const ARRIVED_AT_MS = 1_750_000_000_000;

/** Events of these texts, which arrived a millisecond apart. */
export function hubEvents(texts: readonly string[]): readonly HubEvent[] {
  return texts.map((text, n) => ({ body: Buffer.from(text), arrivedAtMs: ARRIVED_AT_MS + n }));
}

/** A source of this hub: from the earliest event, idle as soon as it is read to its end, with the least owner level. */
export function hubSource(hub: AmqpHub, options: Partial<EventHubOptions> = {}): Source {
  return eventHub({
    id: SourceId("telemetry"),
    access: { connectionString: hub.connectionString },
    hub: hub.hub,
    consumerGroup: "$Default",
    start: "earliest",
    onGap: "stop",
    ownerLevel: 1,
    bounds: { records: 1_000, bytes: 1_000_000 },
    idleMs: 0,
    columns: new Map(),
    clock: wallClock,
    onTrouble: () => {},
    ...options,
  });
}

/** What a source says of partitions that cannot be read on. */
export class Troubles {
  /** `0 stopped`, `1 goes on`. */
  readonly seen: string[] = [];
  readonly reasons: string[] = [];
  readonly #bell = bell();

  readonly onTrouble = (partition: string, reason: string, isStopped: boolean): void => {
    this.seen.push(`${partition} ${isStopped ? "stopped" : "goes on"}`);
    this.reasons.push(reason);
    this.#bell.ring();
  };

  /** Resolves once so much was said; batches of the reading are taken meanwhile. */
  async until(count: number, reading: HubReading): Promise<void> {
    while (this.seen.length < count) await Promise.race([this.#bell.heard(), reading.next()]);
  }
}

/** A reading that is taken batch by batch. */
export class HubReading {
  readonly batches: Batch[] = [];
  readonly #stop = new AbortController();
  readonly #batches: AsyncIterator<Batch>;

  constructor(source: Source, after: ReadonlyMap<string, Position> = new Map()) {
    this.#batches = source.read(after, this.#stop.signal)[Symbol.asyncIterator]();
  }

  /** Takes batches until this is so. */
  async until(isEnough: (texts: readonly string[], batch: Batch) => boolean): Promise<void> {
    for (;;) {
      const count = this.batches.length;
      await this.next();
      const batch = this.batches[count];
      if (batch === undefined) throw new Error("the reading ended before");
      if (isEnough(this.texts(), batch)) return;
    }
  }

  /** The texts of all records so far, as `partition:text`. */
  texts(): readonly string[] {
    return this.batches.flatMap(({ partition, records }) => records.map(({ bytes }) => `${partition}:${Buffer.from(bytes)}`));
  }

  /** The positions that a store would hold. */
  positions(): ReadonlyMap<string, Position> {
    return new Map(this.batches.flatMap(({ resumeAt }) => [...resumeAt]));
  }

  /** Takes one batch, if one comes. */
  async next(): Promise<void> {
    const { done, value } = await this.#batches.next();
    if (done !== true) this.batches.push(value);
  }

  /** Fires the signal, and reads what still comes. */
  async stop(): Promise<void> {
    this.#stop.abort();
    while ((await this.#batches.next()).done !== true);
  }
}
