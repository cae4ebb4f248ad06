import * as assert from "uvu/assert";
import type { AlertEvent } from "../../engine/emission.ts";
import { ActorId } from "../../engine/ids.ts";
import type { Arrival, Seen } from "../kit/given.ts";
import { customer, given, grid, oil, reading, telemetry, transformer } from "../kit/grid.ts";
import { at } from "../kit/puppets.ts";
import { suite } from "../kit/suite.ts";

const test = suite("floods and common causes");

const NORTH = ActorId("region", "NORTH");
const HOUR = 60;

/** The newest event of each alert of a rule. */
function newest({ events }: Seen, rule: string): readonly AlertEvent[] {
  const ofRule = events.filter(({ data }) => data.rule === rule);
  return [...new Map(ofRule.map((event) => [event.data.alertId, event])).values()];
}

const meter = (n: number): string => `SM-N-${String(n).padStart(5, "0")}`;
/** A warning of a meter of its own, which ends by itself an hour later. */
const spike = (minute: number, n: number): Arrival => reading(minute, 60, { meter_id: meter(n) });
const spikes = (fromMinute: number, count: number, first = 1): Arrival[] =>
  Array.from({ length: count }, (_, n) => spike(fromMinute + n * 0.5, first + n));

test("more than ten alerts of a region in ten minutes are one flood; its alerts are covered, and it ends by itself", async () => {
  const seen = await given().when(...spikes(0, 15), reading(9, 1), reading(15, 1));
  const [flood] = newest(seen, "grid.flood");
  assert.equal([flood?.subject, flood?.data.status, flood?.data.severity], [NORTH, "open", "major"]);
  assert.equal([flood?.data.observation.value, flood?.data.details?.facts["by_rule"]], [11, "meter.spike 11"]);
  const covered = newest(seen, "meter.spike");
  assert.equal([covered.length, new Set(covered.map(({ data }) => data.suppressedBy))], [15, new Set([flood?.data.alertId])]);
  const after = await given(...spikes(0, 15)).when(reading(40, 1), reading(41, 1));
  const [ended] = newest(after, "grid.flood");
  assert.equal([ended?.data.status, ended?.data.details?.facts["alerts"]], ["cleared", 15]);
  const released = newest(after, "meter.spike");
  assert.equal([released.length, new Set(released.map(({ data }) => `${data.status} ${data.suppressedBy}`))], [15, new Set(["open null"])]);
});

test("ten are no flood, nor are as many as you like in different regions or over a longer time", async () => {
  assert.equal(newest(await given().when(...spikes(0, 10)), "grid.flood"), []);
  const slow = Array.from({ length: 40 }, (_, n) => spike(n * 2, n + 1));
  assert.equal(newest(await given().when(...slow), "grid.flood"), []);
  const south = Array.from({ length: 6 }, (_, n) => reading(n, 60, { meter_id: `SM-S-0000${n + 1}` }));
  assert.equal(newest(await given().when(...[...spikes(0, 6), ...south].sort(byTime)), "grid.flood"), []);
});

test("critical and latched alerts are never grouped away", async () => {
  const tampered = reading(5.1, 1, { meter_id: meter(90), meter_status: "TAMPERED" });
  const hot = oil(5.2, 38 + 80);
  const seen = await given().when(...spikes(0, 11), tampered, hot, ...spikes(5.5, 3, 50));
  assert.equal(newest(seen, "grid.flood").length, 1);
  assert.equal(
    [...newest(seen, "meter.tampered"), ...newest(seen, "transformer.overheating")].map(({ data }) => [data.severity, data.status]),
    [
      ["major", "open"],
      ["critical", "open"],
    ],
  );
});

const transformerAt = (n: number) => `TRF-N-000${n}`;
const station = Array.from({ length: 6 }, (_, n) => transformer("2024-01-01", { transformer_id: transformerAt(n + 1) }));
const heat = (minute: number, n: number, oilC = 38 + 65): Arrival =>
  telemetry(minute, { transformer_id: transformerAt(n), oil_temperature_c: oilC, ambient_temperature_c: 38 });

test("what many transformers of a substation raise within minutes is one alert of theirs, until few are left", async () => {
  const rise = [heat(0, 1), heat(1, 2), heat(2, 3)];
  const seen = await given(...station).when(...rise, heat(3, 4));
  const [cause] = newest(seen, "substation.common_cause");
  assert.equal([cause?.data.status, cause?.data.observation.value, cause?.data.details?.facts["family"]], ["open", 3, "thermal"]);
  const covered = newest(seen, "transformer.overheating").map(({ data }) => [data.status, data.suppressedBy]);
  assert.equal(
    covered,
    Array.from({ length: 4 }, () => ["suppressed", cause?.data.alertId]),
  );
  const cooled = [1, 2, 3, 4].flatMap((n) => [heat(10 + n, n, 85), heat(20 + n, n, 85)]);
  const after = await given(...station, ...rise, heat(3, 4)).when(...cooled.sort(byTime));
  assert.equal(
    newest(after, "substation.common_cause").map(({ data }) => data.status),
    ["cleared"],
  );
  assert.equal(new Set(newest(after, "transformer.overheating").map(({ data }) => data.status)), new Set(["cleared"]));
});

