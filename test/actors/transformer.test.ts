import * as assert from "uvu/assert";
import { ActorId } from "../../engine/ids.ts";
import { CRASH, type Seen } from "../kit/given.ts";
import { customer, given, log, oil, reading, telemetry, transformer } from "../kit/grid.ts";
import { at } from "../kit/puppets.ts";
import { suite } from "../kit/suite.ts";

const TRF = ActorId("transformer", "TRF-N-0034");
const SUB = ActorId("substation", "SUB-N-012");
const METER = ActorId("meter", "SM-N-00042");

const test = suite("transformer");

const stamps = (seen: Seen): readonly unknown[] => seen.rows("transformer_telemetry").map(({ rules }) => rules);
const said = (seen: Seen): readonly string[] => seen.events.map(({ type, data }) => `${type.split(".")[2]} ${data.severity}`);

test("hot oil that spans a crash is raised once and cleared once", async () => {
  // Ambient is 38 °C: raised at a rise of 60 K, cleared by two samples below 55 K.
  const seen = await given(oil(0, 96)).when(oil(5, 99), CRASH, oil(10, 90), oil(15, 89));
  const calm = await given(oil(0, 96)).when(oil(5, 99), oil(10, 90), oil(15, 89));
  assert.equal(seen.alerts, [
    { rule: "transformer.overheating", change: "raised", atMs: at(5) },
    { rule: "transformer.overheating", change: "cleared", atMs: at(15) },
  ]);
  assert.is(seen.digest, calm.digest);
});

test("a rise of 60 K is a hit, also where binary numbers say less", async () => {
  const ambient = { ambient_temperature_c: 38.2 };
  const seen = await given().when(oil(0, 98.1, ambient), oil(1, 98.199, ambient), oil(2, 98.2, ambient), oil(3, 128.3, ambient));
  assert.equal(stamps(seen), [null, null, "transformer.overheating", "transformer.overheating"]);
  assert.is(seen.events[0]?.data.observation.value, 60);
  assert.is(seen.events[0]?.data.observation.upper, 60);
});

test("a rise above 75 K, or oil of 105 °C, is critical", async () => {
  for (const [oilC, ambientC, severity] of [
    [98, 38, "major"],
    [104, 29, "major"], // 75 K is the end of major.
    [104, 28.999, "critical"],
    [105, 45, "critical"],
    [104.9, 44, "major"],
  ] as const) {
    const seen = await given().when(oil(0, oilC, { ambient_temperature_c: ambientC }));
    assert.equal(said(seen), [`raised ${severity}`], `${oilC} ${ambientC}`);
  }
});

test("hotter still is an update of the one alert", async () => {
  const seen = await given().when(oil(0, 100), oil(5, 101), oil(10, 114), oil(15, 100));
  assert.equal(said(seen), ["raised major", "updated critical"]);
});

test("a rise between 55 and 60 K neither clears nor counts, and breaks the row of cool samples", async () => {
  const hot = oil(0, 98);
  assert.equal((await given(hot).when(oil(5, 92.9), oil(10, 93), oil(15, 92.9))).alerts, []); // 54.9, 55, 54.9 K.
  assert.equal((await given(hot).when(oil(5, 95), oil(10, 95), oil(15, 95))).alerts, []);
  assert.equal((await given(hot).when(oil(5, 92.9), oil(10, 92.9))).alerts, [
    { rule: "transformer.overheating", change: "cleared", atMs: at(10) },
  ]);
});

test("without oil or ambient temperature heat is not judged", async () => {
  const seen = await given(oil(0, 98)).when(
    oil(5, null),
    oil(10, 50, { ambient_temperature_c: null }),
    oil(15, 150, { ambient_temperature_c: null }),
  );
  assert.not.ok(seen.alerts.some(({ rule }) => rule === "transformer.overheating"));
});

test("late hot oil speaks, with origin late", async () => {
  const seen = await given(oil(60, 50)).when(oil(0, 98));
  assert.equal(
    seen.events.map(({ data }) => [data.rule, data.origin]),
    [["transformer.overheating", "late"]],
  );
  assert.equal(stamps(seen), ["transformer.overheating"]);
});

test("each alarm code has its severity, one that is not known is a warning, none is none", async () => {
  for (const [code, severity] of [
    ["OVERLOAD", "warning"],
    ["BREAKER_TRIP", "major"],
    ["GAS_ALARM", "major"],
    [" OVERLOAD ", "warning"],
    ["HAIL", "warning"],
    ["NONE", null],
    ["", null],
    ["null", null],
    [null, null],
  ] as const) {
    const seen = await given().when(telemetry(0, { load_mw: 1, alarm_code: code }));
    assert.equal(said(seen), severity === null ? [] : [`raised ${severity}`], String(code));
    assert.equal(stamps(seen), [severity === null ? null : "transformer.alarm_code"]);
  }
});

