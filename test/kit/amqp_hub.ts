import { once } from "node:events";
import type { AddressInfo, Server, Socket } from "node:net";
import rhea, { type AmqpError, type Connection, type EventContext, type Message, type Receiver, type Sender } from "rhea";
import { bell } from "../../engine/bell.ts";

/** An event as a test puts it into a partition. */
export interface HubEvent {
  /** Bytes of a data section; anything else is sent as an AMQP value. */
  readonly body: unknown;
  readonly arrivedAtMs: number;
  readonly key?: string;
  /** Further message annotations: what an IoT hub adds. */
  readonly annotations?: Readonly<Record<string, unknown>>;
}

export interface AmqpHubOptions {
  readonly partitions: number;
  readonly hub?: string;
  readonly createdAtMs?: number;
  /** How the service writes the offset of a sequence number; numbers by default, as on hubs without geo-replication. */
  readonly offset?: (sequence: number) => string;
  /** PEM texts: it listens with TLS, and takes no token but this one. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly token: string };
}

/** What a reader asked for when it attached. */
export interface Attachment {
  readonly partition: string;
  /** The owner level; null: none. */
  readonly level: number | null;
  readonly filter: string;
}

const BATCH_FORMAT = 0x80013700;
const STOLEN: AmqpError = { condition: "amqp:link:stolen", description: "New receiver with higher or equal epoch is created." };
const BUSY: AmqpError = {
  condition: "com.microsoft:server-busy",
  description: "The request was terminated because the hub is being throttled.",
};

/** Starts an event hub on loopback that holds its events in memory. */
export async function amqpHub(options: AmqpHubOptions): Promise<AmqpHub> {
  const hub = new AmqpHub(options);
  await hub.listen();
  return hub;
}

/**
 * What an event hub says over AMQP 1.0, as far as its client library asks: tokens, properties, readers with owner levels and start positions,
 * senders. Faults are made by its methods. Tokens do not expire.
 */
export class AmqpHub {
  readonly hub: string;
  /** Every attachment of a reader, in order, refused ones too. */
  readonly attachments: Attachment[] = [];
  /** True: no token is accepted. */
  refusesTokens = false;
  /** So many attachments are refused because the hub is busy. */
  busyFor = 0;
  /** True: readers are attached, and nothing is sent to them. */
  isSilent = false;
  createdAtMs: number;
  readonly #container = rhea.create_container({ id: "hub" });
  readonly #partitions: Partition[];
  readonly #offset: (sequence: number) => string;
  readonly #connections = new Set<Connection>();
  readonly #replies = new Map<string, Sender>();
  readonly #tls: AmqpHubOptions["tls"];
  #server: Server | null = null;
  #port = 0;
  readonly #changes = bell();
  #lastPartition = 0;

  constructor({ partitions, hub = "telemetry", createdAtMs = 1_700_000_000_000, offset = (n) => String(n * 64), tls }: AmqpHubOptions) {
    this.hub = hub;
    this.#tls = tls;
    this.createdAtMs = createdAtMs;
    this.#offset = offset;
    this.#partitions = Array.from({ length: partitions }, () => new Partition());
  }

  get connectionString(): string {
    return `Endpoint=sb://127.0.0.1:${this.#port};SharedAccessKeyName=reader;SharedAccessKey=c2VjcmV0;UseDevelopmentEmulator=true`;
  }

  /** Where a client with a credential finds it, with TLS. */
  get endpoint(): string {
    return `sb://127.0.0.1:${this.#port}/`;
  }

  /** Adds events to the end of a partition. */
  append(partition: number, events: readonly HubEvent[]): void {
    const target = this.#partition(partition);
    for (const event of events) {
      target.events.push(event);
      target.last += 1;
    }
    for (const reader of target.readers) this.#send(reader, target);
  }

  /** Forgets events below this sequence number, as retention does. */
  expire(partition: number, below: number): void {
    const target = this.#partition(partition);
    target.events.splice(0, below - target.begin);
    target.begin = below;
  }

