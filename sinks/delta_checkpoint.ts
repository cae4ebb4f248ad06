import { access, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { asyncBufferFromFile, parquetReadObjects, type SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { type Action, entryName, LOG_FOLDER } from "./delta_log.ts";
import { syncFolder, writeSynced } from "./durable.ts";

/** So many entries lie between two checkpoints. */
export const CHECKPOINT_ENTRIES = 100;

/**
 * Makes sure that the newest checkpoint of a table with so many log entries is there: one file that says what all entries up to its number say together,
 * so that a reader needs only that and what follows. It adds nothing to the entries, and may be written again.
 */
export async function keepCheckpoint(folder: string, entries: number): Promise<void> {
  const version = Math.floor((entries - 1) / CHECKPOINT_ENTRIES) * CHECKPOINT_ENTRIES;
  if (version <= 0 || (await isThere(checkpointOf(folder, version)))) return;
  const actions = await actionsUpTo(folder, version);
  await writeWhole(checkpointOf(folder, version), await encode(actions));
  await writeWhole(join(folder, LOG_FOLDER, "_last_checkpoint"), Buffer.from(JSON.stringify({ version, size: actions.length })));
  await syncFolder(join(folder, LOG_FOLDER));
}

/** Before the entries from this number on are taken away: no checkpoint may say what they said. */
export async function forgetCheckpoints(folder: string, entries: number): Promise<void> {
  const log = join(folder, LOG_FOLDER);
  await rm(join(log, "_last_checkpoint"), { force: true }); // It is a short cut; the next checkpoint makes it again.
  for (const name of await readdir(log)) {
    const version = checkpointNumber(name);
    if (version !== null && version >= entries) await rm(join(log, name));
  }
  await syncFolder(log);
}

function checkpointOf(folder: string, version: number): string {
  return join(folder, LOG_FOLDER, entryName(version).replace(/json$/, "checkpoint.parquet"));
}

/** Number of the entry up to which the checkpoint of this name speaks; null: it is none. */
function checkpointNumber(name: string): number | null {
  return /^\d{20}\.checkpoint\.parquet$/.test(name) ? Number(name.slice(0, 20)) : null;
}

/** What is in force after an entry: the protocol, the newest metadata, the newest number of each application, and every part. */
async function actionsUpTo(folder: string, version: number): Promise<readonly Action[]> {
  const before = version - CHECKPOINT_ENTRIES;
  const hasEarlier = before > 0 && (await isThere(checkpointOf(folder, before)));
  const actions: Action[] = hasEarlier ? [...(await decode(checkpointOf(folder, before)))] : [];
  for (let number = hasEarlier ? before + 1 : 0; number <= version; number += 1) {
    const text = await readFile(join(folder, LOG_FOLDER, entryName(number)), "utf8");
    for (const line of text.split("\n")) if (line !== "") actions.push(JSON.parse(line) as Action);
  }
  const protocol = actions.findLast((action) => action.protocol !== undefined);
  const metaData = actions.findLast((action) => action.metaData !== undefined);
  const numbers = new Map(actions.flatMap(({ txn }) => (txn === undefined ? [] : [[txn.appId, { txn }] as const])));
  const parts = actions.flatMap(({ add }) => (add === undefined ? [] : [{ add: { ...add, dataChange: false } }]));
  return [...[protocol, metaData].filter((action) => action !== undefined), ...numbers.values(), ...parts];
}

// The file: a column for each type of action, one of which has a value in each row. ---------------------------------------------------------

const COLUMNS = ["protocol", "metaData", "txn", "add", "remove"] as const;

async function encode(actions: readonly Action[]): Promise<Uint8Array> {
  const writer = new ByteWriter();
  const file = new ParquetWriter({ writer, schema: [...SCHEMA], codec: "SNAPPY", createdBy: "gridactor" });
  await file.write({
    columnData: COLUMNS.map((name) => ({ name, data: actions.map((action) => stored(action[name])) })),
    rowGroupSize: Math.max(1, actions.length),
  });
  await file.finish();
  return writer.getBytes();
}

/** Numbers of 64 bits are bigints in the file. */
function stored(part: object | undefined): object | null {
  if (part === undefined) return null;
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, LONGS.has(key) ? BigInt(value as number) : value]));
}

async function decode(path: string): Promise<readonly Action[]> {
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(path) });
  return rows.map((row) => {
    const [name] = COLUMNS.filter((column) => row[column] !== null && row[column] !== undefined);
    return JSON.parse(
      JSON.stringify({ [name as string]: row[name as string] }, (_, value) => (typeof value === "bigint" ? Number(value) : value)),
    );
  });
}

const LONGS = new Set(["version", "size", "modificationTime", "deletionTimestamp"]);

const group = (name: string, ...children: readonly (readonly SchemaElement[])[]): readonly SchemaElement[] => [
  { name, repetition_type: "OPTIONAL", num_children: children.length },
  ...children.flat(),
];
const leaf = (name: string, type: "INT32" | "INT64" | "BOOLEAN"): readonly SchemaElement[] => [{ name, type, repetition_type: "OPTIONAL" }];
const text = (name: string, repetition_type: "OPTIONAL" | "REQUIRED" = "OPTIONAL"): readonly SchemaElement[] => [
  { name, type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" }, repetition_type },
];
const map = (name: string): readonly SchemaElement[] => [
  { name, repetition_type: "OPTIONAL", num_children: 1, converted_type: "MAP", logical_type: { type: "MAP" } },
  { name: "key_value", repetition_type: "REPEATED", num_children: 2 },
  ...text("key", "REQUIRED"),
  ...text("value"),
];
const list = (name: string): readonly SchemaElement[] => [
  { name, repetition_type: "OPTIONAL", num_children: 1, converted_type: "LIST", logical_type: { type: "LIST" } },
  { name: "list", repetition_type: "REPEATED", num_children: 1 },
  ...text("element"),
];

const SCHEMA: readonly SchemaElement[] = [
  { name: "root", num_children: COLUMNS.length },
  ...group("protocol", leaf("minReaderVersion", "INT32"), leaf("minWriterVersion", "INT32")),
  ...group(
    "metaData",
    text("id"),
    text("name"),
    group("format", text("provider"), map("options")),
    text("schemaString"),
    list("partitionColumns"),
    map("configuration"),
  ),
  ...group("txn", text("appId"), leaf("version", "INT64")),
  ...group(
    "add",
    text("path"),
    map("partitionValues"),
    leaf("size", "INT64"),
    leaf("modificationTime", "INT64"),
    leaf("dataChange", "BOOLEAN"),
    text("stats"),
  ),
  ...group("remove", text("path"), leaf("deletionTimestamp", "INT64"), leaf("dataChange", "BOOLEAN")),
];

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const slash = path.lastIndexOf("/") + 1;
  const temporary = `${path.slice(0, slash)}.${path.slice(slash)}.tmp`;
  await writeSynced(temporary, bytes);
  await rename(temporary, path);
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
