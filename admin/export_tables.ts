import { auditRows } from "../engine/command.ts";
import type { ColumnType } from "../engine/emission.ts";
import { type Belief, type Fact, versionAt } from "../engine/history.ts";
import { type ActorId, keyOf, kindOf } from "../engine/ids.ts";
import { decodeQuarantine } from "../engine/quarantine.ts";
import type { TypeName } from "../engine/schema.ts";
import { restoredSchema } from "../engine/schema_version.ts";
import type { ResolvedTable } from "../engine/table.ts";
import { clockText, openAlerts } from "./actor_facts.ts";
import type { Cells } from "./cell.ts";
import { CommandError } from "./errors.ts";
import { believed, knownAtMs } from "./history.ts";
import { engineClockMs, logFrom, readActors, readHistories, type View } from "./reader.ts";
import { nearest } from "./suggest.ts";
import { gridDate, timeMs } from "./time.ts";

/** Which versions are wanted, as times are typed: the one in force at `asOf`, as it was known at `knownAt`. */
export interface ExportTimes {
  readonly asOf?: string | undefined;
  readonly knownAt?: string | undefined;
}

/** A column of an exported table. */
export interface ExportColumn {
  readonly name: string;
  readonly type: ColumnType;
}

/** A table that can be exported: its columns, and its rows as they are stored. */
export interface ExportTable {
  readonly columns: readonly ExportColumn[];
  readonly rows: Iterable<Cells> | AsyncIterable<Cells>;
}

/**
 * The table of a name: a kind of actor (what each is now), a curated table (its rows, as far back as the log is kept), `dim_transformer` and
 * `dim_customer` (versions), `history` (the versions of all kinds, their attributes as JSON), `alerts`, `quarantine`, `audit`. Throws NOT_FOUND, and
 * USAGE for a time where nothing is kept by time.
 */
export function exportTableOf(view: View, name: string, times: ExportTimes): ExportTable {
  const dimension = dimensionsOf(view).get(name);
  if (dimension !== undefined) return dimension(times);
  const given = times.asOf !== undefined ? "--as-of" : times.knownAt !== undefined ? "--known-at" : null;
  const table = plainTable(view, name);
  if (table === null) throw unknownTable(view, name);
  if (given !== null)
    throw new CommandError("USAGE", `${name} has no versions to choose from by ${given}`, {
      hint: "history, dim_transformer, dim_customer",
    });
  return table;
}

/** All names of `exportTableOf`. */
export function exportTables(view: View): readonly string[] {
  const kinds = view.domain.behaviours.map(({ kind }) => kind);
  return [...new Set([...kinds, ...dimensionsOf(view).keys(), ...view.domain.tables.map(({ name }) => name), "audit"])];
}

const TEXT = { type: "string" } as const;
const WHOLE = { type: "long" } as const;
const INSTANT = { type: "timestamp" } as const;

function plainTable(view: View, name: string): ExportTable | null {
  if (name === "audit") return auditTable(view);
  if (name === "quarantine") return quarantineTable(view);
  if (view.domain.behaviours.some(({ kind }) => kind === name)) return kindTable(view, name);
  const curated = view.domain.tables.find((table) => table.name === name);
  return curated === undefined ? null : curatedTable(view, curated);
}

function unknownTable(view: View, name: string): CommandError {
  const known = exportTables(view);
  const near = nearest(name, known);
  return new CommandError("NOT_FOUND", `no table ${name} to export`, {
    hint: `tables are ${known.join(", ")}`,
    candidates: near === null ? [] : [near],
  });
}

/** What operators have changed, in order. */
function auditTable({ store }: View): ExportTable {
  const columns = {
    number: WHOLE,
    time: INSTANT,
    clock: INSTANT,
    by: TEXT,
    verb: TEXT,
    args: TEXT,
    reason: TEXT,
    result: TEXT,
    detail: TEXT,
  };
  function* rows(): Generator<Cells, void> {
    for (const { number, arrivedAtMs, clockMs, by, verb, args, reason, result, detail } of auditRows(store)) {
      const texts = { args: JSON.stringify(args), detail: JSON.stringify(detail) };
      yield { number, time: arrivedAtMs, clock: clockMs, by, verb, reason, result, ...texts };
    }
  }
  return { columns: columnList(columns), rows: rows() };
}

