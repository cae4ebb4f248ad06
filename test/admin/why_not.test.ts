import * as assert from "uvu/assert";
import { RULES } from "../../actors/rules.ts";
import { type WhyNot, whyNot } from "../../admin/why_not.ts";
import { type RuleSetting, RuleTable } from "../../engine/rule_table.ts";
import { failureOf } from "../kit/failure.ts";
import { customer, given, oil, production, reading, telemetry, viewOf } from "../kit/grid.ts";
import { suite } from "../kit/suite.ts";

const test = suite("why not");
const RULE_IDS = RULES.map(({ id }) => id);

const SCRIPT = [
  customer("2024-01-01"),
  reading(0, 60),
  reading(180, 5, { voltage_v: 260 }),
  oil(0, 60),
  telemetry(10, { load_mw: 50, capacity_mw: 100, voltage_kv: 132 }),
  production(0, 20),
];

async function asked(rule: string, id: string, at?: string, settings: ReadonlyMap<string, RuleSetting> = new Map()): Promise<WhyNot> {
  const view = viewOf(await given().when(...SCRIPT));
  return whyNot({ view, rules: new RuleTable(RULES, settings), ruleIds: RULE_IDS }, { rule, id, at });
}

test("each verdict is told from the others", async () => {
  const verdict = async (...query: Parameters<typeof asked>) => {
    const { verdict: said, reason } = await asked(...query);
    return said === "indeterminate" ? `${said} ${reason}` : said;
  };
  assert.is(await verdict("meter.spike", "SM-N-00042"), "normal");
  assert.is(await verdict("meter.spike", "SM-N-00042", "2025-06-15T12:30:00Z"), "open");
  assert.is(await verdict("meter.voltage", "SM-N-00042"), "suspected");
  assert.is(await verdict("transformer.overheating", "TRF-N-0034", "2025-06-15T12:05:00Z"), "normal");
  assert.is(await verdict("transformer.overload", "TRF-N-0034"), "normal");
  assert.is(await verdict("transformer.thermal_residual", "TRF-N-0034"), "indeterminate sensor_suspect");
  assert.is(await verdict("substation.bus_voltage", "SUB-N-012"), "indeterminate cold");
  assert.is(await verdict("customer.theft_risk", "CUST-000123"), "indeterminate no_prior");
  assert.is(await verdict("plant.wind_curve", "REN-SOLAR-015"), "not_applicable");
  assert.is(await verdict("billing.total", "SM-N-00042"), "not_applicable");
  const off = new Map([["meter.spike", { enabled: false, limits: {}, overrides: [] }]]);
  assert.is(await verdict("meter.spike", "SM-N-00042", undefined, off), "disabled");
});

test("what is compared is told with the limits in force for the actor", async () => {
  const settings = new Map([["meter.spike", { enabled: true, limits: {}, overrides: [{ region: "NORTH", limits: { limitKwh: 4 } }] }]]);
  const { verdict, tests } = await asked("meter.spike", "SM-N-00042", undefined, settings);
  assert.equal([tests[0]?.value, tests[0]?.limit, tests[0]?.passed, verdict], [5, 4, true, "suspected"]);
});

test("rules and actors that do not exist are refused, with what may have been meant", async () => {
  assert.equal((await failureOf(asked("meter.spikes", "SM-N-00042"))).candidates, ["meter.spike"]);
  assert.is((await failureOf(asked("meter.spike", "SM-N-99999"))).exit, 4);
  assert.is((await failureOf(asked("meter.spike", "SM-N-00042", "soon"))).exit, 2);
});
