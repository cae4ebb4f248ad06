import * as assert from "uvu/assert";
import { IdTable } from "../../engine/id_table.ts";
import { ActorId } from "../../engine/ids.ts";
import { suite } from "../kit/suite.ts";

const test = suite("id table");

const idOf = (n: number): ActorId => ActorId("meter", n % 97 === 0 ? `é-${n}` : `SM-N-${String(n).padStart(5, "0")}`);

test("every id has the number that it was given, and no other id has one", () => {
  const table = new IdTable();
  for (let n = 0; n < 30_000; n += 1) assert.is(table.add(idOf(n)), n);
  assert.is(table.size, 30_000);
  for (let n = 0; n < 30_000; n += 1) {
    assert.is(table.find(idOf(n)), n);
    assert.is(table.id(n), idOf(n));
  }
  for (let n = 30_000; n < 40_000; n += 1) assert.is(table.find(idOf(n)), -1);
});

test("an id that is forgotten can be added again, under a new number, and its neighbours stay", () => {
  const table = new IdTable();
  for (let n = 0; n < 1_000; n += 1) table.add(idOf(n));
  for (let n = 0; n < 1_000; n += 3) table.forget(n);
  for (let n = 0; n < 1_000; n += 1) assert.is(table.find(idOf(n)), n % 3 === 0 ? -1 : n);
  assert.is(table.add(idOf(0)), 1_000);
  for (let n = 2_000; n < 9_000; n += 1) table.add(idOf(n));
  assert.is(table.find(idOf(0)), 1_000);
  assert.is(table.find(idOf(3)), -1);
});
