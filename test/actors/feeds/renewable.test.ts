import * as assert from "uvu/assert";
import { renewable } from "../../../actors/feeds/renewable.ts";
import { hours } from "../../../engine/duration.ts";
import { firstSchema } from "../../../engine/schema.ts";
import { decoded, noteCodes, refused, told } from "../../kit/decoding.ts";
import { GUIDE_PRODUCTION } from "../../kit/guide_samples.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("renewable feed");

const EVOLVED = { ...GUIDE_PRODUCTION, curtailment_mw: 0.45, battery_storage_mwh: 3.78 };
const AT_MS = Date.UTC(2025, 5, 15, 8, 34, 12, 789);

test("the guide's sample is decoded as it stands", () => {
  const seen = decoded(renewable, { json: GUIDE_PRODUCTION });
  assert.equal(seen.row, { ...GUIDE_PRODUCTION, timestamp: AT_MS });
  assert.equal([seen.notes, seen.rescued, seen.extra, seen.schema.version], [[], null, null, 1]);
  assert.equal(renewable.actors(seen.row), ["plant/REN-SOLAR-015"]);
  assert.is(renewable.dedupKey(seen.row), "c5e4d3b2-...");
  assert.is(renewable.eventTimeMs(seen.row), AT_MS);
});

test("its plant is told what was produced", () => {
  assert.equal(told(renewable, { json: GUIDE_PRODUCTION }), {
    type: "production_measured",
    atMs: AT_MS,
    eventId: "c5e4d3b2-...",
    productionMw: 6.234,
    capacityMw: 25,
    capacityFactor: 0.412,
    inverterStatus: "ONLINE",
    region: "SOUTH",
    state: "Karnataka",
    plantType: "SOLAR",
    irradianceWm2: 745.3,
    windMps: null,
    waterM3s: null,
    injectionMw: 5.892,
    auxiliaryMw: 0.342,
    curtailmentMw: null,
    batteryMwh: null,
  });
});

test("the fields of the later files make version 2, whose columns are doubles by hint", () => {
  const first = firstSchema(renewable);
  const seen = decoded(renewable, { json: { ...EVOLVED, curtailment_mw: 1 } }, first);
  assert.equal(seen.extra, { curtailment_mw: 1, battery_storage_mwh: 3.78 });
  assert.equal([seen.rescued, seen.schema.version], [null, 2]);
  assert.equal(seen.schema.columns["curtailment_mw"], { type: "double", origin: "hint" });
  assert.equal(seen.schema.columns["battery_storage_mwh"], { type: "double", origin: "hint" });
  const later = decoded(renewable, { json: EVOLVED }, seen.schema);
  assert.is(later.schema, seen.schema);
});

test("in whatever order the files come, the columns and the values are the same", () => {
  const forward = decoded(renewable, { json: EVOLVED }, decoded(renewable, { json: GUIDE_PRODUCTION }).schema);
  const backward = decoded(renewable, { json: GUIDE_PRODUCTION }, decoded(renewable, { json: EVOLVED }).schema);
  assert.equal(forward.schema, backward.schema);
  assert.is(backward.extra, null, "a missing curtailment is unknown, not 0");
  assert.equal(forward.row, backward.row);
});

test("both new columns at once are one version, one after the other two", () => {
  const { battery_storage_mwh, ...one } = EVOLVED;
  const half = decoded(renewable, { json: one });
  assert.is(half.schema.version, 2);
  assert.is(decoded(renewable, { json: { ...one, battery_storage_mwh } }, half.schema).schema.version, 3);
});

test("a record needs its id, plant, time and production", () => {
  assert.is(refused(renewable, { json: { ...GUIDE_PRODUCTION, reading_id: null } }), "missing_field reading_id");
  assert.is(refused(renewable, { json: { ...GUIDE_PRODUCTION, plant_id: "REN-COAL-001" } }), "bad_id plant_id");
  assert.is(refused(renewable, { json: { ...GUIDE_PRODUCTION, timestamp: "2025-06-15T25:00:00Z" } }), "bad_time timestamp");
  assert.is(refused(renewable, { json: { ...GUIDE_PRODUCTION, production_mw: 5_001 } }), "out_of_range production_mw");
});

test("limits are those of the data, both ends included", () => {
  const limits = {
    production_mw: [-100, 5_000],
    capacity_factor: [-1, 2],
    irradiance_w_m2: [0, 2_000],
    wind_speed_mps: [0, 120],
    water_flow_m3s: [0, 100_000],
  } as const;
  for (const [name, [low, high]] of Object.entries(limits)) {
    const value = (v: number) => decoded(renewable, { json: { ...GUIDE_PRODUCTION, [name]: v } }).row[name];
    assert.equal([value(low), value(high)], [low, high], name);
    if (name !== "production_mw") assert.equal([value(low - 0.01), value(high + 0.01)], [null, null], name);
  }
});

test("a kind of plant nobody knows is kept and noted: the id says what it is", () => {
  assert.equal(noteCodes(decoded(renewable, { json: { ...GUIDE_PRODUCTION, plant_type: "TIDAL" } })), ["unknown_code"]);
  assert.is(renewable.latenessMs, hours(2));
});
