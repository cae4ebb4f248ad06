import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GRID } from "../../actors/registry.ts";
import { Book } from "../../cluster/book.ts";
import { allSettled } from "../../cluster/settled.ts";
import type { ShardStatus } from "../../cluster/shard_status.ts";
import { TopicWriter } from "../../cluster/topic_writer.ts";
import { stateDigest } from "../../engine/digest.ts";
import { digestedBytes } from "../../engine/fact_codec.ts";
import { openReadOnly } from "../../engine/read_only_store.ts";
import { readRow } from "../../engine/row_codec.ts";
import type { Store } from "../../engine/store.ts";
import type { KafkaConnection } from "../../sources/kafka/client.ts";
import { type GridFolder, gridactor, type Running, run } from "./grid_folder.ts";

/** What stores say together that does not depend on how actors are spread over them. */
export interface Gathered {
  readonly histories: ReadonlySet<string>;
  readonly alerts: ReadonlySet<string>;
  readonly rows: ReadonlySet<string>;
}

export async function gathered(stores: readonly Store[]): Promise<Gathered> {
  const tables = new Map(GRID.tables.map((one) => [one.name, one]));
  const histories = stores.flatMap((store) =>
    [...store.range("fact", "")].map(([key, value]) => `${key} ${Buffer.from(digestedBytes(value)).toString("hex")}`),
  );
  const alerts = new Set<string>();
  const rows = new Set<string>();
  for (const store of stores) {
    for (let from = 1; ; ) {
      const entries = await store.readLog("curated", from, 4_194_304);
      for (const { bytes } of entries) {
        const { row, cells } = readRow(tables, bytes);
        rows.add(`${row.table} ${row.rowId} ${row.actor}`);
        if (row.table === "alerts") alerts.add(cells.slice(0, 8).join(" "));
      }
      const last = entries.at(-1);
      if (last === undefined) break;
      from = last.sequence + 1;
    }
  }
  return { histories: new Set(histories), alerts, rows };
}

/** What only one of them has, with a sign in front; the first ten. */
export function onlyInOne(actual: Gathered, expected: Gathered): readonly string[] {
  return (["histories", "alerts", "rows"] as const).flatMap((what) => {
    const more = [...actual[what]].filter((one) => !expected[what].has(one)).map((one) => `+${what} ${one}`);
    const less = [...expected[what]].filter((one) => !actual[what].has(one)).map((one) => `-${what} ${one}`);
    return [...more.slice(0, 10), ...less.slice(0, 10)];
  });
}

/** A node of a cluster: a folder with its configuration. */
export interface NodeFolder extends GridFolder {
  readonly name: string;
}

/** Makes the folder of a node: `base` is a configuration without connections, cluster and door. */
export function newNode(path: string, name: string, base: string, connection: KafkaConnection, cluster: string): NodeFolder {
  const folder = join(path, name);
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "gridactor.yaml");
  const brokers = `connections: { k: { type: kafka, brokers: ["${connection.brokers[0]}"] } }`;
  writeFileSync(config, `${base}\n${brokers}\ncluster: { connection: k, node: ${name}, ${cluster} }\n`);
  return { name, path: folder, config, state: join(folder, "state"), alerts: "", curated: "" };
}

/** Starts a node; resolves when it has its shards, or at least one. */
export async function startNode(node: NodeFolder): Promise<Running> {
  const running = gridactor(["run"], node);
  await running.until(({ stderr }) => stderr.includes("owned: shard"));
  return running;
}

/** Runs a command to its end. Throws if it does not end well. */
export async function done(args: readonly string[], node: NodeFolder): Promise<string> {
  const { code, stdout, stderr } = await run(args, node);
  if (code !== 0) throw new Error(`gridactor ${args.join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
}

/** Looks at a cluster from outside. */
export async function watched<T>(
  connection: KafkaConnection,
  stem: string,
  look: (book: Book<ShardStatus>, settled: (shards: number) => Promise<void>) => Promise<T>,
): Promise<T> {
  const book = new Book<ShardStatus>(connection, `${stem}.shards`, (before, next) => next.generation >= before.generation);
  const writer = new TopicWriter(connection, `${stem}.mailbox`);
  try {
    await book.open();
    return await look(book, (shards) => allSettled(writer, book, shards, new AbortController().signal));
  } finally {
    await writer.close();
    await book.close();
  }
}

/** The states of shards that lie with a node, by name, opened to be read. Only where no engine runs. */
export async function storesOf(node: NodeFolder): Promise<ReadonlyMap<string, Store>> {
  const names = readdirSync(node.state).filter((name) => /^shard-\d+$/.test(name));
  const opened = names.map(async (name) => [name, await openReadOnly(join(node.state, name), () => {})] as const);
  return new Map(await Promise.all(opened));
}

export function digests(stores: ReadonlyMap<string, Store>): ReadonlyMap<string, string> {
  return new Map([...stores].map(([name, store]) => [name, stateDigest(store)]));
}

/** The shipped configuration without door, for the data in a folder. */
export function shippedBase(root: string, data: string): string {
  const text = readFileSync(join(root, "gridactor.yaml"), "utf8");
  return text.replaceAll("location: data_sources", `location: ${data}`).replace(/^admin: .*$/m, "admin: { http: false }");
}
