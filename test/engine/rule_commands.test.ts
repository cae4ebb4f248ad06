import * as assert from "uvu/assert";
import { auditRows } from "../../engine/command.ts";
import { ActorId } from "../../engine/ids.ts";
import { type RuleSettings, rulesArgs, rulesText, storedRules } from "../../engine/rule_commands.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import { type Operate, stage } from "../kit/given.ts";
import { PUPPET_RULES, PUPPETS, tick } from "../kit/puppets.ts";
import { suite } from "../kit/suite.ts";

const test = suite("rules that change meanwhile");

const A = ActorId("puppet", "a");
const OFF: RuleSettings = new Map([["puppet.high", { enabled: false, limits: {}, overrides: [] }]]);
const ON: RuleSettings = new Map();
const high = (minute: number) => tick(minute, { value: 0, orders: [["observe", "puppet.high", 12]] });
const rules = (settings: RuleSettings): Operate => ({ operate: "rules", actor: A, rule: "puppet.high", args: rulesArgs(settings) });

test("other settings hold for the records behind the command, and for none before it", async () => {
  const seen = await stage(PUPPETS, PUPPET_RULES)().when(tick(0), rules(OFF), high(1), rules(ON), high(2), rules(OFF), high(3));
  assert.equal(
    seen.alerts.map(({ change, atMs }) => [change, atMs]),
    [["raised", (await stage(PUPPETS, PUPPET_RULES)().when(high(2))).alerts[0]?.atMs]],
  );
  assert.equal(
    [...auditRows(seen.store)].map(({ verb, result }) => [verb, result]),
    [
      ["rules", "done"],
      ["rules", "done"],
      ["rules", "done"],
    ],
  );
});

test("settings that are in force already change nothing", async () => {
  const seen = await stage(PUPPETS, PUPPET_RULES)().when(tick(0), rules(OFF), rules(OFF));
  assert.equal(
    [...auditRows(seen.store)].map(({ result }) => result),
    ["done", "unchanged"],
  );
  assert.is(storedRules(seen.store), rulesText(OFF));
});

test("records and commands in one order give one digest and one log, however they are cut", async () => {
  const script = [high(0), rules(OFF), tick(1, { actor: "b", value: 3 }), high(2), rules(ON), high(3), tick(4)];
  const plain = await stage(PUPPETS, PUPPET_RULES)().when(...script);
  for (const batchOf of [1, 7]) {
    const other = await stage(PUPPETS, PUPPET_RULES, { batchOf })().when(...script);
    assert.equal([other.digest, other.events], [plain.digest, plain.events]);
  }
  const without = await stage(PUPPETS, PUPPET_RULES)().when(...script.filter((item) => !(item instanceof Object && "operate" in item)));
  assert.is.not(without.digest, plain.digest, "the script tells a difference");
});

test("the same settings are the same text, in whatever order they are written", () => {
  const one: RuleSettings = new Map([
    ["a", { enabled: true, limits: { x: 1, y: 2 }, overrides: [{ region: "NORTH", tariff: "T", limits: { x: 3 } }] }],
    ["b", { enabled: false, limits: {}, overrides: [] }],
  ]);
  const other: RuleSettings = new Map([
    ["b", { overrides: [], limits: {}, enabled: false }],
    ["a", { limits: { y: 2, x: 1 }, overrides: [{ limits: { x: 3 }, tariff: "T", region: "NORTH" }], enabled: true }],
  ]);
  assert.is(rulesText(one), rulesText(other));
  assert.is.not(rulesText(one), rulesText(new Map([...one].slice(1))));
});

test("settings come back from their text as they were", () => {
  const table = new RuleTable(PUPPET_RULES);
  const settings: RuleSettings = new Map([
    ["puppet.high", { enabled: true, limits: { limit: 3 }, overrides: [{ actor: A, limits: { limit: 4 } }] }],
  ]);
  table.replace(new Map(Object.entries(JSON.parse(rulesText(settings)))));
  const nowhere = () => ({ region: null, tariff: null });
  assert.is(table.limits("puppet.high", A, nowhere)["limit"], 4);
  assert.is(table.limits("puppet.high", ActorId("puppet", "b"), nowhere)["limit"], 3);
  table.replace(new Map());
  assert.is(table.limits("puppet.high", A, nowhere)["limit"], PUPPET_RULES[1]?.limits["limit"]);
});
