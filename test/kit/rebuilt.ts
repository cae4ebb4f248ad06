import { appendFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { verdictOf } from "../../actors/explanations/test.ts";
import { seenBy, testsOf } from "../../actors/explanations.ts";
import { RULES } from "../../actors/rules.ts";
import type { AlertEvent } from "../../engine/emission.ts";
import { SEVERITIES } from "../../engine/episode.ts";
import type { Rule } from "../../engine/rule.ts";

/** Each rule of the grid by its id. */
const GRID_RULES: ReadonlyMap<string, Rule> = new Map(RULES.map((rule) => [rule.id, rule]));

/**
 * Judges again from an event alone: what raised an alert must hold by its evidence, at the level of the alert, for as long and as often as the rule
 * asks; what cleared it, or took it back, must not. Events without details rest on no observation, and other domains have rules of their own.
 */
export function checkRebuilt(event: AlertEvent): void {
  const { data } = event;
  const rule = GRID_RULES.get(data.rule);
  const change = event.type.split(".")[2];
  if (rule === undefined || data.details === null || Object.keys(data.details.limits).join() !== Object.keys(rule.limits).join()) return;
  const tests = testsOf(rule, seenBy(data));
  const { holds, severity } = verdictOf(tests, rule.severity);
  const shown = `${event.id} ${data.rule} ${change} ${JSON.stringify(tests)} of ${JSON.stringify(data.details.facts)}`;
  if (change === "cleared" || data.status === "retracted") return assert.not.ok(holds, shown);
  assert.ok(holds, shown);
  assert.ok(SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(data.severity), `${severity} of ${shown}`);
  if (data.count === 1) assert.is(severity, data.severity, shown);
  if (change !== "raised") return;
  record(event);
  assert.ok(data.count >= (rule.pulseMs === undefined ? (rule.onCount ?? 1) : 1), shown);
  assert.ok(Date.parse(data.updatedAt) - Date.parse(data.startsAt) >= (rule.pulseMs === undefined ? (rule.onDelayMs ?? 0) : 0), shown);
}

/** With `RECORD_EVENTS` the events are appended to that file: the way to renew `test/fixtures/alerts.jsonl`. */
function record(event: AlertEvent): void {
  const file = process.env["RECORD_EVENTS"];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(event)}\n`);
}
