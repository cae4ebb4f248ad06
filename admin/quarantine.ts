import type { AuditRow, CommandArgs } from "../engine/command.ts";
import { FAULT_CODES } from "../engine/fault.ts";
import { decodeQuarantine, type QuarantineRow } from "../engine/quarantine.ts";
import { CommandError } from "./errors.ts";
import { type Column, formatRows, type Screen } from "./format.ts";
import { printable } from "./printable.ts";
import { findByPrefix, type View } from "./reader.ts";
import { sizeText } from "./size.ts";
import { nearest } from "./suggest.ts";
import { instantText } from "./time.ts";
import { type AskOther, type Query, textOf } from "./verb.ts";

/** Filters as they are typed. */
export interface QuarantineQuery {
  readonly feed?: string | undefined;
  readonly reason?: string | undefined;
  /** Settled rows, too. */
  readonly all?: boolean | undefined;
}

/** A row as `ls` shows it. `eventTime` null: the record was not understood that far. */
export interface QuarantineItem
  extends Pick<QuarantineRow, "id" | "feed" | "source" | "position" | "reason" | "field" | "error" | "actor"> {
  readonly eventTime: string | null;
  /** Bytes of the record as it came. */
  readonly size: number;
  readonly attempts: number;
  readonly status: QuarantineRow["status"];
}

/** A row as `show` shows it. `bytes`: base64 of what was kept; `text`: the same if it is UTF-8, else null. */
export interface QuarantineDetail extends QuarantineItem {
  readonly bytes: string;
  readonly text: string | null;
}

/** The first `limit` rows, in order of arrival, and how many fit. */
export interface QuarantineList {
  readonly rows: readonly QuarantineItem[];
  readonly found: number;
}

/** Lists quarantined records. Throws USAGE for a feed or a reason that does not exist; a reason that nothing has gives an empty list. */
export function listQuarantine(view: View, query: QuarantineQuery, limit: number): QuarantineList {
  const { feed, reason, all = false } = query;
  if (feed !== undefined)
    checkName(
      "--feed",
      feed,
      view.domain.feeds.map(({ name }) => name),
    );
  if (reason !== undefined) checkName("--reason", reason, FAULT_CODES);
  const rows = readRows(view)
    .filter(
      (row) =>
        (all || row.status === "open") && (feed === undefined || row.feed === feed) && (reason === undefined || row.reason === reason),
    )
    .sort(byArrival);
  return { rows: rows.slice(0, Math.max(0, limit)).map(itemOf), found: rows.length };
}

/** One quarantined record, by its id or the beginning of it. Throws NOT_FOUND, and USAGE if several begin so. */
export function showQuarantine(view: View, idText: string): QuarantineDetail {
  const rows = readRows(view);
  const id = findByPrefix(
    rows.map((row) => row.id),
    "Q-",
    idText,
    "quarantined record",
  );
  const row = rows.find((one) => one.id === id);
  if (row === undefined) throw new CommandError("NOT_FOUND", `no quarantined record ${idText}`);
  return { ...itemOf(row), bytes: Buffer.from(row.bytes).toString("base64"), text: keptText(row) };
}

/** What `quarantine retry` and `quarantine drop` mean: which open row. Rejects with NOT_FOUND, and USAGE if several begin so. */
export async function settleArgs(query: Query, ask: AskOther): Promise<CommandArgs> {
  const { id } = (await ask("quarantine show", { id: textOf(query, "id") })) as QuarantineDetail;
  return { id };
}

/** The row as it is now. */
export async function settledRow({ args }: Pick<AuditRow, "args">, ask: AskOther): Promise<QuarantineItem> {
  const { bytes: _, text: __, ...item } = (await ask("quarantine show", { id: String(args["id"]) })) as QuarantineDetail;
  return item;
}

/** A table for people. */
export function quarantineText(rows: readonly QuarantineItem[], screen: Screen | null): string {
  return formatRows(rows, COLUMNS, "table", screen);
}

/** One record for people: a line for each field, then what came. */
export function quarantineDetailText(detail: QuarantineDetail): string {
  const { bytes, text, size, ...fields } = detail;
  const lines = Object.entries({ ...fields, size: sizeText(size) }).map(
    ([name, value]) => `${name.padEnd(12)}${printable(String(value ?? "-"))}`,
  );
  const body = text === null ? `${bytes}  (base64)` : text.split("\n").map(printable).join("\n");
  return `${lines.join("\n")}\n\n${body.trimEnd()}\n`;
}

const COLUMNS: readonly Column<QuarantineItem>[] = [
  { name: "id", of: (row) => row.id, isWhole: true },
  { name: "feed", of: (row) => row.feed },
  { name: "reason", of: (row) => row.reason, isWhole: true },
  { name: "actor", of: (row) => row.actor ?? "-" },
  { name: "position", of: (row) => row.position },
  { name: "size", of: (row) => row.size },
  { name: "status", of: (row) => row.status },
  { name: "error", of: (row) => row.error },
];

function readRows({ store }: View): readonly QuarantineRow[] {
  return [...store.range("quarantine", "")].map(([, bytes]) => decodeQuarantine(bytes));
}

/** Ids are hashes, so their order says nothing: by arrival, then by place in the input. */
function byArrival(a: QuarantineRow, b: QuarantineRow): number {
  return a.arrivedAtMs - b.arrivedAtMs || compare(a.source, b.source) || placeIn(a) - placeIn(b) || compare(a.id, b.id);
}

/** The number at the end of a position: row of a file, offset of a partition. */
function placeIn({ position }: QuarantineRow): number {
  return Number(/\d+$/.exec(position)?.[0] ?? 0);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function itemOf(row: QuarantineRow): QuarantineItem {
  const { id, feed, source, position, reason, field, error, actor, eventTimeMs, sizeBytes, attempts, status } = row;
  const eventTime = eventTimeMs === null ? null : instantText(eventTimeMs);
  return { id, feed, source, position, reason, field, error, actor, eventTime, size: sizeBytes, attempts, status };
}

function keptText({ bytes, sizeBytes }: QuarantineRow): string | null {
  try {
    // A record of which the beginning was kept may end inside a character.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: bytes.length < sizeBytes });
  } catch {
    return null;
  }
}

function checkName(flag: string, name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  const near = nearest(name, known);
  throw new CommandError("USAGE", `${flag}: "${name}" is none of ${known.join(", ")}`, { candidates: near === null ? [] : [near] });
}
