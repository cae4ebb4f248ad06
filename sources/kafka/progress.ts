import type { Consumer } from "kafkajs";
import type { Clock } from "../../engine/clock.ts";
import { seconds } from "../../engine/duration.ts";
import type { Lane } from "./lane.ts";

/** The broker hears of our positions at most so often. */
const TELL_EVERY_MS = seconds(1);
const OWNER = "gridactor ";

/** Tells the broker how far we are, for its tools: best effort, nothing of ours depends on it. Each offset carries the name of our store. */
export class Progress {
  readonly #consumer: Consumer;
  readonly #metadata: string;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #untold = new Map<Lane, number>();
  #isTelling = false;

  constructor(consumer: Consumer, owner: string, clock: Clock) {
    this.#consumer = consumer;
    this.#metadata = `${OWNER}${owner}`;
    this.#clock = clock;
  }

  /** What lies before `next` is stored. Does not wait. */
  stored(lane: Lane, next: number): void {
    this.#untold.set(lane, next);
    void this.#tellSoon();
  }

  /** Tells what is left, once and for all. */
  async end(): Promise<void> {
    this.#stop.abort();
    await this.#tell();
  }

  async #tellSoon(): Promise<void> {
    if (this.#isTelling) return;
    this.#isTelling = true;
    while (this.#untold.size > 0 && !this.#stop.signal.aborted) {
      await this.#tell();
      await this.#clock.sleep(TELL_EVERY_MS, this.#stop.signal);
    }
    this.#isTelling = false;
  }

  async #tell(): Promise<void> {
    const metadata = this.#metadata;
    const offsets = [...this.#untold].map(([{ topic, partition }, next]) => ({ topic, partition, offset: String(next), metadata }));
    this.#untold.clear();
    if (offsets.length > 0) await this.#consumer.commitOffsets(offsets).catch(() => {});
  }
}

/** The store that an offset was committed for; null if it is none of ours. */
export function ownerOf(metadata: string | null): string | null {
  return metadata?.startsWith(OWNER) === true ? metadata.slice(OWNER.length) : null;
}
