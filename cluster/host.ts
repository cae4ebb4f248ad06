import type { Consumer, EachBatchPayload } from "kafkajs";
import { bell } from "../engine/bell.ts";
import type { Clock } from "../engine/clock.ts";
import { seconds } from "../engine/duration.ts";
import { orUnavailable, Unavailable } from "../engine/fault.ts";
import { retry } from "../engine/retry.ts";
import type { Store } from "../engine/store.ts";
import { assignerProtocol, kafkaClient } from "../sources/kafka/client.ts";
import { type HeldShards, stickyAssigner } from "./assigner.ts";
import type { Book } from "./book.ts";
import { encodeChunk } from "./chunk.ts";
import { outgoing } from "./outbox.ts";
import type { Shard } from "./shard.ts";
import { type ShardStatus, statusKey } from "./shard_status.ts";
import { TopicWriter } from "./topic_writer.ts";
import { type ClusterSettings, lostRecords, mailboxExtents, WrongCluster } from "./topics.ts";
import { unpackedRecords } from "./unpacked.ts";

/** A shard whose engine runs. */
export interface OpenShard {
  readonly shard: Shard;
  readonly store: Store;
  /** The newest snapshot. */
  readonly snapshot: () => ShardStatus["snapshot"];
  /** Rejects when the engine has failed. */
  readonly failed: Promise<never>;
  /** Resolves when an output shows that another node has gone on with this state since: this one writes nothing there any more. */
  readonly overtaken: Promise<void>;
  /** Stops the engine, lets sinks settle for a moment, closes the store. */
  readonly close: () => Promise<void>;
}

export interface HostOptions {
  readonly settings: ClusterSettings;
  readonly node: string;
  readonly address: string | null;
  readonly book: Book<ShardStatus>;
  /** Opens the engine of a shard, from whichever of its states is furthest. `wake`: it has stored something. */
  readonly open: (shard: number, wake: () => void) => Promise<OpenShard>;
  /** States that lie here, and how far they are. */
  readonly held: () => HeldShards;
  readonly clock: Clock;
  readonly random: () => number;
  /** Told of what happens, in words for the log. */
  readonly say: (event: "owned" | "given up" | "retry", text: string) => void;
}

const SESSION_MS = seconds(10);
const HEARTBEAT_MS = seconds(2);
const REBALANCE_MS = seconds(60);
/** Bound of the pauses between trials to open a shard: longer ones would hold up the next assignment. */
const OPEN_AGAIN_WITHIN_MS = seconds(5);
const STATUS_EVERY_MS = seconds(1);

interface Owned extends OpenShard {
  generation: number;
  readonly stop: AbortController;
  readonly posting: Promise<void>;
  readonly closed: Promise<void>;
}

/**
 * A node: a member of the group that reads the mailbox. It runs one engine for each shard that the group gives it, from where the shard's state stands,
 * and closes it when the group takes the shard away. Whether another node has it meanwhile does not matter: both do the same.
 */
export class Host {
  readonly #options: HostOptions;
  readonly #writer: TopicWriter;
  readonly #owned = new Map<number, Owned>();
  readonly #held = new Map<number, number>();
  readonly #ended = new AbortController();
  #last: Promise<void> = Promise.resolve();
  #assignment = 0;
  #fail: (error: unknown) => void = () => {};
  #yield: (shard: number) => void = () => {};

  constructor(options: HostOptions) {
    this.#options = options;
    this.#writer = new TopicWriter(options.settings.connection, options.settings.mailbox);
  }

  /** The shards that run here. */
  get shards(): ReadonlyMap<number, OpenShard> {
    return this.#owned;
  }

