import type { AlertEvent } from "../engine/emission.ts";
import type { ActorId } from "../engine/ids.ts";
import { alertEvents } from "./alerts.ts";
import { aligned } from "./aligned.ts";
import { grouped } from "./format.ts";
import { printable } from "./printable.ts";
import { engineClockMs, findActor, type View } from "./reader.ts";
import { timeMs } from "./time.ts";

/** How the alerts of one rule differ. */
export interface RuleDifference {
  readonly stored: number;
  readonly candidate: number;
  readonly onlyStored: number;
  readonly onlyCandidate: number;
}

/** An alert that one side has. */
export interface Example {
  readonly rule: string;
  readonly alertId: string;
  readonly actor: ActorId;
  readonly startsAt: string;
  readonly side: "stored" | "candidate";
}

/** What another configuration would have raised. Rules without alerts on either side are left out; examples: the first few of each rule and side. */
export interface Backtest {
  readonly rules: Readonly<Record<string, RuleDifference>>;
  readonly examples: readonly Example[];
}

/** Which alerts are compared, by their onset. */
export interface BacktestQuery {
  readonly actor?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

const EXAMPLES_MAX = 3;

/** Compares the alerts of a state with those of a candidate, by their ids: the same actor, rule and onset. Throws NOT_FOUND and USAGE. */
export async function compareAlerts(stored: View, candidate: View, query: BacktestQuery): Promise<Backtest> {
  const isWanted = wanted(stored, query);
  const [before, after] = [await raised(stored, isWanted), await raised(candidate, isWanted)];
  const rules: Record<string, RuleDifference> = {};
  const examples: Example[] = [];
  for (const rule of [...new Set([...before.values(), ...after.values()].map(({ data }) => data.rule))].sort()) {
    const of = (side: ReadonlyMap<string, AlertEvent>) => [...side.values()].filter(({ data }) => data.rule === rule);
    const onlyStored = of(before).filter(({ data }) => !after.has(data.alertId));
    const onlyCandidate = of(after).filter(({ data }) => !before.has(data.alertId));
    rules[rule] = {
      stored: of(before).length,
      candidate: of(after).length,
      onlyStored: onlyStored.length,
      onlyCandidate: onlyCandidate.length,
    };
    examples.push(...exampleOf(onlyStored, "stored"), ...exampleOf(onlyCandidate, "candidate"));
  }
  return { rules, examples };
}

/** The difference for people: a table, and under it the examples. */
export function backtestText({ rules, examples }: Backtest): string {
  const rows = Object.entries(rules).map(([rule, { stored, candidate, onlyStored, onlyCandidate }]) => [
    printable(rule),
    ...[stored, candidate, onlyStored, onlyCandidate].map(grouped),
  ]);
  const table = aligned([["rule", "stored", "candidate", "only stored", "only candidate"], ...rows]);
  const shown = examples.map(({ rule, alertId, actor, startsAt, side }) =>
    printable(`only ${side}  ${rule}  ${actor}  ${startsAt}  ${alertId}`),
  );
  return table + shown.map((line) => `${line}\n`).join("");
}

function wanted(stored: View, { actor, since, until }: BacktestQuery): (event: AlertEvent) => boolean {
  const id = actor === undefined ? null : findActor(stored, actor);
  const clockMs = engineClockMs(stored);
  const sinceMs = since === undefined ? Number.NEGATIVE_INFINITY : timeMs(since, clockMs, "--since");
  const untilMs = until === undefined ? Number.POSITIVE_INFINITY : timeMs(until, clockMs, "--until");
  return ({ data }) => {
    const atMs = Date.parse(data.startsAt);
    return (id === null || data.actor === id) && atMs >= sinceMs && atMs < untilMs;
  };
}

/** The newest event of each alert that stands: what was taken back was never raised. */
async function raised(view: View, isWanted: (event: AlertEvent) => boolean): Promise<ReadonlyMap<string, AlertEvent>> {
  const newest = new Map<string, AlertEvent>();
  for await (const { event } of alertEvents(view, isWanted, 1)) {
    if (event.data.status === "retracted") newest.delete(event.data.alertId);
    else newest.set(event.data.alertId, event);
  }
  return newest;
}

function exampleOf(events: readonly AlertEvent[], side: Example["side"]): readonly Example[] {
  return events.slice(0, EXAMPLES_MAX).map(({ data: { rule, alertId, actor, startsAt } }) => ({ rule, alertId, actor, startsAt, side }));
}
