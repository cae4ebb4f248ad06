import * as assert from "uvu/assert";
import { smartMeter } from "../../../actors/feeds/smart_meter.ts";
import { minutes } from "../../../engine/duration.ts";
import { decoded, noteCodes, refused, rescuedOf, told } from "../../kit/decoding.ts";
import { GUIDE_READING } from "../../kit/guide_samples.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("smart meter feed");

const AT_MS = Date.UTC(2025, 5, 15, 14, 23, 45, 123);

test("the guide's sample is decoded as it stands", () => {
  const seen = decoded(smartMeter, { json: GUIDE_READING });
  assert.equal(seen.row, { ...GUIDE_READING, timestamp: AT_MS });
  assert.equal([seen.notes, seen.rescued, seen.extra], [[], null, null]);
  assert.is(smartMeter.eventTimeMs(seen.row), AT_MS);
  assert.is(smartMeter.dedupKey(seen.row), "a3f2e1d4-...");
  assert.equal(smartMeter.actors(seen.row), ["meter/SM-N-00042"]);
});

test("its meter is told what was measured, and not the label", () => {
  assert.equal(told(smartMeter, { json: GUIDE_READING }), {
    type: "reading_measured",
    atMs: AT_MS,
    eventId: "a3f2e1d4-...",
    readingKwh: 7.234,
    voltageV: 232.5,
    currentA: 12.45,
    powerFactor: 0.923,
    frequencyHz: 50.02,
    status: "ACTIVE",
    customerId: "CUST-000123",
    region: "NORTH",
    gridZone: "ZONE-3",
  });
});

test("a reading needs its event, meter, time and energy, and nothing else", () => {
  for (const name of ["event_id", "meter_id", "timestamp", "reading_kwh"]) {
    assert.is(refused(smartMeter, { json: { ...GUIDE_READING, [name]: null } }), `missing_field ${name}`);
  }
  const { event_id, meter_id, timestamp, reading_kwh } = GUIDE_READING;
  const { row } = decoded(smartMeter, { json: { event_id, meter_id, timestamp, reading_kwh } });
  assert.equal(Object.keys(row), Object.keys(GUIDE_READING));
  assert.equal([row["voltage_v"], row["region"], row["is_anomaly_flag"]], [null, null, null]);
});

test("energy may be negative or nothing, within what a device can report", () => {
  for (const kwh of [-10_000, -1.5, 0, 10_000])
    assert.is(decoded(smartMeter, { json: { ...GUIDE_READING, reading_kwh: kwh } }).row["reading_kwh"], kwh);
  for (const kwh of [-10_000.1, 10_000.1])
    assert.is(refused(smartMeter, { json: { ...GUIDE_READING, reading_kwh: kwh } }), "out_of_range reading_kwh");
});

test("a bad description costs itself only: a power factor of 1.2, a customer that is none, a new status", () => {
  const seen = decoded(smartMeter, { json: { ...GUIDE_READING, power_factor: 1.2, customer_id: "CUST-12", meter_status: "ASLEEP" } });
  assert.equal(seen.row, { ...GUIDE_READING, timestamp: AT_MS, power_factor: null, customer_id: null, meter_status: "ASLEEP" });
  assert.equal(rescuedOf(seen), {
    customer_id: { value: "CUST-12", reason: "bad_format" },
    power_factor: { value: 1.2, reason: "out_of_range" },
  });
  assert.equal(noteCodes(seen), ["rescued", "rescued", "unknown_code"]);
});

test("limits are those of the data, both ends included", () => {
  const limits = { voltage_v: [0, 1_000], current_a: [0, 5_000], power_factor: [-1, 1], frequency_hz: [0, 100] } as const;
  for (const [name, [low, high]] of Object.entries(limits)) {
    const value = (v: number) => decoded(smartMeter, { json: { ...GUIDE_READING, [name]: v } }).row[name];
    assert.equal([value(low), value(high), value(low - 0.01), value(high + 0.01)], [low, high, null, null], name);
  }
});

test("meters of a wider network have longer ids, others are none", () => {
  assert.equal(smartMeter.actors(decoded(smartMeter, { json: { ...GUIDE_READING, meter_id: "SM-C-1234567" } }).row), [
    "meter/SM-C-1234567",
  ]);
  for (const id of ["SM-X-00042", "SM-N-42", "SM-N-00042 ", "TRF-N-0034", 42]) {
    assert.is(refused(smartMeter, { json: { ...GUIDE_READING, meter_id: id } }), "bad_id meter_id", String(id));
  }
});

test("readings may be ten minutes late and go to their own table", () => {
  assert.equal([smartMeter.latenessMs, smartMeter.table, smartMeter.dedup], [minutes(10), "meter_readings", "window"]);
});
