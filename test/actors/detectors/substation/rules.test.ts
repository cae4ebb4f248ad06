import * as assert from "uvu/assert";
import type { Arrival, Seen } from "../../../kit/given.ts";
import { given, telemetry } from "../../../kit/grid.ts";
import { at } from "../../../kit/puppets.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("substation rules");
const HOUR = 60;
const DAY = 24 * HOUR;

/** `<minute> <change> <severity>` of each event of a rule. */
function said(seen: Seen, rule: string): readonly string[] {
  const events = seen.events.filter(({ data }) => data.rule === `substation.${rule}`);
  return events.map(({ type, time, data }) => `${(Date.parse(time) - at(0)) / 60_000} ${type.split(".")[2]} ${data.severity}`);
}

/** Telemetry of the `nth` transformer, of 100 MW. */
const bay = (minute: number, nth: number, more = {}): Arrival =>
  telemetry(minute, { transformer_id: `TRF-N-003${nth}`, capacity_mw: 100, load_mw: 50, breaker_status: "CLOSED", ...more });
const every = (minutes: number, count: number, make: (minute: number, n: number) => Arrival): readonly Arrival[] =>
  Array.from({ length: count }, (_, n) => make(n * minutes, n));

test("load on an open breaker is critical at the second sample, for each transformer by itself", async () => {
  const open = { breaker_status: "OPEN", load_mw: 2 };
  const seen = await given().when(
    bay(0, 1, open),
    bay(1, 2),
    bay(5, 1, open),
    ...every(5, 3, (minute) => bay(10 + minute, 2)),
    ...every(5, 3, (minute) => bay(30 + minute, 1)),
  );
  assert.equal(said(seen, "breaker_open_load"), ["5 raised critical", "40 cleared critical"]); // The other's good samples are its own.
  assert.equal(said(await given().when(bay(0, 1, open), bay(5, 1), bay(10, 1, open)), "breaker_open_load"), []);
  const light = { breaker_status: "OPEN", load_mw: 1 };
  assert.equal(said(await given().when(bay(0, 1, light), bay(5, 1, light)), "breaker_open_load"), []);
});

test("no load where there always is some, under voltage and a closed breaker, is a dead feeder after a quarter of an hour", async () => {
  const live = { voltage_kv: 33 };
  const known = every(15, 100, (minute, n) => bay(minute, 1, { ...live, load_mw: 20 + (n % 7) }));
  const dead = (more = {}) => every(15, 3, (minute) => bay(1_500 + minute, 1, { ...live, load_mw: 0, ...more }));
  assert.equal(said(await given(...known).when(...dead()), "dead_feeder"), ["1515 raised warning"]);
  assert.equal(said(await given(...known).when(...dead({ voltage_kv: 0 })), "dead_feeder"), []);
  assert.equal(said(await given(...known).when(...dead({ breaker_status: "OPEN" })), "dead_feeder"), []);
  assert.equal(said(await given(...known.slice(0, 90)).when(...dead()), "dead_feeder"), []);
});

test("three trips in a day are too many, and over when a day has passed without", async () => {
  const trip = (minute: number, nth: number) => bay(minute, nth, { breaker_status: "OPEN", load_mw: 0 });
  const story = [bay(0, 1), trip(10, 1), bay(20, 1), trip(30, 1), bay(40, 2), trip(50, 2), bay(DAY, 1), bay(DAY + 51, 1)];
  assert.equal(said(await given().when(...story), "trips"), ["50 raised major", `${DAY + 51} cleared major`]);
  assert.equal(said(await given().when(bay(0, 1), ...every(10, 5, (minute) => trip(10 + minute, 1))), "trips"), []); // Open is not opening.
  const alarms = every(10, 3, (minute) => bay(minute, 1, { alarm_code: "BREAKER_TRIP" }));
  assert.equal(said(await given().when(...alarms), "trips"), ["20 raised major"]);
});

