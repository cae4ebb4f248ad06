import { alertLine } from "../engine/alert_line.ts";
import { stateDigest } from "../engine/digest.ts";
import type { AlertEvent } from "../engine/emission.ts";
import { invariant } from "../engine/fault.ts";
import { ackArgs, commandedEvent, shelveArgs } from "./alert_writes.ts";
import { type AlertQuery, alertFilter, eventsOfAlert, newestAlerts } from "./alerts.ts";
import { COMPLETED, completions } from "./complete.ts";
import { COUNTED_BY, count, countText } from "./count.ts";
import { CommandError } from "./errors.ts";
import { FILE_STATES, filesText, listFiles, retriedFile, retryArgs } from "./files.ts";
import type { Screen } from "./format.ts";
import { acceptedGap, gapArgs, gapsText, listGaps } from "./gaps.ts";
import { history, historyText } from "./history.ts";
import { INSIGHT_VERBS } from "./insight_verbs.ts";
import { inspect, inspectionText } from "./inspect.ts";
import { limitOf } from "./limit.ts";
import { lint, lintText } from "./lint.ts";
import { ls, lsText } from "./ls.ts";
import { ALERT_ID, ID, LIMIT, SINCE } from "./parameters.ts";
import { listQuarantine, quarantineDetailText, quarantineText, settleArgs, settledRow, showQuarantine } from "./quarantine.ts";
import { regions, regionsText } from "./regions.ts";
import { listSchemas, schemasText, schemaText, showSchema } from "./schema.ts";
import { decided, decisionArgs, decisionText } from "./schema_decision.ts";
import { SCHEMA_VERBS } from "./schema_verbs.ts";
import { SEVERITIES } from "./severity.ts";
import { nearest } from "./suggest.ts";
import { top, topText } from "./top.ts";
import { tree, treeText } from "./tree.ts";
import {
  type Answer,
  type Parameter,
  type Query,
  REASON,
  textOf,
  textsOf,
  type Verb,
  verb,
  type WriteVerb,
  writeVerb,
  YES,
} from "./verb.ts";

const AS_OF: Parameter = { name: "asOf", takes: "time", about: "as it was then" };
const KNOWN_AT: Parameter = { name: "knownAt", takes: "time", about: "as it was known then" };

/** The filters of alerts, for lists and streams. */
export const ALERT_FILTERS: readonly Parameter[] = [
  { name: "severity", takes: SEVERITIES.flatMap((level) => [level, `${level}+`]), about: "major: exactly; major+: and worse" },
  { name: "under", takes: "id", about: "an actor and all below it" },
  { name: "rule", takes: "rule", about: "rule id, * allowed" },
  { name: "kind", takes: "kind", about: "kind of actor" },
  {
    name: "status",
    takes: ["open", "acknowledged", "shelved", "suppressed", "cleared", "retracted"],
    about: "open: neither cleared nor retracted",
  },
  { name: "origin", takes: ["live", "late", "backfill", "replay"], about: "how its record came" },
];

