import { link, readdir, readFile, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BrokenInvariant, invariant, orUnavailable } from "../engine/fault.ts";
import { forgetCheckpoints, keepCheckpoint } from "./delta_checkpoint.ts";
import { type BornColumn, columnsOf, type DeclaredTable, type DeltaColumn, type NumberedRow, PARTITION_COLUMN } from "./delta_column.ts";
import {
  afterEntry,
  applicationOf,
  type DeltaState,
  entryName,
  entryNumber,
  entryText,
  type ListedPart,
  LOG_FOLDER,
  NO_TABLE,
} from "./delta_log.ts";
import { makeFolder, syncFolder, writeSynced } from "./durable.ts";
import { encodePart } from "./parquet_part.ts";

export interface DeltaTableOptions {
  readonly folder: string;
  readonly table: DeclaredTable;
  readonly storeId: string;
  /** Names the writer in the table's log. */
  readonly appId: string;
  /** Whether it names an earlier generation of this writer, whose entries beyond the settled ones are given up. */
  readonly isEarlier: (appId: string) => boolean;
  /** Log entries that are settled, and the end of the extent that may have been listed since; null: no extent is under way. */
  readonly settledEntries: number;
  readonly pending: number | null;
  readonly passing: (point: string) => void;
}

/** One table in one folder: its parts, and the log that lists them. */
export interface DeltaTable {
  readonly state: DeltaState;
  /**
   * Writes the table's rows of an extent (one part for each date), then lists them. `lastSequence` is the extent's end. If that extent is listed
   * already nothing is written. Throws `Unavailable`.
   */
  append(rows: readonly NumberedRow[], lastSequence: number, born: readonly BornColumn[]): Promise<void>;
}

/**
 * Reads the log of a table and removes files that it does not list: a crash left them. Throws `BrokenInvariant`, and touches nothing, if entries
 * are missing or more than were settled.
 */
export async function openDeltaTable(options: DeltaTableOptions): Promise<DeltaTable> {
  const { folder, table, storeId, appId, passing } = options;
  const texts = await orUnavailable(folder, settledTexts(options));
  const listed = new Set<string>();
  let state = texts.reduce((before, text) => afterEntry(before, text, appId, listed), NO_TABLE);
  checkEntries(state, options);
  await orUnavailable(folder, removeUnlisted(folder, listed, passing));
  const checkpoint = (): Promise<void> => orUnavailable(folder, keepCheckpoint(folder, state.entries));
  await checkpoint(); // A crash may have come before it.

  async function publish(parts: readonly EncodedPart[], entry: string): Promise<void> {
    await makeFolder(join(folder, LOG_FOLDER));
    for (const { path, bytes } of parts) {
      const partition = dirname(join(folder, path));
      await makeFolder(partition);
      passing("parquet.part");
      await writeOnce(join(folder, path), bytes, passing);
      await syncFolder(partition);
    }
    await syncFolder(folder); // Folders may be there from an attempt that crashed before it synced them.
    if (state.entries === 0) await syncFolder(dirname(folder));
    passing("parquet.entry");
    await writeOnce(join(folder, LOG_FOLDER, entryName(state.entries)), Buffer.from(entry), passing);
    await syncFolder(join(folder, LOG_FOLDER));
    passing("parquet.listed");
  }

  return {
    get state() {
      return state;
    },
    async append(rows, lastSequence, born) {
      if (state.lastSequence === lastSequence) return checkpoint();
      const columns = columnsOf(state.columns, table, born);
      checkCells(table.name, columns, rows);
      const parts = await encodeParts(columns, rows);
      const entry = entryText({
        storeId,
        table: table.name,
        isFirst: state.entries === 0,
        columns: columns.length === state.columns?.length ? null : columns,
        parts,
        appId,
        lastSequence,
      });
      await orUnavailable(folder, publish(parts, entry));
      state = afterEntry(state, entry, appId, new Set());
      await checkpoint();
    },
  };
}

/** The entries' texts, without those of an earlier generation beyond the settled ones, which are taken away, the newest first. */
async function settledTexts({ folder, settledEntries, isEarlier, passing }: DeltaTableOptions): Promise<readonly string[]> {
  const texts = await entryTexts(folder);
  const isGivenUp = (text: string): boolean => isEarlier(applicationOf(text));
  const kept = texts.findIndex((text, number) => number >= settledEntries && isGivenUp(text));
  if (kept < 0 || !texts.slice(kept).every(isGivenUp)) return texts;
  await forgetCheckpoints(folder, kept);
  for (let number = texts.length - 1; number >= kept; number -= 1) {
    passing("parquet.rewind");
    await unlink(join(folder, LOG_FOLDER, entryName(number)));
  }
  await syncFolder(join(folder, LOG_FOLDER));
  return texts.slice(0, kept);
}

