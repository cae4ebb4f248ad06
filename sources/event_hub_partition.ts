import type { Batch, SourceRecord } from "../engine/source.ts";
import { type HubPlace, isPlainOffset, positionOf } from "./event_hub_position.ts";
import { type HubEventData, recordOf } from "./event_hub_record.ts";
import type { Bounds } from "./format.ts";
import { Group } from "./grouped.ts";

export interface HubPartitionOptions {
  readonly id: string;
  /** Provenance before a record's sequence number. */
  readonly origin: string;
  readonly place: HubPlace;
  readonly bounds: Bounds;
  readonly columns: ReadonlyMap<string, string>;
  /** Quiet for so long, and at its end: idle. */
  readonly idleMs: number;
  readonly openedAtMs: number;
}

/** Where one partition of a hub stands, and the batches that its events make. It talks to nobody. */
export class HubPartition {
  readonly id: string;
  readonly #options: HubPartitionOptions;
  #place: HubPlace;
  #end = Number.POSITIVE_INFINITY;
  #quietSinceMs: number;
  #isIdle = false;
  /** Why events before the next batch are lost; null: none are. */
  #gap: string | null = null;

  constructor(options: HubPartitionOptions) {
    this.id = options.id;
    this.#options = options;
    this.#place = options.place;
    this.#quietSinceMs = options.openedAtMs;
  }

  /** The last event that was taken. */
  get place(): HubPlace {
    return this.#place;
  }

  /** The service's last event at present: once it is taken, the partition is read to its end. */
  endsAt(sequence: number): void {
    this.#end = sequence;
  }

  /** Events up to this one are gone; `gap`: which is a loss, and why. */
  passOver(sequence: number, gap: string | null = null): void {
    this.#place = { ...this.#place, sequence };
    this.#gap = gap;
  }

  /** How many of these events follow the last one, and one another, without a hole or a step back. */
  countNext(events: readonly HubEventData[]): number {
    const broken = events.findIndex(({ sequenceNumber }, n) => sequenceNumber !== this.#place.sequence + 1 + n);
    return broken < 0 ? events.length : broken;
  }

  /** The first offset that does not tell where to resume, if there is one. */
  strangeOffset(events: readonly HubEventData[]): string | null {
    return events.find(({ offset }) => !isPlainOffset(offset))?.offset ?? null;
  }

  /** Takes events, within the bounds; those that were taken before are left out. */
  *batches(events: readonly HubEventData[], nowMs: number): Generator<Batch, void> {
    if (events.length === 0) return;
    const group = new Group(this.#options.bounds);
    this.#quietSinceMs = nowMs;
    this.#isIdle = false;
    for (const event of events) {
      if (event.sequenceNumber <= this.#place.sequence) continue;
      const record = recordOf(event, this.#options.columns);
      if (!group.hasRoom(record.bytes.length)) yield this.#batch(group.take());
      group.add(record);
      this.#place = { ...this.#place, sequence: event.sequenceNumber, offset: event.offset };
    }
    if (!group.isEmpty) yield this.#batch(group.take());
  }

  /** A batch that says that there is nothing more at present, once, when that has been so for long enough; else null. */
  idleBatch(nowMs: number): Batch | null {
    const isQuiet = this.#place.sequence >= this.#end && nowMs - this.#quietSinceMs >= this.#options.idleMs;
    if (this.#isIdle || !isQuiet) return null;
    this.#isIdle = true;
    return this.#gap === null ? { ...this.#batch([]), resumeAt: new Map(), idle: true } : { ...this.#batch([]), idle: true };
  }

  #batch(records: readonly SourceRecord[]): Batch {
    const gap = this.#gap === null ? {} : { gap: this.#gap };
    this.#gap = null;
    const resumeAt = new Map([[this.id, positionOf(this.#place)]]);
    return { origin: this.#options.origin, path: null, partition: this.id, generation: 0, ...gap, records, resumeAt, idle: false };
  }
}
