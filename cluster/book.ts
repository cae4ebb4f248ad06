import { randomUUID } from "node:crypto";
import type { Consumer } from "kafkajs";
import { bell } from "../engine/bell.ts";
import { wallClock } from "../engine/clock.ts";
import { orUnavailable, Unavailable } from "../engine/fault.ts";
import { retry } from "../engine/retry.ts";
import { type KafkaConnection, kafkaClient } from "../sources/kafka/client.ts";
import { TopicWriter } from "./topic_writer.ts";
import { unpackedRecords } from "./unpacked.ts";

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
  #consumer: Consumer | null = null;
  readonly #closed = new AbortController();

  /** `takes`: whether a value that comes later counts. Default: each does. */
  constructor(connection: KafkaConnection, topic: string, takes: (before: T, next: T) => boolean = () => true) {
    this.#takes = takes;
    this.#connection = connection;
    this.#topic = topic;
    this.#writer = new TopicWriter(connection, topic);
  }

  /** Reads all that is there now, and goes on in the background. Throws `Unavailable`. */
  async open(): Promise<void> {
    const client = kafkaClient(this.#connection);
    const admin = client.admin();
    let end = 0;
    try {
      await orUnavailable(this.#topic, admin.connect());
      const [extent] = await orUnavailable(this.#topic, admin.fetchTopicOffsets(this.#topic));
      end = Number(extent?.high) > Number(extent?.low) ? Number(extent?.high) : 0;
    } finally {
      await admin.disconnect();
    }
    await this.#follow(end);
  }

  /** Reads from the beginning; resolves behind `end`. Once it has, it begins anew after each outage, until `close`. */
  async #follow(end: number): Promise<void> {
    const client = kafkaClient(this.#connection);
    const consumer = client.consumer({ groupId: `${this.#topic}-${randomUUID()}`, allowAutoTopicCreation: false, maxWaitTimeInMs: 100 });
    this.#consumer = consumer;
    await orUnavailable(this.#topic, consumer.connect());
    await orUnavailable(this.#topic, consumer.subscribe({ topics: [this.#topic], fromBeginning: true }));
    let isRead = end === 0;
    await new Promise<void>((resolve, reject) => {
      if (isRead) resolve();
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        if (isRead) this.#followAgain();
        else reject(new Unavailable(this.#topic, payload.error));
      });
      const run = consumer.run({
        autoCommit: false,
        eachBatch: async (payload) => {
          for await (const { value } of unpackedRecords(payload)) if (value !== null) this.#note(value);
          if (Number(payload.batch.lastOffset()) + 1 >= end) {
            isRead = true;
            resolve();
          }
          this.#news.ring();
        },
      });
      run.catch(reject);
    });
  }

  #followAgain(): void {
    const { signal } = this.#closed;
    const again = retry(() => this.#follow(0), { clock: wallClock, random: Math.random, signal });
    again.catch(() => {}); // It was closed meanwhile: everything else is tried again.
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
    await this.#consumer?.disconnect();
  }

  #note(bytes: Buffer): void {
    const { key, value } = JSON.parse(bytes.toString()) as Entry<T>;
    const before = this.#entries.get(key);
    if (before === undefined || this.#takes(before, value)) this.#entries.set(key, value);
  }
}
