import { BrokenInvariant } from "../../engine/fault.ts";
import { Mark } from "../../engine/ids.ts";

/** What tells an event from others, whatever its number. */
export interface EventName {
  readonly id: string;
  readonly type: string;
  /** The actor, or whatever else its order is kept for. */
  readonly key: string;
}

/** A record of ours that the topic holds. */
export interface HeldRecord extends EventName {
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
  /** By `nameOf`: what an earlier generation wrote beyond the place from which the state was restored. */
  readonly #earlier = new Map<string, HeldRecord>();
  #newestEarlier = 0;
  /** Keys of which this generation has written anything since that place. */
  readonly #begun = new Set<string>();

  /** `ends`: the offset behind the last record of each partition that is written to. */
  constructor(ends: readonly number[]) {
    this.#ends = [...ends];
  }

  get partitions(): number {
    return this.#ends.length;
  }

  add(sequence: number, record: HeldRecord): void {
    this.#held.set(sequence, record);
    this.#begun.add(record.key);
    this.#ends[record.partition] = Math.max(this.#ends[record.partition] ?? 0, record.offset + 1);
  }

  /** The number is one of that generation. */
  addEarlier(sequence: number, record: HeldRecord): void {
    this.#earlier.set(nameOf(record), record);
    this.#newestEarlier = Math.max(this.#newestEarlier, sequence);
  }

  /**
   * Whether an earlier generation has written the event, so that it need not be written again. It has to be where its key has anything from this one:
   * the topic's order would not be that of the log.
   */
  takeEarlier(event: EventName): boolean {
    if (this.#earlier.size === 0) return false;
    if (!this.#begun.has(event.key) && this.#earlier.delete(nameOf(event))) return true;
    this.#begun.add(event.key);
    return false;
  }

  /** Whether the topic holds it. Throws `BrokenInvariant` if it holds another one under its number. */
  holds(sequence: number, { id }: Pick<EventName, "id">): boolean {
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
    if (lastSequence > this.#newestEarlier) this.#earlier.clear(); // What does not come again must not be looked for at every start.
    if (this.#earlier.size === 0) this.#begun.clear();
    const next = [...this.#ends];
    for (const { partition, offset } of [...this.#held.values(), ...this.#earlier.values()])
      next[partition] = Math.min(next[partition] ?? offset, offset);
    return Mark(JSON.stringify({ next } satisfies TopicMark));
  }
}

function nameOf({ id, type }: EventName): string {
  return `${id}\0${type}`;
}

interface TopicMark {
  readonly next: readonly number[];
}

/** Where to read back from, partition by partition; null: nothing was ever settled, so from the beginning, and all partitions. */
export function resumeFrom(mark: Mark | null): readonly number[] | null {
  return mark === null ? null : (JSON.parse(mark) as TopicMark).next;
}
