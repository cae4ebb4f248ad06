import * as assert from "uvu/assert";
import { ActorId } from "../../../../engine/ids.ts";
import { type Arrival, CRASH, type Seen } from "../../../kit/given.ts";
import { customer, given, reading } from "../../../kit/grid.ts";
import { at } from "../../../kit/puppets.ts";
import { samples } from "../../../kit/samples.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("meter rules");
const HOUR = 60;
const DAY = 24 * HOUR;
const METER = ActorId("meter", "SM-N-00042");

/** `<minute> <change> <severity>` of each event of a rule. */
function said(seen: Seen, rule: string): readonly string[] {
  const events = seen.events.filter(({ data }) => data.rule === `meter.${rule}`);
  return events.map(({ type, time, data }) => `${(Date.parse(time) - at(0)) / 60_000} ${type.split(".")[2]} ${data.severity}`);
}

const every = (minutes: number, count: number, make: (minute: number, n: number) => Arrival): readonly Arrival[] =>
  Array.from({ length: count }, (_, n) => make(n * minutes, n));

/** A reading of an interval of 30 minutes whose electrical values agree with it. */
const sound = (minute: number, kwh: number, more = {}): Arrival => {
  const voltage = 230 + Math.sin(minute);
  return reading(minute, kwh, { voltage_v: voltage, current_a: (kwh * 2_000) / (voltage * 0.95), power_factor: 0.95, ...more });
};
const draw = samples(7);
const usual = (count: number, from = 0): readonly Arrival[] => every(30, count, (minute) => sound(from + minute, draw.between(0.3, 0.9)));

// Theft ---------------------------------------------------------------------------------------------------------------------------------

test("readings of almost nothing that come again and again at a meter that counts are told of, until they stay away for a day", async () => {
  const known = usual(60);
  const begin = 60 * 30;
  const near = (kwh: number) => every(30, 5, (minute) => sound(begin + minute, kwh, { current_a: 0 }));
  const back = usual(60, begin + 5 * 30);
  const seen = await given(...known).when(...near(0.01), ...back);
  assert.equal(
    said(seen, "near_zero_repeated").map((line) => line.split(" ").slice(1).join(" ")),
    ["raised warning", "cleared warning"],
  );
  assert.equal(said(await given(...known).when(...near(0)), "near_zero_repeated"), []); // Exactly nothing is an interruption.
  assert.equal(said(await given(...known.slice(0, 40)).when(...near(0.01)), "near_zero_repeated"), []);
  const withCurrent = every(30, 5, (minute) => sound(begin + minute, 0.01, { current_a: 4 }));
  assert.is(said(await given(...known).when(...withCurrent), "near_zero_repeated")[0]?.split(" ")[2], "major");
});

test("at a meter that often counts next to nothing, nothing is told of", async () => {
  const holiday = every(30, 200, (minute, n) => sound(minute, n % 2 === 0 ? 0.02 : 0.9));
  assert.equal(said(await given().when(...holiday), "near_zero_repeated"), []);
});

test("energy of a meter that is disconnected is critical and stays so; a spike is doubtful itself", async () => {
  const off = (minute: number, kwh: number) => reading(minute, kwh, { meter_status: "DISCONNECTED" });
  assert.equal(said(await given().when(off(0, 0.05)), "energy_while_disconnected"), []);
  assert.equal(said(await given().when(off(0, 0.06), reading(500, 1)), "energy_while_disconnected"), ["0 raised critical"]);
  assert.equal(said(await given().when(off(0, 50)), "energy_while_disconnected"), []);
});

test("energy that no longer follows from voltage and current is a shift, until ten readings do again", async () => {
  const known = usual(40);
  const begin = 40 * 30;
  const bypassed = every(30, 6, (minute) => sound(begin + minute, 0.6, { current_a: 10 }));
  const back = usual(12, begin + 6 * 30);
  const seen = await given(...known).when(...bypassed, CRASH, ...back);
  assert.equal(said(seen, "physics_shift"), [`${begin + 4 * 30} raised warning`, `${begin + 15 * 30} cleared warning`]);
  assert.equal(said(await given(...known).when(...bypassed.slice(0, 4), ...back), "physics_shift"), []);
  assert.equal(said(await given(...known.slice(0, 20)).when(...bypassed), "physics_shift"), []);
});

