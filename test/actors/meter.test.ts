import * as assert from "uvu/assert";
import { ActorId } from "../../engine/ids.ts";
import { CRASH, type Script, type Seen } from "../kit/given.ts";
import { customer, GUIDE_SAMPLES, given, grid, reading, transformer } from "../kit/grid.ts";
import { at } from "../kit/puppets.ts";
import { suite } from "../kit/suite.ts";

const METER = ActorId("meter", "SM-N-00042");
const OTHER = ActorId("meter", "SM-N-00043");

const test = suite("meter");

const stamps = (seen: Seen): readonly unknown[] => seen.rows("meter_readings").map(({ rules }) => rules);
const raised = (seen: Seen): readonly string[] =>
  seen.events.filter(({ type }) => type.includes("raised")).map(({ data }) => `${data.rule} ${data.severity}`);

test("the guide's samples raise nothing of warning or above", async () => {
  const seen = await given().when(...GUIDE_SAMPLES);
  assert.equal(seen.quarantine, []);
  assert.equal(raised(seen), []);
});

test("almost no energy is a hit from 0.001 to 0.05 kWh, both included", async () => {
  const values = [0.0009, 0.001, 0.02, 0.05, 0.0501, 0, -1];
  const seen = await given().when(...values.map((value, n) => reading(n * 5, value)));
  assert.equal(stamps(seen), [null, "meter.near_zero", "meter.near_zero", "meter.near_zero", null, null, null]);
  assert.equal(raised(seen), ["meter.near_zero info"]);
});

test("a spike is a hit from 50 kWh on; above 120 kWh it is major", async () => {
  const values = [49.999, 50, 120, 120.001];
  const seen = await given().when(...values.map((value, n) => reading(n * 5, value)));
  assert.equal(stamps(seen), [null, "meter.spike", "meter.spike", "meter.spike"]);
  assert.equal(
    seen.events.map(({ type, data }) => [type.split(".")[2], data.severity, data.observation.value, data.count]),
    [
      ["raised", "warning", 50, 1],
      ["updated", "major", 120.001, 3],
    ],
  );
});

test("a spike above 1.2 times what the connection may carry in its usual interval is major", async () => {
  const usual = Array.from({ length: 9 }, (_, n) => reading(30 * n, 5));
  const spike = reading(270, 50);
  for (const [loadKw, severity] of [
    [83, "major"], // 1.2 x 83 kW x 0.5 h = 49.8 kWh
    [84, "warning"], // 50.4 kWh
    [null, "warning"],
  ] as const) {
    const seen = await given(customer("2025-01-01", { sanctioned_load_kw: loadKw }), ...usual).when(spike);
    assert.equal(raised(seen), [`meter.spike ${severity}`], String(loadKw));
  }
  const unlearnt = await given(customer("2025-01-01", { sanctioned_load_kw: 1 }), ...usual.slice(0, 7)).when(reading(210, 50));
  assert.equal(raised(unlearnt), ["meter.spike warning"]);
});

test("a pulse ends an hour of the feed's clock after its last hit, also across a crash", async () => {
  const seen = await given(reading(0, 0.01), reading(30, 0.02)).when(CRASH, reading(95, 5), CRASH, reading(101, 5));
  assert.equal(seen.alerts, [{ rule: "meter.near_zero", change: "cleared", atMs: at(90) }]);
});

test("a meter that was tampered with stays so, whatever it says afterwards", async () => {
  const seen = await given().when(reading(0, 5, { meter_status: "TAMPERED" }), reading(30, 5), reading(600, 5), reading(1_200, 5));
  assert.equal(seen.alerts, [{ rule: "meter.tampered", change: "raised", atMs: at(0) }]);
  assert.equal(
    seen.events.map(({ data }) => [data.severity, data.flags]),
    [["major", ["latched"]]],
  );
  assert.is(seen.actor(METER).count("openEpisodes"), 1);
});

test("status and energy are judged apart", async () => {
  const seen = await given().when(
    reading(0, 0.01, { meter_status: "TAMPERED" }),
    reading(5, 60, { meter_status: "DISCONNECTED" }),
    reading(10, 5, { meter_status: "ODD" }),
  );
  assert.equal(stamps(seen), ["meter.near_zero,meter.tampered", "meter.spike,meter.disconnected", null]);
  assert.equal(raised(seen), ["meter.near_zero info", "meter.tampered major", "meter.spike warning", "meter.disconnected info"]);
  assert.is(seen.actor(METER).status, "ODD");
  assert.is(seen.counters("note smart_meter")["unknown_code"], 1);
});

test("the flag that the simulation sets is not looked at", async () => {
  const seen = await given().when(reading(0, 5, { is_anomaly_flag: true }));
  assert.equal(seen.alerts, []);
});

test("only usual readings on time teach what is usual", async () => {
  const usual = Array.from({ length: 10 }, (_, n) => reading(30 * n, 5 + (n % 3)));
  const before = (await given(...usual).when()).actor(METER).rolling;
  const odd: Script = [
    reading(30, 80), // Late: its time has long left the window.
    reading(270, 7), // In conflict with the reading of that time.
    reading(271, 0.01),
    reading(272, 70),
    reading(273, 5, { meter_status: "TAMPERED" }),
    reading(274, 5, { meter_status: "DISCONNECTED" }),
  ];
  const seen = await given(...usual).when(...odd);
  assert.is(seen.actor(METER).count("late"), 1);
  assert.is(seen.actor(METER).count("conflicts"), 1);
  assert.equal(seen.actor(METER).rolling, before);
  assert.equal(
    seen.rows("meter_readings").map(({ late, cells }) => [late, cells["conflict"]]),
    [
      [true, false],
      [false, true],
      [false, false],
      [false, false],
      [false, false],
      [false, false],
    ],
  );
});

