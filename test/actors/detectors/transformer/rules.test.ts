import * as assert from "uvu/assert";
import { civilDate, civilDayStartMs } from "../../../../actors/civil_day.ts";
import { days } from "../../../../engine/duration.ts";
import type { Arrival, Seen } from "../../../kit/given.ts";
import { given, log, oil, telemetry, transformer } from "../../../kit/grid.ts";
import { at } from "../../../kit/puppets.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("transformer rules");
const DAY = 24 * 60;

/** `<minute> <change> <severity>` of each event of a rule. */
function said(seen: Seen, rule: string): readonly string[] {
  const events = seen.events.filter(({ data }) => data.rule === `transformer.${rule}`);
  return events.map(({ type, time, data }) => `${(Date.parse(time) - at(0)) / 60_000} ${type.split(".")[2]} ${data.severity}`);
}

const load = (minute: number, percent: number, more = {}): Arrival =>
  telemetry(minute, { load_mw: percent, capacity_mw: 100, ambient_temperature_c: 30, oil_temperature_c: 60, ...more });
const gas = (minute: number, ppm: number, more = {}): Arrival => telemetry(minute, { dissolved_gas_ppm: ppm, ...more });
const every = (minutes: number, count: number, make: (minute: number, n: number) => Arrival): readonly Arrival[] =>
  Array.from({ length: count }, (_, n) => make(n * minutes, n));

// Load ----------------------------------------------------------------------------------------------------------------------------------

test("load above capacity is an overload after half an hour, and over after a quarter of an hour below 92 %", async () => {
  const up = [load(0, 101), load(15, 105), load(29, 105), load(30, 102)];
  assert.equal(said(await given().when(...up.slice(0, 3)), "overload"), []);
  assert.equal(said(await given().when(...up, load(45, 95), load(60, 91), load(74, 91), load(75, 91)), "overload"), [
    "30 raised warning",
    "75 cleared warning",
  ]);
});

test("an overload is as grave as it is far, or long", async () => {
  const of = async (percent: number, until = 30) =>
    said(await given().when(...every(10, until / 10 + 1, (minute) => load(minute, percent))), "overload").at(-1);
  assert.is(await of(119), "30 raised warning");
  assert.is(await of(121), "30 raised major");
  assert.is(await of(151), "30 raised critical");
  assert.is(await of(110, 150), "150 updated major"); // 0.21 an hour: 0.5 after 143 minutes.
  assert.is(await of(110, 140), "30 raised warning");
});

test("one sample above capacity, or a load without a rating, is no overload", async () => {
  assert.equal(said(await given().when(load(0, 160), load(40, 60)), "overload"), []);
  assert.equal(said(await given().when(load(0, 160, { capacity_mw: null }), load(40, 160, { capacity_mw: null })), "overload"), []);
});

test("a load percentage that does not follow from load and capacity is a note in passing", async () => {
  const seen = await given().when(load(0, 50, { load_percentage: 52 }), load(5, 50, { load_percentage: 52.01 }));
  assert.equal(said(seen, "load_field"), ["5 raised info"]);
  assert.equal(
    seen.rows("transformer_telemetry").map(({ rules }) => rules),
    [null, "transformer.load_field"],
  );
});

// Sensors -------------------------------------------------------------------------------------------------------------------------------

test("temperatures that cannot be are a fault of the sensor", async () => {
  for (const [what, sample] of [
    ["oil of 151 °C", oil(60, 151, { ambient_temperature_c: 60 })],
    ["oil 6 K below ambient", oil(60, 32)],
    ["a step of 31 K in an hour", oil(60, 91)],
    ["ambient of -21 °C", oil(60, 60, { ambient_temperature_c: -21 })],
    ["ambient of 61 °C", oil(60, 60, { ambient_temperature_c: 61 })],
  ] as const) {
    assert.equal(said(await given(oil(0, 60)).when(sample), "sensor_fault"), ["60 raised warning"], what);
  }
  for (const [what, sample] of [
    ["oil of 33 °C at 38 °C", oil(60, 33)],
    ["a step of 31 K in more than an hour", oil(61, 91)],
    ["a step of 30 K", oil(60, 90)],
  ] as const) {
    assert.equal(said(await given(oil(0, 60)).when(sample), "sensor_fault"), [], what);
  }
});

