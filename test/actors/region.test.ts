import * as assert from "uvu/assert";
import { ActorId } from "../../engine/ids.ts";
import { CRASH } from "../kit/given.ts";
import { given, production, reading, telemetry } from "../kit/grid.ts";
import { at } from "../kit/puppets.ts";
import { suite } from "../kit/suite.ts";

const SOUTH = ActorId("region", "SOUTH");

const test = suite("region");

const wind = { plant_id: "REN-WIND-001" };

test("production is the sum over plants of their latest, whatever came in between", async () => {
  const seen = await given(production(0, 5), production(0, 7.5, wind)).when(
    production(60, 6),
    CRASH,
    production(120, 4, { region: null }), // It is known where the plant stands.
    production(180, 3),
    production(150, 20), // Out of order.
    production(180, 99), // In conflict.
    production(-600, 50), // Late.
  );
  assert.equal(seen.actor(SOUTH).latest, { eventTime: at(180), production_mw: 10.5 });
  assert.is(seen.actor(SOUTH).attributes["plants"], 2);
});

test("a plant that first names no region counts from when it does", async () => {
  const seen = await given(production(0, 5, { region: null })).when(production(60, 8), production(120, 9));
  assert.equal(seen.actor(SOUTH).latest, { eventTime: at(120), production_mw: 9 });
  assert.is(seen.actor(SOUTH).attributes["plants"], 1);
});

test("substations are counted once each", async () => {
  const own = (key: string, minute: number) => telemetry(minute, { substation_id: key, transformer_id: null, load_mw: 1 });
  const seen = await given(own("SUB-S-001", 0), own("SUB-S-002", 0)).when(own("SUB-S-001", 1), CRASH, own("SUB-S-002", 1));
  assert.is(seen.actor(SOUTH).attributes["substations"], 2);
});

test("a record is counted for the region that its id names, whatever it says itself", async () => {
  const seen = await given().when(reading(0, 1, { region: "X".repeat(2_000) }), reading(1, 1, { region: undefined }));
  const counted = [...seen.store.range("feed", "tally smart_meter ")].map(([key]) => key);
  assert.equal([seen.quarantine, counted], [[], ["tally smart_meter region/NORTH"]]);
});