  /** Runs until the signal fires. Rejects with what the process must end with; an outage of the brokers is waited for. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, say } = this.#options;
    const broken = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    broken.catch(() => {}); // It is raced below.
    const ended = this.#ended;
    const stop = (): void => ended.abort();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    const onRetry = (error: Error): void => say("retry", error.message);
    try {
      const reporting = this.#report(ended.signal);
      const reading = retry(() => this.#read(ended.signal), { clock, random, signal: ended.signal, onRetry });
      await Promise.race([reading, reporting.then(() => reading), broken]).catch((error: unknown) => {
        if (!(error instanceof Unavailable && signal.aborted)) throw error;
      });
    } finally {
      ended.abort();
    }
    await this.#last;
    for (const shard of [...this.#owned.keys()]) await this.#giveUp(shard);
    await this.#writer.close();
  }

  /** A member of the group, from its joining to an outage or the end of the signal. */
  async #read(signal: AbortSignal): Promise<void> {
    const { settings, held } = this.#options;
    const { connection, mailbox, group, shards } = settings;
    const where = `the mailbox ${mailbox}`;
    const heldNow = (): HeldShards =>
      new Map([...held(), ...this.#held, ...[...this.#owned].map(([n, { shard }]) => [n, shard.next] as const)]);
    const consumer = kafkaClient(connection).consumer({
      groupId: group,
      sessionTimeout: SESSION_MS,
      heartbeatInterval: HEARTBEAT_MS,
      rebalanceTimeout: REBALANCE_MS,
      allowAutoTopicCreation: false,
      maxWaitTimeInMs: 100,
      partitionAssigners: [stickyAssigner(heldNow, assignerProtocol())],
    });
    try {
      await orUnavailable(where, consumer.connect());
      await orUnavailable(where, consumer.subscribe({ topics: [mailbox], fromBeginning: true }));
      const crashed = new Promise<never>((_, reject) => {
        consumer.on(consumer.events.CRASH, ({ payload }) => reject(new Unavailable(where, payload.error)));
        consumer.on(consumer.events.REQUEST_TIMEOUT, () => reject(new Unavailable(where, new Error("a request was not answered in time"))));
      });
      crashed.catch(() => {}); // It is raced below.
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => this.#assign(consumer, payload.memberAssignment[mailbox] ?? []));
      const eachBatch = (payload: EachBatchPayload): Promise<void> => this.#take(payload);
      await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, partitionsConsumedConcurrently: shards, eachBatch });
      const stopped = new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
      await Promise.race([stopped, crashed]);
    } finally {
      this.#assignment += 1;
      await Promise.race([consumer.disconnect().catch(() => {}), this.#options.clock.sleep(seconds(5), new AbortController().signal)]);
    }
  }

  /** Called before anything is fetched: shards are paused until their engines run. */
  #assign(consumer: Consumer, shards: readonly number[]): void {
    const { mailbox } = this.#options.settings;
    this.#assignment += 1;
    const assignment = this.#assignment;
    if (shards.length > 0) consumer.pause([{ topic: mailbox, partitions: [...shards] }]);
    const begin = async (shard: number): Promise<void> => {
      if (assignment !== this.#assignment) return;
      const owned = this.#owned.get(shard) ?? (await this.#ownInTime(shard, () => assignment === this.#assignment));
      if (owned === null || assignment !== this.#assignment) return;
      const { shard: open } = owned;
      consumer.seek({ topic: mailbox, partition: shard, offset: String(open.next) });
      consumer.resume([{ topic: mailbox, partitions: [shard] }]);
    };
    this.#yield = (shard) => {
      if (assignment === this.#assignment) consumer.pause([{ topic: mailbox, partitions: [shard] }]);
      this.#after(() => this.#giveUp(shard));
      // If the group still means us once it must have noticed that we were away, the shard is ours, and its state goes beyond the other one's.
      const { clock } = this.#options;
      void clock.sleep(SESSION_MS, new AbortController().signal).then(() => {
        if (assignment === this.#assignment) this.#after(() => begin(shard));
      });
    };
    this.#after(async () => {
      for (const shard of [...this.#owned.keys()]) if (!shards.includes(shard)) await this.#giveUp(shard);
      for (const shard of shards) await begin(shard);
    });
  }

  /** Shards are opened and closed one after the other. */
  #after(work: () => Promise<void>): void {
    this.#last = this.#last.then(work);
    this.#last.catch((error: unknown) => this.#fail(error));
  }

  /** Opens a shard; an outage of the brokers is waited for, as long as the group means us. Null: it does no more, or we are to end. */
  async #ownInTime(number: number, isOurs: () => boolean): Promise<Owned | null> {
    const { clock, random, say } = this.#options;
    const signal = this.#ended.signal;
    const onRetry = (error: Error): void => say("retry", `shard ${number}: ${error.message}`);
    const own = async (): Promise<Owned | null> => (isOurs() ? this.#own(number) : null);
    return retry(own, { clock, random, signal, longestMs: OPEN_AGAIN_WITHIN_MS, onRetry }).catch((error: unknown) => {
      if (error instanceof Unavailable && signal.aborted) return null;
      throw error;
    });
  }

  async #own(number: number): Promise<Owned> {
    const { open, book, say, settings, clock, random } = this.#options;
    await book.refresh(); // A generation counts only beyond all that there are.
    const outbox = bell();
    const opened = await open(number, () => outbox.ring());
    await requireReachable(settings, number, opened.shard.next).catch(async (error: unknown) => {
      await opened.close();
      throw error;
    });
    const generation = (book.get(statusKey(number))?.generation ?? 0) + 1;
    const stop = new AbortController();
    const onRetry = (error: Error): void => say("retry", error.message);
    const posting = retry(() => this.#post(number, opened, () => outbox.heard(), stop.signal), {
      clock,
      random,
      signal: stop.signal,
      onRetry,
    });
    posting.catch((error: unknown) => {
      if (!stop.signal.aborted) this.#fail(error);
    });
    opened.failed.catch((error: unknown) => this.#fail(error));
    void opened.overtaken.then(() => {
      if (this.#owned.get(number)?.shard === opened.shard) this.#yield(number);
    });
    const closed = new Promise<void>((resolve) => stop.signal.addEventListener("abort", () => resolve(), { once: true }));
    stop.signal.addEventListener("abort", () => outbox.ring(), { once: true });
    const owned: Owned = { ...opened, generation, stop, posting: posting.catch(() => {}), closed };
    this.#owned.set(number, owned);
    say("owned", `shard ${number} goes on at ${opened.shard.next}`);
    return owned;
  }

  async #giveUp(number: number): Promise<void> {
    const owned = this.#owned.get(number);
    if (owned === undefined) return;
    this.#owned.delete(number);
    owned.stop.abort();
    await owned.close();
    await owned.posting;
    this.#held.set(number, owned.shard.next);
    this.#options.say("given up", `shard ${number} at ${owned.shard.next}`);
  }

  async #take(payload: EachBatchPayload): Promise<void> {
    const { batch, resolveOffset, heartbeat, isRunning, isStale } = payload;
    const owned = this.#owned.get(batch.partition);
    if (owned === undefined) return;
    const { shard, closed } = owned;
    for await (const { offset, value } of unpackedRecords(payload)) {
      if (!isRunning() || isStale() || owned.stop.signal.aborted) return;
      const taken = shard.take(offset, value);
      taken.catch((error: unknown) => this.#fail(error));
      await Promise.race([taken, closed]);
      await heartbeat();
    }
    resolveOffset(batch.lastOffset());
  }

  /** Hands tells over, as they are stored, in their order. */
  async #post(number: number, { shard, store }: OpenShard, heard: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const { shards } = this.#options.settings;
    const { world } = shard.engine;
    while (!signal.aborted) {
      const news = heard();
      const { chunks, last } = outgoing(store, number, shards, world.handedOver);
      if (chunks.length > 0) await this.#writer.send(chunks.map((one) => ({ partition: one.shard, value: encodeChunk(one.chunk) })));
      world.handedOver = last;
      await news;
    }
  }