test("a gas alarm stays until somebody resolves it, another alarm ends after an hour", async () => {
  const calm = telemetry(200, { load_mw: 1 });
  const gas = await given().when(telemetry(0, { load_mw: 1, alarm_code: "GAS_ALARM" }), telemetry(60, { load_mw: 1 }), CRASH, calm);
  assert.equal(said(gas), ["raised major"]);
  assert.equal(gas.events[0]?.data.flags, ["latched"]);
  assert.is(gas.actor(TRF).count("openEpisodes"), 1);
  const trip = await given().when(telemetry(0, { load_mw: 1, alarm_code: "BREAKER_TRIP" }), calm);
  assert.equal(said(trip), ["raised major", "cleared major"]);
  assert.is(trip.events[1]?.data.endsAt, new Date(at(60)).toISOString());
});

test("a gas alarm within another alarm latches it", async () => {
  const alarm = (minute: number, code: string) => telemetry(minute, { load_mw: 1, alarm_code: code });
  const seen = await given().when(alarm(0, "OVERLOAD"), alarm(30, "GAS_ALARM"), telemetry(200, { load_mw: 1 }));
  assert.equal(said(seen), ["raised warning", "updated major"]);
  assert.is(seen.actor(TRF).count("openEpisodes"), 1);
});

// Load ----------------------------------------------------------------------------------------------------------------------------------

test("load is recomputed from the record's rating, else from the master's of that day", async () => {
  const masters = [transformer("2025-01-01", { capacity_mw: 100 }), transformer("2025-06-16", { capacity_mw: 200 })];
  const seen = await given(...masters).when(
    telemetry(0, { load_mw: 50, capacity_mw: 150, load_percentage: 33.3 }),
    telemetry(1, { load_mw: 50, load_percentage: 60 }),
    telemetry(390, { load_mw: 50 }), // Midnight in the grid zone.
    telemetry(391, { load_mw: null, oil_temperature_c: 20 }),
  );
  assert.equal(
    seen.rows("transformer_telemetry").map(({ cells }) => [cells["load_pct_used"], cells["capacity_source"]]),
    [
      [33.33, "record"],
      [50, "master"],
      [25, "master"],
      [null, "master"],
    ],
  );
  assert.is(seen.counters("note substation_telemetry")["recomputed_differs"], 1);
});

test("a hole in a device's numbers is noted, and so is its restart", async () => {
  const numbered = (minute: number, sequence_number: number, iot_device_id = "d1") =>
    telemetry(minute, { load_mw: 1, sequence_number, iot_device_id });
  const seen = await given().when(
    numbered(0, 100),
    numbered(1, 101),
    numbered(2, 103),
    numbered(3, 102), // Out of order.
    numbered(4, 104),
    numbered(5, 7, "d2"),
    numbered(6, 1),
    numbered(7, 2),
  );
  assert.is(seen.counters("note substation_telemetry")["sequence_gap"], 1);
  assert.is(seen.counters("note substation_telemetry")["device_reset"], 1);
});

test("the latest telemetry is the newest by event time", async () => {
  const seen = await given().when(telemetry(4, { load_mw: 7 }), telemetry(1, { load_mw: 9 }));
  assert.is(seen.actor(TRF).latest?.["load_mw"], 7);
  assert.is(seen.actor(SUB).latest?.["load_mw"], 7);
});

test("telemetry that names another substation or region than the master is noted, before the master it is an orphan", async () => {
  const seen = await given(telemetry(0, { load_mw: 1 }), transformer("2025-01-01")).when(
    telemetry(1, { load_mw: 1, substation_id: "SUB-N-099", region: "SOUTH" }),
  );
  const notes = seen.counters("note substation_telemetry");
  assert.equal([notes["orphan"], notes["link_mismatch"], notes["region_mismatch"]], [1, 1, 1]);
});

// Master --------------------------------------------------------------------------------------------------------------------------------

test("a new version of the master closes the one before, and the beliefs are logged", async () => {
  const seen = await given(transformer("2025-01-01", { status: "ACTIVE" })).when(
    transformer("2025-06-01", { status: "UNDER_MAINTENANCE" }),
  );
  assert.is(seen.actor(TRF).status, "UNDER_MAINTENANCE");
  assert.equal(
    seen
      .rows("dim_transformer_changes")
      .map(({ cells }) => [
        cells["change"],
        cells["record_effective_date"],
        cells["record_end_date"],
        cells["is_current"],
        cells["scd_version"],
      ]),
    [
      ["closed", "2025-01-01", "2025-06-01", false, 1],
      ["opened", "2025-06-01", "9999-12-31", true, 2],
    ],
  );
});