test("meters below one transformer, and substations of a region, have common causes, too", async () => {
  const below = [1, 2, 3].map((n) => customer("2024-01-01", { customer_id: `CUST-00000${n}`, meter_id: meter(n) }));
  const meters = await given(transformer("2024-01-01"), ...below).when(spike(0, 1), spike(1, 2), spike(2, 3));
  assert.equal(
    newest(meters, "transformer.common_cause").map(({ subject }) => subject),
    ["transformer/TRF-N-0034"],
  );
  const open = (minute: number, n: number): Arrival => {
    const place = { substation_id: `SUB-N-00${n}`, transformer_id: `TRF-N-001${n}` };
    return telemetry(minute, { ...place, breaker_status: "OPEN", load_mw: 8, capacity_mw: 10 });
  };
  const samples = [1, 2, 3].flatMap((n) => [open(n, n), open(n + 3, n)]).sort(byTime);
  const region = await given().when(...samples);
  assert.equal(
    newest(region, "region.common_cause").map(({ subject, data }) => [subject, data.details?.facts["family"]]),
    [[NORTH, "breaker"]],
  );
  assert.equal(new Set(newest(region, "substation.breaker_open_load").map(({ data }) => data.status)), new Set(["suppressed"]));
});

test("two of six, or three spread over an hour, are nobody's common cause", async () => {
  assert.equal(newest(await given(...station).when(heat(0, 1), heat(1, 2)), "substation.common_cause"), []);
  assert.equal(newest(await given(...station).when(heat(0, 1), heat(20, 2), heat(40, 3)), "substation.common_cause"), []);
});

test("what still holds when the common cause ends is open again, with its own onset", async () => {
  const rise = [heat(0, 1), heat(1, 2), heat(2, 3)];
  const cooled = [1, 2].flatMap((n) => [heat(10 + n, n, 85), heat(20 + n, n, 85)]).sort(byTime);
  const ten = Array.from({ length: 10 }, (_, n) => transformer("2024-01-01", { transformer_id: `TRF-N-01${String(n).padStart(2, "0")}` }));
  const seen = await given(...station, ...ten, ...rise, heat(3, 4), heat(3.5, 5)).when(
    ...cooled,
    heat(25, 3, 60),
    heat(26, 3, 60),
    heat(27, 4, 60),
    heat(28, 4, 60),
  );
  assert.equal(
    newest(seen, "substation.common_cause").map(({ data }) => data.status),
    ["cleared"],
  );
  const [left] = newest(seen, "transformer.overheating").filter(({ data }) => data.status === "open");
  assert.equal(
    [left?.subject, left?.data.startsAt, left?.data.suppressedBy],
    [`transformer/${transformerAt(5)}`, new Date(at(3.5)).toISOString(), null],
  );
});

test("while a transformer is under maintenance, its process alerts are covered by that, its data alerts are not", async () => {
  const master = [transformer("2024-01-01", { status: "ACTIVE" }), transformer("2025-06-16", { status: "UNDER_MAINTENANCE" })];
  const day = (minute: number) => minute + 24 * HOUR;
  const active = await given(...master).when(oil(0, 38 + 62));
  assert.equal(
    newest(active, "transformer.overheating").map(({ data }) => data.suppressedBy),
    [null],
  );
  const begun = await given(...master, oil(0, 38 + 62)).when(oil(day(0), 38 + 62));
  assert.equal(
    newest(begun, "transformer.overheating").map(({ data }) => [data.status, data.suppressedBy]),
    [["suppressed", "maintenance"]],
  );
  const raised = await given(...master).when(oil(day(0), 38 + 62, { alarm_code: "OVERLOAD" }), oil(day(1), 200));
  assert.equal(
    newest(raised, "transformer.overheating").map(({ data }) => [data.status, data.suppressedBy]),
    [["suppressed", "maintenance"]],
  );
  assert.equal(
    newest(raised, "transformer.sensor_fault").map(({ data }) => data.suppressedBy),
    [null],
  );
  const ended = await given(...master, transformer("2025-06-17", { status: "ACTIVE" }), oil(day(0), 38 + 62)).when(
    oil(day(24 * HOUR), 38 + 62),
  );
  assert.equal(
    newest(ended, "transformer.overheating").map(({ data }) => [data.status, data.suppressedBy]),
    [["open", null]],
  );
});

test("floods, common causes and maintenance lead to one digest and the same events, whatever the batches", async () => {
  const script = [
    ...station,
    transformer("2025-06-15", { transformer_id: transformerAt(6), status: "UNDER_MAINTENANCE" }),
    ...[
      ...spikes(0, 30),
      heat(0, 1),
      heat(1, 2),
      heat(2, 3),
      heat(3, 6),
      heat(12, 1, 60),
      heat(13, 1, 60),
      reading(40, 1),
      reading(90, 1),
    ].sort(byTime),
    customer("2025-01-01"),
  ];
  const plain = await given().when(...script);
  assert.is(newest(plain, "grid.flood").length, 1);
  for (const batchOf of [1, 3]) {
    const other = await grid({ batchOf })().when(...script);
    assert.equal([other.digest, other.events], [plain.digest, plain.events]);
  }
});

function byTime(a: Arrival, b: Arrival): number {
  const time = ({ record }: Arrival): string => String((record as Readonly<Record<string, unknown>>)["timestamp"]);
  return time(a) < time(b) ? -1 : time(a) > time(b) ? 1 : 0;
}