test("six good samples make a sensor good again", async () => {
  const seen = await given(oil(0, 60), oil(5, 200)).when(...every(5, 8, (minute) => oil(10 + minute, 60)));
  assert.equal(said(seen, "sensor_fault"), ["40 cleared warning"]); // The first one back steps by 140 K, too.
});

test("while a sensor is not believed there is no hot spot", async () => {
  const hot = (minute: number) => load(minute, 130, { oil_temperature_c: 110, ambient_temperature_c: 45 });
  const doubted = await given(load(-1, 60), load(0, 60, { oil_temperature_c: 200 })).when(...every(5, 10, (minute) => hot(minute + 5)));
  assert.equal(said(doubted, "hot_spot"), ["40 raised critical"]); // The first one steps by 90 K, six more are wanted, and two are hot.
});

// Winding -------------------------------------------------------------------------------------------------------------------------------

test("two samples with a hot spot above 120 °C are major, above 140 °C critical", async () => {
  const hot = (minute: number, oilC: number) => load(minute, 100, { oil_temperature_c: oilC, ambient_temperature_c: 45 });
  assert.equal(said(await given().when(hot(0, 95), hot(10, 95)), "hot_spot"), ["10 raised major"]); // 95 + 26 K.
  assert.equal(said(await given().when(hot(0, 93.9), hot(10, 93.9)), "hot_spot"), []);
  assert.equal(said(await given().when(hot(0, 115), hot(10, 115)), "hot_spot"), ["10 raised critical"]);
  assert.equal(said(await given().when(hot(0, 95), hot(10, 80)), "hot_spot"), []);
});

test("a day in which the paper aged more than four is told when it is over, if it was covered", async () => {
  const hot = (minute: number) => load(minute, 100, { oil_temperature_c: 90, ambient_temperature_c: 45 }); // 116 °C: 8 times.
  const whole = await given().when(...every(30, 2 * 2 * 24 + 1, hot));
  assert.equal(
    said(whole, "ageing").map((line) => line.split(" ").slice(1).join(" ")),
    ["raised warning"],
  );
  const sparse = await given().when(...every(100, 30, hot));
  assert.equal(said(sparse, "ageing"), []);
});

// Gas -----------------------------------------------------------------------------------------------------------------------------------

test("gas above 720 ppm in two samples is a warning, above 1,920 major, above 4,630 critical", async () => {
  const of = async (ppm: number) => said(await given().when(gas(0, ppm), gas(10, ppm)), "dga_level");
  assert.equal(await of(720), []);
  assert.equal(await of(721), ["10 raised warning"]);
  assert.equal(await of(1_921), ["10 raised major"]);
  assert.equal(await of(4_631), ["10 raised critical"]);
  assert.equal(said(await given().when(gas(0, 2_000), gas(10, 200), gas(20, 2_000)), "dga_level"), []);
});

test("gas is back when three samples lie a tenth below the limit", async () => {
  const seen = await given(gas(0, 800), gas(10, 800)).when(gas(20, 640), gas(30, 660), gas(40, 640), gas(50, 640), gas(60, 640));
  assert.equal(said(seen, "dga_level"), ["60 cleared warning"]);
});

test("gas that rises over days is told of, at 250 ppm, and by its rate", async () => {
  const daily = (perDay: number) => every(DAY, 14, (minute, n) => gas(minute, 200 + perDay * n + 3 * (n % 2)));
  assert.equal(said(await given().when(...daily(2)), "dga_rate"), []);
  const rising = await given().when(...daily(12));
  assert.is(said(rising, "dga_rate")[0]?.split(" ").slice(1).join(" "), "raised warning");
  assert.is(said(rising, "dga_level").length, 1);
  assert.is(
    said(await given().when(...daily(40)), "dga_rate")[0]
      ?.split(" ")
      .slice(1)
      .join(" "),
    "raised major",
  );
});

test("noise of 15 % has no rate, and a treatment of the oil begins a new line", async () => {
  const noisy = every(DAY, 60, (minute, n) => gas(minute, 200 * (1 + 0.15 * Math.sin(n * n))));
  assert.equal(said(await given().when(...noisy), "dga_rate"), []);
  const treated = every(DAY, 17, (minute, n) => gas(minute, n < 7 ? 200 + 12 * n : 100 + 12 * (n - 7)));
  assert.equal(said(await given().when(...treated.slice(0, 14)), "dga_rate"), []);
  assert.is(said(await given().when(...treated), "dga_rate").length, 1);
});

// Contacts ------------------------------------------------------------------------------------------------------------------------------

