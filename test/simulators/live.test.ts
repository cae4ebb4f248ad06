import * as assert from "uvu/assert";
import { billingRows } from "../../simulators/billing.ts";
import { gridOf } from "../../simulators/grid.ts";
import { type LiveMessage, type LiveOptions, liveMessages, PROFILES, type Profile } from "../../simulators/live.ts";
import { meterReadings } from "../../simulators/smart_meter.ts";
import { telemetryRecords } from "../../simulators/substation_telemetry.ts";
import { suite } from "../kit/suite.ts";

const test = suite("live");

const START_MS = Date.UTC(2025, 5, 15, 23, 59, 30);
const options = (profile: Profile): LiveOptions => ({ profile, seed: 42, scale: 1, startAtMs: START_MS, rate: 3 });

function taken(of: LiveOptions, count: number): readonly LiveMessage[] {
  const stream = liveMessages(of);
  return Array.from({ length: count }, () => stream.next().value);
}

const recordsOf = (profile: Profile, count: number, more: Partial<LiveOptions> = {}) =>
  taken({ ...options(profile), ...more }, count).map(({ json }) => JSON.parse(json));

test("a message is a pure function of the options and its number: a resumed stream goes on as if it had never stopped", () => {
  for (const profile of PROFILES) {
    const whole = taken(options(profile), 900);
    for (const first of [1, 7, 399, 400, 401, 899]) {
      const [message] = taken({ ...options(profile), first }, 1);
      assert.equal(message, whole[first], `${profile} ${first}`);
    }
  }
});

test("message n is due at the start plus n over the rate, and so is its event time, but for an after image", () => {
  for (const profile of PROFILES) {
    for (const { n, atMs, eventTimeMs, json } of taken(options(profile), 800)) {
      assert.is(atMs, START_MS + (n * 1_000) / 3);
      const record = JSON.parse(json);
      assert.is(Date.parse(record.timestamp ?? record.cdc_timestamp), eventTimeMs);
      const dueMs = record.__$operation === 4 ? START_MS + ((n - 1) * 1_000) / 3 : atMs;
      assert.is(eventTimeMs, Math.floor(dueMs));
    }
  }
});

test("every hundred readings hold 5 thefts and 3 spikes, every hundred telemetry records 4 hot ones and each alarm", () => {
  for (const block of [0, 1, 5]) {
    const readings = recordsOf("meters", 100, { first: block * 100 });
    assert.is(readings.filter((row) => row.reading_kwh <= 0.05).length, 5);
    assert.is(readings.filter((row) => row.reading_kwh >= 50).length, 3);
    assert.is(readings.filter((row) => row.meter_status !== "ACTIVE").length, 8);
    const telemetry = recordsOf("substations", 100, { first: block * 100 });
    assert.is(telemetry.filter((row) => row.oil_temperature_c - row.ambient_temperature_c >= 59.99).length, 4);
    assert.equal(telemetry.flatMap((row) => row.alarm_code ?? []).sort(), ["BREAKER_TRIP", "GAS_ALARM", "OVERLOAD"]);
  }
});

test("every four hundred billing rows hold 16 tiny amounts, each before image beside its after image", () => {
  const rows = recordsOf("billing", 1_200);
  for (const block of [0, 1, 2]) {
    const inBlock = rows.slice(block * 400, block * 400 + 400).filter((row) => row.__$operation === 2 || row.__$operation === 4);
    assert.is(inBlock.filter((row) => row.base_amount <= 50).length, 16);
  }
  rows.forEach((row, at) => {
    if (row.__$operation === 3) assert.is(rows[at + 1].transaction_id, row.transaction_id);
  });
});

test("ids differ from those of the generated files and from those of a stream that began at another time", () => {
  const grid = gridOf(42, 1);
  const readings = new Set([...meterReadings(grid)].map(({ row }) => row.event_id));
  const telemetry = new Set([...telemetryRecords(grid)].map(({ row }) => row.telemetry_id));
  const bills = new Set([...billingRows(grid)].map(({ row }) => row.transaction_id));
  for (const startAtMs of [START_MS, START_MS + 600_000]) {
    for (const row of recordsOf("meters", 1_500, { startAtMs })) assert.not.ok(readings.has(row.event_id) || !readings.add(row.event_id));
    for (const row of recordsOf("substations", 1_500, { startAtMs }))
      assert.not.ok(telemetry.has(row.telemetry_id) || !telemetry.add(row.telemetry_id));
    const inserted = recordsOf("billing", 1_500, { startAtMs }).filter((row) => row.__$operation === 2);
    for (const row of inserted) assert.not.ok(bills.has(row.transaction_id) || !bills.add(row.transaction_id));
  }
});

test("LSNs rise strictly with each change, above those of the file, and a later stream's are above an earlier one's", () => {
  const lsns = (rows: readonly { readonly __$operation: number; readonly __$start_lsn: string }[]): readonly bigint[] =>
    rows.filter((row) => row.__$operation !== 4).map((row) => BigInt(row.__$start_lsn));
  for (const rate of [3, 10_000]) {
    const later = START_MS + Math.ceil((2_000 * 1_000) / rate);
    const file = lsns([...billingRows(gridOf(42, 3))].map(({ row }) => row));
    const all = [...file, ...lsns(recordsOf("billing", 2_000, { rate })), ...lsns(recordsOf("billing", 2_000, { rate, startAtMs: later }))];
    assert.ok(all.slice(1).every((lsn, before) => lsn > (all[before] ?? lsn)));
  }
});

test("a customer is not billed twice for a month, the file included", () => {
  const months = new Set<string>();
  const rows = [...[...billingRows(gridOf(42, 1))].map(({ row }) => row), ...recordsOf("billing", 4_000)].filter(
    (row) => row.__$operation === 2,
  );
  for (const row of rows) months.add(`${row.customer_id} ${row.billing_period_start}`);
  assert.is(months.size, rows.length);
});

test("a device's sequence numbers go on where the file ended", () => {
  const last = new Map([...telemetryRecords(gridOf(42, 1))].map(({ row }) => [row.iot_device_id, row.sequence_number]));
  for (const row of recordsOf("substations", 1_200)) {
    assert.is(row.sequence_number, (last.get(row.iot_device_id) ?? row.sequence_number - 1) + 1);
    last.set(row.iot_device_id, row.sequence_number);
  }
  assert.is(last.size, 479);
});

test("no meter or device has two records of one instant, and the key is the one the order depends on", () => {
  for (const [profile, id, key] of [
    ["meters", "meter_id", "meter_id"],
    ["substations", "transformer_id", "substation_id"],
  ] as const) {
    const messages = taken({ ...options(profile), rate: 5_000 }, 3_000);
    assert.is(new Set(messages.map(({ json, eventTimeMs }) => `${JSON.parse(json)[id]} ${eventTimeMs}`)).size, 3_000);
    assert.ok(messages.every((message) => message.key === JSON.parse(message.json)[key]));
  }
});

test("options out of range are refused before the first message", () => {
  for (const wrong of [
    { rate: 0 },
    { rate: Number.NaN },
    { rate: 10_001 },
    { first: -1 },
    { first: 0.5 },
    { startAtMs: 0 },
    { startAtMs: START_MS + 0.5 },
    { scale: 0 },
    { seed: -1 },
  ]) {
    assert.throws(
      () => liveMessages({ ...options("meters"), ...wrong }),
      (error: unknown) => error instanceof RangeError,
    );
  }
});
