import * as assert from "uvu/assert";
import { BrokenInvariant } from "../../engine/fault.ts";
import { ActorId } from "../../engine/ids.ts";
import type { Rule } from "../../engine/rule.ts";
import { type RuleOverride, type RuleScope, RuleTable } from "../../engine/rule_table.ts";
import { suite } from "../kit/suite.ts";

const METER = ActorId("meter", "SM-N-00042");
const RULE: Rule = { id: "r", version: 1, family: "f", severity: "info", metric: "m", unit: "", limits: { a: 1, b: 2 }, summary: "" };
const HOME: RuleScope = { region: "NORTH", tariff: "DOMESTIC" };

const test = suite("rule table");

function limits(overrides: readonly RuleOverride[], scope = HOME, own: Readonly<Record<string, number>> = {}): unknown {
  const table = new RuleTable([RULE], new Map([["r", { enabled: true, limits: own, overrides }]]));
  return table.limits("r", METER, () => scope);
}

test("without a setting the rule's own limits are in force", () => {
  const table = new RuleTable([RULE]);
  assert.equal(table.limits("r", METER, unasked), { a: 1, b: 2 });
  assert.ok(table.enabled("r"));
});

test("a setting changes the limits that it names", () => {
  assert.equal(limits([], HOME, { a: 5 }), { a: 5, b: 2 });
});

test("of overrides that fit the narrowest wins: actor over tariff over region", () => {
  const region = { region: "NORTH", limits: { a: 10 } };
  const tariff = { tariff: "DOMESTIC", limits: { a: 20 } };
  const both = { region: "NORTH", tariff: "DOMESTIC", limits: { a: 30 } };
  const actor = { actor: METER, limits: { a: 40 } };
  for (const order of [
    [region, tariff, both, actor],
    [actor, both, tariff, region],
  ]) {
    assert.equal(limits(order), { a: 40, b: 2 });
    assert.equal(limits(order.filter((one) => one !== actor)), { a: 30, b: 2 });
    assert.equal(limits(order.filter((one) => one !== actor && one !== both)), { a: 20, b: 2 });
  }
  assert.equal(limits([region]), { a: 10, b: 2 });
});

test("of two that are equally narrow the later one wins, and only the winner counts", () => {
  assert.equal(
    limits([
      { region: "NORTH", limits: { a: 10 } },
      { region: "NORTH", limits: { b: 20 } },
    ]),
    { a: 1, b: 20 },
  );
});

test("an override that does not fit in all it names means nothing", () => {
  const foreign: readonly RuleOverride[] = [
    { region: "SOUTH", limits: { a: 9 } },
    { region: "NORTH", tariff: "COMMERCIAL", limits: { a: 9 } },
    { actor: ActorId("meter", "SM-N-00043"), limits: { a: 9 } },
  ];
  assert.equal(limits(foreign), { a: 1, b: 2 });
  assert.equal(limits([{ region: "NORTH", limits: { a: 9 } }], { region: null, tariff: null }), { a: 1, b: 2 });
});

test("an override stands on top of the setting", () => {
  assert.equal(limits([{ region: "NORTH", limits: { b: 7 } }], HOME, { a: 5, b: 6 }), { a: 5, b: 7 });
});

test("where an actor stands is asked only if there are overrides", () => {
  const table = new RuleTable([RULE], new Map([["r", { enabled: false, limits: {}, overrides: [] }]]));
  assert.equal(table.limits("r", METER, unasked), { a: 1, b: 2 });
  assert.not(table.enabled("r"));
});

test("a rule that is not declared is a bug", () => {
  assert.throws(
    () => new RuleTable([]).rule("r"),
    (error: Error) => error instanceof BrokenInvariant,
  );
});

function unasked(): never {
  throw new Error("asked");
}
