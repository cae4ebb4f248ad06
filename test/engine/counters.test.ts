import * as assert from "uvu/assert";
import type { ChangedRow } from "../../engine/commit.ts";
import { Counters } from "../../engine/counters.ts";
import { suite } from "../kit/suite.ts";

const test = suite("counters");

function changesOf(counters: Counters): readonly (readonly [string, string])[] {
  const rows: ChangedRow[] = [];
  counters.takeChanges(rows);
  return rows.map(({ key, value }) => [key, Buffer.from(value ?? []).toString()]);
}

test("a group lists its counters by name", () => {
  const counters = new Counters();
  counters.add("feed a", "read", 2);
  counters.add("feed a", "accepted", 1);
  counters.add("feed a", "read", 3);
  counters.add("feed b", "read", 1);
  assert.equal(counters.group("feed a"), { accepted: 1, read: 5 });
  assert.equal(Object.keys(counters.group("feed a")), ["accepted", "read"]);
  assert.equal(counters.group("feed c"), {});
});

test("changes are given once, and adding nothing is none", () => {
  const counters = new Counters();
  counters.add("feed a", "read", 2);
  counters.add("feed a", "late", 0);
  assert.equal(changesOf(counters), [["feed a read", "2"]]);
  assert.equal(changesOf(counters), []);
  assert.equal(counters.group("feed a"), { read: 2 });
});

test("counters go on from what was stored", () => {
  const [before, after] = [new Counters(), new Counters()];
  before.add("quarantine smart_meter", "bad_json", 2 ** 40);
  for (const [key, value] of changesOf(before)) after.restore(key, Buffer.from(value));
  after.add("quarantine smart_meter", "bad_json", 1);
  assert.equal(changesOf(after), [["quarantine smart_meter bad_json", String(2 ** 40 + 1)]]);
});
