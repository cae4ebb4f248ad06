import * as assert from "uvu/assert";
import { ActorId } from "../../engine/ids.ts";
import { CRASH } from "../kit/given.ts";
import { given, telemetry, transformer } from "../kit/grid.ts";
import { at } from "../kit/puppets.ts";
import { suite } from "../kit/suite.ts";

const SUB = ActorId("substation", "SUB-N-012");
const NORTH = ActorId("region", "NORTH");

const test = suite("substation");

const of = (key: string) => ({ transformer_id: key });

test("a described transformer stands in its substation, which joins its region once", async () => {
  const seen = await given(transformer("2025-01-01"), CRASH).when(
    transformer("2025-01-01", of("TRF-N-0035")),
    telemetry(0, { load_mw: 1 }),
  );
  assert.is(seen.actor(SUB).attributes["transformers"], 2);
  assert.equal(seen.actor(SUB).links, { region: NORTH });
  assert.is(seen.actor(NORTH).attributes["substations"], 1);
});

test("load and rating are the sums of the last words of its transformers", async () => {
  const seen = await given().when(
    telemetry(0, { load_mw: 10, capacity_mw: 100 }),
    telemetry(1, { ...of("TRF-N-0035"), load_mw: 20.5, capacity_mw: 50 }),
    telemetry(2, { load_mw: 30, capacity_mw: 100 }),
    telemetry(1.5, { load_mw: 99, capacity_mw: 100 }), // Out of order.
  );
  assert.equal(seen.actor(SUB).latest, { eventTime: at(2), load_mw: 50.5, capacity_mw: 150 });
});

test("a late or a conflicting record changes no sum", async () => {
  const seen = await given(telemetry(60, { load_mw: 10 })).when(telemetry(0, { load_mw: 99 }), telemetry(60, { load_mw: 98 }));
  assert.is(seen.actor(SUB).latest?.["load_mw"], 10);
});

test("a transformer that moves takes its load along", async () => {
  const masters = [transformer("2025-01-01"), transformer("2025-06-01", { substation_id: "SUB-N-013" })];
  const seen = await given(...masters.slice(0, 1), telemetry(0, { load_mw: 10 })).when(...masters.slice(1));
  assert.is(seen.actor(SUB).attributes["transformers"], 0);
  assert.is(seen.actor(SUB).latest?.["load_mw"], null);
});

test("telemetry that names no transformer is the substation's own: curated, with nothing to sum", async () => {
  const seen = await given().when(telemetry(3, { transformer_id: null, load_mw: 7, region: "NORTH" }));
  assert.equal(seen.actor(SUB).latest, { eventTime: at(3), load_mw: null, capacity_mw: null });
  assert.equal(
    seen.rows("transformer_telemetry").map(({ actor, cells }) => [actor, cells["load_mw"], cells["load_pct_used"]]),
    [[SUB, 7, null]],
  );
  assert.is(seen.actor(SUB).clock("substation_telemetry"), at(3));
});

test("without a region in its record a substation is of the region that its id names", async () => {
  const seen = await given().when(telemetry(0, { substation_id: "SUB-W-001", transformer_id: null, load_mw: 1 }));
  assert.equal(seen.actor(ActorId("substation", "SUB-W-001")).links, { region: ActorId("region", "WEST") });
});
