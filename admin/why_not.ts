import type { Test } from "../actors/explanations/test.ts";
import { seenBy, testsOf } from "../actors/explanations.ts";
import type { CellValue, CuratedRow } from "../engine/emission.ts";
import type { Episode } from "../engine/episode.ts";
import { type ActorId, keyOf, kindOf } from "../engine/ids.ts";
import type { Observation, Rule } from "../engine/rule.ts";
import type { RuleTable } from "../engine/rule_table.ts";
import { alertEvents } from "./alerts.ts";
import { CommandError } from "./errors.ts";
import { testLines } from "./explain.ts";
import type { Screen } from "./format.ts";
import { printable } from "./printable.ts";
import { probe } from "./probe.ts";
import { actorClockMs, findActor, logFrom, readActor, readEpisodes, scopeOf, type View } from "./reader.ts";
import { feedOf } from "./readings.ts";
import { nearest } from "./suggest.ts";
import { instantText, timeMs } from "./time.ts";

export type Verdict = "normal" | "suspected" | "open" | "suppressed" | "disabled" | "not_applicable" | "indeterminate";

/** What a rule says of an actor at a time, and what it compares. */
export interface WhyNot {
  readonly rule: string;
  readonly actor: ActorId;
  readonly at: string | null;
  readonly verdict: Verdict;
  /** In words, or for `indeterminate` the code of why. */
  readonly reason: string | null;
  readonly tests: readonly Test[];
}

export interface WhyNotOptions {
  readonly view: View;
  readonly rules: RuleTable;
  readonly ruleIds: readonly string[];
}

/** Rules of bills that look at one bill; the others look at all bills of a customer. */
const OF_ONE_BILL: readonly string[] = ["billing.tiny_amount", "billing.unit_price", "billing.total"];
/** Rules for plants of one type. */
const OF_TYPE: Readonly<Record<string, string>> = {
  "plant.solar_ratio": "SOLAR",
  "plant.inverter_conflict": "SOLAR",
  "plant.wind_curve": "WIND",
  "plant.hydro_specific": "HYDRO",
};

/** Says why a rule has no alert of an actor (or that it has one). Throws NOT_FOUND with candidates, and USAGE. */
export async function whyNot(
  { view, rules, ruleIds }: WhyNotOptions,
  { rule: ruleText, id: idText, at: atText = "now" }: { readonly rule: string; readonly id: string; readonly at?: string | undefined },
): Promise<WhyNot> {
  const rule = rules.rule(ruleNamed(ruleText, ruleIds));
  const id = findActor(view, idText);
  const clockMs = actorClockMs(view, readActor(view, id));
  const atMs = clockMs === null && atText === "now" ? null : timeMs(atText, clockMs, "--at");
  const said = { rule: rule.id, actor: id, at: atMs === null ? null : instantText(atMs) };
  const without = (verdict: Verdict, reason: string | null): WhyNot => ({ ...said, verdict, reason, tests: [] });
  if (!rules.enabled(rule.id)) return without("disabled", "the configuration switches it off");
  const misfit = misfitOf(view, rule, id);
  if (misfit !== null) return without("not_applicable", misfit);
  const standing = await standingAt(view, rule, id, atMs);
  if (standing !== null) return { ...said, ...standing };
  return { ...said, ...(await judged({ view, rules, rule, id }, atMs)) };
}

/** The answer for people. */
export function whyNotText({ rule, actor, at, verdict, reason, tests }: WhyNot, screen: Screen | null): string {
  const head = `${rule} · ${actor} · at ${at ?? "-"} · ${verdict}${reason === null ? "" : ` (${reason})`}`;
  return [printable(head), ...testLines(tests, screen)].map((line) => `${line}\n`).join("");
}

type Judged = Pick<WhyNot, "verdict" | "reason" | "tests">;

function ruleNamed(text: string, rules: readonly string[]): string {
  const found = rules.find((rule) => rule === text.trim().toLowerCase());
  if (found !== undefined) return found;
  const near = nearest(text, rules);
  throw new CommandError("NOT_FOUND", `no rule ${text}`, { hint: "gridactor schema rules", candidates: near === null ? [] : [near] });
}

/** Why a rule never looks at such an actor; null: it does. */
function misfitOf(view: View, { id: rule }: Rule, id: ActorId): string | null {
  const kind = kindOf(id);
  const prefix = rule.slice(0, rule.indexOf("."));
  const wanted = prefix === "billing" ? (OF_ONE_BILL.includes(rule) ? "bill" : "customer") : prefix === "grid" ? "region" : prefix;
  if (wanted !== kind) return `${rule} looks at actors of kind ${wanted}, ${keyOf(id)} is a ${kind}`;
  const type = OF_TYPE[rule];
  const is = readActor(view, id).description.attributes["plant_type"];
  return type === undefined || is === type || is == null ? null : `${rule} looks at plants of type ${type}, ${keyOf(id)} is of type ${is}`;
}

