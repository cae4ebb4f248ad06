import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { finished } from "node:stream/promises";
import type { Admin } from "kafkajs";
import { type KafkaConnection, kafkaClient } from "../../sources/kafka/client.ts";
import { newTempFolder, removeFolder } from "./temp_folder.ts";

const HERE = join(import.meta.dirname, "kafka");
const VERSION = /<kafka.version>(.*)<\/kafka.version>/.exec(readFileSync(join(HERE, "pom.xml"), "utf8"))?.[1] ?? "";
const JARS = resolve(import.meta.dirname, "../../node_modules/.cache/gridactor-kafka", VERSION);
const JVM = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", `${JARS}/*`];
const SMALL_JVM = ["-Xmx256m", ...JVM.slice(1)];

/** User and password that the brokers of the tests know. */
export const LOGIN = { username: "gridactor", password: "a-password" } as const;

/** What a real broker needs and this machine lacks, or null. */
export function brokerMissing(): string | null {
  if (!existsSync(join(JARS, "complete"))) return "no broker jars (run test/kit/kafka/fetch.sh, which needs Maven)";
  try {
    execFileSync("javac", ["-version"], { stdio: "ignore" });
    return null;
  } catch {
    return "no JDK (17 or newer)";
  }
}

/** A record to produce; left out, its place and time are the producer's choice. A null value is a tombstone. */
export interface Produced {
  readonly partition?: number;
  readonly timestampMs?: number;
  readonly key?: string | null;
  readonly value: string | null;
}

/** What the independent producer does, in order. */
export type Step = Produced | "begin" | "commit" | "abort" | "flush";

/** One Apache Kafka broker, which is its own controller, on free ports of this machine. */
export class KafkaBroker {
  readonly connection: KafkaConnection;
  /** With a login, and no encryption. */
  readonly saslAddress: string;
  /** Encrypted, with a login. `certificate` is the broker's own. */
  readonly tlsAddress: string;
  readonly certificate: string;
  /** Where a relay has to lead to: what connects there is told the relay's address. */
  readonly relayedPort: number;
  readonly #folder: string;
  #process: ChildProcess | null = null;
  #admin: Admin | null = null;

  constructor(folder: string, ports: Ports, certificate: string) {
    this.#folder = folder;
    this.connection = { brokers: [`127.0.0.1:${ports.plain}`], clientId: "tests", tls: null, sasl: null };
    this.saslAddress = `127.0.0.1:${ports.sasl}`;
    this.tlsAddress = `localhost:${ports.tls}`;
    this.certificate = certificate;
    this.relayedPort = ports.relayed;
  }

