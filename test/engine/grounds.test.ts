import * as assert from "uvu/assert";
import { type Grounds, groundsJson } from "../../engine/grounds.ts";
import { suite } from "../kit/suite.ts";

const test = suite("grounds of an alert");

const grounds = (facts: Grounds["facts"]): Grounds => ({
  facts,
  limits: { limitKwh: 50 },
  limitsFrom: "default",
  before: { n: 1 },
  after: { n: 2 },
  versions: [],
});

test("grounds are written whole while there is room", () => {
  const one = grounds({ ranking: "x".repeat(500), n: 7 });
  assert.equal(JSON.parse(groundsJson(one, 2_048)), one);
});

test("beyond their bound texts are cut, then statistics go; what a verdict follows from stays", () => {
  const one = grounds({ ranking: "é".repeat(500), n: 7 });
  const cut = groundsJson(one, 400);
  assert.ok(Buffer.byteLength(cut) <= 400);
  assert.equal(JSON.parse(cut), { ...one, facts: { ranking: `${"é".repeat(64)}…`, n: 7 } });
  const least = JSON.parse(groundsJson(one, 10)) as Grounds;
  assert.equal([least.before, least.after, least.facts["n"], least.limits], [null, null, 7, { limitKwh: 50 }]);
});
