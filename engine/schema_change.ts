import type { ChangedRow, Commit } from "./commit.ts";
import type { CellValue } from "./emission.ts";
import { isForbidden, nameConflict, readInColumn } from "./extra_columns.ts";
import { invariant } from "./fault.ts";
import { isPrintable } from "./feed.ts";
import { PartsDraft } from "./journal.ts";
import { LogDraft } from "./log_draft.ts";
import { RecordReading } from "./reading.ts";
import { type RescuedRecord, rescuedRecord, rescuedRecords, rescuedRow } from "./rescued_index.ts";
import { type Amendment, encodeHead, readRow, writeAmendment, writeRow } from "./row_codec.ts";
import { columnOf, type FeedSchema, type TypeName, withColumns } from "./schema.ts";
import { schemaRow, type VersionOrigin, versionChanges } from "./schema_version.ts";
import type { Store } from "./store.ts";
import { utcDate } from "./utc_date.ts";
import type { World } from "./world.ts";

/** What a person decides on a column that a feed does not declare: it becomes one of the schema, or its values are not wanted. */
export interface SchemaChange {
  readonly feed: string;
  readonly column: string;
  /** Null: it is not wanted. */
  readonly type: TypeName | null;
}

/** What came of it. `amended`: records whose rows were said again; `left`: those whose value does not fit; `gone`: those that the log no longer holds. */
export interface SchemaChangeResult extends SettledRecords {
  readonly version: number;
  /** False: it had been decided so before. */
  readonly isNew: boolean;
}

/** Records that had waited for a decision, by what became of them. */
export interface SettledRecords {
  readonly amended: number;
  readonly left: number;
  readonly gone: number;
}

/** The decision cannot be carried out; the message says why, in words for people. */
export class SchemaChangeRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SchemaChangeRefused";
  }
}

/** So many records are settled in one commit. */
const RECORDS_A_COMMIT = 500;
const NAME_LENGTH_MAX = 256;

/**
 * Carries out a decision: the new version of the schema first, then, commit by commit, every record that waited for it. A rescued value that fits its
 * new column moves there: the curated row comes again under its id and names the one it replaces. Nothing else changes. Done again it changes
 * nothing, or finishes what was interrupted. No turn may run meanwhile. Throws `SchemaChangeRefused` before anything is changed.
 */
export async function changeSchema(world: World, store: Store, change: SchemaChange, origin: VersionOrigin): Promise<SchemaChangeResult> {
  const { version, isNew, commit } = beginChange(world, change, origin);
  if (commit !== null) await store.commit(commit);
  return { version, isNew, ...(await settleChange(world, store, change)) };
}

/** A decision that is in force in memory. `commit`: what has to be stored before anything else; null: it was in force before. */
export interface BegunChange extends Pick<SchemaChangeResult, "version" | "isNew"> {
  readonly commit: Commit | null;
}

/** The first step of `changeSchema`. Throws `SchemaChangeRefused` before anything is changed. */
export function beginChange(world: World, change: SchemaChange, origin: VersionOrigin): BegunChange {
  const { feed, column, type } = change;
  const before = world.schema(feed);
  const after = type === null ? without(before, column) : withApproved(world, before, feed, column, type);
  const isNew = after !== before;
  return { version: after.version, isNew, commit: isNew ? decision(world, feed, before, after, origin) : null };
}

/** The second step, once the first is stored: what waited for the decision. Done again it finishes what was interrupted. */
export async function settleChange(world: World, store: Store, change: SchemaChange): Promise<SettledRecords> {
  const { feed, column } = change;
  const numbers = [...rescuedRecords(store, feed)].flatMap(([number, { columns }]) => (columns.includes(column) ? [number] : []));
  const settled = { amended: 0, left: 0, gone: 0 };
  for (let from = 0; from < numbers.length; from += RECORDS_A_COMMIT) {
    const settling = new Settling(world, store, change, world.schema(feed));
    for (const number of numbers.slice(from, from + RECORDS_A_COMMIT)) settled[await settling.settle(number)] += 1;
    await store.commit(settling.commit());
  }
  return settled;
}

function without(schema: FeedSchema, column: string): FeedSchema {
  checkName(column);
  if (columnOf(schema, column) !== undefined) throw new SchemaChangeRefused(`${column} is a column of the schema, which never shrinks`);
  return schema.ignored.includes(column) ? schema : { ...schema, ignored: [...schema.ignored, column] };
}

function withApproved(world: World, schema: FeedSchema, feed: string, column: string, type: TypeName): FeedSchema {
  checkName(column);
  if (world.feed(feed).table === null)
    throw new SchemaChangeRefused(`${feed} has no curated table of its own records, which could have the column`);
  const known = columnOf(schema, column);
  if (known?.type === type) return schema;
  if (known !== undefined && (known.origin === "declared" || known.type !== "bigint" || type !== "double"))
    throw new SchemaChangeRefused(`${column} is ${known.type} (${known.origin}), and a column keeps its type`);
  const conflict = known === undefined ? nameConflict(column, schema) : null;
  if (conflict !== null) throw new SchemaChangeRefused(conflictText(column, feed, conflict.other));
  if (Object.keys(schema.columns).length >= world.limits.keysMax)
    throw new SchemaChangeRefused(`the schema has ${world.limits.keysMax} columns, and can have no more`);
  const ignored = schema.ignored.filter((name) => name !== column);
  return withColumns({ ...schema, ignored }, { [column]: { type, origin: "approved" } });
}

