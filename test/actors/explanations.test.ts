// timeout: 60 s
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { civilDate, gridDayStartMs } from "../../actors/civil_day.ts";
import { type Test, verdictOf } from "../../actors/explanations/test.ts";
import { seenBy, testsOf } from "../../actors/explanations.ts";
import type { GridMessage } from "../../actors/message.ts";
import { GRID } from "../../actors/registry.ts";
import { RULES } from "../../actors/rules.ts";
import type { MeteredDay } from "../../actors/tells.ts";
import type { AlertEvent } from "../../engine/emission.ts";
import { feed, instant, text } from "../../engine/feed.ts";
import { ActorId } from "../../engine/ids.ts";
import type { Rule } from "../../engine/rule.ts";
import { resolveTable } from "../../engine/table.ts";
import type { Domain } from "../../engine/world.ts";
import { type Arrival, stage } from "../kit/given.ts";
import { customer } from "../kit/grid.ts";
import { ROOT } from "../kit/grid_folder.ts";
import { checkRebuilt } from "../kit/rebuilt.ts";
import { suite } from "../kit/suite.ts";

const test = suite("explanations");
const FIRST = 20_240; // A day in June 2025.
const CUSTOMER = ActorId("customer", "CUST-000123");
const METER = ActorId("meter", "SM-N-00042");

/** One real event that raised an alert, for each rule. Renewed with `RECORD_EVENTS`. */
const EVENTS = readFileSync(join(ROOT, "test/fixtures/alerts.jsonl"), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as AlertEvent);
const RULE: ReadonlyMap<string, Rule> = new Map(RULES.map((rule) => [rule.id, rule]));

test("there is evidence of every rule, and the verdict of each is rebuilt from it alone", () => {
  const missing = RULES.filter(({ id }) => !EVENTS.some(({ data }) => data.rule === id)).map(({ id }) => id);
  assert.equal(missing, []);
  for (const event of EVENTS) checkRebuilt(event);
});

test("evidence that was below its limit would have raised nothing: every rule has a test that can fail", () => {
  for (const event of EVENTS) {
    const { data } = event;
    const rule = RULE.get(data.rule) as Rule;
    const nothing = { ...data, observation: { ...data.observation, value: null }, details: { ...blank(data), facts: {} } };
    const tests = testsOf(rule, seenBy(nothing));
    assert.not.ok(verdictOf(tests, rule.severity).holds, data.rule);
  }
});

test("each limit that a test names by its key is the one in force, not the declared one", () => {
  for (const event of EVENTS) {
    const { data } = event;
    const rule = RULE.get(data.rule) as Rule;
    const limits = Object.fromEntries(Object.entries(blank(data).limits).map(([name, limit]) => [name, limit + 1_000_003]));
    const moved = testsOf(rule, seenBy({ ...data, details: { ...blank(data), limits } }));
    for (const one of moved.filter(({ from }) => from.startsWith("rules."))) {
      assert.ok(keyed(one, limits), `${data.rule} ${JSON.stringify(one)}`);
    }
  }
});

test("evidence of an event has 2 KiB at most", () => {
  for (const { data } of EVENTS) assert.ok(Buffer.byteLength(JSON.stringify(data.details)) <= 2_048, data.rule);
});

/** Some limits are shown in the unit of the value: rupees of paise. */
function keyed({ from, limit }: Test, limits: Readonly<Record<string, number>>): boolean {
  const wanted = limits[from.split(".").at(-1) ?? ""];
  return limit === wanted || limit === (wanted ?? 0) / 100;
}

function blank(data: AlertEvent["data"]): NonNullable<AlertEvent["data"]["details"]> {
  if (data.details === null) throw new Error(`${data.rule} has no details`);
  return data.details;
}

// What only whole weeks of a grid lead to is told to its customer directly. ---------------------------------------------------------------

const told = feed({
  name: "told",
  latenessMs: 0,
  fields: { id: text, to: text, at: instant, message: text },
  eventTimeMs: (row) => row.at,
  dedupKey: (row) => row.id,
  dedup: "actor",
  actors: (row) => [ActorId("customer", row.to)],
  message: (row) => JSON.parse(row.message) as GridMessage,
});
const DIRECT: Domain = {
  ...GRID,
  feeds: [...GRID.feeds, told],
  tables: [...GRID.tables, resolveTable({ name: "told", feed: "told", columns: {} }, told)],
};
const given = stage(DIRECT, RULES);

let count = 0;
function tell(atMs: number, message: GridMessage): Arrival {
  count += 1;
  const record = { id: `t-${count}`, to: "CUST-000123", at: new Date(atMs).toISOString(), message: JSON.stringify(message) };
  return { feed: "told", record };
}

function days(from: number, count: number, kwh: number): Arrival {
  const metered: readonly MeteredDay[] = Array.from({ length: count }, (_, n) => ({ day: FIRST + from + n, kwh, coverage: 1 }));
  const atMs = gridDayStartMs(FIRST + from + count);
  return tell(atMs, { type: "meter_total", meter: METER, atMs, days: metered, hoursKwh: null });
}

test("a bill that differs from what was metered, use on a closed account, and arrears are rebuilt from their evidence", async () => {
  const stands = {
    billId: "B",
    meter: METER,
    unitsWh: 121_000,
    isPaid: false,
    periodStart: civilDate(gridDayStartMs(FIRST)),
    periodEnd: civilDate(gridDayStartMs(FIRST + 9)),
  };
  const bill = { bill: ActorId("bill", "TXN-1"), change: "issued", changePaise: 0, leftShare: null, startLsn: "0" } as const;
  const atMs = gridDayStartMs(FIRST + 11);
  const closed = customer("2025-01-01", { account_status: "DISCONNECTED" });
  const seen = await given(closed).when(days(0, 10, 10), tell(atMs, { type: "bill_changed", atMs, stands, ...bill }));
  assert.equal([...new Set(seen.events.map(({ data }) => data.rule))].sort(), ["billing.metered_gap", "customer.inactive_use"]);
  assert.equal(seen.events[0]?.data.actor, CUSTOMER);

  const balances = [1, 2, 3, 4].map((paise, n) =>
    customer(`2025-01-0${n + 1}`, { account_status: "ACTIVE", outstanding_balance: paise, contact: n }),
  );
  const weeks = [0, 7, 14, 21].map((from) => days(from, 7, 10));
  const arrears = await given(...balances, ...weeks).when(days(28, 7, 6));
  assert.equal(
    arrears.events.map(({ data }) => data.rule),
    ["customer.arrears_drop"],
  );
});