  /** Says in the topic of shards how far ours are. */
  async #report(signal: AbortSignal): Promise<void> {
    const { book, node, address, clock, say } = this.#options;
    const told = new Map<number, string>();
    while (!signal.aborted) {
      const entries: [string, ShardStatus][] = [];
      for (const [number, owned] of this.#owned) {
        const { shard, snapshot } = owned;
        const newest = snapshot();
        const { generation: last = 0, node: lastOwner = node } = book.get(statusKey(number)) ?? {};
        if (last > owned.generation || (last === owned.generation && lastOwner !== node)) owned.generation = last + 1; // It was somebody else's meanwhile.
        const { generation } = owned;
        const status = { shard: number, node, address, generation, next: shard.next, ...shard.tells, snapshot: newest };
        if (told.get(number) === JSON.stringify(status)) continue;
        told.set(number, JSON.stringify(status));
        entries.push([statusKey(number), { ...status, atMs: clock.now() }]);
      }
      await book.putAll(entries).catch((error: unknown) => {
        if (!(error instanceof Unavailable)) throw error;
        told.clear(); // It is said again.
        say("retry", error.message);
      });
      await clock.sleep(STATUS_EVERY_MS, signal);
    }
  }
}

/** Throws `WrongCluster` if the mailbox does not hold what a state lacks. */
export async function requireReachable(settings: ClusterSettings, shard: number, next: number): Promise<void> {
  const { low = 0, high = 0 } = (await mailboxExtents(settings)).get(shard) ?? {};
  const { mailbox } = settings;
  if (next < low) throw lostRecords(next, low, `shard ${shard}`, mailbox);
  if (next > high)
    throw new WrongCluster(`shard ${shard} stands at ${next}, and ${mailbox} ends at ${high}: the topic was made anew, or is another one`);
}