/** Quarantined records as they stand now, settled ones too. `text`: the record, where it is UTF-8. */
function quarantineTable({ store }: View): ExportTable {
  const texts = { id: TEXT, feed: TEXT, source: TEXT, position: TEXT, reason: TEXT, field: TEXT, error: TEXT, actor: TEXT };
  const columns = { ...texts, event_time: INSTANT, arrived: INSTANT, size_bytes: WHOLE, attempts: WHOLE, status: TEXT, text: TEXT };
  function* rows(): Generator<Cells, void> {
    for (const [, bytes] of store.range("quarantine", "")) {
      const { eventTimeMs, arrivedAtMs, sizeBytes, bytes: record, ...row } = decodeQuarantine(bytes);
      yield { ...row, event_time: eventTimeMs, arrived: arrivedAtMs, size_bytes: sizeBytes, text: utf8(record) };
    }
  }
  return { columns: columnList(columns), rows: rows() };
}

function utf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null; // No text at all.
  }
}

/** The actors of a kind as they are now, in no order that is promised; what differs from kind to kind is JSON. */
function kindTable(view: View, kind: string): ExportTable {
  const columns = {
    id: TEXT,
    kind: TEXT,
    status: TEXT,
    open_alerts: WHOLE,
    clock: TEXT,
    attributes: TEXT,
    latest: TEXT,
    rolling: TEXT,
    counts: TEXT,
  };
  function* rows(): Generator<Cells, void> {
    for (const actor of readActors(view, (id) => kindOf(id) === kind)) {
      const { status, attributes, latest, rolling } = actor.description;
      const parts = { attributes: json(attributes), latest: json(latest), rolling: json(rolling), counts: json(actor.counts) };
      yield { id: keyOf(actor.id), kind, status, open_alerts: openAlerts(actor.episodes), clock: clockText(actor), ...parts };
    }
  }
  return { columns: columnList(columns), rows: rows() };
}

function json(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}

/** The rows of a curated table in the order of the log, with what each row begins with in files, and columns that have come since. */
function curatedTable(view: View, table: ResolvedTable): ExportTable {
  const feed = view.domain.feeds.find((one) => one.table === table.name);
  const grown =
    feed === undefined ? [] : Object.entries(restoredSchema(view.store, feed).columns).filter(([, { origin }]) => origin !== "declared");
  async function* rows(): AsyncGenerator<Cells, void> {
    for await (const entries of logFrom(view, "curated", view.store.logStart("curated"))) {
      for (const entry of entries) {
        const emission = view.decode("curated", entry);
        if (emission.stream !== "curated" || emission.row.table !== table.name) continue;
        const { row } = emission;
        const leading = { _row_id: row.rowId, _seq: entry.sequence, _amends: row.amends, _source: row.source, _position: row.position };
        const origin = { _ingestion_ts: row.arrivedAtMs, _rescued_data: row.rescued, _schema_version: row.schemaVersion };
        yield { ...row.cells, ...leading, ...origin, late: row.late, rules: row.rules };
      }
    }
  }
  const leading = {
    _row_id: TEXT,
    _seq: WHOLE,
    _amends: WHOLE,
    _source: TEXT,
    _position: TEXT,
    _ingestion_ts: INSTANT,
    _rescued_data: TEXT,
  };
  const columns: ExportColumn[] = columnList({ ...leading, _schema_version: WHOLE, late: { type: "boolean" }, rules: TEXT });
  const own = table.columns.map(([name, type]) => ({ name, type }));
  return { columns: [...columns, ...own, ...grown.map(([name, { type }]) => ({ name, type: columnType(type) }))], rows: rows() };
}

