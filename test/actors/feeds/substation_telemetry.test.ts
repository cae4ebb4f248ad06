import * as assert from "uvu/assert";
import { substationTelemetry } from "../../../actors/feeds/substation_telemetry.ts";
import { minutes } from "../../../engine/duration.ts";
import { decoded, noteCodes, refused, rescuedOf, told } from "../../kit/decoding.ts";
import { GUIDE_TELEMETRY } from "../../kit/guide_samples.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("substation telemetry feed");

const AT_MS = Date.UTC(2025, 5, 15, 10, 15, 30, 456);

test("the guide's sample is decoded as it stands", () => {
  const seen = decoded(substationTelemetry, { json: GUIDE_TELEMETRY });
  assert.equal(seen.row, { ...GUIDE_TELEMETRY, timestamp: AT_MS, iot_hub_enqueued_time: AT_MS + 644 });
  assert.equal([seen.notes, seen.rescued], [[], null]);
  assert.is(substationTelemetry.eventTimeMs(seen.row), AT_MS);
  assert.is(substationTelemetry.dedupKey(seen.row), "b4d3c2a1-...");
  assert.is(substationTelemetry.latenessMs, minutes(5));
});

test("a row goes to its transformer, without one to its substation", () => {
  const actors = (transformer: unknown) =>
    substationTelemetry.actors(decoded(substationTelemetry, { json: { ...GUIDE_TELEMETRY, transformer_id: transformer } }).row);
  assert.equal(actors("TRF-S-0045"), ["transformer/TRF-S-0045"]);
  assert.equal(actors(null), ["substation/SUB-S-023"]);
  assert.equal(actors("TRF-45"), ["substation/SUB-S-023"]);
});

test("its transformer is told what was measured, in units", () => {
  assert.equal(told(substationTelemetry, { json: GUIDE_TELEMETRY }), {
    type: "telemetry_measured",
    atMs: AT_MS,
    eventId: "b4d3c2a1-...",
    substationId: "SUB-S-023",
    loadMw: 87.34,
    capacityMw: 150,
    loadPercent: 58.2,
    voltageKv: 22.45,
    oilC: 65.3,
    ambientC: 38.2,
    gasPpm: 245.7,
    humidityPercent: 67.4,
    breakerStatus: "CLOSED",
    alarmCode: null,
    region: "SOUTH",
    deviceId: "IOT-SUB-S-023-2",
    sequenceNumber: 678_234,
    enqueuedAtMs: Date.UTC(2025, 5, 15, 10, 15, 31, 100),
  });
});

test("a record that measures nothing is refused, one with any measure or an alarm is not", () => {
  const silent = {
    ...GUIDE_TELEMETRY,
    load_mw: null,
    load_percentage: null,
    voltage_kv: null,
    oil_temperature_c: null,
    ambient_temperature_c: null,
    dissolved_gas_ppm: null,
    humidity_percent: null,
    breaker_status: null,
  };
  assert.is(refused(substationTelemetry, { json: silent }), "missing_field");
  assert.is(refused(substationTelemetry, { json: { ...silent, oil_temperature_c: 301, alarm_code: "N/A" } }), "missing_field");
  for (const one of [{ oil_temperature_c: 40 }, { alarm_code: "GAS_ALARM" }, { breaker_status: "OPEN" }, { humidity_percent: 0 }]) {
    assert.ok(decoded(substationTelemetry, { json: { ...silent, ...one } }), JSON.stringify(one));
  }
});

test("a capacity of 0 is none, a sequence number is whole and not negative", () => {
  const seen = decoded(substationTelemetry, { json: { ...GUIDE_TELEMETRY, capacity_mw: 0, sequence_number: -1 } });
  assert.equal([seen.row["capacity_mw"], seen.row["sequence_number"]], [null, null]);
  assert.equal(rescuedOf(seen), {
    capacity_mw: { value: 0, reason: "out_of_range" },
    sequence_number: { value: -1, reason: "out_of_range" },
  });
});

test("an alarm code nobody knows is kept and noted", () => {
  const seen = decoded(substationTelemetry, { json: { ...GUIDE_TELEMETRY, alarm_code: "FIRE" } });
  assert.is(seen.row["alarm_code"], "FIRE");
  assert.equal(noteCodes(seen), ["unknown_code"]);
});

test("limits are those of the data, both ends included", () => {
  const limits = {
    load_mw: [-5_000, 5_000],
    load_percentage: [-500, 500],
    voltage_kv: [0, 1_200],
    oil_temperature_c: [-60, 300],
    ambient_temperature_c: [-60, 80],
    dissolved_gas_ppm: [0, 1_000_000],
    humidity_percent: [0, 100],
  } as const;
  for (const [name, [low, high]] of Object.entries(limits)) {
    const value = (v: number) => decoded(substationTelemetry, { json: { ...GUIDE_TELEMETRY, [name]: v } }).row[name];
    assert.equal([value(low), value(high), value(low - 0.01), value(high + 0.01)], [low, high, null, null], name);
  }
});