test("a bypass that lasts is not learnt as usual", async () => {
  const bypassed = every(30, 400, (minute) => sound(40 * 30 + minute, 0.6, { current_a: 10 }));
  assert.equal(said(await given(...usual(40)).when(...bypassed), "physics_shift").length, 1);
});

test("a meter whose values never agree, but always in the same way, has no shift", async () => {
  const odd = every(30, 100, (minute) => sound(minute, draw.between(0.3, 0.9), { power_factor: 0.35 }));
  assert.equal(said(await given().when(...odd), "physics_shift"), []);
});

test("a meter whose values agree by chance only has no shift", async () => {
  const chance = every(30, 400, (minute) => sound(minute, draw.between(0.3, 0.9), { current_a: draw.between(1, 20) }));
  assert.equal(said(await given().when(...chance), "physics_shift"), []);
});

test("energy that flows back three times in a row is told of, as information where a plant is on the roof", async () => {
  const back = every(30, 3, (minute) => sound(minute, -0.4, { power_factor: -0.9 }));
  assert.equal(said(await given().when(...back), "reverse_flow"), ["60 raised major"]);
  const roof = customer("2025-01-01", { connection_type: "SOLAR_ROOFTOP" });
  assert.equal(said(await given(roof).when(...back), "reverse_flow"), ["60 raised info"]);
  assert.equal(said(await given().when(back[0] as Arrival, sound(45, 1), ...back.slice(1)), "reverse_flow"), []);
});

// Voltage and power factor ------------------------------------------------------------------------------------------------------------------

test("voltage beyond a tenth for ten minutes is a warning, beyond 15 % major, and over within 8 % for half an hour", async () => {
  const of = async (...volts: readonly number[]) =>
    said(await given().when(...volts.map((voltage, n) => reading(15 * n, 1, { voltage_v: voltage }))), "voltage");
  assert.equal(await of(254, 254), ["15 raised warning"]);
  assert.equal(await of(206, 206), ["15 raised warning"]);
  assert.equal(await of(253, 253), []);
  assert.equal(await of(265, 265), ["15 raised major"]);
  assert.equal(await of(254, 240, 254), []);
  assert.equal(await of(254, 254, 250, 248, 248, 248), ["15 raised warning", "75 cleared warning"]);
});

test("no voltage at all is no supply, and no low voltage", async () => {
  const seen = await given().when(...[230, 0, 0, 230].map((voltage, n) => reading(15 * n, 1, { voltage_v: voltage })));
  assert.equal(said(seen, "no_supply"), ["15 raised info", "45 cleared info"]);
  assert.equal(said(seen, "voltage"), []);
});

test("a power factor that is low for three days is told of; one that no load has, at once", async () => {
  const of = async (factor: number, days: number) =>
    said(await given().when(...every(30, 48 * days, (minute) => reading(minute, 1, { power_factor: factor }))), "low_power_factor");
  assert.equal((await of(0.79, 5)).length, 1);
  assert.equal(await of(0.81, 5), []);
  assert.equal(await of(0.79, 3), []);
  const seen = await given().when(reading(0, 1, { power_factor: 0 }));
  assert.equal(said(seen, "bad_power_factor"), ["0 raised info"]);
  assert.is(seen.rows("meter_readings")[0]?.rules, "meter.bad_power_factor");
});

// Data -------------------------------------------------------------------------------------------------------------------------------

test("a reading with three decimals six times running, while the voltage moves, is stuck; so are electrical values twelve times", async () => {
  const readings = (kwh: number, count: number, volts: (n: number) => number) =>
    every(30, count, (minute, n) => reading(minute, kwh, { voltage_v: volts(n), current_a: 3, power_factor: 0.9 }));
  const moving = (n: number) => 230 + n / 10;
  assert.equal(said(await given().when(...readings(0.123, 6, moving)), "stuck"), ["150 raised warning"]);
  assert.equal(said(await given().when(...readings(0.12, 9, moving)), "stuck"), []); // Its resolution is coarse.
  assert.equal(said(await given().when(...readings(0.123, 9, () => 230)), "stuck"), []); // Nothing moves: it may be held on purpose.
  const electrics = every(30, 13, (minute, n) => reading(minute, 1 + n / 1_000, { voltage_v: 231.4, current_a: 3, power_factor: 0.9 }));
  assert.equal(said(await given().when(...electrics), "stuck"), ["330 raised warning"]);
  assert.equal(said(await given(...readings(0.123, 6, moving)).when(reading(180, 0.4, { voltage_v: 230 })), "stuck"), [
    "180 cleared warning",
  ]);
});

