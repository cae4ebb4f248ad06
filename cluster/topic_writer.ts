import type { Message, Producer } from "kafkajs";
import { wallClock } from "../engine/clock.ts";
import { seconds } from "../engine/duration.ts";
import { orUnavailable } from "../engine/fault.ts";
import { type KafkaConnection, kafkaClient } from "../sources/kafka/client.ts";

/** One request holds so much, but at least one record. */
const REQUEST_BYTES_MAX = 4_194_304;
/** The library may wait for ever for a broker that was started anew. */
const SEND_WITHIN_MS = seconds(20);

/**
 * Writes a topic in order: idempotent, one request in flight, all replicas. After an error it begins as a new producer; whether the request came
 * through nobody knows, so whoever sends must send it again from where it was sure.
 */
export class TopicWriter {
  readonly #connection: KafkaConnection;
  readonly #topic: string;
  #producer: Promise<Producer> | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(connection: KafkaConnection, topic: string) {
    this.#connection = connection;
    this.#topic = topic;
  }

  /** Resolves, when all are durable, with the last offset in each partition. Calls are done one after another. Throws `Unavailable`. */
  send(messages: readonly Message[]): Promise<ReadonlyMap<number, number>> {
    const sent = this.#last.then(() => this.#sendNow(messages));
    this.#last = sent.catch(() => {}); // The caller hears of it.
    return sent;
  }

  async close(): Promise<void> {
    await this.#last;
    const producer = this.#producer;
    this.#producer = null;
    await (await producer)?.disconnect();
  }

  async #sendNow(messages: readonly Message[]): Promise<ReadonlyMap<number, number>> {
    const done = new AbortController();
    const late = wallClock.sleep(SEND_WITHIN_MS, done.signal).then(() => {
      throw new Error(`no answer within ${SEND_WITHIN_MS} ms`);
    });
    late.catch(() => {}); // It is raced.
    const sending = this.#sendAll(messages);
    sending.catch(() => {}); // After the deadline nobody waits for it; what it still does is a repeat.
    try {
      return await orUnavailable(`the topic ${this.#topic}`, Promise.race([sending, late]));
    } catch (error) {
      const failed = this.#producer;
      this.#producer = null;
      void failed?.then((producer) => producer.disconnect()).catch(() => {}); // It is given up either way, and may never answer.
      throw error;
    } finally {
      done.abort();
    }
  }

  async #sendAll(messages: readonly Message[]): Promise<ReadonlyMap<number, number>> {
    this.#producer ??= this.#connect();
    const producer = await this.#producer;
    const last = new Map<number, number>();
    for (const request of requests(messages)) {
      const answers = await producer.send({ topic: this.#topic, acks: -1, messages: [...request] });
      for (const { partition, baseOffset } of answers) {
        const count = request.filter((one) => one.partition === partition).length;
        last.set(partition, Number(baseOffset) + count - 1);
      }
    }
    return last;
  }

  async #connect(): Promise<Producer> {
    const producer = kafkaClient(this.#connection).producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
    await producer.connect();
    return producer;
  }
}

function* requests(messages: readonly Message[]): Generator<readonly Message[], void> {
  let request: Message[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = message.value?.length ?? 0;
    if (request.length > 0 && bytes + size > REQUEST_BYTES_MAX) {
      yield request;
      request = [];
      bytes = 0;
    }
    request.push(message);
    bytes += size;
  }
  if (request.length > 0) yield request;
}