function columnType(type: TypeName): ColumnType {
  const [, precision, scale] = /^decimal\((\d+),(\d+)\)$/.exec(type) ?? [];
  if (precision !== undefined && scale !== undefined) return { type: "decimal", precision: Number(precision), scale: Number(scale) };
  if (type === "bigint") return WHOLE;
  return type === "double" || type === "boolean" || type === "date" || type === "timestamp" ? { type } : TEXT;
}

function columnList(columns: Readonly<Record<string, ColumnType>>): ExportColumn[] {
  return Object.entries(columns).map(([name, type]) => ({ name, type }));
}

// Versions ------------------------------------------------------------------------------------------------------------------------------

const CHANGES = "_changes";
const OPEN_END = "9999-12-31";

function dimensionsOf(view: View): ReadonlyMap<string, (times: ExportTimes) => ExportTable> {
  const logs = view.domain.tables.filter((table) => table.name.startsWith("dim_") && table.name.endsWith(CHANGES));
  const dimensions = logs.map((log) => {
    const name = log.name.slice(0, -CHANGES.length);
    const kind = name.slice("dim_".length);
    // It has the columns of its log of beliefs, without what the log says of one change.
    const columns = log.columns.filter(([column]) => column !== "change").map(([column, type]) => ({ name: column, type }));
    return [name, (times: ExportTimes): ExportTable => ({ columns, rows: dimensionRows(view, kind, times) })] as const;
  });
  return new Map([...dimensions, ["history", (times) => historyTable(view, times)]]);
}

function* dimensionRows(view: View, kind: string, times: ExportTimes): Generator<Cells, void> {
  for (const { key, belief } of beliefsOf(view, kind, times)) {
    const { version, knownFromMs, knownToMs } = belief;
    yield {
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
}

function historyTable(view: View, times: ExportTimes): ExportTable {
  const valid = { kind: TEXT, id: TEXT, version: WHOLE, valid_from: TEXT, valid_to: TEXT };
  const columns = { ...valid, known_from: INSTANT, known_to: INSTANT, is_current: { type: "boolean" }, attributes: TEXT } as const;
  function* rows(): Generator<Cells, void> {
    for (const { kind } of view.domain.behaviours) {
      for (const { key, belief } of beliefsOf(view, kind, times)) {
        const { version, knownFromMs, knownToMs } = belief;
        const { from, to, scdVersion, endedBy } = version;
        const known = { known_from: knownFromMs, known_to: knownToMs, is_current: to === null && knownToMs === null && endedBy === null };
        yield {
          kind,
          id: keyOf(key),
          version: scdVersion,
          valid_from: from,
          valid_to: to,
          ...known,
          attributes: JSON.stringify(version.values),
        };
      }
    }
  }
  return { columns: columnList(columns), rows: rows() };
}

interface KeyedBelief {
  readonly key: ActorId;
  readonly belief: Belief;
}

/** The versions believed now or at `knownAt`: of each key all of them, or the one in force at `asOf`. */
function* beliefsOf(view: View, kind: string, { asOf, knownAt }: ExportTimes): Generator<KeyedBelief, void> {
  const date = asOf === undefined ? null : gridDate(timeMs(asOf, engineClockMs(view), "--as-of"));
  const knownMs = knownAtMs(knownAt, factsOf(view, kind));
  for (const history of readHistories(view, kind)) {
    const beliefs = believed(history, knownMs, false);
    for (const belief of date === null ? beliefs : inForce(beliefs, date)) yield { key: history.key, belief };
  }
}

function inForce(beliefs: readonly Belief[], date: string): readonly Belief[] {
  const found = versionAt(
    beliefs.map(({ version }) => version),
    date,
  );
  return found === null ? [] : beliefs.filter(({ version }) => version === found);
}

function* factsOf(view: View, kind: string): Generator<Fact, void> {
  for (const { facts } of readHistories(view, kind)) yield* facts;
}