test("the fifth reading in a row that names another customer than the master is a question of identity", async () => {
  const named = (n: number, id: string) => reading(30 * n, 1, { customer_id: id });
  const wrong = Array.from({ length: 5 }, (_, n) => named(n, "CUST-000999"));
  assert.equal(said(await given(customer("2025-01-01")).when(...wrong), "identity"), ["120 raised major"]);
  assert.equal(said(await given().when(...wrong), "identity"), []);
  assert.equal(
    said(await given(customer("2025-01-01")).when(...wrong.slice(0, 4), named(4, "CUST-000123"), named(5, "CUST-000999")), "identity"),
    [],
  );
});

// Days --------------------------------------------------------------------------------------------------------------------------------

/** Days of half-hourly readings, each around a level. */
const days = (from: number, count: number, level: number, more = {}): readonly Arrival[] =>
  every(30, 48 * count, (minute) => sound(from * DAY + minute, level * draw.between(0.8, 1.2), more));

test("two days of which many hours are unlike those before are told of when they are over", async () => {
  const known = days(0, 12, 0.5);
  const seen = await given(...known).when(...days(12, 2, 4), ...days(14, 1, 0.5));
  assert.is(said(seen, "off_profile")[0]?.split(" ").slice(1).join(" "), "raised info");
  assert.equal(said(await given(...known).when(...days(12, 3, 0.5)), "off_profile"), []);
  assert.equal(said(await given(...days(0, 5, 0.5)).when(...days(5, 3, 4)), "off_profile"), []);
});

test("more demand in an hour than is sanctioned is told of when the day is over", async () => {
  const of = async (kw: number) =>
    said(await given(customer("2025-01-01", { sanctioned_load_kw: kw })).when(...days(0, 2, 2)), "sanctioned_load");
  assert.equal(await of(5), []); // About 4.8 kW at most.
  assert.is((await of(3.5))[0]?.split(" ").slice(1).join(" "), "raised info");
  assert.is((await of(2))[0]?.split(" ").slice(1).join(" "), "raised warning");
});

/** The feed's clock goes on by readings of another meter. */
const clock = (from: number, to: number): readonly Arrival[] =>
  every(20, Math.floor((to - from) / 20) + 1, (minute) => reading(from + minute, 1, { meter_id: "SM-N-00099" }));

test("a meter that stops reporting for six hours or more is found silent within a day, gravely after one, until it is back", async () => {
  const known = usual(200);
  const last = 199 * 30;
  const seen = await given(...known).when(...clock(last, last + 30 * HOUR), CRASH, sound(last + 31 * HOUR, 1));
  assert.equal(
    said(seen, "silent").map((line) => line.split(" ").slice(1).join(" ")),
    ["raised warning", "updated major", "cleared major"],
  );
  const after = Number(said(seen, "silent")[0]?.split(" ")[0]) - last;
  assert.ok(after >= 6 * HOUR && after <= 24 * HOUR, String(after)); // It is looked at once a day.
});

test("a meter that was switched off is not silent", async () => {
  const off = sound(200 * 30, 0, { meter_status: "DISCONNECTED" });
  assert.equal(said(await given(...usual(200), off).when(...clock(200 * 30, 200 * 30 + 30 * HOUR)), "silent"), []);
});

test("what a meter keeps of its days survives a crash to the bit, and takes its place beside the packed part", async () => {
  const story = days(0, 9, 0.5);
  const seen = await given().when(...story.slice(0, 300), CRASH, ...story.slice(300));
  const calm = await given().when(...story);
  assert.is(seen.digest, calm.digest);
  assert.is(seen.actor(METER).latest?.["power_factor"], 0.95); // Kept in 4 bytes, shown as it came.
});