/** The rule's alert of the actor that was open at a time, or a suspicion that stands now; null: neither. */
async function standingAt(view: View, rule: Rule, id: ActorId, atMs: number | null): Promise<Judged | null> {
  const events = [];
  const wanted = alertEvents(view, ({ subject, data }) => subject === id && data.rule === rule.id, 1);
  for await (const { event } of wanted) if (atMs === null || Date.parse(event.time) <= atMs) events.push(event);
  const newest = events.at(-1);
  if (newest !== undefined && newest.data.status !== "cleared" && newest.data.status !== "retracted") {
    const { alertId, suppressedBy, startsAt } = newest.data;
    const hit = events.findLast(({ data }) => data.details !== null) ?? newest;
    const tests = testsOf(rule, seenBy(hit.data));
    return suppressedBy === null
      ? { verdict: "open", reason: `${alertId} since ${startsAt}: gridactor explain ${alertId}`, tests }
      : { verdict: "suppressed", reason: `${alertId} is covered by ${suppressedBy}`, tests };
  }
  const episode = readEpisodes(view, id).find((one) => one.rule === rule.id && one.state === "suspected");
  const isOfNow = atMs === null || (episode !== undefined && atMs >= episode.lastHitMs);
  return episode === undefined || !isOfNow ? null : suspicion(rule, episode);
}

function suspicion(rule: Rule, { onsetMs, count, value, limit }: Episode): Judged {
  const waits = [
    ...((rule.onDelayMs ?? 0) > 0 ? [`held for ${(rule.onDelayMs ?? 0) / 60_000} min`] : []),
    ...((rule.onCount ?? 1) > 1 ? [`seen ${rule.onCount} times`] : []),
  ];
  return {
    verdict: "suspected",
    reason: `since ${instantText(onsetMs)}, seen ${count} times; raised once it has ${waits.join(" and ")}`,
    tests: limit === null ? [] : [compared(rule, value, limit)],
  };
}

function compared({ metric }: Rule, value: CellValue, limit: number): Test {
  const passed = true; // That is what the suspicion says.
  const op = typeof value === "number" && value < limit ? "<" : ">=";
  return { name: metric, value, op, limit, passed, from: "the latest observation", decides: "all" };
}

/** What the rule says of the actor's latest records at that time, the latest of each feed, newest first. */
async function judged(
  { view, rules, rule, id }: { view: View; rules: RuleTable; rule: Rule; id: ActorId },
  atMs: number | null,
): Promise<Judged> {
  const rows = await latestRows(view, id, atMs);
  const limits = rules.limits(rule.id, id, () => scopeOf(readActor(view, id)));
  for (const { row } of rows) {
    const observation = probe({ view, rules, id, rule: rule.id }, row);
    if (observation === null) continue;
    const tests = testsOf(rule, { value: observation.value, limit: observation.limit ?? null, facts: observation.evidence ?? {}, limits });
    return { verdict: verdictOf(observation), reason: reasonOf(observation, rule), tests };
  }
  const measuring = view.domain.behaviours.find(({ kind }) => kind === kindOf(id))?.clocks[0];
  const main = measuring === undefined ? rows[0] : rows.find(({ feed }) => feed === measuring);
  return main === undefined ? { verdict: "indeterminate", reason: "no_prior", tests: [] } : silent(rule, main.row, limits);
}

function verdictOf({ holds }: Observation): Verdict {
  return holds === true ? "suspected" : holds === false ? "normal" : "indeterminate";
}

function reasonOf({ holds, reason }: Observation, rule: Rule): string | null {
  if (holds === null) return reason ?? "window_open";
  if (holds === false) return null;
  return rule.pulseMs === undefined
    ? "the latest record is abnormal; it is not raised yet"
    : "the latest record was abnormal; its alert has ended";
}

/** A record rule that says nothing has found nothing; any other has not enough to go by. */
function silent(rule: Rule, row: CuratedRow, limits: Rule["limits"]): Judged {
  const value = row.cells[rule.metric];
  if (rule.stamps !== true && rule.pulseMs === undefined) {
    return { verdict: "indeterminate", reason: value === null ? "field_absent" : "cold", tests: [] };
  }
  const tests = value === undefined ? [] : testsOf(rule, { value, limit: null, facts: row.cells, limits });
  return { verdict: "normal", reason: null, tests };
}

interface Latest {
  readonly feed: string;
  readonly atMs: number;
  readonly row: CuratedRow;
}

/** The actor's latest record of each feed, or else the latest that name it: a substation hears of its transformers'. Newest first. */
async function latestRows(view: View, id: ActorId, untilMs: number | null): Promise<readonly Latest[]> {
  const key = Buffer.from(keyOf(id));
  const [own, others] = [new Map<string, Latest>(), new Map<string, Latest>()];
  for await (const entries of logFrom(view, "curated", 1)) {
    for (const entry of entries) {
      if (Buffer.from(entry.bytes.buffer, entry.bytes.byteOffset, entry.bytes.length).indexOf(key) < 0) continue;
      const emission = view.decode("curated", entry);
      const feed = emission.stream === "curated" ? feedOf(view, emission.row) : undefined;
      if (emission.stream !== "curated" || feed === undefined || emission.row.late) continue;
      const { row } = emission;
      const atMs = feed.eventTimeMs(row.cells);
      const into = row.actor === id ? own : others;
      if ((untilMs === null || atMs <= untilMs) && atMs >= (into.get(feed.name)?.atMs ?? Number.NEGATIVE_INFINITY))
        into.set(feed.name, { feed: feed.name, atMs, row });
    }
  }
  return [...(own.size > 0 ? own : others).values()].sort((a, b) => b.atMs - a.atMs);
}
