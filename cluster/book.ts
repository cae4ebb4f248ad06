import { randomUUID } from "node:crypto";
import type { Consumer, EachBatchPayload } from "kafkajs";
import { bell } from "../engine/bell.ts";
import { wallClock } from "../engine/clock.ts";
import { seconds } from "../engine/duration.ts";
import { orUnavailable, Unavailable } from "../engine/fault.ts";
import { retry } from "../engine/retry.ts";
import { type KafkaConnection, kafkaClient } from "../sources/kafka/client.ts";
import { TopicWriter } from "./topic_writer.ts";
import { unpackedRecords } from "./unpacked.ts";

const READ_WITHIN_MS = seconds(30);
const LEAVE_WITHIN_MS = seconds(5);
/** Bound of the pauses between trials to read on after an outage. */
const AGAIN_WITHIN_MS = seconds(5);

interface Entry<T> {
  readonly key: string;
  readonly value: T;
}

/** A small table that a compacted topic of one partition keeps: the last value of each key, followed as others write it. */
export class Book<T> {
  readonly #topic: string;
  readonly #takes: (before: T, next: T) => boolean;
  readonly #connection: KafkaConnection;
  readonly #writer: TopicWriter;
  readonly #entries = new Map<string, T>();
  readonly #news = bell();
  /** Everything before this offset is noted. */
  #next = 0;
  #consumer: Consumer | null = null;
  readonly #closed = new AbortController();

  /** `takes`: whether a value that comes later counts. Default: each does. */
  constructor(connection: KafkaConnection, topic: string, takes: (before: T, next: T) => boolean = () => true) {
    this.#takes = takes;
    this.#connection = connection;
    this.#topic = topic;
    this.#writer = new TopicWriter(connection, topic);
  }

  /** Reads all that is there now, and goes on in the background, beyond outages too. Throws `Unavailable`. */
  async open(): Promise<void> {
    const end = await this.#end();
    await this.#follow();
    await this.#readTo(end);
  }

  /** Reads all that others have written until now: what is here may be of before an outage. Throws `Unavailable`. */
  async refresh(): Promise<void> {
    await this.#readTo(await this.#end());
  }

  /** The offset behind the last record. */
  async #end(): Promise<number> {
    const admin = kafkaClient(this.#connection).admin();
    try {
      await orUnavailable(this.#topic, admin.connect());
      const [extent] = await orUnavailable(this.#topic, admin.fetchTopicOffsets(this.#topic));
      return Number(extent?.high) > Number(extent?.low) ? Number(extent?.high) : 0;
    } finally {
      await leave(admin);
    }
  }

  async #readTo(end: number): Promise<void> {
    const late = new AbortController();
    const waited = wallClock.sleep(READ_WITHIN_MS, late.signal);
    let isLate = false;
    void waited.then(() => {
      isLate = true;
    });
    try {
      while (this.#next < end) {
        const news = this.#news.heard();
        if (isLate || this.#closed.signal.aborted) throw new Unavailable(this.#topic, new Error(`it could not be read to ${end}`));
        await Promise.race([news, waited]);
      }
    } finally {
      late.abort();
    }
  }

  /** Reads on from the beginning, and passes over what was read before: a compacted topic is short. After an outage another consumer does. */
  async #follow(): Promise<void> {
    const client = kafkaClient(this.#connection);
    const consumer = client.consumer({ groupId: `${this.#topic}-${randomUUID()}`, allowAutoTopicCreation: false, maxWaitTimeInMs: 100 });
    this.#consumer = consumer;
    let isOver = false;
    const followAgain = (): void => {
      if (isOver || this.#closed.signal.aborted) return;
      isOver = true;
      void leave(consumer);
      this.#followAgain();
    };
    try {
      await orUnavailable(this.#topic, consumer.connect());
      await orUnavailable(this.#topic, consumer.subscribe({ topics: [this.#topic], fromBeginning: true }));
      consumer.on(consumer.events.CRASH, followAgain);
      consumer.on(consumer.events.REQUEST_TIMEOUT, followAgain);
      const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
        for await (const { offset, value } of unpackedRecords(payload)) {
          if (offset < this.#next) continue;
          if (value !== null) this.#note(value);
          this.#next = offset + 1;
        }
        this.#next = Math.max(this.#next, Number(payload.batch.lastOffset()) + 1);
        this.#news.ring();
      };
      await orUnavailable(this.#topic, consumer.run({ autoCommit: false, eachBatch }));
    } catch (error) {
      isOver = true;
      void leave(consumer);
      throw error;
    }
    if (this.#closed.signal.aborted) await leave(consumer);
  }

  #followAgain(): void {
    const { signal } = this.#closed;
    const again = retry(() => this.#follow(), { clock: wallClock, random: Math.random, signal, longestMs: AGAIN_WITHIN_MS });
    again.catch((error: unknown) => {
      if (!signal.aborted) throw error; // Everything but an outage is a bug, and ends the process.
    });
  }

  get(key: string): T | undefined {
    return this.#entries.get(key);
  }

  entries(): ReadonlyMap<string, T> {
    return this.#entries;
  }

  /** Resolves when the value is durable; it is seen here at once. Throws `Unavailable`. */
  async put(key: string, value: T): Promise<void> {
    await this.putAll([[key, value]]);
  }

  async putAll(entries: readonly (readonly [key: string, value: T])[]): Promise<void> {
    const messages = entries.map(([key, value]) => ({ partition: 0, key, value: JSON.stringify({ key, value } satisfies Entry<T>) }));
    await this.#writer.send(messages);
    for (const [key, value] of entries) this.#entries.set(key, value);
  }

  /** Resolves when something has come. */
  changed(): Promise<void> {
    return this.#news.heard();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#writer.close();
    if (this.#consumer !== null) await leave(this.#consumer);
    this.#news.ring();
  }

  #note(bytes: Buffer): void {
    const { key, value } = JSON.parse(bytes.toString()) as Entry<T>;
    const before = this.#entries.get(key);
    if (before === undefined || this.#takes(before, value)) this.#entries.set(key, value);
  }
}

/** A broker that does not answer is not waited for. */
async function leave(client: { disconnect(): Promise<void> }): Promise<void> {
  const late = new AbortController();
  const left = client.disconnect().catch(() => {}); // It is given up either way.
  await Promise.race([left, wallClock.sleep(LEAVE_WITHIN_MS, late.signal)]);
  late.abort();
}
