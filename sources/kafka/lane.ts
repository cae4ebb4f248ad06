import { fault } from "../../engine/fault.ts";
import type { Batch, SourceRecord } from "../../engine/source.ts";
import type { Bounds } from "../format.ts";
import { type Extent, type KafkaPosition, markOf, positionOf } from "./position.ts";
import type { BatchRecord } from "./record_batch.ts";

export interface LaneOptions {
  readonly topic: string;
  readonly partition: number;
  readonly cluster: string;
}

/** Where a lane begins: the first fetch is at `seekTo`, records before `next` are stored already, and `mark` is of the last of them. */
export interface LaneStart {
  readonly seekTo: number;
  readonly next: number;
  readonly mark: string | null;
}

/** Records and the memory that each of them holds, on average. */
interface Portion {
  readonly records: readonly SourceRecord[];
  readonly weight: number;
}

/** In the place of records that are lost: why, and the offset behind them. */
interface Hole {
  readonly gap: string;
  readonly next: number;
}

/** No record was written before or will be after: a producer that says so says nothing. */
const TIMES = { from: Date.UTC(2000, 0, 1), to: Date.UTC(2100, 0, 1) };
/** What a record weighs beside its bytes. */
const RECORD_WEIGHT = 200;

/** One partition while it is assigned to us: where the next fetch has to begin, and the records that wait to be handed over. */
export class Lane {
  readonly topic: string;
  readonly partition: number;
  readonly name: string;
  /** Why it is read no more. */
  stopped: string | null = null;
  /** Offset at which the next fetch has to begin. */
  expected: number;
  /** The offset behind the last one at the broker, as far as we heard. */
  high: number;
  /** How often the batch at `expected` came damaged. */
  damages = 0;
  /** Memory held by what waits. */
  weight = 0;
  readonly #options: LaneOptions;
  #mark: string | null;
  #dropBefore: number;
  #waiting: (Portion | Hole)[] = [];
  #takenOfFirst = 0;
  #queuedTo: number;
  #handedOver: KafkaPosition;

  constructor(options: LaneOptions, { seekTo, next, mark }: LaneStart, { high }: Extent) {
    this.topic = options.topic;
    this.partition = options.partition;
    this.name = laneName(options.topic, options.partition);
    this.#options = options;
    this.expected = seekTo;
    this.high = high;
    this.#mark = mark;
    this.#dropBefore = next;
    this.#queuedTo = next;
    this.#handedOver = { next, cluster: options.cluster, mark };
  }