test("the latest reading is the newest by event time, with an id of any form", async () => {
  const uuid = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
  const first = await given().when(reading(10, 5, { event_id: uuid, grid_zone: "ZONE-12" }), reading(5, 6));
  assert.is(first.actor(METER).latest?.["eventId"], uuid);
  assert.is(first.actor(METER).latest?.["reading_kwh"], 5);
  assert.is(first.actor(METER).attributes["grid_zone"], "ZONE-12");
  const seen = await given().when(reading(10, 5, { event_id: uuid }), reading(11, 6, { event_id: "x-1", voltage_v: null }));
  assert.is(seen.actor(METER).latest?.["eventId"], "x-1");
  assert.is(seen.actor(METER).latest?.["voltage_v"], null);
});

// Links ---------------------------------------------------------------------------------------------------------------------------------

test("a reading before the master is pending and an orphan; afterwards its row says who fed it at its time", async () => {
  const seen = await given(reading(0, 5)).when(customer("2025-06-15"), reading(5, 5), reading(-24 * 60, 5));
  assert.equal(
    seen.rows("meter_readings").map(({ cells }) => [cells["transformer_id"], cells["link_status"]]),
    [
      ["TRF-N-0034", "linked"],
      [null, "pending"], // The day before.
    ],
  );
  assert.is(seen.counters("note smart_meter")["orphan"], 2);
});

test("a claim that its link contradicts is noted", async () => {
  const seen = await given(customer("2025-01-01")).when(
    reading(0, 5, { customer_id: "CUST-000999", region: "SOUTH" }),
    reading(5, 5, { customer_id: "CUST-000123", region: "NORTH" }),
  );
  assert.is(seen.counters("note smart_meter")["link_mismatch"], 1);
  assert.is(seen.counters("note smart_meter")["region_mismatch"], 1);
});

test("the day of change in the grid zone already belongs to the new link", async () => {
  const masters = [customer("2025-01-01"), customer("2025-06-16", { transformer_id: "TRF-N-0035" })];
  // The start is 17:30 in the grid zone; its midnight comes 390 minutes later.
  const seen = await given(...masters).when(reading(389.9, 5), reading(390, 5));
  assert.equal(
    seen.rows("meter_readings").map(({ cells }) => cells["transformer_id"]),
    ["TRF-N-0034", "TRF-N-0035"],
  );
});

test("a customer who moves to another meter leaves the old one linked until that day", async () => {
  const seen = await given(customer("2025-01-01"), customer("2025-06-01", { meter_id: "SM-N-00043" })).when(
    reading(0, 5),
    reading(0, 5, { meter_id: "SM-N-00043" }),
    reading(-20 * 24 * 60, 6),
  );
  assert.equal(
    seen.rows("meter_readings").map(({ cells }) => [cells["meter_id"], cells["link_status"]]),
    [
      ["SM-N-00042", "pending"],
      ["SM-N-00043", "linked"],
      ["SM-N-00042", "linked"],
    ],
  );
  assert.equal(seen.actor(METER).links, { region: ActorId("region", "NORTH") });
  assert.is(seen.actor(OTHER).links["customer"], ActorId("customer", "CUST-000123"));
});

test("a link that is taken back is gone, with what was known of its transformer", async () => {
  const masters = [transformer("2025-01-01"), customer("2025-01-01")];
  const linked = await given(...masters).when();
  assert.equal(linked.actor(METER).links, {
    customer: ActorId("customer", "CUST-000123"),
    transformer: ActorId("transformer", "TRF-N-0034"),
    substation: ActorId("substation", "SUB-N-012"),
    region: ActorId("region", "NORTH"),
  });
  const corrected = { ...customer("2025-01-01", { meter_id: "SM-N-00043" }), path: "customer_master_delta_20250601.json" };
  const seen = await given(...masters).when(corrected);
  assert.equal(seen.actor(METER).links, { region: ActorId("region", "NORTH") });
  assert.is(seen.actor(OTHER).links["substation"], ActorId("substation", "SUB-N-012"));
});

test("in whatever order masters and readings come, the links are the same in the end", async () => {
  const parts = [
    transformer("2025-01-01"),
    transformer("2025-06-01", { substation_id: "SUB-N-013" }),
    customer("2025-01-01"),
    customer("2025-06-01", { meter_id: "SM-N-00043" }),
    reading(0, 5),
  ];
  const ids = [METER, OTHER, ActorId("transformer", "TRF-N-0034"), ActorId("customer", "CUST-000123")];
  const links = async (order: Script): Promise<unknown> => {
    const seen = await given().when(...order);
    const transformersIn = (id: ActorId): unknown => (seen.has(id) ? seen.actor(id).attributes["transformers"] : 0);
    return [ids.map((id) => seen.actor(id).links), ["SUB-N-012", "SUB-N-013"].map((key) => transformersIn(ActorId("substation", key)))];
  };
  const wanted = await links(parts);
  for (let first = 0; first < parts.length; first += 1) {
    const turned = [...parts.slice(first), ...parts.slice(0, first)];
    for (const order of [turned, turned.toReversed()]) {
      assert.equal(await links(order), wanted, String(order.map(({ feed }) => feed)));
    }
  }
});

test("an actor keeps so many episodes and no more; the record is stamped all the same", async () => {
  const seen = await grid({ limits: { episodesPerActorMax: 1 } })().when(reading(0, 0.02, { meter_status: "TAMPERED" }));
  assert.equal(
    seen.alerts.map(({ rule }) => rule),
    ["meter.near_zero"],
  );
  assert.is(seen.rows("meter_readings")[0]?.rules, "meter.near_zero,meter.tampered");
});
