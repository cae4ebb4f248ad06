import type { CellValue, Severity } from "../engine/emission.ts";
import { statusOf } from "../engine/episode.ts";
import { keyOf, kindOf } from "../engine/ids.ts";
import { clockText } from "./actor_facts.ts";
import { type Column, formatRows, type Screen } from "./format.ts";
import { type Actor, engineClockMs, readActors, type View } from "./reader.ts";
import { SEVERITIES } from "./severity.ts";
import { instantText } from "./time.ts";

/** One region, summed over everything in it. What nothing has told of is null. */
export interface RegionRow {
  readonly id: string;
  /** Of its substations, as last measured. */
  readonly loadMw: number | null;
  /** Of the same transformers. */
  readonly capacityMw: number | null;
  readonly productionMw: number | null;
  /** Accepted, by all of its actors. */
  readonly records: number;
  readonly openAlerts: Readonly<Record<Severity, number>>;
  /** Meters, transformers and plants. */
  readonly expected: number;
  /** Those of them that were measured in the last day of the engine's clock. */
  readonly reporting: number;
  /** Event time of its latest record. */
  readonly latest: string | null;
  /** How far that is behind the engine's clock. */
  readonly ageSeconds: number | null;
}

/** Sums the regions up, in order of their ids: one pass over all actors. */
export function regions(view: View): readonly RegionRow[] {
  const nowMs = engineClockMs(view);
  const sums = new Map<string, Sum>();
  for (const actor of readActors(view)) {
    const id = regionOf(actor);
    if (id === null) continue;
    const sum = sums.get(id) ?? emptySum();
    sums.set(id, sum);
    add(sum, actor, nowMs);
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, sum]) => rowOf(id, sum, nowMs));
}

/** A table for people. */
export function regionsText(rows: readonly RegionRow[], screen: Screen | null): string {
  return formatRows(rows, COLUMNS, "table", screen);
}

const REPORTING: readonly string[] = ["meter", "transformer", "plant"];
const REPORTS_WITHIN_MS = 86_400_000;

const COLUMNS: readonly Column<RegionRow>[] = [
  { name: "region", of: (row) => row.id, isWhole: true },
  { name: "load MW", of: (row) => row.loadMw ?? "-" },
  { name: "capacity MW", of: (row) => row.capacityMw ?? "-" },
  { name: "production MW", of: (row) => row.productionMw ?? "-" },
  { name: "records", of: (row) => row.records },
  ...[...SEVERITIES].reverse().map((severity) => ({ name: severity, of: (row: RegionRow) => row.openAlerts[severity] })),
  { name: "reporting", of: (row) => `${row.reporting} of ${row.expected}`, isWhole: true },
  { name: "latest", of: (row) => row.latest ?? "-", isWhole: true },
];

interface Sum {
  loadMw: number | null;
  capacityMw: number | null;
  productionMw: number | null;
  records: number;
  readonly openAlerts: Record<Severity, number>;
  expected: number;
  reporting: number;
  latest: string | null;
}

function emptySum(): Sum {
  const openAlerts = { info: 0, warning: 0, major: 0, critical: 0 };
  return { loadMw: null, capacityMw: null, productionMw: null, records: 0, openAlerts, expected: 0, reporting: 0, latest: null };
}

function add(sum: Sum, actor: Actor, nowMs: number | null): void {
  const kind = kindOf(actor.id);
  const { latest } = actor.description;
  sum.records += actor.counts.accepted;
  for (const episode of actor.episodes) if (isOpen(statusOf(episode))) sum.openAlerts[episode.severity] += 1;
  if (kind === "substation") {
    sum.loadMw = plus(sum.loadMw, latest?.["load_mw"]);
    sum.capacityMw = plus(sum.capacityMw, latest?.["capacity_mw"]);
  }
  if (kind === "region") sum.productionMw = plus(sum.productionMw, latest?.["production_mw"]);
  if (!REPORTING.includes(kind)) return;
  const clock = clockText(actor);
  if (clock !== null && (sum.latest === null || clock > sum.latest)) sum.latest = clock;
  sum.expected += 1;
  const measuredMs = latest?.["eventTime"];
  if (typeof measuredMs === "number" && nowMs !== null && measuredMs > nowMs - REPORTS_WITHIN_MS) sum.reporting += 1;
}

function rowOf(id: string, { latest, ...sum }: Sum, nowMs: number | null): RegionRow {
  const ageMs = latest === null || nowMs === null ? null : Math.max(0, nowMs - Date.parse(latest));
  return {
    id,
    ...sum,
    loadMw: rounded(sum.loadMw),
    capacityMw: rounded(sum.capacityMw),
    productionMw: rounded(sum.productionMw),
    latest: latest === null ? null : instantText(Date.parse(latest)),
    ageSeconds: ageMs === null ? null : Math.round(ageMs / 1_000),
  };
}

/** A region is in itself; everything else says which it is in, or is linked to it. */
function regionOf({ id, description, links }: Actor): string | null {
  if (kindOf(id) === "region") return keyOf(id);
  const said = description.attributes["region"];
  if (typeof said === "string") return said;
  return links["region"] === undefined ? null : keyOf(links["region"]);
}

function isOpen(status: string): boolean {
  return status !== "cleared" && status !== "retracted";
}

function plus(sum: number | null, value: CellValue | undefined): number | null {
  return typeof value === "number" ? (sum ?? 0) + value : sum;
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 1_000) / 1_000;
}