/** Between two settlements a table gets at most one entry: that of the extent that was fixed. */
function checkEntries(state: DeltaState, { folder, settledEntries, pending }: DeltaTableOptions): void {
  if (state.entries === settledEntries) return;
  const found = `the table in ${folder} has ${state.entries} log entries, ${settledEntries} were settled`;
  if (state.entries < settledEntries) throw new BrokenInvariant(`${found}: put the folder back, or give this sink another path and name`);
  if (state.entries > settledEntries + 1 || state.lastSequence !== pending) {
    throw new BrokenInvariant(`${found}: the store is older than its output, or somebody else writes the table`);
  }
}

/** A cell without a column would be lost in silence. */
function checkCells(table: string, columns: readonly DeltaColumn[], rows: readonly NumberedRow[]): void {
  const known = new Set(columns.map(({ cell }) => cell));
  for (const { row } of rows) for (const cell in row.cells) invariant(known.has(cell), `table ${table} has a column for ${cell}`);
}

interface EncodedPart extends ListedPart {
  readonly bytes: Uint8Array;
}

/** One part for each date, in order of dates. */
async function encodeParts(columns: readonly DeltaColumn[], rows: readonly NumberedRow[]): Promise<readonly EncodedPart[]> {
  const byDate = new Map<string, NumberedRow[]>();
  for (const numbered of rows) {
    const date = numbered.row.date;
    const sameDate = byDate.get(date);
    if (sameDate === undefined) byDate.set(date, [numbered]);
    else sameDate.push(numbered);
  }
  const parts: EncodedPart[] = [];
  for (const date of [...byDate.keys()].sort()) {
    invariant(/^\d{4}-\d{2}-\d{2}$/.test(date), `the partition of a curated row is a civil date, not ${date}`);
    parts.push(await encodedPart(date, columns, byDate.get(date) ?? []));
  }
  return parts;
}

async function encodedPart(date: string, columns: readonly DeltaColumn[], rows: readonly NumberedRow[]): Promise<EncodedPart> {
  const first = rows[0]?.sequence ?? 0;
  const last = rows.at(-1)?.sequence ?? 0;
  const bytes = await encodePart(columns, rows);
  return {
    path: `${PARTITION_COLUMN}=${date}/part-${String(first).padStart(20, "0")}-${String(last).padStart(20, "0")}.parquet`,
    date,
    sizeBytes: bytes.length,
    modifiedAtMs: rows.reduce((latest, { row }) => Math.max(latest, row.arrivedAtMs), 0),
    rows: rows.length,
    sequences: [first, last],
    bytes,
  };
}

/** Makes a file appear whole under its name, synced. One that is there already must have the same bytes. The folder is not synced. */
async function writeOnce(path: string, bytes: Uint8Array, passing: (point: string) => void): Promise<void> {
  const temporary = temporaryOf(path);
  await writeSynced(temporary, bytes);
  passing("parquet.link");
  try {
    await link(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    if (!(await readFile(path)).equals(bytes))
      throw new BrokenInvariant(`${path} exists with other content: somebody else writes this table`);
  }
  passing("parquet.linked");
  await unlink(temporary);
}

const TEMPORARY = /^\..+\.tmp$/; // Readers of the folder pass over names with a dot in front.

function temporaryOf(path: string): string {
  const slash = path.lastIndexOf("/") + 1;
  return `${path.slice(0, slash)}.${path.slice(slash)}.tmp`;
}

async function entryTexts(folder: string): Promise<readonly string[]> {
  const names = (await namesIn(join(folder, LOG_FOLDER))).filter((name) => entryNumber(name) !== null).sort();
  const missing = names.findIndex((name, index) => entryNumber(name) !== index);
  if (missing >= 0) throw new BrokenInvariant(`entry ${missing} of the Delta log in ${folder} is missing`);
  const texts: string[] = [];
  for (const name of names) texts.push(await readFile(join(folder, LOG_FOLDER, name), "utf8"));
  return texts;
}

async function removeUnlisted(folder: string, listed: ReadonlySet<string>, passing: (point: string) => void): Promise<void> {
  for (const sub of await namesIn(folder)) {
    const isPartition = sub.startsWith(`${PARTITION_COLUMN}=`);
    if (!isPartition && sub !== LOG_FOLDER) continue;
    for (const name of await namesIn(join(folder, sub))) {
      const isPart = isPartition && name.startsWith("part-") && name.endsWith(".parquet");
      if (!TEMPORARY.test(name) && (!isPart || listed.has(`${sub}/${name}`))) continue;
      passing("parquet.remove");
      await unlink(join(folder, sub, name));
    }
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