/** Every question that can be asked; the order is that of the help. */
export const VERBS: readonly Verb[] = [
  verb({
    name: "inspect",
    about: "one actor: what it is, what it saw last, what is open",
    route: "/v1/actors/{id}",
    args: [ID],
    options: [AS_OF, KNOWN_AT],
    isQuick: ({ asOf, knownAt }) => asOf === undefined && knownAt === undefined,
    ask: async ({ view }, query) => ({ value: await inspect(view, needed(query, "id"), timesOf(query)) }),
    text: (value, query) => inspectionText(value, timesOf(query)),
  }),
  verb({
    name: "history",
    about: "the versions of an actor, oldest first (the newest of them, if there are more than the limit)",
    route: "/v1/actors/{id}/history",
    args: [ID],
    options: [KNOWN_AT, { name: "all", takes: "switch", about: "also what is no longer believed" }, LIMIT],
    isQuick: () => true,
    ask({ view }, query) {
      const all = history(view, needed(query, "id"), historyQuery(query));
      return { value: all.slice(Math.max(0, all.length - limitOf(query))), found: all.length };
    },
    text: (value, query, screen) => historyText(value, historyQuery(query), screen),
  }),
  verb({
    name: "alerts",
    about: "the newest event of each alert",
    route: "/v1/alerts",
    args: [],
    options: [...ALERT_FILTERS, SINCE, LIMIT],
    async ask({ view, rules }, query) {
      const { alerts, found } = await newestAlerts(view, alertFilter(view, alertQuery(query), rules), limitOf(query));
      return { value: alerts.map(({ event }) => event), found };
    },
    text: (value, _query, screen) => eventsText(value, screen),
  }),
  verb({
    name: "alert",
    about: "all events of one alert",
    route: "/v1/alerts/{alertId}",
    args: [ALERT_ID],
    options: [],
    ask: async ({ view }, query) => ({ value: (await eventsOfAlert(view, needed(query, "alertId"))).map(({ event }) => event) }),
    text: (value, _query, screen) => eventsText(value, screen),
  }),
  ...INSIGHT_VERBS,
  verb({
    name: "ls",
    about: "the actors of a kind",
    route: "/v1/actors",
    args: [
      { name: "kind", takes: "kind", about: "meter, customer, …", isRequired: true },
      { name: "prefix", takes: "text", about: "what their ids begin with" },
    ],
    options: [
      { name: "where", takes: "predicate", about: "FIELD OP VALUE, with = != < <= > >= ~", isMany: true },
      { name: "after", takes: "id", about: "only those behind this id" },
      LIMIT,
    ],
    ask({ view }, query) {
      const wanted = {
        kind: needed(query, "kind"),
        prefix: textOf(query, "prefix"),
        where: textsOf(query, "where"),
        after: textOf(query, "after"),
      };
      const { rows, found } = ls(view, wanted, limitOf(query));
      return { value: rows, found };
    },
    text: (value, _query, screen) => lsText(value, screen),
  }),
  verb({
    name: "tree",
    about: "an actor and what hangs on it, by the links in force",
    route: "/v1/actors/{id}/tree",
    args: [ID],
    options: [{ name: "depth", takes: "number", about: "levels (2)" }, { ...AS_OF, about: "by the links of then" }, LIMIT],
    async ask({ view }, query) {
      const wanted = { id: needed(query, "id"), depth: textOf(query, "depth") ?? "2", asOf: textOf(query, "asOf") };
      const { root, cut } = await tree(view, wanted, limitOf(query));
      return cut === null ? { value: root } : { value: root, found: cut };
    },
    text: (value, _query, screen) => treeText(value, screen),
  }),
  verb({
    name: "top",
    about: "the actors with most alerts, records, late or bad records, or the highest value of a field",
    route: "/v1/top",
    args: [{ name: "kind", takes: "kind", about: "of one kind only" }],
    options: [
      { name: "by", takes: "text", about: "alerts (default), records, late, faults, or a field" },
      { name: "over", takes: "time", about: "also the change over a span: 6h" },
      { ...LIMIT, about: "rows at most (10)" },
    ],
    async ask({ view }, query) {
      const wanted = { kind: textOf(query, "kind"), by: textOf(query, "by"), over: textOf(query, "over") };
      return { value: await top(view, wanted, limitOf(query, 10)) };
    },
    text: (value, _query, screen) => topText(value, screen),
  }),
  verb({
    name: "count",
    about: "how many actors there are, by kind, region, status or link (told of by a master, or orphans)",
    route: "/v1/count",
    args: [],
    options: [{ name: "by", takes: COUNTED_BY, about: "kind (default), region, status or link" }],
    isQuick: ({ by = "kind" }) => by === "kind" || by === "link",
    ask: ({ view }, query) => ({ value: count(view, textOf(query, "by") ?? "kind") }),
    text: (value) => countText(value),
  }),
  verb({
    name: "regions",
    about: "the regions: load, production, records, open alerts, how many report",
    route: "/v1/regions",
    args: [],
    options: [],
    ask: ({ view }) => ({ value: regions(view) }),
    text: (value, _query, screen) => regionsText(value, screen),
  }),
  verb({
    name: "quarantine ls",
    about: "records that could not be processed",
    route: "/v1/quarantine",
    args: [],
    options: [
      { name: "feed", takes: "feed", about: "of one feed" },
      { name: "reason", takes: "text", about: "of one reason" },
      { name: "all", takes: "switch", about: "settled ones, too" },
      LIMIT,
    ],
    isDefault: true,
    ask({ view }, query) {
      const wanted = { feed: textOf(query, "feed"), reason: textOf(query, "reason"), all: query["all"] === true };
      const { rows, found } = listQuarantine(view, wanted, limitOf(query));
      return { value: rows, found };
    },
    text: (value, _query, screen) => quarantineText(value, screen),
  }),
  verb({
    name: "quarantine show",
    about: "one of them, with its bytes",
    route: "/v1/quarantine/{id}",
    args: [{ name: "id", takes: "quarantine", about: "Q-…, or the beginning of it", isRequired: true }],
    options: [],
    ask: ({ view }, query) => ({ value: showQuarantine(view, needed(query, "id")) }),
    text: (value) => quarantineDetailText(value),
  }),
  verb({
    name: "schema ls",
    about: "the feeds: versions, modes, and columns that wait for a decision",
    route: "/v1/schema",
    args: [],
    options: [],
    isDefault: true,
    ask: ({ view, schemas }) => ({ value: listSchemas(view, schemas) }),
    text: (value, _query, screen) => schemasText(value, screen),
  }),
  verb({
    name: "schema show",
    about: "one feed: columns, versions, what waits and what is not kept",
    route: "/v1/schema/{feed}",
    args: [{ name: "feed", takes: "feed", about: "its name", isRequired: true }],
    options: [],
    ask: async ({ view, schemas }, query) => ({ value: await showSchema(view, needed(query, "feed"), schemas) }),
    text: (value, _query, screen) => schemaText(value, screen),
  }),
  ...SCHEMA_VERBS,
  verb({
    name: "files",
    about: "the files that landing sources know, and what has become of them",
    route: "/v1/files",
    args: [],
    options: [
      { name: "source", takes: "text", about: "of one source" },
      { name: "status", takes: FILE_STATES, about: "in one state" },
      LIMIT,
    ],
    ask({ view }, query) {
      const { items, found } = listFiles(view, { source: textOf(query, "source"), status: textOf(query, "status") }, limitOf(query));
      return { value: items, found };
    },
    text: (value, _query, screen) => filesText(value, screen),
  }),
  verb({
    name: "gaps",
    about: "partitions of brokers that have stopped, and what was lost",
    route: "/v1/gaps",
    args: [],
    options: [],
    isQuick: () => true,
    ask: ({ view, stops }) => ({ value: listGaps(view, stops?.() ?? []) }),
    text: (value, _query, screen) => gapsText(value, screen),
  }),
  verb({
    name: "lint",
    about: "advice on the histories of feeds: noisy columns, ties, changes out of order",
    route: "/v1/lint",
    args: [{ name: "feed", takes: "feed", about: "of one feed only" }],
    options: [LIMIT],
    ask({ view }, query) {
      const all = lint(view, textOf(query, "feed"));
      return { value: all.slice(0, limitOf(query)), found: all.length };
    },
    text: (value, _query, screen) => lintText(value, screen),
  }),
  verb({
    name: "digest",
    about: "one line over all states, histories, episodes and timers",
    route: "/v1/digest",
    args: [],
    options: [],
    ask: ({ view }) => ({ value: stateDigest(view.store) }),
    text: (value) => `${value}\n`,
  }),
];

