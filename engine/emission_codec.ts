import { Packr } from "msgpackr";
import type { AlertEvent, CellValue, CuratedRow, Emission } from "./emission.ts";
import { invariant } from "./fault.ts";
import { type ActorId, longHash } from "./ids.ts";
import type { Stream } from "./sink.ts";
import type { LogEntry } from "./store.ts";
import type { ResolvedTable } from "./table.ts";

const packr = new Packr({ useRecords: false, moreTypes: false });

/** A curated row as the turn has it: everything of `CuratedRow`, the row's identity still in parts (feed, key, ordinal). */
export interface RowDraft {
  readonly table: ResolvedTable;
  readonly key: string;
  /** n-th row of its record in this table. */
  readonly ordinal: number;
  readonly amends: number | null;
  readonly actor: ActorId | null;
  readonly at: number;
  readonly arrivedAtMs: number;
  readonly date: string;
  readonly rescued: string | null;
  readonly schemaVersion: number;
  readonly late: boolean;
  readonly rules: string | null;
  /** In the order of the table's columns. */
  readonly cells: readonly (CellValue | undefined)[];
  /** Columns born by schema evolution. */
  readonly extra: Readonly<Record<string, CellValue>> | null;
}

/** What all rows of a batch share, encoded once: feed, source (`name` or `name:path`), origin. */
export function encodeBatchHead(feed: string | null, source: string, origin: string): Uint8Array {
  return packr.pack([feed, source, origin]);
}

let buffer = Buffer.allocUnsafe(1 << 20);
let used = 0;

/** Bytes of a curated row for the log: length of the head, head, body. The result is a view of a shared buffer that is never written again. */
export function encodeRow(head: Uint8Array, draft: RowDraft): Uint8Array {
  const flags = (draft.late ? 1 : 0) | (draft.key === draft.cells[0] ? 2 : 0);
  const body = packr.pack([
    draft.table.name,
    flags,
    (flags & 2) === 0 ? draft.key : null,
    draft.ordinal,
    draft.amends,
    draft.actor,
    draft.at,
    draft.arrivedAtMs,
    draft.date,
    draft.rescued,
    draft.schemaVersion,
    draft.rules,
    draft.cells,
    draft.extra,
  ]);
  const length = 2 + head.length + body.length;
  if (used + length > buffer.length) {
    buffer = Buffer.allocUnsafe(Math.max(1 << 20, length));
    used = 0;
  }
  const start = used;
  used += length;
  buffer.writeUInt16LE(head.length, start);
  buffer.set(head, start + 2);
  buffer.set(body, start + 2 + head.length);
  return buffer.subarray(start, used);
}

export function encodeAlert(event: AlertEvent): Uint8Array {
  return Buffer.from(JSON.stringify(event));
}

/** Makes the reader of log entries. `tables`: every table that may occur, as declared when the entries were written. */
export function emissionDecoder(tables: readonly ResolvedTable[]): (stream: Stream, entry: LogEntry) => Emission {
  const byName = new Map(tables.map((table) => [table.name, table]));
  return (stream, { sequence, bytes }) =>
    stream === "alerts"
      ? { stream, sequence, event: JSON.parse(Buffer.from(bytes).toString()) as AlertEvent }
      : { stream, sequence, row: decodeRow(byName, bytes) };
}

type Body = readonly [
  table: string,
  flags: number,
  key: string | null,
  ordinal: number,
  amends: number | null,
  actor: ActorId | null,
  at: number,
  arrivedAtMs: number,
  date: string,
  rescued: string | null,
  schemaVersion: number,
  rules: string | null,
  cells: readonly CellValue[],
  extra: Readonly<Record<string, CellValue>> | null,
];

function decodeRow(tables: ReadonlyMap<string, ResolvedTable>, bytes: Uint8Array): CuratedRow {
  const headEnd = 2 + ((bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8));
  const [feed, source, origin] = packr.unpack(bytes.subarray(2, headEnd)) as [string | null, string, string];
  const [name, flags, key, ordinal, amends, actor, at, arrivedAtMs, date, rescued, schemaVersion, rules, values, extra] = packr.unpack(
    bytes.subarray(headEnd),
  ) as Body;
  const table = tables.get(name);
  invariant(table !== undefined && values.length === table.columns.length, `a stored row of ${name} has the columns that the table declares`);
  const cells: Record<string, CellValue> = {};
  table.columns.forEach(([column], index) => {
    cells[column] = values[index] ?? null;
  });
  if (extra !== null) Object.assign(cells, extra);
  const rowKey = (flags & 2) === 0 ? (key ?? "") : String(values[0]);
  return {
    table: name,
    rowId: longHash([name, feed ?? "", rowKey, ordinal]),
    amends,
    actor,
    source,
    position: at < 0 ? origin : `${origin}${at}`,
    arrivedAtMs,
    date,
    rescued,
    schemaVersion,
    late: (flags & 1) !== 0,
    rules,
    cells,
  };
}
