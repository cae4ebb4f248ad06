import type { Kafka, Message, Producer } from "kafkajs";
import type { Emission } from "../engine/emission.ts";
import { BrokenInvariant, invariant, orUnavailable } from "../engine/fault.ts";
import type { Mark } from "../engine/ids.ts";
import type { Sink } from "../engine/sink.ts";
import type { SinkCursor } from "../engine/sink_cursor.ts";
import { alertMessage, HEADER } from "./kafka/alert_message.ts";
import { resumeFrom, TopicPlace } from "./kafka/topic_place.ts";

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
  readonly cursor: SinkCursor;
  /** The number that the log gives next: a topic that holds it already knows more than the state. */
  readonly nextSequence: () => number;
  readonly client: Kafka;
  /** The library's choice of a partition, of so many, for a key: the same as that of other clients. */
  readonly partitionOf: (key: string, partitions: number) => number;
  /** Reads the topic to its present end, from an offset of each partition on (null: from the beginning). Resolves with the ends. */
  readonly readTail: (from: readonly number[] | null, onRecord: (record: TopicRecord) => void) => Promise<readonly number[]>;
  readonly passing?: (point: string) => void;
}

/** A request stays below the 1 MB that brokers take. */
const REQUEST_BYTES = 400_000;
const HEADERS_BYTES = 700;

interface Link {
  readonly producer: Producer;
  readonly place: TopicPlace;
}

interface Addressed {
  readonly sequence: number;
  readonly id: string;
  readonly partition: number;
  readonly message: Message;
  readonly bytes: number;
}

/**
 * A topic with every alert event, keyed by its actor, whose events keep their order. After a start or a failure the end of the topic is read back
 * first, and only what it lacks is sent: once each on a topic that only we write; to be told apart by `ce_id` in any case. Nothing is asked of the
 * cluster before the first write. A write throws `Unavailable` while the cluster does not answer, and `BrokenInvariant` if the topic holds what the
 * log has not given yet.
 */
export function kafka(options: KafkaSinkOptions): Sink {
  const { name, topic, storeId, client, partitionOf, passing = () => {} } = options;
  let { mark } = options.cursor;
  let link: Link | null = null;

  async function connect(): Promise<Link> {
    const found: { readonly sequence: number; readonly id: string; readonly partition: number; readonly offset: number }[] = [];
    const from = resumeFrom(mark);
    const ends = await options.readTail(from, ({ partition, offset, headers }) => {
      if (headers.get(HEADER.epoch) !== storeId) return;
      found.push({ sequence: Number(headers.get(HEADER.sequence)), id: headers.get(HEADER.id) ?? "", partition, offset });
    });
    const place = new TopicPlace(ends.slice(0, from?.length ?? ends.length));
    for (const { sequence, ...record } of found) place.add(sequence, record);
    if (place.newest >= options.nextSequence()) {
      throw new BrokenInvariant(
        `${topic} holds event ${place.newest}, which the log has not given yet: the state is older than its output`,
      );
    }
    const producer = client.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000 }, // Under the same numbers: the broker drops what it has.
    });
    await producer.connect();
    return { producer, place };
  }

  async function deliver(emissions: readonly Emission[]): Promise<Mark> {
    passing("kafka.connect");
    link ??= await connect();
    const { producer, place } = link;
    const missing = emissions.map((emission) => addressed(emission, place)).filter(({ sequence, id }) => !place.holds(sequence, id));
    for (const request of requests(missing)) {
      passing("kafka.send");
      await send(producer, place, request);
      passing("kafka.sent");
    }
    return place.settle(emissions.at(-1)?.sequence ?? 0);
  }

  function addressed(emission: Emission, place: TopicPlace): Addressed {
    invariant(emission.stream === "alerts", "a topic takes the stream of alerts");
    const { key, value, ...message } = alertMessage(emission, storeId);
    const partition = partitionOf(key, place.partitions);
    const bytes = Buffer.byteLength(value) + HEADERS_BYTES;
    return { sequence: emission.sequence, id: emission.event.id, partition, message: { ...message, key, value, partition }, bytes };
  }

  async function send(producer: Producer, place: TopicPlace, request: readonly Addressed[]): Promise<void> {
    const answers = await producer.send({ topic, acks: -1, messages: request.map(({ message }) => message) });
    for (const { partition, baseOffset } of answers) {
      const sent = request.filter((one) => one.partition === partition);
      for (const [n, { sequence, id }] of sent.entries()) place.add(sequence, { id, partition, offset: Number(baseOffset) + n });
    }
  }

  async function disconnect(): Promise<void> {
    const producer = link?.producer;
    link = null;
    await producer?.disconnect().catch(() => {}); // It is given up either way.
  }

  return {
    name,
    async write(emissions) {
      try {
        mark = await orUnavailable(`the topic ${topic}`, deliver(emissions));
        return mark;
      } catch (error) {
        await disconnect(); // Whether the request came through, only the topic can tell.
        throw error;
      }
    },
    close: disconnect,
  };
}

/** In order, none larger than a broker takes, as long as no single event is. */
function* requests(events: readonly Addressed[]): Generator<readonly Addressed[], void> {
  let request: Addressed[] = [];
  let bytes = 0;
  for (const event of events) {
    if (request.length > 0 && bytes + event.bytes > REQUEST_BYTES) {
      yield request;
      request = [];
      bytes = 0;
    }
    request.push(event);
    bytes += event.bytes;
  }
  if (request.length > 0) yield request;
}