const SETTLED: Parameter = { name: "id", takes: "quarantine", about: "Q-…, or the beginning of it", isRequired: true, isMany: true };

const FOR_EVER = "a column stays for ever, and so does a decision against it";
const DECIDED_FEED: Parameter = { name: "feed", takes: "feed", about: "its name", isRequired: true };
const DECIDED_COLUMN: Parameter = { name: "column", takes: "text", about: "as schema show lists it", isRequired: true };

/** Everything that changes the state of a running engine. Each has a handler of its name in `engine/commands.ts`. */
export const WRITE_VERBS: readonly WriteVerb[] = [
  writeVerb({
    name: "ack",
    about: "somebody has seen an alert; --resolve also ends it, and a latched one ends no other way",
    route: "/v1/alerts/{alertId}/ack",
    args: [ALERT_ID],
    options: [{ name: "resolve", takes: "switch", about: "it is over" }],
    role: "operate",
    prepare: ackArgs,
    answer: commandedEvent,
    text: (value, _query, screen) => eventsText([value], screen),
  }),
  writeVerb({
    name: "shelve",
    about: "an alert is not to be looked at for some time; then it is raised again if it still holds, else cleared",
    route: "/v1/alerts/{alertId}/shelve",
    args: [ALERT_ID],
    options: [
      { name: "for", takes: "text", about: "how long, in event time: 30m, 2h" },
      { name: "force", takes: "switch", about: "also longer than 8 h" },
    ],
    role: "operate",
    prepare: shelveArgs,
    answer: commandedEvent,
    text: (value, _query, screen) => eventsText([value], screen),
  }),
  writeVerb({
    name: "accept-gap",
    about: "a source that has stopped where records are lost goes on from the first that is there",
    route: "/v1/sources/{source}/accept-gap",
    args: [{ name: "source", takes: "text", about: "its name in the configuration", isRequired: true }],
    options: [],
    role: "admin",
    prepare: gapArgs,
    answer: acceptedGap,
    text: ({ source, partitions }) => `${source} goes on: ${partitions.join(", ")}\n`,
  }),
  writeVerb({
    name: "files retry",
    about: "a file in quarantine is read again, on from where it was given up",
    route: "/v1/files/retry",
    args: [{ name: "path", takes: "text", about: "as files shows it", isRequired: true }],
    options: [{ name: "source", takes: "text", about: "where several sources have one of this name" }],
    role: "operate",
    prepare: retryArgs,
    answer: retriedFile,
    text: (value, _query, screen) => filesText([value], screen),
  }),
  writeVerb({
    name: "quarantine retry",
    about: "a quarantined record is decoded again, with today's schema and the place it had; a dead letter is sent again",
    route: "/v1/quarantine/{id}/retry",
    args: [SETTLED],
    options: [],
    role: "operate",
    prepare: settleArgs,
    answer: settledRow,
    text: (value, _query, screen) => quarantineText([value], screen),
  }),
  writeVerb({
    name: "quarantine drop",
    about: "a quarantined record, or a dead letter, is settled without effect",
    route: "/v1/quarantine/{id}/drop",
    args: [SETTLED],
    options: [],
    role: "admin",
    prepare: settleArgs,
    answer: settledRow,
    text: (value, _query, screen) => quarantineText([value], screen),
  }),
  writeVerb({
    name: "schema approve",
    about: "a rescued column becomes one of the schema, and its rescued values move there",
    route: "/v1/schema/{feed}/approve",
    args: [DECIDED_FEED, DECIDED_COLUMN, { name: "type", takes: "text", about: "string, double, decimal(18,2), …", isRequired: true }],
    options: [],
    role: "admin",
    warning: FOR_EVER,
    prepare: decisionArgs,
    answer: decided,
    text: (value) => decisionText(value),
  }),
  writeVerb({
    name: "schema ignore",
    about: "a rescued column is not wanted: its values are counted only",
    route: "/v1/schema/{feed}/ignore",
    args: [DECIDED_FEED, DECIDED_COLUMN],
    options: [],
    role: "admin",
    warning: FOR_EVER,
    prepare: decisionArgs,
    answer: decided,
    text: (value) => decisionText(value),
  }),
];

