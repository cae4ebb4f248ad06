import type { AlertStatus, CellValue, Severity } from "../engine/emission.ts";
import { type Episode, statusOf } from "../engine/episode.ts";
import { invariant } from "../engine/fault.ts";
import type { Values } from "../engine/history.ts";
import { ActorId, keyOf, kindOf } from "../engine/ids.ts";
import type { LogEntry } from "../engine/log_entry.ts";
import { type Cells, columnTypes, shownCells } from "./cell.ts";
import { grouped } from "./format.ts";
import { knownAtMs, valuesThen } from "./history.ts";
import { printable } from "./printable.ts";
import { type Actor, actorClockMs, findActor, logFrom, readActor, readFacts, type View } from "./reader.ts";
import { instantText, timeMs, timeOfDayText } from "./time.ts";

/** Times as they are typed: `T` of the command line. */
export interface InspectQuery {
  readonly asOf?: string | undefined;
  readonly knownAt?: string | undefined;
}

/** An episode as answers show it. */
export interface ShownEpisode {
  readonly alertId: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly status: AlertStatus;
  readonly startsAt: string;
  readonly endsAt: string | null;
}

/** One actor as answers show it. */
export interface Inspection {
  readonly id: string;
  readonly kind: string;
  readonly state: {
    readonly status: string | null;
    /** Of the state's shape: how the kind stores it. */
    readonly version: number;
    readonly attributes: Cells;
    readonly latest: Cells | null;
    readonly rolling: Cells | null;
  };
  readonly links: Readonly<Record<string, ActorId>>;
  readonly episodes: readonly ShownEpisode[];
  readonly openAlerts: readonly string[];
  readonly clock: Readonly<Record<string, string | null>>;
  readonly counts: Readonly<Record<(typeof COUNTS)[number], number>>;
}

/**
 * One actor, as it is now or as of a time. With a time, `attributes` and `status` are those of the version in force; of an actor without a
 * history the attributes are those of now, except for its links. `links` are then those that a history shows: its own, or that of the actor it is
 * linked to now, and what these were linked to; one that cannot be shown is left out. `episodes` come from the log of alerts, each as its latest
 * event by then told. `clock` and `counts` are those of now, `latest` and `rolling` null: they keep no history. Throws NOT_FOUND and USAGE.
 */
export async function inspect(view: View, idText: string, { asOf, knownAt }: InspectQuery = {}): Promise<Inspection> {
  const actor = readActor(view, findActor(view, idText));
  if (asOf === undefined && knownAt === undefined) return inspectNow(view, actor);
  const asOfMs = asOf === undefined ? null : timeMs(asOf, actorClockMs(view, actor), "--as-of");
  return inspectThen(view, actor, asOfMs, knownAt === undefined ? null : knownAtMs(knownAt, readFacts(view, actor.id)));
}

/** The inspection for people: a head line, then a line for each thing there is. */
export function inspectionText(inspection: Inspection, { asOf, knownAt }: InspectQuery = {}): string {
  const { id, kind, state, episodes, openAlerts, clock, counts } = inspection;
  const then = [asOf === undefined ? [] : [`as of ${asOf}`], knownAt === undefined ? [] : [`known at ${knownAt}`]].flat();
  const head = [`${kind} ${id}`, ...(state.status === null ? [] : [state.status]), ...then].join(" · ");
  const latestClock = Object.values(clock).reduce((latest, at) => (at !== null && (latest === null || at > latest) ? at : latest), null);
  const open = episodes.filter(({ alertId }) => openAlerts.includes(alertId));
  const counted = (["accepted", "duplicates", "late", "quarantined"] as const).map((name) => `${name} ${grouped(counts[name])}`);
  const lines = [
    `${head.padEnd(HEAD_WIDTH)}  clock ${latestClock?.replace(/\.\d+Z$/, "Z") ?? "-"}`,
    linkLine(inspection),
    labelled("latest", [measured(state.latest), usual(state.rolling, state.latest)].filter((part) => part !== "").join("     ")),
    ...open.map((one) =>
      labelled("open", `${one.alertId}  ${one.severity}  ${one.rule}  since ${timeOfDayText(Date.parse(one.startsAt))}`),
    ),
    labelled("counts", counted.join(" · ")),
  ];
  return lines.map((line) => (line === "" ? "" : `${printable(line.trimEnd())}\n`)).join("");
}

const COUNTS = ["accepted", "duplicates", "late", "quarantined", "conflicts", "alerts"] as const;

function inspectNow(view: View, actor: Actor): Inspection {
  const { status, attributes, latest, rolling } = actor.description;
  const types = columnTypes(view.domain, actor.behaviour);
  return {
    ...common(actor, actor.episodes.map(shownEpisode)),
    state: {
      status,
      version: actor.behaviour.version,
      attributes: shownCells(attributes, types),
      latest: latest === null ? null : shownCells(latest, types),
      rolling: rolling === null ? null : shownCells(rolling, types),
    },
    links: actor.links,
  };
}

