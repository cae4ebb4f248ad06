import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Producer } from "kafkajs";
import { instant } from "./calendar.ts";
import { padded } from "./grid.ts";
import type { LiveMessage, Profile } from "./live.ts";
import { writeTextFile } from "./text_file.ts";

/** Where messages go. */
export interface Target {
  /** Resolves once the messages are handed over: `closed` if nobody reads any more. Throws `TargetUnavailable`. */
  send(messages: readonly LiveMessage[]): Promise<"taken" | "closed">;
  /** Hands over what is still held back, and lets go. */
  close(): Promise<void>;
}

/** The address of a target is not understood, or its secret is missing: nothing that waiting could mend. */
export class TargetInvalid extends Error {
  override readonly name = "TargetInvalid";
}

/** The other side cannot be reached, or refuses. Trying again later may help. */
export class TargetUnavailable extends Error {
  override readonly name = "TargetUnavailable";
}

/**
 * Opens a target by its address:
 * - `stdout`: a line of JSON for each message
 * - `file:PATH`: the same, appended; a path that ends in `/` is a folder that gets whole files, each of up to 10 s or 10,000 messages
 * - `kafka://HOST:PORT[,HOST:PORT…]/TOPIC`: an idempotent producer, the key of the message as its key
 * - `eventhub:HUB`: the key as partition key; the connection string comes from the environment variable EVENTHUB_CONNECTION_STRING only
 *
 * Throws `TargetInvalid` or `TargetUnavailable`.
 */
export async function openTarget(address: string, profile: Profile): Promise<Target> {
  if (address === "stdout") return stdoutTarget();
  const [, path] = /^file:(.+)$/s.exec(address) ?? [];
  if (path !== undefined) return path.endsWith("/") ? folderTarget(path, profile) : fileTarget(path);
  const [, brokers, topic] = /^kafka:\/\/([^/\s]+)\/([^/\s]+)$/.exec(address) ?? [];
  if (brokers !== undefined && topic !== undefined) return kafkaTarget(brokers.split(","), topic);
  const [, hub] = /^eventhub:([^/\s]+)$/.exec(address) ?? [];
  if (hub !== undefined) return eventHubTarget(hub);
  throw new TargetInvalid(`no target "${address}": use stdout, file:PATH, kafka://HOST:PORT/TOPIC or eventhub:HUB`);
}

function linesOf(messages: readonly LiveMessage[]): string {
  return messages.map(({ json }) => `${json}\n`).join("");
}

function stdoutTarget(): Target {
  const ignore = (): void => {}; // The write's callback tells; without a listener the event would end the process.
  process.stdout.on("error", ignore);
  return {
    send: (messages) =>
      new Promise((resolve, reject) => {
        process.stdout.write(linesOf(messages), (error) => {
          if (error === undefined || error === null) return resolve("taken");
          return "code" in error && error.code === "EPIPE" ? resolve("closed") : reject(error);
        });
      }),
    close: async () => void process.stdout.off("error", ignore),
  };
}

async function fileTarget(path: string): Promise<Target> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, "a");
  return {
    send: async (messages) => {
      await file.appendFile(linesOf(messages));
      return "taken";
    },
    close: () => file.close(),
  };
}

const FILE_SPAN_MS = 10_000;
const FILE_MESSAGES_MAX = 10_000;
// The names the landing zone of the feed looks for.
const FILE_NAMES: Readonly<Record<Profile, string>> = {
  meters: "smart_meter_stream",
  substations: "substation_telemetry_stream",
  billing: "billing_cdc_feed",
};

/** Cuts the stream by the time of its messages, not by a clock, so that the same stream gives the same files. */
function folderTarget(folder: string, profile: Profile): Target {
  let held: LiveMessage[] = [];
  const flush = async (): Promise<void> => {
    const [first] = held;
    if (first === undefined) return;
    const time = instant(first.eventTimeMs).replace(/[-:]|\.\d+/g, "");
    const messages = held;
    held = [];
    await writeTextFile(join(folder, `${FILE_NAMES[profile]}_${time}_${padded(first.n, 10)}.json`), async (line) => {
      for (const { json } of messages) await line(json);
    });
  };
  return {
    send: async (messages) => {
      for (const message of messages) {
        const [first = message] = held;
        if (message.atMs - first.atMs >= FILE_SPAN_MS || held.length >= FILE_MESSAGES_MAX) await flush();
        held.push(message);
      }
      return "taken";
    },
    close: flush,
  };
}

async function kafkaTarget(brokers: readonly string[], topic: string): Promise<Target> {
  const { Kafka, logLevel, Partitioners } = await import("kafkajs"); // Only when needed: it takes longer to load than all else.
  const where = `kafka://${brokers.join(",")}/${topic}`;
  const kafka = new Kafka({
    clientId: "gridactor-simulator",
    brokers: [...brokers],
    connectionTimeout: 3_000,
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 200, retries: 3 },
  });
  const producer: Producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await reached(where, producer.connect());
  return {
    send: async (messages) => {
      await reached(where, producer.send({ topic, acks: -1, messages: messages.map(({ key, json }) => ({ key, value: json })) }));
      return "taken";
    },
    close: () => producer.disconnect(),
  };
}

async function eventHubTarget(hub: string): Promise<Target> {
  const connectionString = process.env["EVENTHUB_CONNECTION_STRING"];
  if (connectionString === undefined || connectionString === "")
    throw new TargetInvalid(`eventhub:${hub} needs EVENTHUB_CONNECTION_STRING in the environment`);
  const { EventHubProducerClient } = await import("@azure/event-hubs");
  const where = `eventhub:${hub}`;
  const options = { retryOptions: { maxRetries: 3, retryDelayInMs: 500, timeoutInMs: 10_000 } };
  const producer = understood(() => new EventHubProducerClient(connectionString, hub, options));
  try {
    await reached(where, producer.getEventHubProperties()); // The first message should not be the one that finds out.
  } catch (error) {
    await producer.close();
    throw error;
  }
  return {
    send: async (messages) => {
      const keys = [...new Set(messages.map(({ key }) => key))];
      const sent = keys.map((partitionKey) => {
        const events = messages.filter(({ key }) => key === partitionKey).map(({ json }) => ({ body: Buffer.from(json) })); // Bytes: sent as they are.
        return producer.sendBatch(events, { partitionKey });
      });
      await reached(where, Promise.all(sent));
      return "taken";
    },
    close: () => producer.close(),
  };
}

/** The library's own words about a malformed connection string might quote it: they are not passed on. */
function understood<Client>(make: () => Client): Client {
  try {
    return make();
  } catch {
    throw new TargetInvalid("EVENTHUB_CONNECTION_STRING does not hold the connection string of an Event Hubs namespace");
  }
}

async function reached<Result>(where: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw new TargetUnavailable(`${where} cannot be reached: ${reasonOf(error)}`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0]); // One error for each address of a host; its own message is empty.
  return error instanceof Error ? error.message : String(error);
}