/** All verbs as they are said on a line: what changes something takes a reason, and asks back unless it is told not to. */
export const SAID: readonly (Verb | WriteVerb)[] = [
  ...VERBS,
  ...WRITE_VERBS.map((one): WriteVerb => ({ ...one, options: [...one.options, REASON, YES] })),
];

/** Asked by completers only: no command. */
export const COMPLETE: Verb = verb({
  name: "complete",
  about: "words that begin so",
  route: "/v1/complete",
  args: [],
  options: [
    { name: "what", takes: COMPLETED, about: "what they are" },
    { name: "word", takes: "text", about: "what they begin with" },
    { name: "kind", takes: "kind", about: "whose fields" },
  ],
  ask: async (known, query) => ({
    value: await completions(known, textOf(query, "what") ?? "id", textOf(query, "word") ?? "", textOf(query, "kind")),
  }),
  text: (value) => value.map((word) => `${word}\n`).join(""),
});

/** The verb of this name. Throws USAGE with the nearest one. */
export function verbNamed(name: string): Verb {
  const found = [...VERBS, COMPLETE].find((one) => one.name === name);
  if (found !== undefined) return found;
  const near = nearest(
    name,
    VERBS.map((one) => one.name),
  );
  throw new CommandError("USAGE", `unknown verb "${name}"`, { hint: "help", candidates: near === null ? [] : [near] });
}

/** The write verb of this name. */
export function writeVerbNamed(name: string): WriteVerb {
  const found = WRITE_VERBS.find((one) => one.name === name);
  invariant(found !== undefined, `${name} is a write verb`);
  return found;
}

/** How many rows of how many an answer shows; null: all. */
export function cutOf({ value, found }: Answer): { readonly shown: number; readonly found: number } | null {
  if (found === undefined) return null;
  const shown = Array.isArray(value) ? value.length : 0;
  return found > shown ? { shown, found } : null;
}

/** The filters and the time of a question about alerts. */
export function alertQuery(query: Query): AlertQuery {
  return Object.fromEntries([...ALERT_FILTERS, SINCE].map(({ name }) => [name, textOf(query, name)]));
}

function eventsText(events: readonly AlertEvent[], screen: Screen | null): string {
  return events.map((event) => `${alertLine(event, Number(event.sequence), screen?.color === true, true)}\n`).join("");
}

function timesOf(query: Query): { readonly asOf: string | undefined; readonly knownAt: string | undefined } {
  return { asOf: textOf(query, "asOf"), knownAt: textOf(query, "knownAt") };
}

function historyQuery(query: Query): { readonly knownAt: string | undefined; readonly all: boolean } {
  return { knownAt: textOf(query, "knownAt"), all: query["all"] === true };
}

/** An argument that whoever asks has checked to be there. */
function needed(query: Query, name: string): string {
  return textOf(query, name) ?? "";
}