test("a master row that comes again is a duplicate and says nothing", async () => {
  const seen = await given(transformer("2025-01-01")).when(transformer("2025-01-01"), CRASH, transformer("2025-01-01"));
  assert.equal(seen.log, []);
  assert.is(seen.actor(TRF).count("duplicates"), 2);
});

test("a transformer that moves takes its meters along", async () => {
  const seen = await given(transformer("2025-01-01"), customer("2025-01-01")).when(
    transformer("2025-06-01", { substation_id: "SUB-N-013" }),
  );
  assert.is(seen.actor(METER).links["substation"], ActorId("substation", "SUB-N-013"));
  assert.is(seen.actor(SUB).attributes["transformers"], 0);
  assert.is(seen.actor(ActorId("substation", "SUB-N-013")).attributes["transformers"], 1);
  assert.is(seen.actor(TRF).attributes["customers"], 1);
});

// Maintenance ---------------------------------------------------------------------------------------------------------------------------

const revisions = (seen: Seen): unknown => seen.rows("maintenance_logs").map(({ cells }) => [cells["revision"], cells["superseded"]]);

test("only repairs count as failures", async () => {
  const types = ["PREVENTIVE", "CORRECTIVE", "EMERGENCY", "INSPECTION"];
  const seen = await given().when(...types.map((maintenance_type, n) => log({ log_id: `ML-${n}`, maintenance_type })));
  assert.is(seen.actor(TRF).attributes["failures"], 2);
});

test("a log that comes again is a duplicate, in the same file or in another", async () => {
  const seen = await given(log({}, "maintenance_logs_2025_04.csv")).when(
    log({}, "maintenance_logs_2025_04.csv"),
    CRASH,
    log({}, "maintenance_logs_2025_05.csv"),
  );
  assert.equal(seen.rows("maintenance_logs"), []);
  assert.is(seen.actor(TRF).count("duplicates"), 2);
  assert.is(seen.actor(TRF).attributes["failures"], 1);
});

test("of two revisions the one in the later file wins in either order, and counts are corrected", async () => {
  const april = log({ maintenance_type: "EMERGENCY" }, "maintenance_logs_2025_04.csv");
  const may = log({ maintenance_type: "INSPECTION" }, "maintenance_logs_2025_05.csv");
  const forth = await given(april).when(may);
  assert.equal(revisions(forth), [[2, false]]);
  assert.is(forth.actor(TRF).attributes["failures"], 0);
  const back = await given(may).when(april);
  assert.equal(revisions(back), [[2, true]]);
  assert.is(back.actor(TRF).attributes["failures"], 0);
});

test("two revisions in one file are a tie that content decides in either order", async () => {
  const [one, two] = [log({ severity: "LOW", maintenance_type: "INSPECTION" }), log({ severity: "HIGH" })];
  const forth = await given(one).when(two);
  const back = await given(two).when(one);
  assert.is(forth.actor(TRF).attributes["failures"], back.actor(TRF).attributes["failures"]);
  assert.is(forth.counters("note maintenance")["sequence_tie"], 1);
});

test("a superseded revision that comes again is a duplicate", async () => {
  const april = log({ maintenance_type: "EMERGENCY" }, "maintenance_logs_2025_04.csv");
  const may = log({ maintenance_type: "INSPECTION" }, "maintenance_logs_2025_05.csv");
  const seen = await given(april, may).when(april);
  assert.equal(revisions(seen), []);
  assert.is(seen.actor(TRF).count("duplicates"), 1);
});

test("work that was completed before it was reported is kept and noted", async () => {
  const seen = await given().when(log({ completed_date: "2025-04-04" }));
  assert.is(seen.counters("note maintenance")["date_order"], 1);
  assert.is(seen.rows("maintenance_logs").length, 1);
});

test("a transformer of more meters than it can balance one by one takes all that it is told", async () => {
  const meters = Array.from({ length: 400 }, (_, n) => `SM-N-${10_000 + n}`);
  const links = meters.map((meter, n) => customer("2024-01-01", { customer_id: `CUST-${100_000 + n}`, meter_id: meter }));
  const quarters = [0, 6, 12, 18, 24, 30, 36, 42, 48].map((hour) => 60 * hour);
  const days = quarters.flatMap((minute) => [
    telemetry(minute, { load_mw: 0.3, capacity_mw: 0.5 }),
    ...meters.map((meter) => reading(minute, 1.5, { meter_id: meter })),
  ]);
  const seen = await given(transformer("2024-01-01"), ...links).when(...days);
  assert.equal(seen.quarantine, []);
});