function conflictText(column: string, feed: string, other: string | null): string {
  if (other === null) return `${column} is the name of a cell that rows have already, or would have`;
  return `${column} differs from ${other} by case only; feeds.${feed}.schemaEvolution.caseSensitive: false reads it as ${other}`;
}

function checkName(column: string): void {
  if (column === "" || column.length > NAME_LENGTH_MAX || isForbidden(column) || !isPrintable(column))
    throw new SchemaChangeRefused("a column has a name of 1 to 256 printable characters");
}

/** The first commit: what was decided, before any row makes use of it. */
function decision(world: World, feed: string, before: FeedSchema, after: FeedSchema, origin: VersionOrigin): Commit {
  world.schemas.set(feed, after);
  const log = logDraft(world);
  if (after.version === before.version) return closed(world, log, [schemaRow(feed, after)]);
  const { stored, curated } = versionChanges(feed, before, after, origin);
  const table = world.table("schema_versions");
  const cause = {
    head: encodeHead(feed, origin.source, origin.position),
    at: -1,
    arrivedAtMs: origin.arrivedAtMs,
    rescued: null,
    schemaVersion: 1,
  };
  const facts = { table, ordinal: 0, date: utcDate(origin.arrivedAtMs), actor: null, late: false, rules: null, extra: null };
  for (const { key, cells } of curated) {
    writeRow(log.open("curated"), cause, { ...facts, key }, null, cells);
    log.close("curated");
  }
  world.counters.add("table", table.name, curated.length);
  const rows: ChangedRow[] = [...stored];
  world.counters.takeChanges(rows);
  return closed(world, log, rows);
}

function logDraft(world: World): LogDraft {
  const log = new LogDraft();
  log.clear(world.nextSequence);
  return log;
}

function closed(world: World, log: LogDraft, rows: readonly ChangedRow[]): Commit {
  world.nextSequence = log.next;
  return { parts: new PartsDraft(), rows, log };
}

/** Records that waited for a decision, as one commit. */
class Settling {
  readonly #world: World;
  readonly #store: Store;
  readonly #change: SchemaChange;
  readonly #schema: FeedSchema;
  readonly #log: LogDraft;
  readonly #rows: ChangedRow[] = [];

  constructor(world: World, store: Store, change: SchemaChange, schema: FeedSchema) {
    this.#world = world;
    this.#store = store;
    this.#change = change;
    this.#schema = schema;
    this.#log = logDraft(world);
  }

  commit(): Commit {
    this.#world.counters.takeChanges(this.#rows);
    return closed(this.#world, this.#log, this.#rows);
  }

  async settle(number: number): Promise<"amended" | "left" | "gone"> {
    const { feed, column, type } = this.#change;
    const record = rescuedRecord(this.#store, feed, number);
    invariant(record !== null, `record ${number} of ${feed} waits for a decision`);
    const columns = record.columns.filter((name) => name !== column);
    if (type === null) return this.#put(number, { ...record, columns }, "amended");
    const rows: number[] = [];
    for (const sequence of record.rows) {
      const bytes = await this.#logged(sequence);
      if (bytes === null) return this.#put(number, null, "gone");
      const amendment = this.#amendmentOf(bytes, sequence);
      if (amendment === null) return "left";
      rows.push(this.#log.next);
      writeAmendment(this.#log.open("curated"), bytes, amendment);
      this.#log.close("curated");
    }
    return this.#put(number, { ...record, columns, rows }, "amended");
  }

  #put(number: number, record: RescuedRecord | null, outcome: "amended" | "gone"): "amended" | "gone" {
    this.#rows.push(rescuedRow(this.#change.feed, number, record));
    return outcome;
  }

  /** The row of this number; null: it has left the log. */
  async #logged(sequence: number): Promise<Uint8Array | null> {
    const [entry] = await this.#store.readLog("curated", sequence, 1);
    return entry?.sequence === sequence ? entry.bytes : null;
  }

  /** What puts the value of a row into its column; null: it does not fit there. */
  #amendmentOf(bytes: Uint8Array, amends: number): Amendment | null {
    const { column } = this.#change;
    const { row, table, extra } = readRow(this.#world.tables, bytes);
    const rescued = JSON.parse(row.rescued ?? "{}") as Readonly<Record<string, { readonly value: unknown }>>;
    const { [column]: waiting, ...others } = rescued;
    const definition = columnOf(this.#schema, column);
    invariant(waiting !== undefined && definition !== undefined, `row ${amends} has a rescued value of ${column}`);
    const reading = new RecordReading(null, false, false);
    const value = readInColumn(definition, this.#schema, column, asWritten(waiting.value, definition.type), reading);
    if (typeof value === "object" && value !== null) return null;
    const stillRescued = { ...others, ...(JSON.parse(reading.rescued(this.#world.limits.rescuedBytesMax) ?? "{}") as object) };
    this.#world.counters.add("table", table.name, 1);
    return {
      amends,
      rescued: Object.keys(stillRescued).length === 0 ? null : JSON.stringify(stillRescued),
      schemaVersion: this.#schema.version,
      extra: { ...extra, [column]: value satisfies CellValue },
    };
  }
}

/** Whole numbers that a double cannot hold were rescued as text: read as what they were, they do not fit a column of numbers either. */
function asWritten(value: unknown, type: TypeName): unknown {
  const isNumber = type === "double" || type === "bigint";
  const isLong = isNumber && typeof value === "string" && /^-?\d{16,}$/.test(value) && !Number.isSafeInteger(Number(value));
  return isLong ? BigInt(value) : value;
}
