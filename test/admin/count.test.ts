import * as assert from "uvu/assert";
import { count, countText, orphans } from "../../admin/count.ts";
import { readActors, type View } from "../../admin/reader.ts";
import { failure } from "../kit/failure.ts";
import type { Script } from "../kit/given.ts";
import { customer, given, oil, reading, transformer, viewOf } from "../kit/grid.ts";
import { suite } from "../kit/suite.ts";

const test = suite("counts of actors");

const after = async (...script: Script) => viewOf(await given().when(...script));

test("every kind is counted, also where there is none", async () => {
  const view = await after(reading(0, 5), customer("2025-01-01"));
  assert.equal(count(view, "kind"), { meter: 1, customer: 1, bill: 0, transformer: 1, substation: 0, plant: 0, region: 0 });
});

test("what comes before its master is an orphan until the master tells of it, whichever way", async () => {
  const readings = [reading(0, 5), reading(0, 5, { meter_id: "SM-N-00043" })];
  assert.equal(count(await after(...readings), "link"), { linked: 0, orphan: 2 });
  assert.equal(orphans(await after(...readings, oil(0, 60))), { meter: 2, customer: 0, transformer: 1 });
  const linked = await after(...readings, oil(0, 60), customer("2025-01-01"));
  assert.equal(orphans(linked), { meter: 1, customer: 0, transformer: 1 });
  assert.equal(orphans(await after(customer("2025-01-01"), oil(0, 60), ...readings)), orphans(linked));
  assert.equal(orphans(await after(...readings, oil(0, 60), customer("2025-01-01"), transformer("2024-01-01"))), {
    meter: 1,
    customer: 0,
    transformer: 0,
  });
});

test("an actor is linked once, however many versions and repeats of its master come", async () => {
  const masters = [customer("2025-01-01"), customer("2025-02-01", { region: "SOUTH" }), customer("2025-01-01"), transformer("2024-01-01")];
  assert.equal(count(await after(...masters, ...masters), "link"), { linked: 3, orphan: 0 });
});

test("a meter that its customer has left for another one in all its history is an orphan again", async () => {
  const first = { ...customer("2025-01-01"), path: "customer_master_delta_20250101.parquet" };
  const corrected = { ...customer("2025-01-01", { meter_id: "SM-N-00099" }), path: "customer_master_delta_20250201.parquet" };
  const view = await after(first, corrected);
  assert.equal(orphans(view), { meter: 1, customer: 0, transformer: 1 });
});

test("regions and statuses are counted as the actors have them", async () => {
  const view = await after(reading(0, 5), reading(0, 5, { meter_id: "SM-S-00043", meter_status: "TAMPERED" }), customer("2025-01-01"));
  // The region itself has been told of the alert.
  assert.equal(count(view, "region"), { NORTH: 3, SOUTH: 1, none: 1 });
  assert.equal(count(view, "status"), { ACTIVE: 1, TAMPERED: 1, none: 3 });
  assert.is([...readActors(view)].length, 5);
});

test("people get a line for each, others are told what there is to count by", async () => {
  assert.is(countText({ meter: 1_000, plant: 90 }), "meter  1 000\nplant     90\n");
  const wrong = failure(() => count({} as View, "links"));
  assert.equal([wrong.exit, wrong.candidates], [2, ["link"]]);
});
