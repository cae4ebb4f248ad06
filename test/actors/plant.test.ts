import * as assert from "uvu/assert";
import { ActorId } from "../../engine/ids.ts";
import { CRASH } from "../kit/given.ts";
import { given, production } from "../kit/grid.ts";
import { at } from "../kit/puppets.ts";
import { suite } from "../kit/suite.ts";

const PLANT = ActorId("plant", "REN-SOLAR-015");
const SOUTH = ActorId("region", "SOUTH");

const test = suite("plant");

test("the capacity factor is recomputed; one that differs by more than 0.02 is noted", async () => {
  const seen = await given().when(
    production(0, 6.234, { capacity_factor: 0.412 }),
    production(60, 10, { capacity_factor: 0.42 }),
    production(120, 10, { capacity_mw: null, capacity_factor: 0.9 }),
  );
  assert.equal(
    seen.rows("renewable_production").map(({ cells }) => [cells["capacity_factor_used"], cells["capacity_factor"]]),
    [
      [0.249, 0.412],
      [0.4, 0.42],
      [null, 0.9],
    ],
  );
  assert.is(seen.counters("note renewable")["recomputed_differs"], 1);
});

test("the latest production is the newest by event time; late and conflicting ones are curated only", async () => {
  const seen = await given(production(300, 8)).when(production(250, 5), production(0, 3), production(300, 9));
  assert.is(seen.actor(PLANT).latest?.["production_mw"], 8);
  assert.is(seen.actor(PLANT).latest?.["eventTime"], at(300));
  assert.equal(
    seen.rows("renewable_production").map(({ late, cells }) => [late, cells["conflict"]]),
    [
      [false, false],
      [true, false],
      [false, true],
    ],
  );
});

test("a plant has the type that its id names and the status it last told", async () => {
  const seen = await given(production(0, 1, { inverter_status: "ONLINE", state: "Karnataka" }), CRASH).when(production(60, 1));
  const { status, attributes, links } = seen.actor(PLANT);
  assert.equal([status, attributes, links], ["ONLINE", { region: "SOUTH", state: "Karnataka", plant_type: "SOLAR" }, { region: SOUTH }]);
});

test("the columns of the second schema version are rows of the table too", async () => {
  const seen = await given(production(0, 1)).when(production(60, 2, { curtailment_mw: 0.5, battery_storage_mwh: 3 }));
  const row = seen.rows("renewable_production")[0];
  assert.equal([row?.schemaVersion, row?.cells["curtailment_mw"], row?.cells["battery_storage_mwh"]], [2, 0.5, 3]);
  assert.equal(
    seen.rows("schema_versions").map(({ cells }) => [cells["column"], cells["type"], cells["version"]]),
    [
      ["curtailment_mw", "double", 2],
      ["battery_storage_mwh", "double", 2],
    ],
  );
});