  /** Position behind what was handed over. */
  get position(): KafkaPosition {
    return this.#handedOver;
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Everything that the broker has is handed over. */
  get isAtEnd(): boolean {
    return !this.hasWaiting && this.expected >= this.high;
  }

  /**
   * Queues the records of one fetched batch, which the next fetch goes on behind at `next`; `bytes` is the memory they hold. False: the record
   * before our position is not the one that was read there, so nothing is queued.
   */
  queue(records: readonly SourceRecord[], next: number, bytes: number): boolean {
    if (this.#mark !== null) {
      const known = records.find(({ at }) => at === this.#dropBefore - 1);
      if (known !== undefined && markOf(known) !== this.#mark) return false;
      this.#mark = null;
    }
    const fresh = records.filter(({ at }) => at >= this.#dropBefore);
    const weight = RECORD_WEIGHT + bytes / Math.max(1, records.length);
    if (fresh.length > 0) this.#waiting.push({ records: fresh, weight });
    this.weight += weight * fresh.length;
    this.moveTo(next);
    return true;
  }

  /**
   * A batch of which nothing is to be seen was fetched, from one offset to another. False: it stands where a record was read before our position,
   * so nothing is passed over.
   */
  passOver(from: number, to: number): boolean {
    const known = this.#dropBefore - 1;
    if (this.#mark !== null && from <= known && known <= to) return false;
    this.moveTo(to + 1);
    return true;
  }

  /** The next fetch begins here: what lies before holds nothing for us, or is queued. */
  moveTo(next: number): void {
    this.expected = Math.max(this.expected, next);
    this.#queuedTo = Math.max(this.#queuedTo, next);
    this.#dropBefore = Math.max(this.#dropBefore, next);
    this.damages = 0;
  }

  /** Begins again at an offset, whatever was read before: what lies between is lost, for this reason. */
  restart(at: number, reason: string): void {
    this.expected = at;
    this.#dropBefore = at;
    this.#queuedTo = at;
    this.#mark = null;
    this.lose(reason);
  }

  /** Records before the next ones are lost. */
  lose(reason: string): void {
    this.#waiting.push({ gap: reason, next: this.#queuedTo });
    this.weight += RECORD_WEIGHT;
  }

  /** A batch of what waits, or null. A hole is one of its own. */
  take({ records: recordsMax, bytes: bytesMax }: Bounds): Batch | null {
    const [first] = this.#waiting;
    if (first !== undefined && "gap" in first) return this.#passHole(first);
    const records: SourceRecord[] = [];
    for (let bytes = 0; ; ) {
      const [portion] = this.#waiting;
      const record = portion === undefined || "gap" in portion ? undefined : portion.records[this.#takenOfFirst];
      if (record === undefined) break;
      bytes += record.bytes.length;
      if (records.length >= recordsMax || (bytes > bytesMax && records.length > 0)) break;
      records.push(record);
      this.#step();
    }
    const last = records.at(-1);
    if (last === undefined) return null;
    const next = this.hasWaiting ? last.at + 1 : this.#queuedTo;
    // Another replica may hold a damaged batch whole: what is seen of it is no mark.
    const isMark = last.at === next - 1 && last.fault === undefined;
    this.#handedOver = { next, cluster: this.#options.cluster, mark: isMark ? markOf(last) : null };
    return this.#batch(records, false);
  }

  /** No record, but where we are: at the beginning of a lane, or when there is nothing more. Nothing may be waiting but a hole, at the beginning. */
  word(idle: boolean): Batch {
    const [first] = this.#waiting;
    if (first !== undefined && "gap" in first) return this.#passHole(first);
    const { next, cluster } = this.#handedOver;
    if (this.#queuedTo > next) this.#handedOver = { next: this.#queuedTo, cluster, mark: null };
    return this.#batch([], idle);
  }

  #passHole({ gap, next }: Hole): Batch {
    this.#waiting.shift();
    this.weight = this.hasWaiting ? this.weight - RECORD_WEIGHT : 0;
    this.#handedOver = { next, cluster: this.#options.cluster, mark: null };
    return { ...this.#batch([], false), gap };
  }

  #step(): void {
    const first = this.#waiting[0] as Portion;
    this.weight -= first.weight;
    this.#takenOfFirst += 1;
    if (this.#takenOfFirst < first.records.length) return;
    this.#waiting.shift();
    this.#takenOfFirst = 0;
    if (!this.hasWaiting) this.weight = 0;
  }

  #batch(records: readonly SourceRecord[], idle: boolean): Batch {
    const { topic, partition, cluster } = this.#options;
    return {
      origin: `kafka:${cluster}/${topic}/${partition}/`,
      path: null,
      partition: this.name,
      generation: 0,
      records,
      resumeAt: new Map([[this.name, positionOf(this.#handedOver)]]),
      idle,
    };
  }
}

/** The name of a partition in positions, clocks and messages. */
export function laneName(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

const NO_BYTES = new Uint8Array(0);

function timeOr0(timestampMs: number): number {
  return timestampMs >= TIMES.from && timestampMs < TIMES.to ? timestampMs : 0;
}

/** A record as the engine takes it. Arrival is the record's own time, so that a replay sees the same. */
export function sourceRecord({ offset, timestampMs, value }: BatchRecord): SourceRecord {
  const bytes = value ?? NO_BYTES;
  // Without bytes and without a fault it would be a tombstone, which only a record that has no value is.
  if (value?.length === 0) return { at: offset, arrivedAtMs: timeOr0(timestampMs), bytes, fault: fault("bad_json", "the value is empty") };
  if (timestampMs >= TIMES.from && timestampMs < TIMES.to) return { at: offset, arrivedAtMs: timestampMs, bytes };
  return { at: offset, arrivedAtMs: 0, bytes, fault: fault("bad_time", `the record's own time is ${timestampMs}`) };
}
