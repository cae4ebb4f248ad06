import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { auditRows } from "../engine/command.ts";
import type { CellValue, ColumnType } from "../engine/emission.ts";
import { type Belief, type Fact, versionAt } from "../engine/history.ts";
import { type ActorId, keyOf } from "../engine/ids.ts";
import type { ResolvedTable } from "../engine/table.ts";
import { type Cells, shownCells } from "./cell.ts";
import { CommandError } from "./errors.ts";
import { csvCell } from "./format.ts";
import { believed, knownAtMs } from "./history.ts";
import { printableJson } from "./printable.ts";
import { engineClockMs, readHistories, type View } from "./reader.ts";
import { nearest } from "./suggest.ts";
import { gridDate, timeMs } from "./time.ts";

/** What is exported, and times as they are typed. */
export interface ExportQuery {
  readonly table: string;
  /** A path that ends in `.parquet`, `.csv` or `.jsonl`; `-`: JSON lines to `write`. */
  readonly to: string;
  readonly asOf?: string | undefined;
  readonly knownAt?: string | undefined;
}

export interface Exported {
  readonly table: string;
  readonly to: string;
  readonly rows: number;
}

/** A column of an exported table. */
export interface ExportColumn {
  readonly name: string;
  readonly type: ColumnType;
}

/** Rows of a table, in bounded groups: cells as they are stored. */
export type RowGroups = AsyncIterable<readonly Cells[]>;

/** Makes the bytes of a Parquet file, in pieces. */
export type ParquetEncoder = (columns: readonly ExportColumn[], groups: RowGroups) => AsyncIterable<Uint8Array>;

export interface ExportOutlets {
  readonly parquet: ParquetEncoder;
  /** Takes what goes to `-`; resolves when there is room for more. */
  readonly write: (piece: Uint8Array) => Promise<void>;
}

/**
 * Writes what operators have changed (`audit`), or the versions of a dimension (`dim_transformer`, `dim_customer`): those believed now or at `knownAt`, of each key all of them, or the one in
 * force at `asOf`. Money is exact in Parquet and shown in rupees elsewhere. A file appears whole, under its name, or not at all. Throws NOT_FOUND,
 * USAGE, and REFUSED if the file cannot be written.
 */
export async function exportTable(view: View, query: ExportQuery, { parquet, write }: ExportOutlets): Promise<Exported> {
  const { table, to } = query;
  const { columns, rows } = table === AUDIT.name ? AUDIT : dimensionOf(view, table);
  const encode = encoderFor(to, parquet);
  const counted = new CountedRows(rows(view, query));
  const pieces = encode(columns, counted.groups());
  if (to === "-") for await (const piece of pieces) await write(piece);
  else await writeWhole(to, pieces);
  return { table, to, rows: counted.rows };
}

// The table -----------------------------------------------------------------------------------------------------------------------------

interface Dimension {
  readonly columns: readonly ExportColumn[];
  readonly rows: (view: View, query: ExportQuery) => Iterable<Cells>;
}

const CHANGES = "_changes";
const GROUP_ROWS = 5_000;
const OPEN_END = "9999-12-31";

/** What operators have changed, in order. */
const AUDIT = {
  name: "audit",
  columns: [
    { name: "number", type: { type: "long" } },
    { name: "time", type: { type: "timestamp" } },
    { name: "clock", type: { type: "timestamp" } },
    { name: "by", type: { type: "string" } },
    { name: "verb", type: { type: "string" } },
    { name: "args", type: { type: "string" } },
    { name: "reason", type: { type: "string" } },
    { name: "result", type: { type: "string" } },
    { name: "detail", type: { type: "string" } },
  ],
  *rows({ store }: View): Generator<Cells, void> {
    for (const { number, arrivedAtMs, clockMs, by, verb, args, reason, result, detail } of auditRows(store)) {
      const texts = { args: JSON.stringify(args), detail: JSON.stringify(detail) };
      yield { number, time: arrivedAtMs, clock: clockMs, by, verb, reason, result, ...texts };
    }
  },
} as const satisfies Dimension & { readonly name: string };

/** A dimension has the columns of its log of beliefs, without what the log says of one change. */
function dimensionOf({ domain }: View, name: string): Dimension {
  const logs = domain.tables.filter((table) => table.name.startsWith("dim_") && table.name.endsWith(CHANGES));
  const names = logs.map((log) => log.name.slice(0, -CHANGES.length));
  const log = logs[names.indexOf(name)];
  if (log === undefined) throw unknownTable(name, names);
  const kind = name.slice("dim_".length);
  return { columns: columnsOf(log), rows: (view, query) => rowsOf(view, kind, query) };
}

