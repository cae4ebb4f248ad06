import * as assert from "uvu/assert";
import type { Test } from "../../actors/explanations/test.ts";
import { testLines } from "../../admin/explain.ts";
import { suite } from "../kit/suite.ts";

const test = suite("explanations for people");

const oil: Test = {
  name: "oil_rise_k",
  value: 64.8,
  op: ">=",
  limit: 60,
  passed: true,
  from: "rules.transformer.overheating.limitK",
  decides: "all",
};

test("on a terminal the mark has its colour, and what came with a record has none", () => {
  const screen = { widthMax: 100, color: true };
  const [passed, hostile] = testLines([oil, { ...oil, value: "\u001b[31mred", op: "=", passed: false }], screen);
  assert.ok(passed?.startsWith("  \u001b[33myes\u001b[0m  oil_rise_k 64.8 >= 60"), passed);
  assert.match(hostile ?? "", /\\u001b\[31mred/);
});

test("elsewhere it is plain text", () => {
  assert.match(testLines([oil], null)[0] ?? "", /^ {2}yes {2}oil_rise_k 64\.8 >= 60 +rules\.transformer\.overheating\.limitK$/);
});
