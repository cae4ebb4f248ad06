import type { Test } from "../actors/explanations/test.ts";
import { seenBy, testsOf } from "../actors/explanations.ts";
import type { AlertData, AlertDetails, AlertEvent, Evidence, Severity, VersionInForce } from "../engine/emission.ts";
import { History } from "../engine/history.ts";
import { type ActorId, keyOf } from "../engine/ids.ts";
import { openAlerts } from "./actor_facts.ts";
import { eventsOfAlert } from "./alerts.ts";
import { colored, type Screen } from "./format.ts";
import { printable } from "./printable.ts";
import { readActor, readFacts, type View } from "./reader.ts";

/** Why an alert was raised, from the evidence of its events. */
export interface Explanation {
  readonly alertId: string;
  readonly actor: ActorId;
  readonly rule: string;
  readonly ruleVersion: number;
  readonly severity: Severity;
  readonly status: AlertData["status"];
  readonly startsAt: string;
  readonly raisedAt: string;
  readonly endsAt: string | null;
  readonly tests: readonly Test[];
  /** Master data in force at that time. */
  readonly version: readonly VersionInForce[];
  /** The actor's statistics before and after; null: its kind shows none. */
  readonly before: AlertDetails["before"];
  readonly after: AlertDetails["after"];
  /** What was observed, and the records of the alert's events, in order. */
  readonly facts: AlertDetails["facts"];
  readonly evidence: readonly Evidence[];
  readonly suppression: Suppression;
}

/** Whose alert covers this one; and of those above, who has open alerts now. */
export interface Suppression {
  readonly suppressedBy: string | null;
  readonly above: readonly { readonly actor: ActorId; readonly openAlerts: number }[];
}

/** Explains an alert by its id or the beginning of it. Throws NOT_FOUND with candidates, and USAGE. */
export async function explain(view: View, idText: string): Promise<Explanation> {
  const events = (await eventsOfAlert(view, idText)).map(({ event }) => event);
  const newest = events.at(-1) as AlertEvent;
  const told = events.findLast(isOfHit) ?? (events[0] as AlertEvent);
  const { alertId, actor, rule, ruleVersion, path, observation } = told.data;
  const { severity, status, endsAt, suppressedBy } = newest.data;
  return {
    alertId,
    actor,
    rule,
    ruleVersion,
    severity,
    status,
    startsAt: told.data.startsAt,
    raisedAt: (events[0] as AlertEvent).time,
    endsAt,
    tests: testsOf({ id: rule, metric: observation.metric }, seenBy(told.data)),
    version: (told.data.details?.versions ?? []).map((version) => numbered(view, version)),
    before: told.data.details?.before ?? null,
    after: told.data.details?.after ?? null,
    facts: told.data.details?.facts ?? {},
    evidence: events.flatMap(({ data }) => data.evidence),
    suppression: { suppressedBy, above: path.map((id) => ({ actor: id, openAlerts: openOf(view, id) })) },
  };
}

/** The explanation for people. */
export function explanationText(explained: Explanation, screen: Screen | null): string {
  const { alertId, rule, ruleVersion, severity, actor, status, raisedAt, tests, evidence, version } = explained;
  const head = `${rule} v${ruleVersion} · ${severity} · ${actor} · raised ${raisedAt}${status === "open" ? "" : ` · ${status}`}`;
  const rest = [
    `  state     ${stateText(explained)}`,
    ...version.map((one) => `  version   ${versionText(one)}`),
    ...evidence.map((one) => `  evidence  ${evidenceText(one)}`),
    `  ${suppressionText(explained)}`,
    `  next      readings ${keyOf(actor)} --since 6h · why-not ${rule} ${keyOf(actor)} · alert ${alertId}`,
  ];
  return [printable(head), ...testLines(tests, screen), ...rest.map(printable)].map((line) => `${line}\n`).join("");
}

/** Tests as lines that may be printed, in columns: whether it passed, what was compared, where the limit comes from. */
export function testLines(tests: readonly Test[], screen: Screen | null): readonly string[] {
  const said = tests.map(({ name, value, op, limit }) => `${name} ${short(value)} ${op} ${short(limit)}`);
  const width = Math.max(0, ...said.map((text) => text.length));
  return tests.map(({ passed, from, decides }, n) => {
    const mark = colored(passed ? "yes" : "no ", passed ? "yellow" : "dim", screen);
    const level = decides === "all" ? "" : decides === "any" ? ": one of these" : `: level ${decides}`;
    return `  ${mark}  ${printable(`${(said[n] ?? "").padEnd(width)}  ${from}${level}`)}`;
  });
}

/** A number to six digits; nothing as `-`. */
function short(value: Test["value"]): string {
  return value === null ? "-" : typeof value === "number" ? String(Number(value.toPrecision(6))) : String(value);
}

/** An event that says what was seen when the rule held; that of an end says what was seen then. */
function isOfHit({ type, data }: AlertEvent): boolean {
  return data.details !== null && !type.includes(".cleared.") && data.status !== "retracted";
}

/** A version with its number, if who used it was not told that, and its actor's history still has it. */
function numbered(view: View, version: VersionInForce): VersionInForce {
  if (version.version !== null) return version;
  const { domain } = view;
  const kind = version.actor.slice(0, version.actor.indexOf("/"));
  const options = domain.behaviours.find((behaviour) => behaviour.kind === kind)?.history;
  if (options === undefined) return version;
  const facts = readFacts(view, version.actor);
  const found = new History(version.actor, facts, options).versions.find(({ from }) => from === version.validFrom);
  return { ...version, version: found?.scdVersion ?? null };
}

function openOf(view: View, id: ActorId): number {
  return view.store.load(id) === null ? 0 : openAlerts(readActor(view, id).episodes);
}

function stateText({ before, after }: Explanation): string {
  if (before === null) return "no statistics of this kind of actor";
  const changed = Object.keys(before).filter((name) => before[name] !== after?.[name]);
  if (changed.length === 0) return "not learnt from (flagged readings leave the statistics alone)";
  return changed.map((name) => `${name} ${short(before[name] ?? null)} -> ${short(after?.[name] ?? null)}`).join(", ");
}

function versionText({ actor, version, validFrom, validTo }: VersionInForce): string {
  return `${actor}${version === null ? "" : ` v${version}`}, valid from ${validFrom}${validTo === null ? "" : ` to ${validTo}`}`;
}

function evidenceText({ source, position, eventId }: Evidence): string {
  return `${source ?? "timer"}  ${position}${eventId === null ? "" : `  event ${eventId}`}`;
}

function suppressionText({ suppression: { suppressedBy, above } }: Explanation): string {
  if (suppressedBy !== null) return `suppressed by ${suppressedBy}`;
  const open = above.filter(({ openAlerts: count }) => count > 0).map(({ actor, openAlerts: count }) => `${keyOf(actor)} (${count} open)`);
  if (open.length > 0) return `not suppressed, though there are alerts above: ${open.join(", ")}`;
  return above.length === 0 ? "not suppressed" : `not suppressed: no open alert on ${above.map(({ actor }) => keyOf(actor)).join(", ")}`;
}