test("an alarm that is not borne out by the measurement contradicts it, either way", async () => {
  const of = async (...arrivals: readonly Arrival[]) => said(await given().when(...arrivals), "contradiction");
  assert.equal(await of(load(0, 79, { alarm_code: "OVERLOAD" })), ["0 raised info"]);
  assert.equal(await of(load(0, 81, { alarm_code: "OVERLOAD" })), []);
  assert.equal(await of(gas(0, 249, { alarm_code: "GAS_ALARM" })), ["0 raised info"]);
  assert.equal(await of(telemetry(0, { alarm_code: "BREAKER_TRIP", breaker_status: "CLOSED" })), ["0 raised info"]);
  assert.equal(await of(telemetry(0, { alarm_code: "BREAKER_TRIP", breaker_status: "OPEN" })), []);
  assert.equal(await of(...every(30, 3, (minute) => load(minute, 121))), ["60 raised warning"]);
  assert.equal(await of(...every(30, 3, (minute) => load(minute, 121, { alarm_code: "OVERLOAD" }))), []);
});

test("telemetry of a transformer that is decommissioned as of that day is a conflict", async () => {
  const master = [transformer("2025-01-01"), transformer("2025-06-17", { status: "DECOMMISSIONED" })];
  const seen = await given(...master).when(load(0, 50), load(DAY, 50), load(2 * DAY, 50));
  assert.equal(said(seen, "status_conflict"), [`${2 * DAY} raised warning`]);
});

// Maintenance ---------------------------------------------------------------------------------------------------------------------------

const done = (id: string, reported: string, more = {}): Arrival =>
  log({ log_id: id, reported_date: reported, completed_date: reported, ...more });

test("four failures within months are repeated, three within a year are not quite", async () => {
  const dates = ["2025-01-05", "2025-02-05", "2025-03-05", "2025-04-05"];
  const logs = dates.map((date, n) => done(`ML-${n}`, date));
  assert.equal(said(await given().when(...logs.slice(0, 3)), "repeated_failures").length, 0);
  assert.is(
    said(await given().when(...logs), "repeated_failures")[0]
      ?.split(" ")
      .slice(1)
      .join(" "),
    "raised major",
  );
  const inspections = dates.map((date, n) => done(`ML-${n}`, date, { maintenance_type: "INSPECTION" }));
  assert.equal(said(await given().when(...inspections), "repeated_failures"), []);
});

test("a trip of the breaker counts among the failures", async () => {
  const logs = ["2025-05-05", "2025-06-05", "2025-06-12"].map((date, n) => done(`ML-${n}`, date));
  const trip = telemetry(0, { alarm_code: "BREAKER_TRIP", breaker_status: "OPEN" });
  assert.equal(said(await given(...logs).when(trip), "repeated_failures"), ["0 raised major"]);
});

/** The feed's clock goes to a date, by a log of another transformer that was reported 62 days later: so late may logs still come. */
const clock = (date: string): Arrival => {
  const reported = civilDate(civilDayStartMs(date) + days(62));
  return log({ log_id: `ML-${date}`, transformer_id: "TRF-N-0099", reported_date: reported, completed_date: reported });
};

test("an inspection that does not come is overdue after a week, gravely after a month, until somebody comes", async () => {
  const first = done("ML-1", "2025-04-05", { next_inspection_date: "2025-05-01" });
  const seen = await given(first).when(clock("2025-05-07"), clock("2025-05-08"), clock("2025-05-31"), done("ML-2", "2025-06-02"));
  assert.equal(
    seen.events.map(({ type, data }) => `${type.split(".")[2]} ${data.rule} ${data.severity}`),
    ["raised transformer.overdue warning", "updated transformer.overdue major", "cleared transformer.overdue major"],
  );
});

test("a follow-up that was wanted is due after a month; a critical order that stays open for a day is critical", async () => {
  const wanted = done("ML-1", "2025-04-05", { follow_up_required: true });
  assert.is((await given(wanted).when(clock("2025-05-11"))).events.length, 0);
  assert.is((await given(wanted).when(clock("2025-05-12"))).events.length, 1);
  const open = log({ log_id: "ML-1", reported_date: "2025-04-05", severity: "CRITICAL" });
  assert.is((await given(open).when(clock("2025-04-05"))).events.length, 0);
  assert.equal(
    (await given(open).when(clock("2025-04-06"))).events.map(({ data }) => data.severity),
    ["critical"],
  );
});