  /** Forgets all, and numbers from 0 again, as a fail-over or a hub of the same name does. */
  reset(partition: number): void {
    Object.assign(this.#partition(partition), { events: [], begin: 0, last: -1 });
  }

  /** Sends its readers again what they have had from this event on, as a service may that has failed over. */
  rewind(partition: number, sequence: number): void {
    const target = this.#partition(partition);
    for (const reader of target.readers) {
      reader.next = sequence;
      this.#send(reader, target);
    }
  }

  /** The events that a partition holds, as text. */
  texts(partition: number): readonly string[] {
    return this.#partition(partition).events.map(({ body }) => String(body));
  }

  /** How many more events a partition may send before its reader asks for more. */
  credit(partition: number): number {
    return [...this.#partition(partition).readers].reduce((most, { sender }) => Math.max(most, creditOf(sender)), 0);
  }

  /** Events that a partition has sent, repeated ones too. */
  sent(partition: number): number {
    return this.#partition(partition).sent;
  }

  /** Resolves when this is so after something was attached, sent or asked for. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await this.#changes.heard();
  }

  /** Number of the readers of a partition. */
  readers(partition: number): number {
    return this.#partition(partition).readers.size;
  }

  /** Another reader takes the partition, as far as its owner level allows. */
  steal(partition: number, level: number): void {
    const target = this.#partition(partition);
    target.level = level;
    this.#close(target, STOLEN);
  }

  /** The other reader is gone: any level may take the partition. */
  free(partition: number): void {
    this.#partition(partition).level = null;
  }

  /** Ends the links of a partition's readers. */
  detach(partition: number): void {
    this.#close(this.#partition(partition), { condition: "amqp:link:detach-forced", description: "The link is force detached." });
  }

  /** Cuts all connections, without a word. */
  disconnect(): void {
    for (const connection of this.#connections) socketOf(connection)?.destroy();
  }

  /** Stops to hear and to answer, with all connections open. */
  freeze(): void {
    for (const connection of this.#connections) socketOf(connection)?.pause();
  }

  async listen(): Promise<void> {
    const container = this.#container;
    container.sasl_server_mechanisms.enable_anonymous();
    container.sasl_server_mechanisms.MSSBCBS = () => ({ outcome: true, start: () => {} });
    container.on("connection_open", ({ connection }: EventContext) => this.#connected(connection));
    container.on("disconnected", ({ connection }: EventContext) => this.#forget(connection));
    container.on("sender_open", ({ sender }: EventContext) => this.#senderOpen(sender as Sender));
    container.on("sender_close", ({ sender }: EventContext) => this.#senderClose(sender as Sender));
    container.on("sendable", ({ sender }: EventContext) => this.#sendable(sender as Sender));
    container.on("receiver_open", ({ receiver }: EventContext) => receiverOpen(receiver as Receiver));
    container.on("message", (context: EventContext) => this.#message(context));
    for (const event of ["connection_close", "session_close", "receiver_close", "error", "connection_error", "session_error"]) {
      container.on(event, () => {}); // Peers may go at any time.
    }
    const transport = this.#tls === undefined ? {} : { transport: "tls" as const, cert: this.#tls.cert, key: this.#tls.key };
    this.#server = container.listen({ port: 0, host: "127.0.0.1", ...transport });
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.disconnect();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  // Links ---------------------------------------------------------------------------------------------------------------------------------

  /** A link on which we send: replies, or events to a reader. */
  #senderOpen(sender: Sender): void {
    const address = String(sender.source.address);
    sender.set_source(sender.source);
    sender.set_target(sender.target);
    const [, number] = /\/Partitions\/(\d+)$/.exec(address) ?? [];
    if (number === undefined) {
      this.#replies.set(sender.name, sender);
      if (sender.target?.address !== undefined) this.#replies.set(String(sender.target.address), sender);
      return;
    }
    this.#attach(sender, this.#partition(Number(number)), number);
  }

  #attach(sender: Sender, partition: Partition, number: string): void {
    const level = levelOf(sender);
    const filter = filterOf(sender);
    this.attachments.push({ partition: number, level, filter });
    this.#changes.ring();
    if (this.busyFor > 0) {
      this.busyFor -= 1;
      return sender.close(BUSY);
    }
    if (partition.level !== null && (level ?? -1) < partition.level) return sender.close(STOLEN);
    if (level !== null) {
      this.#close(partition, STOLEN);
      partition.level = level;
    }
    partition.readers.add({ sender, next: this.#firstOf(filter, partition) });
  }

  #firstOf(filter: string, { begin, last }: Partition): number {
    const [, what, comparison, value = ""] = /x-opt-([a-z-]+) (>=?) '(.*)'/.exec(filter) ?? [];
    if (value === "@latest") return last + 1;
    if (value === "-1") return begin;
    const first = comparison === ">=" ? 0 : 1;
    if (what === "sequence-number") return Math.max(begin, Number(value) + first);
    for (let sequence = begin; sequence <= last; sequence += 1) if (this.#offset(sequence) === value) return sequence + first;
    return Number(value) < Number(this.#offset(begin)) ? begin : last + 1;
  }

  #senderClose(sender: Sender): void {
    for (const partition of this.#partitions) {
      for (const reader of partition.readers) if (reader.sender === sender) this.#release(partition, reader);
    }
  }

  #close(partition: Partition, error: AmqpError): void {
    for (const reader of partition.readers) {
      this.#release(partition, reader);
      reader.sender.close(error);
    }
  }

  #release(partition: Partition, reader: Reader): void {
    partition.readers.delete(reader);
  }

  #connected(connection: Connection): void {
    this.#connections.add(connection);
    // No heartbeats: after a cut the library goes on with them, and the process could not end.
    if ("remote" in connection) Object.assign((connection["remote"] as { open: object }).open, { idle_time_out: 0 });
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection);
    for (const partition of this.#partitions) {
      for (const reader of partition.readers) if (reader.sender.connection === connection) this.#release(partition, reader);
    }
  }

  #sendable(sender: Sender): void {
    for (const partition of this.#partitions) {
      for (const reader of partition.readers) if (reader.sender === sender) this.#send(reader, partition);
    }
  }

  #send(reader: Reader, partition: Partition): void {
    if (this.isSilent) return;
    const { events, begin, last } = partition;
    for (reader.next = Math.max(reader.next, begin); reader.next <= last && reader.sender.sendable(); reader.next += 1) {
      reader.sender.send(this.#messageOf(events[reader.next - begin] as HubEvent, reader.next));
      partition.sent += 1;
    }
    this.#changes.ring();
  }

  #messageOf({ body, arrivedAtMs, key, annotations }: HubEvent, sequence: number): Message {
    const { wrap_long, wrap_timestamp, wrap_string } = rhea.types;
    return {
      body: Buffer.isBuffer(body) ? rhea.message.data_section(body) : body,
      message_annotations: {
        "x-opt-sequence-number": wrap_long(sequence),
        "x-opt-offset": wrap_string(this.#offset(sequence)),
        "x-opt-enqueued-time": wrap_timestamp(arrivedAtMs),
        ...(key === undefined ? {} : { "x-opt-partition-key": wrap_string(key) }),
        ...annotations,
      },
    };
  }

  // Messages to us ------------------------------------------------------------------------------------------------------------------------

  #message({ message, receiver, format }: EventContext & { readonly format?: number }): void {
    if (message === undefined || receiver === undefined) return;
    const address = String(receiver.target.address);
    if (address === "$cbs") return this.#reply(message, this.#takesToken(contentOf(message.body)) ? 202 : 401, {});
    if (address === "$management") return this.#reply(message, 200, this.#properties(message.application_properties ?? {}));
    const [, number] = /\/Partitions\/(\d+)$/.exec(address) ?? [];
    const events = format === BATCH_FORMAT ? batched(message) : [message];
    const key = events[0]?.message_annotations?.["x-opt-partition-key"] as string | undefined;
    const arrivedAtMs = Date.now();
    this.append(
      number === undefined ? this.#partitionOf(key) : Number(number),
      events.map(({ body }) => ({ body: contentOf(body), arrivedAtMs, ...(key === undefined ? {} : { key }) })),
    );
  }

  #takesToken(token: unknown): boolean {
    return !this.refusesTokens && (this.#tls === undefined || token === this.#tls.token);
  }

  #reply({ message_id: id, reply_to: to }: Message, status: number, body: unknown): void {
    const properties = {
      "status-code": status,
      "status-description": status < 300 ? "OK" : "InvalidSignature: the token has an invalid signature.",
    };
    const correlated = id === undefined ? {} : { correlation_id: id };
    this.#replies.get(String(to))?.send({ ...correlated, body, application_properties: properties });
  }

  #properties({ type, partition }: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    const { wrap_array, wrap_long, wrap_timestamp } = rhea.types;
    if (type === "com.microsoft:eventhub") {
      const ids = this.#partitions.map((_, n) => String(n));
      return {
        name: this.hub,
        type,
        created_at: wrap_timestamp(this.createdAtMs),
        partition_count: ids.length,
        partition_ids: wrap_array(ids, 0xa1, undefined),
        georeplication_factor: 1,
      };
    }
    const { begin, last, events } = this.#partition(Number(partition));
    return {
      name: this.hub,
      type,
      partition,
      begin_sequence_number: wrap_long(begin),
      last_enqueued_sequence_number: wrap_long(last),
      last_enqueued_offset: last < 0 ? "-1" : this.#offset(last),
      last_enqueued_time_utc: wrap_timestamp(events.at(-1)?.arrivedAtMs ?? 0),
      is_partition_empty: events.length === 0,
    };
  }

  /** Events of one key go to one partition, others in turn. */
  #partitionOf(key: string | undefined): number {
    this.#lastPartition += 1;
    const number = key === undefined ? this.#lastPartition : [...key].reduce((sum, letter) => sum * 31 + (letter.codePointAt(0) ?? 0), 7);
    return number % this.#partitions.length;
  }

  #partition(number: number): Partition {
    const partition = this.#partitions[number];
    if (partition === undefined) throw new Error(`the hub has no partition ${number}`);
    return partition;
  }
}

interface Reader {
  readonly sender: Sender;
  /** Sequence number that is sent next. */
  next: number;
}

class Partition {
  events: HubEvent[] = [];
  /** Sequence number of the first event held. */
  begin = 0;
  /** Sequence number of the last event ever; -1: none. */
  last = -1;
  /** Owner level of the last reader that gave one. */
  level: number | null = null;
  sent = 0;
  readonly readers = new Set<Reader>();
}

function receiverOpen(receiver: Receiver): void {
  receiver.set_source(receiver.source);
  receiver.set_target(receiver.target);
}

/** The library types none of what follows. */
function creditOf(sender: Sender): number {
  return "credit" in sender ? Number(sender.credit) : 0;
}

function socketOf(connection: Connection): Socket | null {
  return "socket" in connection ? (connection["socket"] as Socket) : null;
}

function levelOf(sender: Sender): number | null {
  const level: unknown = sender.properties?.["com.microsoft:epoch"];
  return level === undefined || level === null ? null : Number(level);
}

function filterOf(sender: Sender): string {
  const filter: unknown = sender.source.filter?.["apache.org:selector-filter:string"];
  return typeof filter === "object" && filter !== null && "value" in filter ? String(filter.value) : String(filter);
}

/** A batch is a message whose data sections are messages. It comes undecoded. */
function batched(message: unknown): readonly Message[] {
  const { body } = rhea.message.decode(message as Buffer);
  const content = contentOf(body);
  return (Array.isArray(content) ? content : [content]).map((bytes) => messageOf(bytes as Buffer));
}

function contentOf(body: unknown): unknown {
  return typeof body === "object" && body !== null && "content" in body ? body.content : body;
}

function messageOf(bytes: Buffer): Message {
  const { body, message_annotations } = rhea.message.decode(bytes);
  return { body, message_annotations };
}
