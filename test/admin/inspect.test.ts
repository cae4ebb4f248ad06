import * as assert from "uvu/assert";
import { inspect, inspectionText } from "../../admin/inspect.ts";
import { engineClockMs, findActor } from "../../admin/reader.ts";
import { failure } from "../kit/failure.ts";
import { change, given, INSERT, transformer, viewOf } from "../kit/grid.ts";
import { suite } from "../kit/suite.ts";
import { ARRIVED_AT_MS, tinyEngine } from "../kit/tiny_grid.ts";

const test = suite("inspect");

const METER = { event_id: "e1", meter_id: "SM-N-00042", timestamp: "2025-06-15T16:23:45.120Z", reading_kwh: 86.412 };
const CUSTOMER = {
  customer_id: "CUST-000123",
  meter_id: "SM-N-00042",
  transformer_id: "TRF-N-0034",
  region: "NORTH",
  account_status: "ACTIVE",
  outstanding_balance: 1_234.5,
  record_effective_date: "2024-01-01",
};
const TRANSFORMER = {
  transformer_id: "TRF-N-0034",
  substation_id: "SUB-N-012",
  region: "NORTH",
  status: "ACTIVE",
  health_index_score: 78.4,
  record_effective_date: "2024-01-01",
};

async function grid() {
  const engine = tinyEngine();
  await engine.take("transformer_master", [TRANSFORMER]);
  await engine.take("customer_master", [CUSTOMER]);
  await engine.take("smart_meter", [METER]);
  return engine;
}

test("an inspection has the keys of the interfaces, in their order", async () => {
  const seen = await inspect(await grid(), "SM-N-00042");
  const [alertId = ""] = seen.openAlerts;
  assert.match(alertId, /^ALR-[0-9A-Z]{16}$/);
  assert.is(
    JSON.stringify(seen),
    JSON.stringify({
      id: "SM-N-00042",
      kind: "meter",
      state: {
        status: "ACTIVE",
        version: 1,
        attributes: { customer_id: "CUST-000123", transformer_id: "TRF-N-0034", region: "NORTH", grid_zone: "ZONE-3" },
        latest: { eventTime: "2025-06-15T16:23:45.120Z", reading_kwh: 86.412, voltage_v: 231.8 },
        rolling: { n: 1, median: 6.8, learning: true },
      },
      links: {
        customer: "customer/CUST-000123",
        transformer: "transformer/TRF-N-0034",
        substation: "substation/SUB-N-012",
        region: "region/NORTH",
      },
      episodes: [{ alertId, rule: "meter.spike", severity: "major", status: "open", startsAt: "2025-06-15T16:23:45.120Z", endsAt: null }],
      openAlerts: [alertId],
      clock: { smart_meter: "2025-06-15T16:23:45.120Z", billing: null },
      counts: { accepted: 1, duplicates: 0, late: 0, quarantined: 0, conflicts: 0, alerts: 1 },
    }),
  );
});

test("the text has a line for each thing there is", async () => {
  const engine = await grid();
  await engine.take("smart_meter", [{ ...METER, event_id: "e0", timestamp: "2025-06-15T15:00:00Z", reading_kwh: 13 }]);
  const text = inspectionText(await inspect(engine, "SM-N-00042"));
  assert.is(
    text.replace(/ALR-\w{16}/, "ALR-7K2Q9D4M1T5XHB3R"),
    [
      "meter SM-N-00042 · ACTIVE                                             clock 2025-06-15T16:23:45Z",
      "  feeds from  TRF-N-0034 < SUB-N-012 < NORTH            customer  CUST-000123",
      "  latest      86.412 kWh  231.8 V     usual 6.8 kWh (n 1, learning)",
      "  open        ALR-7K2Q9D4M1T5XHB3R  major  meter.spike  since 16:23:45Z",
      "  counts      accepted 1 · duplicates 0 · late 0 · quarantined 1",
      "",
    ].join("\n"),
  );
});

test("an alert that has ended is an episode but not open", async () => {
  const engine = await grid();
  await engine.take("smart_meter", [{ ...METER, event_id: "e2", timestamp: "2025-06-15T18:00:00Z", reading_kwh: 5 }]);
  const { episodes, openAlerts } = await inspect(engine, "SM-N-00042");
  assert.equal(
    episodes.map(({ status, endsAt }) => ({ status, endsAt })),
    [{ status: "cleared", endsAt: "2025-06-15T17:23:45.120Z" }],
  );
  assert.equal(openAlerts, []);
});

test("money is shown in rupees, whatever it is kept in", async () => {
  const { state } = await inspect(await grid(), "CUST-000123");
  assert.is(state.attributes["outstanding_balance"], 1_234.5);
});

