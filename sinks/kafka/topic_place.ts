import { BrokenInvariant } from "../../engine/fault.ts";
import { Mark } from "../../engine/ids.ts";

/** A record of ours that the topic holds. */
export interface HeldRecord {
  readonly id: string;
  readonly partition: number;
  readonly offset: number;
}

/**
 * What a topic holds of ours beyond what is settled. The mark says, partition by partition, where a resume has to begin to read back. It also keeps
 * the number of partitions of the very first write: an actor stays in its partition when others are added.
 */
export class TopicPlace {
  readonly #ends: number[];
  readonly #held = new Map<number, HeldRecord>();

  /** `ends`: the offset behind the last record of each partition that is written to. */
  constructor(ends: readonly number[]) {
    this.#ends = [...ends];
  }

  get partitions(): number {
    return this.#ends.length;
  }

  add(sequence: number, record: HeldRecord): void {
    this.#held.set(sequence, record);
    this.#ends[record.partition] = Math.max(this.#ends[record.partition] ?? 0, record.offset + 1);
  }

  /** Whether the topic holds it. Throws `BrokenInvariant` if it holds another one under its number. */
  holds(sequence: number, id: string): boolean {
    const held = this.#held.get(sequence);
    if (held !== undefined && held.id !== id) {
      throw new BrokenInvariant(`the topic holds ${held.id} under number ${sequence}, the log ${id}: the state is older than its output`);
    }
    return held !== undefined;
  }

  /** The highest number held; 0: none. */
  get newest(): number {
    return [...this.#held.keys()].reduce((newest, sequence) => Math.max(newest, sequence), 0);
  }

  /** Forgets what is settled; the mark from which the rest is found again. */
  settle(lastSequence: number): Mark {
    for (const sequence of this.#held.keys()) if (sequence <= lastSequence) this.#held.delete(sequence);
    const next = [...this.#ends];
    for (const { partition, offset } of this.#held.values()) next[partition] = Math.min(next[partition] ?? offset, offset);
    return Mark(JSON.stringify({ next } satisfies TopicMark));
  }
}

interface TopicMark {
  readonly next: readonly number[];
}

/** Where to read back from, partition by partition; null: nothing was ever settled, so from the beginning, and all partitions. */
export function resumeFrom(mark: Mark | null): readonly number[] | null {
  return mark === null ? null : (JSON.parse(mark) as TopicMark).next;
}
