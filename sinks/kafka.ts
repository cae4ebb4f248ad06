import type { Kafka, Message, Producer, ProducerRecord, RecordMetadata, Transaction } from "kafkajs";
import type { Clock } from "../engine/clock.ts";
import { seconds } from "../engine/duration.ts";
import type { Emission } from "../engine/emission.ts";
import { BrokenInvariant, orUnavailable, Unavailable } from "../engine/fault.ts";
import { generationIn, generationName } from "../engine/generation.ts";
import type { Mark } from "../engine/ids.ts";
import type { Sink } from "../engine/sink.ts";
import type { SinkCursor } from "../engine/sink_cursor.ts";
import { type DeadLetter, deadLetter } from "./dead_letter.ts";
import type { NumberedRow } from "./delta_column.ts";
import { HEADER, messageOf } from "./kafka/message.ts";
import { type EventName, type HeldRecord, resumeFrom, TopicPlace } from "./kafka/topic_place.ts";

/** A record of the topic, as far as a resume looks at it. */
export interface TopicRecord {
  readonly partition: number;
  readonly offset: number;
  readonly headers: ReadonlyMap<string, string>;
}

/** `cursor` is the stored one. `passing` is told at each point where a crash would leave something different behind. */
export interface KafkaSinkOptions {
  readonly name: string;
  readonly topic: string;
  readonly storeId: string;
  /** `Store.generation`. */
  readonly generation: number;
  /** Told when the topic holds something of a later generation, and of which: another owner has gone on with this state. Left out: that is a broken invariant. */
  readonly onOvertaken?: (generation: number) => void;
  readonly cursor: SinkCursor;
  /** The number that the log gives next: a topic that holds it already knows more than the state. */
  readonly nextSequence: () => number;
  readonly client: Kafka;
  /** False: the cluster knows no transactions. */
  readonly hasTransactions: boolean;
  /** The `ce_source` of rows. */
  readonly source: string;
  readonly rowJson: (numbered: NumberedRow) => string;
  readonly clock: Pick<Clock, "now">;
  /** Keeps what the cluster finds too large; resolves when that is durable. */
  readonly onDeadLetter: (letter: DeadLetter) => Promise<void>;
  /** The library's choice of a partition, of so many, for a key: the same as that of other clients. */
  readonly partitionOf: (key: string, partitions: number) => number;
  /** Reads the topic to its present end, from an offset of each partition on (null: from the beginning). Resolves with the ends. */
  readonly readTail: (from: readonly number[] | null, onRecord: (record: TopicRecord) => void) => Promise<readonly number[]>;
  readonly passing?: (point: string) => void;
}

/** A request stays below the 1 MB that brokers take. A topic that takes less is found out. */
const REQUEST_BYTES = 400_000;
const HEADERS_BYTES = 700;
/** What readers of committed records wait for at most when we die in the middle of a transaction and do not come back. */
const TRANSACTION_MS = seconds(30);
const TOO_LARGE = ["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"];

interface Link {
  readonly place: TopicPlace;
  /** What is sent is there for good, and for all to see, with `commit`; then the next one is to be begun. */
  begin(): Promise<Pick<Transaction, "send" | "commit">>;
  close(): Promise<void>;
}

interface FoundRecord extends HeldRecord {
  readonly generation: number;
  readonly sequence: number;
}

interface Addressed extends EventName {
  readonly emission: Emission;
  readonly sequence: number;
  readonly partition: number;
  readonly message: Message & { readonly value: string };
  readonly bytes: number;
}

/**
 * A topic with every emission of a stream, keyed by its actor, whose events keep their order. Each write is a transaction of an id that is always the
 * same: to begin anew fences off whatever an earlier link still has under way, here or in another process, and ends its transaction. Then the end of the
 * topic is read back, and only what it lacks is sent. So on a topic that only we write who reads committed records finds each once; by `ce_id` they can
 * be told apart in any case. Without transactions a request that the broker takes after the topic was read back is there twice, under one `ce_id`.
 * What a state that was restored since had written counts by id: it is sent again only behind an event that differs from it, so that an actor's events
 * keep their order, or once the log has passed the number it had then.
 * Nothing is asked of the cluster before the first write. What the cluster finds too large is a dead letter. A write throws `Unavailable` while the
 * cluster does not answer, and `BrokenInvariant` if the topic holds what the log of this generation has not given
 * yet, or anything of a later generation; with `onOvertaken` that is told, and `Unavailable`: nothing is written any more.
 */