test("an id is found in both forms and in any case", async () => {
  const engine = await grid();
  for (const text of ["SM-N-00042", "sm-n-00042", "meter/SM-N-00042", "METER/Sm-N-00042"]) {
    assert.is(findActor(engine, text), "meter/SM-N-00042", text);
  }
  await engine.take("smart_meter", [{ ...METER, event_id: "e3", meter_id: "Mixed-1" }]);
  assert.is(findActor(engine, "mIXED-1"), "meter/Mixed-1");
});

test("an id that does not exist ends with code 4 and lists what may have been meant", async () => {
  const engine = await grid();
  const near = failure(() => findActor(engine, "SM-N-0042"));
  assert.equal([near.code, near.exit, near.message], ["NOT_FOUND", 4, "no actor SM-N-0042"]);
  assert.equal(near.candidates, ["SM-N-00042"]);
  assert.equal(failure(() => findActor(engine, "sm-n")).candidates, ["SM-N-00042"]);
  assert.equal(failure(() => findActor(engine, "metre/SM-N-00042")).candidates, ["meter/SM-N-00042"]);
  assert.is(failure(() => findActor(engine, "transformer/SM-N-00042")).exit, 4);
  assert.is(failure(() => findActor(engine, "")).exit, 4);
  assert.match(failure(() => findActor(tinyEngine(), "SM-N-00042")).hint ?? "", /run --drain/);
});

test("the id that a hint names begins as the one that was meant", async () => {
  const view = viewOf(await given().when(change(1, INSERT), transformer("2024-01-01")));
  assert.is(failure(() => findActor(view, "TRF-X")).hint, "an id that exists: TRF-N-0034");
  assert.is(failure(() => findActor(view, "TXN-X")).hint, "an id that exists: TXN-00000042");
});

test("at most five candidates are listed", async () => {
  const engine = tinyEngine();
  const records = [1, 2, 3, 4, 5, 6, 7].map((n) => ({ ...METER, event_id: `e${n}`, meter_id: `SM-N-0000${n}` }));
  await engine.take("smart_meter", records);
  assert.is(failure(() => findActor(engine, "SM-N-00009")).candidates.length, 5);
});

test("a key of two kinds is asked back, and the full id is understood", async () => {
  const engine = await grid();
  await engine.take("smart_meter", [{ ...METER, event_id: "e3", meter_id: "TRF-N-0034" }]);
  const both = failure(() => findActor(engine, "TRF-N-0034"));
  assert.equal([both.code, both.candidates], ["USAGE", ["meter/TRF-N-0034", "transformer/TRF-N-0034"]]);
  assert.is(findActor(engine, "transformer/TRF-N-0034"), "transformer/TRF-N-0034");
});

test("as of a date, attributes are those of the version in force on it", async () => {
  const engine = await grid();
  const changed = { ...TRANSFORMER, status: "UNDER_MAINTENANCE", health_index_score: 61.2, substation_id: "SUB-N-099" };
  await engine.take("transformer_master", [{ ...changed, record_effective_date: "2025-06-01" }]);
  const statusAsOf = async (asOf: string) => (await inspect(engine, "TRF-N-0034", { asOf })).state.status;
  assert.is(await statusAsOf("2025-05-31"), "ACTIVE");
  assert.is(await statusAsOf("2025-06-01"), "UNDER_MAINTENANCE");
  assert.is(await statusAsOf("2025-05-31T18:29:59Z"), "ACTIVE", "the day begins at 18:30 UTC of the day before");
  assert.is(await statusAsOf("2025-05-31T18:30:00Z"), "UNDER_MAINTENANCE");
  const { state, links } = await inspect(engine, "TRF-N-0034", { asOf: "2025-05-01" });
  assert.equal([state.attributes["health_index_score"], state.latest, state.rolling], [78.4, null, null]);
  assert.is(links["substation"], "substation/SUB-N-012");
  const before = await inspect(engine, "TRF-N-0034", { asOf: "2023-12-31" });
  assert.equal([before.state.attributes, before.state.status, before.links], [{}, null, {}]);
});

test("as of a date, links are those that the histories show, also on the way up", async () => {
  const engine = await grid();
  await engine.take("transformer_master", [{ ...TRANSFORMER, transformer_id: "TRF-N-0001", substation_id: "SUB-N-001" }]);
  await engine.take("customer_master", [{ ...CUSTOMER, transformer_id: "TRF-N-0001", record_effective_date: "2025-06-01" }]);
  const linksAsOf = async (asOf: string) => (await inspect(engine, "SM-N-00042", { asOf })).links;
  assert.equal(await linksAsOf("2025-05-01"), {
    customer: "customer/CUST-000123",
    transformer: "transformer/TRF-N-0034",
    substation: "substation/SUB-N-012",
    region: "region/NORTH",
  });
  assert.is((await linksAsOf("2025-06-02"))["transformer"], "transformer/TRF-N-0001");
  assert.is((await linksAsOf("2025-06-02"))["substation"], "substation/SUB-N-001");
  assert.is((await inspect(engine, "SM-N-00042", { asOf: "2025-05-01" })).state.attributes["transformer_id"], "TRF-N-0034");
});

