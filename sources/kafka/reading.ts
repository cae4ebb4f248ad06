import type { Admin, Consumer, EachBatchPayload } from "kafkajs";
import { bell } from "../../engine/bell.ts";
import { seconds } from "../../engine/duration.ts";
import { fault, orUnavailable, Unavailable } from "../../engine/fault.ts";
import type { Position } from "../../engine/ids.ts";
import type { Batch, SourceRecord } from "../../engine/source.ts";
import { BadBatch } from "./bad_batch.ts";
import { kafkaClient } from "./client.ts";
import { decompress } from "./codecs.ts";
import { ForeignPartition } from "./foreign_partition.ts";
import { Idleness } from "./idleness.ts";
import { Lane, laneName, sourceRecord } from "./lane.ts";
import type { KafkaOptions } from "./options.ts";
import { isPacked, type PackedMessage } from "./packed_batch.ts";
import { type Extent, type KafkaPosition, parsePosition, placeOf, positionOf } from "./position.ts";
import { ownerOf, Progress } from "./progress.ts";
import { batchRecords, packedRecords } from "./record_batch.ts";

/** How long a broker waits for a first record before it answers that there is none. */
const POLL_MS = 250;
/** What the broker waits for a member that is gone; the shortest that brokers allow. A killed engine comes back after it. */
const SESSION_MS = seconds(6);
const HEARTBEAT_MS = 1_500;
/** Memory that fetched records may hold before no more is fetched. */
const WAITING_BYTES_MAX = 33_554_432;
/** What leaving the group may take. */
const LEAVE_WITHIN_MS = 1_500;
/** A damaged batch is fetched again so often. */
const FETCHED_AGAIN = 2;
/** One reading of the topics: a member of the group from a start to the end of the signal, or to an outage. */
export class KafkaReading {
  readonly #options: KafkaOptions;
  readonly #signal: AbortSignal;
  readonly #consumer: Consumer;
  readonly #admin: Admin;
  readonly #where: string;
  readonly #news = bell();
  readonly #room = bell();
  readonly #ended = new AbortController();
  readonly #positions: Map<string, KafkaPosition>;
  #isFirstStart: boolean;
  /** What the group has given us, as the library told it. */
  #assigned: Readonly<Record<string, readonly number[]>> = {};
  /** Raised whenever partitions are assigned: what belongs to an earlier assignment is dropped. */
  #assignment = 0;
  #lanes: ReadonlyMap<string, Lane> = new Map();
  /** Batches without records that are due: first words of lanes, last words of partitions that went away. */
  #words: Batch[] = [];
  #failure: unknown = null;
  readonly #idleness: Idleness;
  readonly #progress: Progress;
  readonly #wake = (): void => this.#news.ring();