  /** Starts the process and resolves when it answers. */
  async start(): Promise<void> {
    this.#process = run(["kafka.Kafka", join(this.#folder, "server.properties")], this.#folder, JVM);
    while (!(await this.#answers()));
  }

  /** Whether the broker can be asked; after a few tries, with pauses, if not. */
  async #answers(): Promise<boolean> {
    if (this.#process?.exitCode !== null) throw new Error(`the broker has ended: ${this.#folder}/broker.log`);
    const probe = kafkaClient(this.connection).admin();
    try {
      await probe.connect();
      await probe.describeGroups(["nobody"]); // Groups are known a moment later.
      return true;
    } catch {
      return false;
    } finally {
      await probe.disconnect();
    }
  }

  /** The process ends: at once, or after it has put everything in order. */
  async stop(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    await this.#admin?.disconnect();
    this.#admin = null;
    const process = this.#process;
    if (process === null || process.exitCode !== null) return;
    const exited = once(process, "exit");
    process.kill(signal);
    process.kill("SIGCONT");
    await exited;
  }

  /** The process stands still (SIGSTOP) or goes on (SIGCONT). */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#process?.kill(signal);
  }

  async remove(): Promise<void> {
    await this.stop("SIGKILL");
    await removeFolder(this.#folder);
  }

  /** Settings of the cluster: topics, offsets, groups. */
  async admin(): Promise<Admin> {
    if (this.#admin === null) {
      const admin = kafkaClient(this.connection).admin({ retry: { initialRetryTime: 50, maxRetryTime: 200, retries: 50 } });
      await admin.connect();
      this.#admin = admin;
    }
    return this.#admin;
  }

  /** Deletes the records of partition 0 before an offset; -1: all. */
  async deleteRecords(topic: string, before: string): Promise<void> {
    const admin = kafkaClient(this.connection).admin(); // A new one: it looks nothing up that it does not know.
    await admin.connect();
    await admin.fetchTopicMetadata({ topics: [topic] });
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: before }] });
    await admin.disconnect();
  }

  async createTopic(topic: string, numPartitions: number, settings: Readonly<Record<string, string>> = {}): Promise<void> {
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
    await (await this.admin()).createTopics({
      topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }],
      waitForLeaders: true,
    });
  }

  /** The file of a partition on the broker's disk. */
  logOf(topic: string, partition: number): string {
    return join(this.#folder, "data", `${topic}-${partition}`, "00000000000000000000.log");
  }

  /** Another member of a group, which takes its share of the partitions and reads nothing to the end. Resolves once it is in. */
  async joinGroup(topic: string, groupId: string): Promise<{ leave(): Promise<void> }> {
    const guest = kafkaClient(this.connection).consumer({ groupId, maxWaitTimeInMs: 100 });
    const joined = new Promise<void>((resolve) => guest.on(guest.events.GROUP_JOIN, () => resolve()));
    await guest.connect();
    await guest.subscribe({ topics: [topic], fromBeginning: true });
    await guest.run({ autoCommit: false, eachBatch: async () => {} });
    await joined;
    return { leave: () => guest.disconnect() };
  }

  /** Waits until the transactions of an id are over and their ends written; one that is open is aborted. */
  async endTransactions(transactionalId: string): Promise<void> {
    const producer = kafkaClient(this.connection).producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    await producer.transaction();
    await producer.disconnect();
  }

  /** Produces with Java's client, another program than the one under test. Resolves with the number of acknowledged records. */
  async produce(topic: string, steps: Iterable<Step>, settings: Readonly<Record<string, string>> = {}): Promise<number> {
    const args = Object.entries({ "bootstrap.servers": this.connection.brokers.join(","), ...settings }).map(
      ([name, value]) => `${name}=${value}`,
    );
    const producer = spawn("java", [...SMALL_JVM, join(HERE, "Produce.java"), topic, ...args], { stdio: ["pipe", "pipe", "pipe"] });
    let output = "";
    let errors = "";
    producer.stdout.on("data", (chunk) => {
      output += chunk;
    });
    producer.stderr.on("data", (chunk) => {
      errors += chunk;
    });
    producer.stdin.on("error", () => {}); // It has ended early: its exit says why.
    const exited = once(producer, "exit");
    for (const step of steps) {
      if (!producer.stdin.write(`${lineOf(step)}\n`)) await Promise.race([once(producer.stdin, "drain"), exited]);
    }
    producer.stdin.end();
    const [code] = await exited;
    await finished(producer.stdout);
    if (code !== 0) throw new Error(`the producer ended with ${code}: ${errors}`);
    return Number(output);
  }

  /** Reads with Java's client the first records of partition 0: headers as `name:value,…`, key and value, between them a tab. */
  async consume(topic: string, count: number): Promise<readonly string[]> {
    const settings = [`bootstrap.servers=${this.connection.brokers.join(",")}`];
    const consumer = spawn("java", [...SMALL_JVM, join(HERE, "Consume.java"), topic, String(count), ...settings], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    let output = "";
    consumer.stdout.on("data", (chunk) => {
      output += chunk;
    });
    await finished(consumer.stdout);
    return output.trimEnd().split("\n");
  }
}

function lineOf(step: Step): string {
  if (typeof step === "string") return `!${step}`;
  const { partition = "", timestampMs = "", key = null, value } = step;
  return [partition, timestampMs, key ?? "\\N", value ?? "\\N"].join("\t");
}

/** Makes a broker and starts it. Only where `brokerMissing()` is null. `relayPort`: of a relay through which clients may come, too. */
export async function startBroker(relayPort: number | null = null): Promise<KafkaBroker> {
  const folder = await newTempFolder();
  const [plain, controller, sasl, tls, relayed] = (await freePorts(5)) as [number, number, number, number, number];
  const ports = { plain, controller, sasl, tls, relayed, relay: relayPort ?? relayed };
  await writeFile(join(folder, "server.properties"), properties(folder, ports));
  const certificate = keyPair(folder);
  const scram = ["SCRAM-SHA-256", "SCRAM-SHA-512"].map((name) => `${name}=[name=${LOGIN.username},password=${LOGIN.password}]`);
  const format = ["kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c", join(folder, "server.properties")];
  execFileSync("java", [...JVM, ...format, ...scram.flatMap((text) => ["--add-scram", text])], { stdio: "ignore" });
  const broker = new KafkaBroker(folder, ports, certificate);
  await broker.start();
  return broker;
}

interface Ports {
  readonly plain: number;
  readonly controller: number;
  readonly sasl: number;
  readonly tls: number;
  readonly relayed: number;
  readonly relay: number;
}

function properties(folder: string, { plain, controller, sasl, tls, relayed, relay }: Ports): string {
  const module = (name: string): string => `org.apache.kafka.common.security.${name}LoginModule required`;
  const clients = (port: number): string =>
    `PLAIN://127.0.0.1:${plain},SASL://127.0.0.1:${sasl},TLS://localhost:${tls},RELAYED://127.0.0.1:${port}`;
  const lines: Readonly<Record<string, string | number>> = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${controller}`,
    listeners: `${clients(relayed)},CONTROLLER://127.0.0.1:${controller}`,
    "advertised.listeners": clients(relay),
    "listener.security.protocol.map": "PLAIN:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SASL_SSL,RELAYED:PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAIN",
    "log.dirs": join(folder, "data"),
    "offsets.topic.num.partitions": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    "broker.session.timeout.ms": 2_000,
    "broker.heartbeat.interval.ms": 500,
    "auto.create.topics.enable": "false",
    "log.retention.check.interval.ms": 500,
    "log.cleaner.backoff.ms": 200,
    "message.max.bytes": 16_777_216,
    "ssl.keystore.type": "PKCS12",
    "ssl.keystore.location": join(folder, "broker.p12"),
    "ssl.keystore.password": LOGIN.password,
  };
  const logins = ["sasl", "tls"].flatMap((listener) => {
    const at = `listener.name.${listener}`;
    return [
      `${at}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER`,
      `${at}.plain.sasl.jaas.config=${module("plain.Plain")} user_${LOGIN.username}="${LOGIN.password}";`,
      `${at}.scram-sha-256.sasl.jaas.config=${module("scram.Scram")};`,
      `${at}.scram-sha-512.sasl.jaas.config=${module("scram.Scram")};`,
      `${at}.oauthbearer.sasl.jaas.config=${module("oauthbearer.OAuthBearer")} unsecuredLoginStringClaim_sub="broker";`,
    ];
  });
  return [...Object.entries(lines).map(([name, value]) => `${name}=${value}`), ...logins, ""].join("\n");
}

/** Makes the broker's key; returns its certificate, which it has signed itself. */
function keyPair(folder: string): string {
  const store = ["-keystore", join(folder, "broker.p12"), "-storepass", LOGIN.password, "-alias", "broker"];
  const subject = ["-dname", "CN=localhost", "-ext", "SAN=dns:localhost", "-ext", "BC=ca:true"];
  execFileSync("keytool", ["-genkeypair", "-keyalg", "EC", "-validity", "2", ...subject, ...store, "-storetype", "PKCS12"], {
    stdio: "ignore",
  });
  return execFileSync("keytool", ["-exportcert", "-rfc", ...store], { stdio: ["ignore", "pipe", "ignore"] }).toString();
}

function run(main: readonly string[], folder: string, jvm: readonly string[]): ChildProcess {
  const log = openSync(join(folder, "broker.log"), "a");
  return spawn("java", [...jvm, ...main], { stdio: ["ignore", log, log] });
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}