async function inspectThen(view: View, actor: Actor, asOfMs: number | null, knownMs: number | null): Promise<Inspection> {
  const past = new Past(view, asOfMs, knownMs);
  const links = past.links(actor);
  const values = past.values(actor.id);
  const attributes = actor.behaviour.history === undefined ? relinked(view, actor.description.attributes, links) : (values ?? {});
  return {
    ...common(actor, await episodesThen(view, actor.id, asOfMs, knownMs)),
    state: {
      status: statusIn(values ?? {}),
      version: actor.behaviour.version,
      attributes: shownCells(attributes, columnTypes(view.domain, actor.behaviour)),
      latest: null,
      rolling: null,
    },
    links,
  };
}

/** What does not depend on the time that is asked for, and the episodes. In the order in which answers have it. */
function common({ id, clocks, counts }: Actor, episodes: readonly ShownEpisode[]): Inspection {
  return {
    id: keyOf(id),
    kind: kindOf(id),
    state: { status: null, version: 0, attributes: {}, latest: null, rolling: null },
    links: {},
    episodes,
    openAlerts: episodes.filter(({ status }) => status !== "cleared" && status !== "retracted").map(({ alertId }) => alertId),
    clock: Object.fromEntries([...clocks].map(([feed, atMs]) => [feed, atMs === null ? null : instantText(atMs)])),
    counts: Object.fromEntries(COUNTS.map((name) => [name, counts[name]])) as Inspection["counts"],
  };
}

function shownEpisode(episode: Episode): ShownEpisode {
  const { alertId, rule, severity, onsetMs, endsAtMs } = episode;
  const endsAt = endsAtMs === null ? null : instantText(endsAtMs);
  return { alertId, rule, severity, status: statusOf(episode), startsAt: instantText(onsetMs), endsAt };
}

// The past ------------------------------------------------------------------------------------------------------------------------------

/** Histories as they were in force at one time and known at another; null: now. */
export class Past {
  readonly #view: View;
  readonly #asOfMs: number | null;
  readonly #knownMs: number | null;

  constructor(view: View, asOfMs: number | null, knownMs: number | null) {
    this.#view = view;
    this.#asOfMs = asOfMs;
    this.#knownMs = knownMs;
  }

  /** The columns of the version in force; null if there was none, or the actor keeps no history. */
  values(id: ActorId): Values | null {
    const options = this.#behaviour(id)?.history;
    if (options === undefined) return null;
    return valuesThen(this.#view, id, options, this.#asOfMs, this.#knownMs);
  }

  /** Whom an actor was linked to, as far as histories tell. */
  links({ id, behaviour, links }: Actor): Readonly<Record<string, ActorId>> {
    const found = new Map<string, ActorId>();
    const unshown = behaviour.history === undefined ? this.#confirm(id, links, found) : {};
    this.#add(found, id, this.values(id));
    for (const link of found.values()) this.#add(found, id, this.values(link)); // Goes on over those that it adds.
    for (const [kind, link] of Object.entries(unshown)) if (!found.has(kind)) found.set(kind, link);
    const order = this.#view.domain.behaviours.map(({ kind }) => kind);
    return Object.fromEntries([...found].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)));
  }

  /** Takes the links of now whose other end named the actor then. Returns those that no history can tell about, none if a history denied one. */
  #confirm(id: ActorId, links: Readonly<Record<string, ActorId>>, found: Map<string, ActorId>): Readonly<Record<string, ActorId>> {
    const column = `${kindOf(id)}_id`;
    const unshown: Record<string, ActorId> = {};
    let denied = false;
    for (const [kind, link] of Object.entries(links)) {
      const isKept = this.#behaviour(link)?.history !== undefined;
      if (!isKept) unshown[kind] = link;
      else if (this.values(link)?.[column] === keyOf(id)) found.set(kind, link);
      else denied ||= readFacts(this.#view, link).some(({ values }) => Object.hasOwn(values, column));
    }
    return denied ? {} : unshown;
  }

  /** `<kind>_id` names an actor, and so does a column called like a kind, if there is such an actor. */
  #add(found: Map<string, ActorId>, self: ActorId, values: Values | null): void {
    for (const { kind } of this.#view.domain.behaviours) {
      if (kind === kindOf(self) || found.has(kind)) continue;
      const key = values?.[`${kind}_id`];
      const name = values?.[kind];
      if (typeof key === "string") found.set(kind, ActorId(kind, key));
      else if (typeof name === "string" && this.#view.store.load(ActorId(kind, name)) !== null) found.set(kind, ActorId(kind, name));
    }
  }

  #behaviour(id: ActorId): Actor["behaviour"] | undefined {
    return this.#view.domain.behaviours.find(({ kind }) => kind === kindOf(id));
  }
}