  constructor(options: KafkaOptions, after: ReadonlyMap<string, Position>, signal: AbortSignal) {
    const { connection, group, id, owner, clock, idleMs } = options;
    this.#options = options;
    this.#signal = signal;
    this.#where = `${id} (${connection.brokers.join(",")})`;
    this.#positions = new Map([...after].map(([name, position]) => [name, parsePosition(position)]));
    this.#isFirstStart = after.size === 0;
    const client = kafkaClient(connection);
    this.#admin = client.admin();
    this.#consumer = client.consumer({
      groupId: group,
      sessionTimeout: SESSION_MS,
      heartbeatInterval: HEARTBEAT_MS,
      rebalanceTimeout: seconds(30),
      allowAutoTopicCreation: false,
      maxWaitTimeInMs: POLL_MS,
      maxBytesPerPartition: 2_097_152,
      maxBytes: 8_388_608,
      metadataMaxAge: seconds(15), // New partitions are seen after so long.
    });
    this.#idleness = new Idleness(clock, idleMs);
    this.#progress = new Progress(this.#consumer, owner, clock);
    signal.addEventListener("abort", this.#wake, { once: true });
  }

  /** Joins the group. Throws `Unavailable`. */
  async begin(): Promise<void> {
    const { topics } = this.#options;
    await orUnavailable(this.#where, this.#admin.connect());
    await orUnavailable(this.#where, this.#admin.fetchTopicMetadata({ topics: [...topics] }));
    await orUnavailable(this.#where, this.#consumer.connect());
    await orUnavailable(this.#where, this.#consumer.subscribe({ topics: [...topics], fromBeginning: true }));
    const { GROUP_JOIN, CRASH, FETCH, END_BATCH_PROCESS, REQUEST_TIMEOUT } = this.#consumer.events;
    this.#consumer.on(GROUP_JOIN, ({ payload }) => this.#begin(payload.memberAssignment));
    this.#consumer.on(CRASH, ({ payload }) => this.#fail(new Unavailable(this.#where, payload.error)));
    // The library would ask again over the same connection, which may be one that the network has forgotten: for minutes.
    this.#consumer.on(REQUEST_TIMEOUT, () => this.#fail(new Unavailable(this.#where, new Error("a request was not answered in time"))));
    this.#consumer.on(FETCH, () => {
      this.#idleness.answered();
      this.#news.ring();
    });
    this.#consumer.on(END_BATCH_PROCESS, ({ payload: { topic, partition, batchSize, lastOffset } }) => {
      if (batchSize > 0) return;
      // Only records from before where it was fetched, which is `lastOffset`: the library goes on behind it without another word to us.
      const lane = this.#lanes.get(laneName(topic, partition));
      if (lane?.expected === Number(lastOffset)) lane.moveTo(lane.expected + 1);
    });
    await this.#consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: (payload) => this.#fetched(payload) });
  }

  /** The batches, as long as the signal has not fired. Throws `Unavailable` or `ForeignPartition`. */
  async *batches(): AsyncGenerator<Batch, void> {
    while (!this.#signal.aborted) {
      const heard = this.#news.heard();
      if (this.#failure !== null) throw this.#failure;
      const batch = this.#words.shift() ?? this.#fullest()?.take(this.#options.bounds) ?? this.#idleness.next()?.word(true) ?? null;
      if (batch === null) {
        await heard;
        continue;
      }
      if (this.#weight() <= WAITING_BYTES_MAX) this.#room.ring();
      this.#remember(batch);
      yield batch;
    }
  }

  /** Leaves the group, if that can be done in time. */
  async end(): Promise<void> {
    this.#signal.removeEventListener("abort", this.#wake);
    const late = new AbortController();
    const left = this.#leave().then(() => late.abort());
    await Promise.race([left, this.#options.clock.sleep(LEAVE_WITHIN_MS, late.signal)]);
    late.abort();
  }

  /** These positions are stored: the broker's tools may see them. */
  stored(positions: ReadonlyMap<string, Position>): void {
    for (const [name, position] of positions) {
      const lane = this.#lanes.get(name);
      if (lane !== undefined) this.#progress.stored(lane, parsePosition(position).next);
    }
  }

  /** Somebody has accepted gaps: if a lane has stopped at one of them, all begin anew, where they are. */
  goOn(): void {
    const isWaiting = [...this.#lanes.values()].some(({ name, stopped }) => stopped !== null && this.#accepts(name));
    if (isWaiting) this.#begin(this.#assigned);
  }

  /** Records that the broker had when we heard of it last and that are not handed over; null: nothing is assigned to us. */
  behind(): number | null {
    if (this.#lanes.size === 0) return null;
    return [...this.#lanes.values()].reduce((sum, { high, position }) => sum + Math.max(0, high - position.next), 0);
  }

  #accepts(name: string): boolean {
    const { onGap, isAccepted } = this.#options;
    return onGap === "accept" || isAccepted?.(name) === true;
  }

  // Assignment. -------------------------------------------------------------------------------------------------------------------------

  /** Called by the library before it fetches anything: until we know where to begin, nothing is to be fetched. */
  #begin(partitions: Readonly<Record<string, readonly number[]>>): void {
    this.#assigned = partitions;
    this.#assignment += 1;
    this.#lanes = new Map();
    this.#words = [];
    this.#room.ring();
    for (const [topic, numbers] of Object.entries(partitions)) this.#consumer.pause([{ topic, partitions: [...numbers] }]);
    this.#open(partitions, this.#assignment).catch((error: unknown) => {
      if (!this.#ended.signal.aborted) this.#fail(error instanceof ForeignPartition ? error : new Unavailable(this.#where, error));
    });
  }

  async #open(partitions: Readonly<Record<string, readonly number[]>>, assignment: number): Promise<void> {
    const { clusterId: cluster } = await this.#admin.describeCluster();
    const ends = this.#isFirstStart && this.#options.start === "latest" ? await this.#presentEnds(cluster) : null;
    const lanes = new Map<string, Lane>();
    for (const [topic, numbers] of Object.entries(partitions)) {
      const extents = await this.#extents(topic);
      const unknown = numbers.filter((partition) => !this.#positions.has(laneName(topic, partition)));
      if (unknown.length > 0) await this.#refuseForeign(topic, unknown);
      for (const partition of numbers) {
        const extent = extents.get(partition) ?? { low: 0, high: 0 };
        const lane = this.#lane(topic, partition, cluster, extent, ends);
        lanes.set(lane.name, lane);
      }
    }
    if (assignment !== this.#assignment) return;
    this.#lanes = lanes;
    this.#idleness.begin(lanes.values());
    const gone = [...this.#positions].filter(([name]) => !lanes.has(name));
    this.#words = [...[...lanes.values()].map((lane) => lane.word(false)), ...gone.map(([name, position]) => lastWord(name, position))];
    if (ends !== null && this.#words[0] !== undefined) this.#words[0] = { ...this.#words[0], resumeAt: positionsOf(ends) };
    for (const lane of lanes.values()) if (lane.stopped === null) this.#goOn(lane);
    this.#news.ring();
  }

  #lane(topic: string, partition: number, cluster: string, extent: Extent, ends: ReadonlyMap<string, KafkaPosition> | null): Lane {
    const name = laneName(topic, partition);
    const known = this.#positions.get(name) ?? ends?.get(name);
    const options = { topic, partition, cluster };
    if (known === undefined) return new Lane(options, { seekTo: extent.low, next: extent.low, mark: null }, extent);
    const place = placeOf(known, extent, cluster);
    if (!("gap" in place)) return new Lane(options, place, extent);
    const isAccepted = this.#accepts(name);
    const here = { seekTo: known.next, next: known.next, mark: null };
    const lane = new Lane(isAccepted ? options : { ...options, cluster: known.cluster }, here, extent);
    if (isAccepted) lane.restart(extent.low, place.gap);
    else lane.stopped = place.gap;
    this.#options.onTrouble(name, place.gap, !isAccepted);
    return lane;
  }

  /** A group that reads for another store has told the broker so. */
  async #refuseForeign(topic: string, partitions: readonly number[]): Promise<void> {
    const { group, owner } = this.#options;
    const [told] = await this.#admin.fetchOffsets({ groupId: group, topics: [topic] });
    for (const { partition, metadata } of told?.partitions ?? []) {
      const other = ownerOf(metadata);
      if (other !== null && other !== owner && partitions.includes(partition)) {
        throw new ForeignPartition(laneName(topic, partition), group, other);
      }
    }
  }

  async #extents(topic: string): Promise<ReadonlyMap<number, Extent>> {
    const offsets = await this.#admin.fetchTopicOffsets(topic);
    return new Map(offsets.map(({ partition, low, high }) => [partition, { low: Number(low), high: Number(high) }]));
  }

  /**
   * The present ends of all partitions, ours or not. They are stored at once: a partition without a position is taken for a new one and read from
   * its beginning.
   */
  async #presentEnds(cluster: string): Promise<ReadonlyMap<string, KafkaPosition>> {
    const ends = new Map<string, KafkaPosition>();
    for (const topic of this.#options.topics) {
      const extents = await this.#extents(topic);
      for (const [partition, { high }] of extents) ends.set(laneName(topic, partition), { next: high, cluster, mark: null });
    }
    return ends;
  }

  #goOn(lane: Lane): void {
    const { topic, partition, expected } = lane;
    this.#idleness.heardOf(lane);
    this.#consumer.seek({ topic, partition, offset: String(expected) });
    this.#consumer.resume([{ topic, partitions: [partition] }]);
  }

  // What is fetched. --------------------------------------------------------------------------------------------------------------------

  async #fetched(payload: EachBatchPayload): Promise<void> {
    const { batch, resolveOffset } = payload;
    const lane = this.#lanes.get(laneName(batch.topic, batch.partition));
    if (lane === undefined || lane.stopped !== null) return;
    const assignment = this.#assignment;
    lane.high = Number(batch.highWatermark);
    this.#idleness.heardOf(lane);
    if (fetchedAt(batch) !== lane.expected) return this.#examine(lane);
    for (const message of batch.messages) {
      const isDone = isPacked(message)
        ? await this.#unpack(lane, message)
        : this.#queue(lane, [oldRecord(message)], Number(message.offset) + 1, message.value?.length ?? 0);
      if (!isDone || assignment !== this.#assignment) return;
      resolveOffset(message.offset);
      await this.#waitForRoom(payload, assignment);
      if (!this.#isReading(payload, assignment)) return;
    }
    lane.moveTo(Number(batch.lastOffset()) + 1);
    this.#news.ring();
  }

  /** True: the records of the batch are queued. */
  async #unpack(lane: Lane, { packed, damage, isPassedOver = false }: PackedMessage): Promise<boolean> {
    if (isPassedOver) return lane.passOver(packed.baseOffset, packed.lastOffset) || this.#otherThanRead(lane);
    try {
      if (damage !== null) throw new BadBatch(damage);
      const records: SourceRecord[] = [];
      const inside = await decompress(packed.codec, packedRecords(packed));
      for (const record of batchRecords(packed, inside)) records.push(sourceRecord(record));
      return this.#queue(lane, records, packed.lastOffset + 1, inside.length);
    } catch (error) {
      if (!(error instanceof BadBatch)) throw error;
      return this.#damaged(lane, packed, error.message, damage !== null);
    }
  }

  #queue(lane: Lane, records: readonly SourceRecord[], next: number, bytes: number): boolean {
    if (lane.queue(records, next, bytes)) {
      if (records.length > 0) this.#idleness.recordsOf(lane);
      this.#news.ring();
      return true;
    }
    return this.#otherThanRead(lane);
  }

  #otherThanRead(lane: Lane): false {
    this.#gap(lane, `the record before ${lane.expected + 1} is not the one that was read there`, 0);
    return false;
  }

  /** A batch that is damaged is fetched again; one that is sound but cannot be read will not become better. */
  #damaged(lane: Lane, packed: PackedMessage["packed"], reason: string, mayPass: boolean): boolean {
    lane.damages += 1;
    if (mayPass && lane.damages <= FETCHED_AGAIN) {
      this.#goOn(lane);
      return false;
    }
    const { baseOffset, lastOffset, bytes } = packed;
    const isInside = baseOffset >= 0 && lastOffset < lane.high;
    const what = `the batch at ${lane.expected} cannot be read: ${reason}`;
    if (!this.#accepts(lane.name) || !isInside) {
      this.#stop(lane, what);
      return false;
    }
    this.#options.onTrouble(lane.name, what, false);
    lane.lose(what);
    return this.#queue(lane, [{ at: lastOffset, arrivedAtMs: 0, bytes, fault: fault("bad_encoding", what) }], lastOffset + 1, bytes.length);
  }

  /** A fetch began elsewhere than it had to: the library reset the offset, or an answer was under way while we sought. The broker knows. */
  async #examine(lane: Lane): Promise<void> {
    const extent = (await this.#extents(lane.topic)).get(lane.partition);
    if (extent === undefined || this.#lanes.get(lane.name) !== lane) return;
    const { cluster } = lane.position;
    const place = placeOf({ next: lane.expected, cluster, mark: null }, extent, cluster);
    if ("gap" in place) this.#gap(lane, place.gap, extent.low);
    else this.#goOn(lane);
  }

  /** Records are missing: the lane stops, or begins again at the first that is there. What waits in it stays. */
  #gap(lane: Lane, reason: string, low: number): void {
    if (!this.#accepts(lane.name)) return this.#stop(lane, reason);
    this.#options.onTrouble(lane.name, reason, false);
    lane.restart(low, reason);
    return this.#goOn(lane);
  }

  #stop(lane: Lane, reason: string): void {
    lane.stopped = reason;
    this.#consumer.pause([{ topic: lane.topic, partitions: [lane.partition] }]);
    this.#options.onTrouble(lane.name, reason, true);
    this.#news.ring();
  }

  /** Back-pressure: while too much waits nothing is fetched, and the group hears that we live. */
  async #waitForRoom(payload: EachBatchPayload, assignment: number): Promise<void> {
    while (this.#weight() > WAITING_BYTES_MAX && this.#isReading(payload, assignment)) {
      const nap = new AbortController();
      await Promise.race([this.#room.heard(), this.#options.clock.sleep(HEARTBEAT_MS, nap.signal)]);
      nap.abort();
      await payload.heartbeat();
    }
  }

  #isReading({ isRunning, isStale }: EachBatchPayload, assignment: number): boolean {
    return !this.#ended.signal.aborted && isRunning() && !isStale() && assignment === this.#assignment;
  }

  // What is handed over. ----------------------------------------------------------------------------------------------------------------

  #weight(): number {
    let weight = 0;
    for (const lane of this.#lanes.values()) weight += lane.weight;
    return weight;
  }

  /** The lane with most to hand over: batches grow while the store is busy, and none is left behind. */
  #fullest(): Lane | null {
    let fullest: Lane | null = null;
    for (const lane of this.#lanes.values()) if (lane.hasWaiting && lane.weight > (fullest?.weight ?? 0)) fullest = lane;
    return fullest;
  }

  /** A pump takes whatever is yielded, so a partition that is assigned again goes on behind it. */
  #remember({ resumeAt }: Batch): void {
    for (const [name, position] of resumeAt) this.#positions.set(name, parsePosition(position));
    this.#isFirstStart = false;
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#news.ring();
  }

  async #leave(): Promise<void> {
    await this.#progress.end();
    this.#ended.abort();
    this.#room.ring();
    await Promise.allSettled([this.#consumer.disconnect(), this.#admin.disconnect()]);
  }
}

/** Of a partition that is no longer ours: it does not hold the clock. */
function lastWord(name: string, position: KafkaPosition): Batch {
  return {
    origin: "",
    path: null,
    partition: name,
    generation: 0,
    records: [],
    resumeAt: new Map([[name, positionOf(position)]]),
    idle: true,
  };
}

function positionsOf(places: ReadonlyMap<string, KafkaPosition>): ReadonlyMap<string, Position> {
  return new Map([...places].map(([name, place]) => [name, positionOf(place)]));
}

/** Offset at which the fetch of a batch began. The library has it, and does not say so in its types. */
function fetchedAt(batch: object): number {
  return "fetchedOffset" in batch ? Number(batch.fetchedOffset) : Number.NaN;
}

/** A message of a format before record batches, which the library has taken apart. */
function oldRecord({ offset, timestamp, value }: EachBatchPayload["batch"]["messages"][number]): SourceRecord {
  return sourceRecord({ offset: Number(offset), timestampMs: Number(timestamp), value });
}
