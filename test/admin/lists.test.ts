import * as assert from "uvu/assert";
import { ls } from "../../admin/ls.ts";
import type { View } from "../../admin/reader.ts";
import { top } from "../../admin/top.ts";
import { type TreeNode, tree, treeText } from "../../admin/tree.ts";
import { failure, failureOf } from "../kit/failure.ts";
import { customer, given, oil, reading, transformer, viewOf } from "../kit/grid.ts";
import { suite } from "../kit/suite.ts";

const test = suite("lists, trees and ranks of actors");

async function view(): Promise<View> {
  const other = { meter_id: "SM-N-00043" };
  const stray = { meter_id: "SM-N-00077" };
  const masters = [transformer("2024-01-01"), customer("2024-01-01"), customer("2024-01-01", { ...other, customer_id: "CUST-000124" })];
  const readings = [reading(0, 60), reading(60, 5), reading(0, 0.02, other), reading(0, 5, stray)];
  return viewOf(await given().when(...masters, oil(0, 60), ...readings));
}

const ids = (rows: readonly { readonly id: string }[]): readonly string[] => rows.map(({ id }) => id);

test("actors of a kind are listed in order of ids, by prefix, condition and place", async () => {
  const seen = await view();
  assert.equal(ids(ls(seen, { kind: "Meters" }, 100).rows), ["SM-N-00042", "SM-N-00043", "SM-N-00077"]);
  assert.equal(ids(ls(seen, { kind: "meter", prefix: "sm-n-0004" }, 100).rows), ["SM-N-00042", "SM-N-00043"]);
  assert.equal(ids(ls(seen, { kind: "meter", after: "meter/SM-N-00042" }, 100).rows), ["SM-N-00043", "SM-N-00077"]);
  assert.equal(ids(ls(seen, { kind: "meter", where: ["reading_kwh < 10", "accepted = 1"] }, 100).rows), ["SM-N-00043", "SM-N-00077"]);
  assert.equal(ids(ls(seen, { kind: "meter", where: ["transformer_id = TRF-N-0034", "openAlerts > 0"] }, 100).rows).length > 0, true);
});

test("a list that is cut knows how many there are, with conditions and without", async () => {
  const seen = await view();
  for (const where of [[], ["accepted > 0"]]) {
    const { rows, found } = ls(seen, { kind: "meter", where }, 2);
    assert.equal([ids(rows), found], [["SM-N-00042", "SM-N-00043"], 3]);
  }
});

test("kinds and fields that do not exist are refused, with the nearest", async () => {
  const seen = await view();
  assert.equal(failure(() => ls(seen, { kind: "metre" }, 1)).candidates, ["meter"]);
  assert.equal(failure(() => ls(seen, { kind: "meter", where: ["reading_kw > 1"] }, 1)).candidates, ["reading_kwh"]);
  assert.equal((await failureOf(top(seen, { by: "acepted" }, 1))).candidates, ["accepted"]);
});

test("a tree goes down by links, so deep and so wide as it is asked for", async () => {
  const seen = await view();
  const flat = ({ id, children }: TreeNode): readonly unknown[] => [id, ...children.map(flat)];
  assert.equal(flat((await tree(seen, { id: "NORTH", depth: "2" }, 100)).root), ["NORTH", ["SUB-N-012", ["TRF-N-0034"]], ["SM-N-00077"]]);
  const { root, cut } = await tree(seen, { id: "trf-n-0034", depth: "1" }, 1);
  assert.equal([flat(root), cut], [["TRF-N-0034", ["SM-N-00042"]], 4]);
  assert.match(
    treeText((await tree(seen, { id: "SUB-N-012", depth: "2" }, 2)).root, null),
    /^SUB-N-012 {2}substation\n└ TRF-N-0034 {2}transformer.*\n {2}├ SM-N-00042 {2}meter/,
  );
  assert.is((await failureOf(tree(seen, { id: "NORTH", depth: "9" }, 1))).exit, 2);
});

test("ranks are highest first, equal ones in order of ids, and nothing at 0", async () => {
  const seen = await view();
  assert.equal(
    (await top(seen, { kind: "meter", by: "records" }, 2)).map(({ id, value }) => [id, value]),
    [
      ["SM-N-00042", 2],
      ["SM-N-00043", 1],
    ],
  );
  assert.equal(ids(await top(seen, { kind: "meter", by: "reading_kwh" }, 1)), ["SM-N-00042"]);
  assert.equal(await top(seen, { by: "faults" }, 5), []);
});

test("a rank tells by how much it has changed over a span", async () => {
  const seen = await view();
  const over = async (by: string, span: string) =>
    (await top(seen, { kind: "meter", by, over: span }, 3)).map(({ id, delta }) => [id.slice(-2), delta]);
  assert.equal(await over("records", "30m"), [
    ["42", 1],
    ["43", 0],
    ["77", 0],
  ]);
  assert.equal(await over("alerts", "2h"), [
    ["42", 1],
    ["43", 1],
  ]);
  assert.equal(await over("alerts", "30m"), [
    ["42", 0],
    ["43", 0],
  ]);
  assert.equal((await over("reading_kwh", "30m"))[0], ["42", -55]);
  assert.is((await failureOf(top(seen, { over: "soon" }, 3))).exit, 2);
});

test("a tree of another day is by the links and the alerts of then", async () => {
  const masters = [transformer("2024-01-01"), customer("2024-01-01"), customer("2025-02-01", { transformer_id: "TRF-N-0035" })];
  const seen = viewOf(await given().when(...masters, transformer("2024-01-01", { transformer_id: "TRF-N-0035" }), reading(0, 60)));
  const below = async (id: string, asOf?: string) => ids((await tree(seen, { id, depth: "1", asOf }, 100)).root.children);
  assert.equal(await below("TRF-N-0034"), []);
  assert.equal(await below("TRF-N-0035"), ["SM-N-00042", "CUST-000123"]);
  assert.equal(await below("TRF-N-0034", "2025-01-01"), ["SM-N-00042", "CUST-000123"]);
  assert.equal(await below("TRF-N-0035", "2025-01-01"), []);
  const meter = async (asOf?: string) => (await tree(seen, { id: "SM-N-00042", depth: "0", asOf }, 1)).root.openAlerts;
  assert.equal([await meter(), await meter("2025-06-15")], [1, 0]);
});
