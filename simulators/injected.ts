import { DATA_DAY_AT_MS, DAY_MS, gridHour, instant } from "./calendar.ts";
import type { CustomerRow } from "./customer_master.ts";
import type { Grid } from "./grid.ts";
import { FAULT_HOURS, type HeatStory, heatStories } from "./injected_heat.ts";
import { siteRow } from "./injected_site.ts";
import { type StreetStory, streetStory } from "./injected_street.ts";
import { type MeterReading, labelsOf as readingLabels } from "./smart_meter.ts";
import { type Telemetry, labelsOf as telemetryLabels } from "./substation_telemetry.ts";
import { THEFT_PATTERNS } from "./theft_patterns.ts";
import type { TransformerRow } from "./transformer_master.ts";
import { type Labelled, unlabelled } from "./truth.ts";

/** Stories that can be injected: they go on for weeks, behind the data day, on equipment of their own. */
export const STORIES = ["theft", "overheating"] as const;
export type Story = (typeof STORIES)[number];

export interface InjectedOptions {
  readonly stories: readonly Story[];
  /** How many days are told, 40 … 400. */
  readonly days: number;
}

/** What happened to an actor over a time, or that nothing did: a line of `truth/episodes.jsonl`. Instants as ISO 8601. */
export type EpisodeTruth =
  | { readonly actor: string; readonly label: string; readonly from: string; readonly to: string }
  | { readonly actor: string; readonly clean: readonly [from: string, to: string] };

/** Rows to be added to the sets of the grid, each in order of time, and what is true of them. */
export interface Injected {
  transformers(): Iterable<Labelled<TransformerRow>>;
  customers(): Iterable<Labelled<CustomerRow>>;
  readings(): Iterable<Labelled<MeterReading>>;
  telemetry(): Iterable<Labelled<Telemetry>>;
  episodes(): Iterable<EpisodeTruth>;
}

/** 2025-06-17T00:00 in the grid zone: behind all that the data day holds. */
const BEGIN_AT_MS = DATA_DAY_AT_MS + 2 * DAY_MS - 5.5 * 3_600_000;
const QUARTER_MS = 900_000;
const QUARTERS_OF_DAY = 96;
const HEATED = 12;
/** Less than that is not found by a balance: it is known not to be. */
const STOLEN_SHARE_MIN = 0.11;

/** Throws a RangeError for a number of days that tells no story. */
export function injectedOf(grid: Grid, { stories, days }: InjectedOptions): Injected {
  if (!Number.isInteger(days) || days < 40 || days > 400) throw new RangeError("days: a whole number from 40 to 400");
  const patterns = stories.includes("theft") ? [...THEFT_PATTERNS, null] : [];
  const streets = (): readonly StreetStory[] => patterns.map((pattern, number) => streetStory(grid, number, pattern, days));
  const heated = (): readonly HeatStory[] =>
    stories.includes("overheating") ? heatStories(grid, HEATED, days, { site: patterns.length + 1, station: patterns.length + 1 }) : [];
  return {
    *transformers() {
      for (const { site } of [...streets(), ...heated()]) yield unlabelled(siteRow(site));
    },
    *customers() {
      for (const street of streets()) for (const row of street.customers()) yield unlabelled(row);
    },
    readings: () => readingsOf(streets(), days),
    telemetry: () => telemetryOf(streets(), heated(), days),
    *episodes() {
      for (const street of streets()) yield* truthOfStreet(street, days);
      for (const story of heated()) yield* truthOfHeat(story, days);
    },
  };
}

function* readingsOf(streets: readonly StreetStory[], days: number): Generator<Labelled<MeterReading>> {
  for (let half = 0; half < 48 * days; half += 1) {
    const endMs = BEGIN_AT_MS + 2 * QUARTER_MS * (half + 1);
    for (const street of streets) {
      for (const meter of street.meters.keys()) {
        const row = street.reading(meter, Math.floor(half / 48), half % 48, endMs - 500 * (street.meters.length - meter));
        yield { row, labels: readingLabels(row) };
      }
    }
  }
}

function* telemetryOf(streets: readonly StreetStory[], heated: readonly HeatStory[], days: number): Generator<Labelled<Telemetry>> {
  for (let quarter = 0; quarter < QUARTERS_OF_DAY * days; quarter += 1) {
    const atMs = BEGIN_AT_MS + QUARTER_MS * quarter;
    const hour = gridHour(atMs);
    for (const story of [...streets.map((street) => street.telemetry), ...heated.map((one) => one.next)]) {
      const row = story(quarter, atMs, hour);
      if (row !== null) yield { row, labels: telemetryLabels(row) };
    }
  }
}

/** A thief is no clean actor, nor is the customer; the transformer has a gap, if so much is missing that a balance finds it. */
function* truthOfStreet({ site, pattern, fromDay, meters, stolenShare }: StreetStory, days: number): Generator<EpisodeTruth> {
  const [begin, from, end] = [at(0), at(QUARTERS_OF_DAY * fromDay), at(QUARTERS_OF_DAY * days)];
  const transformer = `transformer/${site.transformerId}`;
  if (pattern === null) yield { actor: transformer, clean: [begin, end] };
  else yield { actor: transformer, label: stolenShare >= STOLEN_SHARE_MIN ? "energy_theft" : "energy_theft_small", from, to: end };
  for (const { meterId, customerId, isThief } of meters) {
    for (const actor of [`meter/${meterId}`, `customer/${customerId}`]) {
      if (isThief) yield { actor, label: `theft_${pattern}`, from, to: end };
      else yield { actor, clean: [begin, end] };
    }
  }
}

function* truthOfHeat({ site, onsets }: HeatStory, days: number): Generator<EpisodeTruth> {
  const actor = `transformer/${site.transformerId}`;
  for (const onset of onsets) yield { actor, label: "slow_overheating", from: at(onset), to: at(onset + 4 * FAULT_HOURS) };
  yield { actor, clean: [at(0), at(QUARTERS_OF_DAY * days)] };
}

function at(quarter: number): string {
  return instant(BEGIN_AT_MS + QUARTER_MS * quarter);
}