/** Attributes that name a link say what the link was; null if that is not known. */
function relinked({ domain }: View, attributes: Cells, links: Readonly<Record<string, ActorId>>): Cells {
  const linked = domain.behaviours.flatMap(({ kind }) => [`${kind}_id`, kind].map((name) => [name, links[kind]] as const));
  const changed = linked
    .filter(([name]) => Object.hasOwn(attributes, name))
    .map(([name, id]) => [name, id === undefined ? null : keyOf(id)]);
  return { ...attributes, ...Object.fromEntries(changed) };
}

function statusIn(values: Values): string | null {
  const name = Object.keys(values).find((column) => column === "status" || column.endsWith("_status"));
  const status = name === undefined ? null : values[name];
  return typeof status === "string" ? status : null;
}

async function episodesThen(view: View, id: ActorId, asOfMs: number | null, knownMs: number | null): Promise<readonly ShownEpisode[]> {
  const latest = new Map<string, ShownEpisode>();
  for await (const entries of logFrom(view, "alerts", 1)) {
    for (const entry of entries) {
      const alert = view.decode("alerts", entry);
      if (alert.stream !== "alerts" || alert.event.subject !== id) continue;
      if (asOfMs !== null && Date.parse(alert.event.time) > asOfMs) continue;
      if (knownMs !== null && arrivalMs(view, entry) > knownMs) continue;
      const { alertId, rule, severity, status, startsAt, endsAt } = alert.event.data;
      latest.set(alertId, {
        alertId,
        rule,
        severity,
        status,
        startsAt: shortened(startsAt),
        endsAt: endsAt === null ? null : shortened(endsAt),
      });
    }
  }
  return [...latest.values()].sort((a, b) => Date.parse(a.startsAt) - Date.parse(b.startsAt) || (a.rule < b.rule ? -1 : 1));
}

/** When the record behind an event came. The event does not say it; but its entry in the log is a row of table `alerts`, which does. */
function arrivalMs({ decode }: View, entry: LogEntry): number {
  const emission = decode("curated", entry);
  invariant(emission.stream === "curated", "an entry is decoded as one of the stream that is asked for");
  return emission.row.arrivedAtMs;
}

function shortened(instant: string): string {
  return instantText(Date.parse(instant));
}

// Text ----------------------------------------------------------------------------------------------------------------------------------

const HEAD_WIDTH = 68;
const ABOVE = ["transformer", "substation", "region"];
const UNITS: Readonly<Record<string, string>> = {
  kwh: "kWh",
  mwh: "MWh",
  mw: "MW",
  kw: "kW",
  v: "V",
  kv: "kV",
  a: "A",
  hz: "Hz",
  c: "°C",
  k: "K",
  ppm: "ppm",
  percent: "%",
  percentage: "%",
};

function labelled(label: string, text: string): string {
  return text === "" ? "" : `  ${label.padEnd(12)}${text}`;
}

/** `TRF-N-0034 < SUB-N-012 < NORTH`, and what else it is linked to. */
function linkLine({ links }: Inspection): string {
  const above = ABOVE.flatMap((kind) => (links[kind] === undefined ? [] : [keyOf(links[kind])])).join(" < ");
  const others = Object.entries(links).filter(([kind]) => !ABOVE.includes(kind));
  const beside = others.map(([kind, id]) => `${kind}  ${keyOf(id)}`).join("    ");
  if (above === "") return labelled("linked to", beside);
  return labelled("feeds from", `${above}${beside === "" ? "" : `            ${beside}`}`);
}

/** Numbers with the unit that their name ends in; what is named otherwise, by name. */
function measured(cells: Cells | null): string {
  return measures(cells)
    .map(([name, value]) => withUnit(name, value))
    .join("  ");
}

function measures(cells: Cells | null): readonly (readonly [string, CellValue])[] {
  return Object.entries(cells ?? {}).filter(([name, value]) => value !== null && name !== "eventTime" && name !== "eventId");
}

function withUnit(name: string, value: CellValue): string {
  if (name === "power_factor") return `pf ${value}`;
  const unit = unitOf(name);
  return typeof value === "number" && unit !== undefined ? `${value} ${unit}` : `${name} ${value}`;
}

function unitOf(name: string): string | undefined {
  return UNITS[name.slice(name.lastIndexOf("_") + 1)];
}

/** `usual 6.8 kWh (n 14, learning)`. What is learnt is the first thing that is measured. */
function usual(rolling: Cells | null, latest: Cells | null): string {
  if (rolling === null || typeof rolling["median"] !== "number") return "";
  const [first] = measures(latest);
  const unit = first === undefined ? undefined : unitOf(first[0]);
  const learning = rolling["learning"] === true ? ", learning" : "";
  return `usual ${rolling["median"]}${unit === undefined ? "" : ` ${unit}`} (n ${rolling["n"] ?? "-"}${learning})`;
}