test("a busbar is judged by the range of the level that its first samples tell, once it has held for ten minutes", async () => {
  const volts = (minute: number, kv: number) => bay(minute, 1, { voltage_kv: kv });
  const of = async (level: number, kv: number) => {
    const known = every(5, 8, (minute) => volts(minute, level));
    return said(await given(...known).when(volts(60, kv), volts(70, kv)), "bus_voltage");
  };
  assert.equal(await of(33.2, 34.9), []); // +6 % is 34.98.
  assert.equal(await of(33.2, 35), ["70 raised warning"]);
  assert.equal(await of(33.2, 30), ["70 raised warning"]); // -9 % is 30.03.
  assert.equal(await of(33.2, 37), ["70 raised major"]);
  assert.equal(await of(66, 72), []);
  assert.equal(await of(66, 72.1), ["70 raised warning"]);
  assert.equal(await of(219, 246), ["70 raised warning"]);
  const cold = every(5, 7, (minute) => volts(minute, 33));
  assert.equal(said(await given(...cold).when(volts(60, 45), volts(70, 45)), "bus_voltage"), []);
});

test("numbers of a device that are missing are told of when its day is over", async () => {
  const numbered = (lost: (n: number) => boolean, reset = Number.POSITIVE_INFINITY): readonly Arrival[] => {
    const all = every(10, 200, (minute, n) =>
      bay(minute, 1, { iot_device_id: "IOT-1", sequence_number: n < reset ? 5_000 + n : n - reset }),
    );
    return all.filter((_, n) => !lost(n));
  };
  const of = async (arrivals: readonly Arrival[]) =>
    said(await given().when(...arrivals), "telemetry_loss").map((line) => line.split(" ")[2]);
  assert.equal(await of(numbered(() => false)), []);
  assert.equal(await of(numbered((n) => n === 50)), []); // One of 144 in a day.
  assert.equal(await of(numbered((n) => n >= 60 && n < 64)), ["info"]);
  assert.equal(await of(numbered((n) => n >= 60 && n < 80)), ["warning"]);
  assert.equal(await of(numbered(() => false, 70)), []); // A restart loses nothing.
});

test("a way to the hub of more than a minute, for more than one in a hundred, is told of when the day is over", async () => {
  const late = (minute: number, s: number) => bay(minute, 1, { iot_hub_enqueued_time: new Date(at(minute) + 1_000 * s).toISOString() });
  const of = async (slow: number, s: number) =>
    said(await given().when(...every(3, 500, (minute, n) => late(minute, n % 50 < slow ? s : 1))), "latency").map(
      (line) => line.split(" ")[2],
    );
  assert.equal(await of(0, 0), []);
  assert.equal(await of(1, 90), ["warning"]);
  assert.equal(await of(1, 40), []);
  assert.equal(await of(1, -90), []); // A clock that is wrong is no delay.
});

test("damp air around a cold transformer for six hours lets water condense", async () => {
  const damp = (hours: number, humidity: number, oilC: number) =>
    every(HOUR, hours + 1, (minute) => bay(minute, 1, { humidity_percent: humidity, oil_temperature_c: oilC, ambient_temperature_c: 20 }));
  assert.equal(said(await given().when(...damp(6, 90, 21)), "condensation"), [`${6 * HOUR} raised info`]);
  assert.equal(said(await given().when(...damp(5, 90, 21)), "condensation"), []);
  assert.equal(said(await given().when(...damp(6, 84, 21)), "condensation"), []);
  assert.equal(said(await given().when(...damp(6, 90, 24)), "condensation"), []);
});

test("three transformers of which two could not carry the load have no reserve", async () => {
  const all = (minute: number, mw: number, more = {}) => [1, 2, 3].map((nth) => bay(minute + nth, nth, { load_mw: mw, ...more }));
  assert.equal(said(await given().when(...all(0, 70), ...all(20, 70), ...all(40, 70)), "n_minus_1"), ["41 raised major"]);
  assert.equal(said(await given().when(...all(0, 66), ...all(20, 66), ...all(40, 66)), "n_minus_1"), []);
  assert.equal(said(await given().when(...all(0, 70), bay(60, 1, { load_mw: 70 })), "n_minus_1"), []); // The others may have changed since.
  const two = [bay(0, 1, { load_mw: 90 }), bay(1, 2, { load_mw: 90 }), bay(20, 1, { load_mw: 90 }), bay(40, 2, { load_mw: 90 })];
  assert.equal(said(await given().when(...two), "n_minus_1"), []);
});