function columnsOf({ columns }: ResolvedTable): readonly ExportColumn[] {
  return columns.filter(([name]) => name !== "change").map(([name, type]) => ({ name, type }));
}

function* rowsOf(view: View, kind: string, { asOf, knownAt }: ExportQuery): Generator<Cells, void> {
  const date = asOf === undefined ? null : gridDate(timeMs(asOf, engineClockMs(view), "--as-of"));
  const knownMs = knownAtMs(knownAt, factsOf(view, kind));
  for (const history of readHistories(view, kind)) {
    const beliefs = believed(history, knownMs, false);
    for (const belief of date === null ? beliefs : inForce(beliefs, date)) yield cellsOf(history.key, kind, belief);
  }
}

function inForce(beliefs: readonly Belief[], date: string): readonly Belief[] {
  const versions = beliefs.map(({ version }) => version);
  const found = versionAt(versions, date);
  return found === null ? [] : beliefs.filter(({ version }) => version === found);
}

function cellsOf(key: ActorId, kind: string, { version, knownFromMs, knownToMs }: Belief): Cells {
  return {
    [`${kind}_id`]: keyOf(key),
    ...version.values,
    version_id: version.versionId,
    record_effective_date: version.from,
    record_end_date: version.to ?? OPEN_END,
    is_current: version.to === null,
    scd_version: version.scdVersion,
    known_from: knownFromMs,
    known_to: knownToMs,
  };
}

function* factsOf(view: View, kind: string): Generator<Fact, void> {
  for (const { facts } of readHistories(view, kind)) yield* facts;
}

function unknownTable(name: string, known: readonly string[]): CommandError {
  const near = nearest(name, [...known, AUDIT.name]);
  const hint = `tables are ${[...known, AUDIT.name].join(", ")}; every curated table is a Delta Lake table under the curated sink's path already`;
  return new CommandError("NOT_FOUND", `no table ${name} to export`, { hint, candidates: near === null ? [] : [near] });
}

// The file ------------------------------------------------------------------------------------------------------------------------------

type Encoder = (columns: readonly ExportColumn[], groups: RowGroups) => AsyncIterable<Uint8Array>;

function encoderFor(to: string, parquet: ParquetEncoder): Encoder {
  if (to === "-") return jsonLines;
  switch (extname(to)) {
    case ".parquet":
      return parquet;
    case ".csv":
      return csv;
    case ".jsonl":
      return jsonLines;
    default:
      throw new CommandError("USAGE", `--to: ${to} says no format`, { hint: "end it in .parquet, .csv or .jsonl; - is standard output" });
  }
}

class CountedRows {
  rows = 0;
  readonly #cells: Iterable<Cells>;

  constructor(cells: Iterable<Cells>) {
    this.#cells = cells;
  }

  async *groups(): AsyncGenerator<readonly Cells[], void> {
    let group: Cells[] = [];
    for (const cells of this.#cells) {
      group.push(cells);
      this.rows += 1;
      if (group.length < GROUP_ROWS) continue;
      yield group;
      group = [];
    }
    if (group.length > 0) yield group;
  }
}

async function* jsonLines(columns: readonly ExportColumn[], groups: RowGroups): AsyncGenerator<Uint8Array, void> {
  for await (const rows of groups) yield Buffer.from(rows.map((row) => `${printableJson(shownRow(columns, row))}\n`).join(""));
}

async function* csv(columns: readonly ExportColumn[], groups: RowGroups): AsyncGenerator<Uint8Array, void> {
  yield Buffer.from(`${columns.map(({ name }) => csvCell(name)).join(",")}\n`);
  for await (const rows of groups) {
    yield Buffer.from(rows.map((row) => `${Object.values(shownRow(columns, row)).map(csvCell).join(",")}\n`).join(""));
  }
}

/** All columns in their order, as answers show them. */
function shownRow(columns: readonly ExportColumn[], row: Cells): Cells {
  const cells = columns.map(({ name }): [string, CellValue] => [name, row[name] ?? null]);
  return shownCells(Object.fromEntries(cells), new Map(columns.map(({ name, type }) => [name, type])));
}

/** Writes aside, syncs, renames: nobody sees half a file under the name. */
async function writeWhole(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const aside = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    const file = await open(aside, "wx");
    try {
      for await (const piece of pieces) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    if (error instanceof Error && "syscall" in error) throw new CommandError("REFUSED", `${path}: ${error.message}`, { cause: error });
    throw error;
  }
}