test("a link of now that its other end denies for that time is left out", async () => {
  const engine = tinyEngine();
  await engine.take("customer_master", [
    { ...CUSTOMER, meter_id: "SM-N-00001" },
    { ...CUSTOMER, record_effective_date: "2025-06-01" },
  ]);
  await engine.take("smart_meter", [METER]);
  assert.is((await inspect(engine, "SM-N-00042", { asOf: "2025-06-02" })).links["customer"], "customer/CUST-000123");
  const { links, state } = await inspect(engine, "SM-N-00042", { asOf: "2025-05-01" });
  assert.equal(links, {});
  assert.equal([state.attributes["customer_id"], state.attributes["grid_zone"]], [null, "ZONE-3"]);
});

test("as of a time, episodes are as the alerts told them by then", async () => {
  const engine = await grid();
  await engine.take("smart_meter", [{ ...METER, event_id: "e2", timestamp: "2025-06-15T18:00:00Z", reading_kwh: 5 }]);
  const episodesAsOf = async (asOf: string) =>
    (await inspect(engine, "SM-N-00042", { asOf })).episodes.map(({ rule, status, endsAt }) => ({ rule, status, endsAt }));
  assert.equal(await episodesAsOf("2025-06-15T16:00:00Z"), []);
  assert.equal(await episodesAsOf("2025-06-15T17:00:00Z"), [{ rule: "meter.spike", status: "open", endsAt: null }]);
  assert.is((await episodesAsOf("now"))[0]?.status, "cleared");
  assert.is((await inspect(engine, "SM-N-00042", { asOf: "2025-06-15T17:00:00Z" })).openAlerts.length, 1);
  assert.equal((await inspect(engine, "SM-N-00042", { asOf: "30m" })).openAlerts, [], "the span counts from the meter's clock");
  assert.is((await inspect(engine, "SM-N-00042", { asOf: "1h" })).openAlerts.length, 1);
});

test("known at a time, neither a fact nor an alert that came later counts", async () => {
  const engine = await grid();
  const later = { arrivedAtMs: ARRIVED_AT_MS + 86_400_000 };
  await engine.take("transformer_master", [{ ...TRANSFORMER, status: "DECOMMISSIONED", record_effective_date: "2025-01-01" }], later);
  await engine.take("smart_meter", [{ ...METER, event_id: "e2", timestamp: "2025-06-15T16:40:00Z", reading_kwh: 0.01 }], later);
  const statusKnown = async (knownAt: string) => (await inspect(engine, "TRF-N-0034", { asOf: "2025-02-01", knownAt })).state.status;
  assert.is(await statusKnown("2025-06-16T05:00:00Z"), "ACTIVE");
  assert.is(await statusKnown("2025-06-17T05:00:00Z"), "DECOMMISSIONED");
  assert.is(await statusKnown("now"), "DECOMMISSIONED");
  const rulesKnown = async (knownAt: string) => (await inspect(engine, "SM-N-00042", { knownAt })).episodes.map(({ rule }) => rule);
  assert.equal(await rulesKnown("2025-06-16T05:00:00Z"), ["meter.spike"]);
  assert.equal(await rulesKnown("now"), ["meter.spike", "meter.near_zero"]);
});

test("a bill as of an instant is the version that the transactions up to it made", async () => {
  const engine = tinyEngine();
  const insert = {
    transaction_id: "TXN-00000001",
    __$operation: 2,
    __$start_lsn: "0x0001",
    __$seqval: "0x01",
    customer_id: "CUST-000123",
    base_amount: 2_969.07,
    payment_status: "PENDING",
    cdc_timestamp: "2025-06-15T10:00:00Z",
  };
  const paid = { ...insert, __$operation: 4, __$start_lsn: "0x0002", payment_status: "PAID", cdc_timestamp: "2025-06-15T12:00:00Z" };
  await engine.take("billing", [insert, paid]);
  const { state, links } = await inspect(engine, "TXN-00000001", { asOf: "2025-06-15T11:00:00Z" });
  assert.equal([state.status, state.attributes["base_amount"]], ["PENDING", 2_969.07]);
  assert.is(links["customer"], "customer/CUST-000123");
  assert.is((await inspect(engine, "TXN-00000001", { asOf: "2025-06-15T12:00:00Z" })).state.status, "PAID");
});

test("the engine's clock is the latest event time, whatever dates of validity lie ahead", async () => {
  const engine = await grid();
  assert.is(engineClockMs(tinyEngine()), null);
  await engine.take("transformer_master", [{ ...TRANSFORMER, record_effective_date: "2031-01-01" }]);
  assert.is(engineClockMs(engine), Date.parse("2025-06-15T16:23:45.120Z"));
});
