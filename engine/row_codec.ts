import { ByteReader, ByteWriter } from "./byte_writer.ts";
import type { CellValue, CuratedRow } from "./emission.ts";
import { invariant } from "./fault.ts";
import { type ActorId, actorIdFrom, longHash } from "./ids.ts";
import type { ResolvedTable } from "./table.ts";

type Cells = Readonly<Record<string, CellValue | undefined>>;

/** What all rows of one record, or of one timer, have in common. */
export interface RowCause {
  /** `encodeHead` of the batch. */
  readonly head: Uint8Array;
  /** Number behind the origin in the head; -1: the origin is the whole position. */
  readonly at: number;
  readonly arrivedAtMs: number;
  readonly rescued: string | null;
  readonly schemaVersion: number;
}

/** One row. `key` and `ordinal` (n-th row of its record in the table) make its id; `record` and `added` give the cells, see `Table`. */
export interface RowFacts {
  readonly table: ResolvedTable;
  readonly key: string;
  readonly ordinal: number;
  readonly date: string;
  readonly actor: ActorId | null;
  readonly late: boolean;
  readonly rules: string | null;
  readonly record: Cells | null;
  readonly added: Cells;
  /** Columns born by schema evolution. */
  readonly extra: Cells | null;
}

const writer = new ByteWriter(); // Only a buffer: nothing of one row is in the next.

/** What all rows of a batch have in common: feed (null for a timer), source (`name` or `name:path`), origin of positions. */
export function encodeHead(feed: string | null, source: string, origin: string): Uint8Array {
  writer.begin();
  writer.cell(feed);
  writer.cell(source);
  writer.cell(origin);
  return writer.end();
}

/** Bytes of a row for the log. Cells that are missing are null. */
export function encodeRow(cause: RowCause, row: RowFacts): Uint8Array {
  writer.begin();
  writer.bytes(cause.head);
  writer.cell(cause.at);
  writer.cell(cause.arrivedAtMs);
  writer.cell(cause.rescued);
  writer.cell(cause.schemaVersion);
  writer.cell(row.table.name);
  writer.cell(row.key);
  writer.cell(row.ordinal);
  writer.cell(row.date);
  writer.cell(row.actor);
  writer.cell(row.late);
  writer.cell(row.rules);
  writer.cell(row.extra === null ? null : JSON.stringify(row.extra));
  const { columns, ofFeed } = row.table;
  const { record, added } = row;
  for (let n = 0; n < columns.length; n += 1) {
    const name = (columns[n] as ResolvedTable["columns"][number])[0];
    writer.cell((n < ofFeed ? record?.[name] : added[name]) ?? null);
  }
  writer.byte(END);
  return writer.end();
}

const END = 0x45;

/** Reads a row back. `tables`: by name, as they were declared when the row was written. Throws `BrokenInvariant` if they were not. */
export function decodeRow(tables: ReadonlyMap<string, ResolvedTable>, bytes: Uint8Array): CuratedRow {
  const reader = new ByteReader(bytes);
  const [feed, source, origin] = [reader.cell(), reader.cell(), reader.cell()];
  const [at, arrivedAtMs, rescued, schemaVersion] = [reader.cell(), reader.cell(), reader.cell(), reader.cell()];
  const [name, key, ordinal, date] = [reader.cell(), reader.cell(), reader.cell(), reader.cell()];
  const [actor, late, rules, extra] = [reader.cell(), reader.cell(), reader.cell(), reader.cell()];
  const table = tables.get(String(name));
  invariant(table !== undefined, `table ${name} of a stored row is declared`);
  const cells: Record<string, CellValue> = {};
  for (const [column] of table.columns) cells[column] = reader.cell();
  invariant(reader.byte() === END, `a stored row of ${name} has the columns that the table declares`);
  if (extra !== null) Object.assign(cells, JSON.parse(String(extra)));
  return {
    table: table.name,
    rowId: longHash([table.name, String(feed ?? ""), String(key), Number(ordinal)]),
    amends: null,
    actor: actor === null ? null : actorIdFrom(String(actor)),
    source: String(source),
    position: at === -1 ? String(origin) : `${origin}${at}`,
    arrivedAtMs: Number(arrivedAtMs),
    date: String(date),
    rescued: rescued === null ? null : String(rescued),
    schemaVersion: Number(schemaVersion),
    late: late === true,
    rules: rules === null ? null : String(rules),
    cells,
  };
}
