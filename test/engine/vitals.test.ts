import * as assert from "uvu/assert";
import { hashText } from "../../engine/hash.ts";
import { newCursor, Slab } from "../../engine/slab.ts";
import {
  addCount,
  clockOf,
  countOf,
  findRepeat,
  pushRecent,
  setClock,
  setCount,
  vitalsAt,
  vitalsLayout,
  type WindowEntry,
} from "../../engine/vitals.ts";
import { suite } from "../kit/suite.ts";

const test = suite("vitals");

function vitals(windowed = true) {
  const clocks = ["smart_meter", "billing"];
  const slab = new Slab({ ...vitalsLayout(clocks, windowed), own: "f64" });
  const cursor = newCursor();
  slab.move(cursor, slab.allocate());
  const at = vitalsAt(slab.plan, clocks);
  return {
    cursor,
    at,
    push(id: string, atMs: number, payload: number) {
      hashText(id);
      return pushRecent(cursor, at, atMs, payload);
    },
    find(id: string, atMs: number, payload: number, overflow: readonly WindowEntry[] = []) {
      hashText(id);
      return findRepeat(cursor, at, atMs, payload, overflow);
    },
  };
}

test("clocks are null until set, and a feed without one has none", () => {
  const { cursor, at } = vitals();
  assert.is(clockOf(cursor, at, "smart_meter"), null);
  setClock(cursor, at, "smart_meter", 0);
  setClock(cursor, at, "other", 5);
  assert.equal(
    ["smart_meter", "billing", "other"].map((feed) => clockOf(cursor, at, feed)),
    [0, null, null],
  );
});

test("counts do not touch one another", () => {
  const { cursor, at } = vitals();
  const names = ["accepted", "duplicates", "late", "quarantined", "conflicts", "alerts", "openEpisodes", "overflowed"] as const;
  for (const [n, name] of names.entries()) addCount(cursor, at, name, n + 1);
  setCount(cursor, at, "openEpisodes", 40);
  assert.equal(
    names.map((name) => countOf(cursor, at, name)),
    [1, 2, 3, 4, 5, 6, 40, 8],
  );
});

test("a repeat is found by its id first, then by its time", () => {
  const { push, find } = vitals();
  assert.is(find("a", 10, 7), "new");
  push("a", 10, 7);
  assert.is(find("a", 10, 7), "duplicate");
  assert.is(find("a", 99, 8), "duplicate");
  assert.is(find("b", 10, 7), "duplicate");
  assert.is(find("b", 10, 8), "conflict");
  assert.is(find("b", 11, 7), "new");
});

test("of several at one time the one with the same payload decides, wherever it lies", () => {
  const { push, find } = vitals();
  push("a", 10, 7);
  push("b", 10, 8);
  assert.equal([find("c", 10, 7), find("c", 10, 8), find("c", 10, 9)], ["duplicate", "duplicate", "conflict"]);
  assert.equal(
    [
      find("c", 20, 7, [
        [1, 1, 7, 20],
        [2, 2, 8, 20],
      ]),
      find("c", 20, 9, [[1, 1, 7, 20]]),
    ],
    ["duplicate", "conflict"],
  );
});

test("the ring holds four and gives back the oldest", () => {
  const { push, find } = vitals();
  const pushed = ["a", "b", "c", "d", "e", "f"].map((id, n) => push(id, n, n));
  assert.equal(pushed.slice(0, 4), [null, null, null, null]);
  assert.equal(
    pushed.slice(4).map((entry) => entry?.slice(2)),
    [
      [0, 0],
      [1, 1],
    ],
  );
  assert.is(find("a", 100, 0), "new");
  assert.is(find("a", 100, 0, [pushed[4] as WindowEntry]), "duplicate");
  for (const id of ["c", "d", "e", "f"]) assert.is(find(id, 100, 0), "duplicate");
});

test("time zero is a time like any other", () => {
  const { push, find } = vitals();
  assert.is(find("a", 0, 0), "new");
  push("a", 0, 0);
  assert.is(find("b", 0, 0), "duplicate");
});

test("a kind without a window keeps no ring", () => {
  const { at } = vitals(false);
  assert.equal([at.time, at.next, at.high, at.low, at.payload], [-1, -1, -1, -1, -1]);
});