export function kafka(options: KafkaSinkOptions): Sink {
  const { name, topic, storeId, generation, client, hasTransactions, partitionOf, clock, passing = () => {} } = options;
  const epoch = generationName(storeId, generation);
  let { mark } = options.cursor;
  let link: Link | null = null;
  let requestBytesMax = REQUEST_BYTES;
  const buried = new Set<number>(); // Of the emissions under way, which are handed over again.

  async function connect(): Promise<Link> {
    const producer = client.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: { retries: 5, initialRetryTime: 100, maxRetryTime: 1_000 }, // Under the same numbers: the broker drops what it has.
      ...(hasTransactions ? { transactionalId: `gridactor-${storeId}-${name}`, transactionTimeout: TRANSACTION_MS } : {}),
    });
    try {
      await producer.connect();
      const fenced = hasTransactions ? await producer.transaction() : null;
      const place = await readBack();
      return linkOf(producer, fenced, place);
    } catch (error) {
      await producer.disconnect().catch(() => {}); // It is given up either way.
      throw error;
    }
  }

  async function readBack(): Promise<TopicPlace> {
    const found: FoundRecord[] = [];
    const from = resumeFrom(mark);
    const ends = await options.readTail(from, ({ partition, offset, headers }) => {
      const of = generationIn(headers.get(HEADER.epoch) ?? "", storeId);
      if (of === null) return;
      const text = (header: string): string => headers.get(header) ?? "";
      const event = { id: text(HEADER.id), type: text(HEADER.type), key: text(HEADER.key) };
      found.push({ generation: of, sequence: Number(headers.get(HEADER.sequence)), ...event, partition, offset });
    });
    const place = new TopicPlace(ends.slice(0, from?.length ?? ends.length));
    for (const { generation: of, sequence, ...record } of found) {
      if (of > generation) throw overtaken(of);
      if (of < generation) place.addEarlier(sequence, record);
      else place.add(sequence, record);
    }
    if (place.newest >= options.nextSequence()) {
      throw new BrokenInvariant(
        `${topic} holds event ${place.newest}, which the log has not given yet: the state is older than its output`,
      );
    }
    return place;
  }

  function overtaken(by: number): Error {
    if (options.onOvertaken === undefined)
      return new BrokenInvariant(`${topic} holds events of a later restore of this state: it is older than its output`);
    options.onOvertaken(by);
    return new Unavailable(`the topic ${topic}`, new Error(`a later owner of this state writes it (generation ${by})`));
  }

  async function deliver(emissions: readonly Emission[]): Promise<Mark> {
    passing("kafka.connect");
    link ??= await connect();
    const { place } = link;
    const all = emissions.filter(({ sequence }) => !buried.has(sequence)).map((emission) => addressed(emission, place));
    const missing = all.filter((one) => !place.holds(one.sequence, one) && !place.takeEarlier(one));
    if (missing.length > 0) await send(link, missing);
    return place.settle(emissions.at(-1)?.sequence ?? 0);
  }

  function addressed(emission: Emission, place: TopicPlace): Addressed {
    const { id, type, ...message } = messageOf(emission, { epoch, source: options.source, rowJson: options.rowJson });
    const partition = partitionOf(message.key, place.partitions);
    const bytes = Buffer.byteLength(message.value) + HEADERS_BYTES;
    return { emission, sequence: emission.sequence, id, type, key: message.key, partition, message: { ...message, partition }, bytes };
  }

  async function send({ begin, place }: Link, missing: readonly Addressed[]): Promise<void> {
    const transaction = await begin();
    const held: (() => void)[] = [];
    for (const request of requests(missing, requestBytesMax)) {
      passing("kafka.send");
      const answers = await sendRequest(transaction, request);
      for (const { partition, baseOffset } of answers) {
        for (const [n, { sequence, id, type, key }] of request.filter((one) => one.partition === partition).entries()) {
          held.push(() => place.add(sequence, { id, type, key, partition, offset: Number(baseOffset) + n }));
        }
      }
      passing("kafka.sent");
    }
    await transaction.commit();
    passing("kafka.committed");
    for (const add of held) add();
  }

  async function sendRequest({ send: sendNow }: Pick<Transaction, "send">, request: readonly Addressed[]): Promise<RecordMetadata[]> {
    try {
      return await sendNow({ topic, acks: -1, messages: request.map(({ message }) => message) } satisfies ProducerRecord);
    } catch (error) {
      if (isTooLarge(error)) await makeSmaller(request, error);
      throw error;
    }
  }

  /** For the next attempt: smaller requests, or, if it is one emission alone, without it. */
  async function makeSmaller(request: readonly Addressed[], error: Error): Promise<void> {
    const [one] = request;
    if (one === undefined || request.length > 1) {
      requestBytesMax = Math.ceil(request.reduce((sum, { bytes }) => sum + bytes, 0) / 2);
      return;
    }
    await options.onDeadLetter(
      deadLetter(one.emission, { sink: name, json: Buffer.from(one.message.value), reason: error.message, atMs: clock.now() }),
    );
    buried.add(one.sequence);
  }

  async function disconnect(): Promise<void> {
    const closing = link?.close();
    link = null;
    await closing?.catch(() => {}); // It is given up either way.
  }

  return {
    name,
    async write(emissions) {
      try {
        mark = await orUnavailable(`the topic ${topic}`, deliver(emissions));
        buried.clear();
        return mark;
      } catch (error) {
        await disconnect(); // Whether the request came through, only the topic can tell.
        throw error;
      }
    },
    close: disconnect,
  };
}

/** `fenced`: the transaction that has been begun already. */
function linkOf(producer: Producer, fenced: Transaction | null, place: TopicPlace): Link {
  let next = fenced;
  return {
    place,
    async begin() {
      if (fenced === null) return { send: producer.send, commit: async () => {} };
      const transaction = next ?? (await producer.transaction());
      next = null;
      return transaction;
    },
    close: () => producer.disconnect(),
  };
}

/** In order, none larger than that, as long as no single event is. */
function* requests(events: readonly Addressed[], bytesMax: number): Generator<readonly Addressed[], void> {
  let request: Addressed[] = [];
  let bytes = 0;
  for (const event of events) {
    if (request.length > 0 && bytes + event.bytes > bytesMax) {
      yield request;
      request = [];
      bytes = 0;
    }
    request.push(event);
    bytes += event.bytes;
  }
  if (request.length > 0) yield request;
}

function isTooLarge(error: unknown): error is Error {
  for (let one = error; one instanceof Error; one = one.cause) {
    if ("type" in one && typeof one.type === "string" && TOO_LARGE.includes(one.type)) return true;
  }
  return false;
}
