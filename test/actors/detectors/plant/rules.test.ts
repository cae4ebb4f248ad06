import * as assert from "uvu/assert";
import type { Arrival, Seen } from "../../../kit/given.ts";
import { GUIDE_SAMPLES, given, production } from "../../../kit/grid.ts";
import { at } from "../../../kit/puppets.ts";
import { samples } from "../../../kit/samples.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("plant rules");
const HOUR = 60;
const DAY = 24 * HOUR;
const WIND = { plant_id: "REN-WIND-001" };
const HYDRO = { plant_id: "REN-HYDRO-001" };

/** `<minute> <change> <severity>` of each event of a rule. */
function said(seen: Seen, rule: string): readonly string[] {
  const events = seen.events.filter(({ data }) => data.rule === `plant.${rule}`);
  return events.map(({ type, time, data }) => `${(Date.parse(time) - at(0)) / 60_000} ${type.split(".")[2]} ${data.severity}`);
}

const every = (minutes: number, count: number, make: (minute: number, n: number) => Arrival): readonly Arrival[] =>
  Array.from({ length: count }, (_, n) => make(n * minutes, n));

/** Power in 800 W/m2: a performance of 0.8 is 16 MW of 25. */
const sunny = (minute: number, performance: number, more = {}): Arrival =>
  production(minute, 25 * 0.8 * performance, { irradiance_w_m2: 800, ...more });

// Against what the plant usually does --------------------------------------------------------------------------------------------------

test("a solar plant that makes less than 85 % of its own median for four hours is told of, until it is back", async () => {
  const known = every(HOUR, 24, (minute) => sunny(minute, 0.8));
  const low = every(HOUR, 6, (minute) => sunny(24 * HOUR + minute, 0.6));
  const back = every(HOUR, 4, (minute) => sunny(30 * HOUR + minute, 0.8));
  const seen = await given(...known).when(...low, ...back);
  assert.equal(said(seen, "solar_ratio"), [`${28 * HOUR} raised warning`, `${32 * HOUR} cleared warning`]);
  assert.is(seen.events[0]?.data.observation.lower, 0.85);
  const shallow = every(HOUR, 6, (minute) => sunny(24 * HOUR + minute, 0.7));
  assert.equal(said(await given(...known).when(...shallow), "solar_ratio"), []);
  const deep = every(HOUR, 6, (minute) => sunny(24 * HOUR + minute, 0.5));
  assert.equal(said(await given(...known).when(...deep), "solar_ratio"), [`${28 * HOUR} raised major`]);
});

test("in little light, on order, or before it is known what is usual, a solar plant is not judged", async () => {
  const known = every(HOUR, 24, (minute) => sunny(minute, 0.8));
  const dim = every(HOUR, 6, (minute) => sunny(24 * HOUR + minute, 0.1, { irradiance_w_m2: 200 }));
  const curtailed = every(HOUR, 6, (minute) => sunny(24 * HOUR + minute, 0.4, { curtailment_mw: 8 }));
  for (const low of [dim, curtailed]) assert.equal(said(await given(...known).when(...low), "solar_ratio"), []);
  const cold = every(HOUR, 6, (minute) => sunny(23 * HOUR + minute, 0.4));
  assert.equal(said(await given(...known.slice(0, 17)).when(...cold), "solar_ratio"), []);
});

test("a wind plant is judged by its own curve, bin by bin", async () => {
  const windy = (minute: number, mps: number, mw: number, more = {}): Arrival =>
    production(minute, mw, { ...WIND, wind_speed_mps: mps, ...more });
  const known = every(HOUR, 20, (minute, n) => windy(minute, n % 2 === 0 ? 8.1 : 10.1, n % 2 === 0 ? 8 : 16));
  const of = async (...low: readonly Arrival[]) => said(await given(...known).when(...low), "wind_curve");
  const begin = 20 * HOUR;
  assert.equal(await of(windy(begin, 10.2, 7), windy(begin + 30, 10.2, 7), windy(begin + 60, 10.2, 7)), [`${begin + 60} raised warning`]);
  assert.equal(await of(windy(begin, 8.2, 7), windy(begin + 60, 8.2, 7)), []);
  assert.equal(await of(windy(begin, 10.2, 7, { curtailment_mw: 9 }), windy(begin + 60, 10.2, 7, { curtailment_mw: 9 })), []);
  assert.equal(await of(windy(begin, 26, 0), windy(begin + 60, 26, 0)), []);
  assert.equal(await of(windy(begin, 12.2, 1), windy(begin + 60, 12.2, 1)), []); // A bin that nothing is known of.
  const long = every(HOUR, 26, (minute) => windy(begin + minute, 10.2, 7));
  assert.equal((await of(...long)).at(-1), `${begin + DAY} updated major`);
});

test("a hydro plant that makes a tenth less of its water is found within a week or two", async () => {
  const flow = (minute: number, mw: number): Arrival => production(minute, mw, { ...HYDRO, water_flow_m3s: 40 });
  const days = (from: number, count: number, mw: number) => every(6 * HOUR, 4 * count, (minute) => flow(from * DAY + minute, mw));
  assert.equal(said(await given().when(...days(0, 40, 20), ...days(40, 20, 19)), "hydro_specific"), []);
  assert.is(said(await given().when(...days(0, 40, 20), ...days(40, 14, 15)), "hydro_specific").length, 1);
  assert.equal(said(await given().when(...days(0, 10, 20), ...days(10, 10, 10)), "hydro_specific"), []);
});

test("a change three times as steep as the steepest that is known is a ramp, once 500 are known", async () => {
  const draw = samples(1);
  const calm = every(HOUR, 501, (minute) => production(minute, 10 + draw.between(-1, 1)));
  assert.equal(said(await given(...calm).when(production(501 * HOUR, 24)), "ramp"), [`${501 * HOUR} raised info`]);
  assert.equal(said(await given(...calm).when(production(501 * HOUR, 14)), "ramp"), []);
  assert.equal(said(await given(...calm.slice(0, 400)).when(production(400 * HOUR, 24)), "ramp"), []);
});

// Against itself -----------------------------------------------------------------------------------------------------------------------

test("a day in which more than 5 % was curtailed is told when it is over, above 20 % as major; an absent field is not 0", async () => {
  const of = async (curtailment: number | null) => {
    const day = every(HOUR, 24, (minute) => production(minute, 9, curtailment === null ? {} : { curtailment_mw: curtailment }));
    return said(await given().when(...day), "curtailment").map((line) => line.split(" ").slice(1).join(" "));
  };
  assert.equal(await of(0.4), []);
  assert.equal(await of(1), ["raised info"]);
  assert.equal(await of(3), ["raised major"]);
  assert.equal(await of(null), []);
});

test("what is produced must be used, injected, curtailed or stored", async () => {
  const parts = (minute: number, injection: number, battery: number, more = {}): Arrival =>
    production(minute, 10, {
      auxiliary_consumption_mw: 0.4,
      grid_injection_mw: injection,
      curtailment_mw: 0,
      battery_storage_mwh: battery,
      ...more,
    });
  const of = async (next: Arrival) => said(await given(parts(0, 9.6, 5)).when(next), "balance");
  assert.equal(await of(parts(HOUR, 9.6, 5)), []);
  assert.equal(await of(parts(HOUR, 9.4, 5)), [`${HOUR} raised info`]);
  assert.equal(await of(parts(HOUR, 9, 5)), [`${HOUR} raised warning`]);
  assert.equal(await of(parts(HOUR, 8.6, 6)), []); // A megawatt went into the storage.
  assert.equal(await of(parts(HOUR, 9.1, 5, { curtailment_mw: 0.5 })), []); // Production before what was curtailed …
  assert.equal(await of(parts(HOUR, 9.6, 5, { curtailment_mw: 0.5 })), []); // … or after.
  assert.equal(await of(production(HOUR, 10, { grid_injection_mw: 5, auxiliary_consumption_mw: 0.4 })), []);
});

test("no sun, no power; nothing makes more than its rating; a sensor belongs to its kind of plant", async () => {
  const of = async (arrival: Arrival) => {
    const seen = await given().when(arrival);
    return [
      said(seen, "impossible")
        .map((line) => line.split(" ").at(-1))
        .join(),
      seen.rows("renewable_production")[0]?.rules ?? null,
    ];
  };
  assert.equal(await of(production(0, 0.3, { irradiance_w_m2: 0 })), ["major", "plant.impossible"]);
  assert.equal(await of(production(0, 0.2, { irradiance_w_m2: 0 })), ["", null]);
  assert.equal(await of(production(0, 0.3, { irradiance_w_m2: 4 })), ["", null]); // 17:30 grid time.
  assert.equal(await of(production(6 * HOUR, 0.3, { irradiance_w_m2: 4 })), ["major", "plant.impossible"]);
  assert.equal(await of(production(0, 26.3, { irradiance_w_m2: 900 })), ["major", "plant.impossible"]);
  assert.equal(await of(production(0, 26.2, { irradiance_w_m2: 900 })), ["", null]);
  assert.equal(await of(production(0, 5, { irradiance_w_m2: 900, wind_speed_mps: 4 })), ["info", "plant.impossible"]);
});

test("an inverter that is off while power flows, or on while none does in the sun, contradicts it after an hour", async () => {
  const of = async (mw: number, more: Record<string, unknown>) =>
    said(await given().when(...every(30, 3, (minute) => production(minute, mw, more))), "inverter_conflict");
  assert.equal(await of(5, { inverter_status: "FAULT", irradiance_w_m2: 600 }), ["60 raised warning"]);
  assert.equal(await of(0, { inverter_status: "ONLINE", irradiance_w_m2: 600 }), ["60 raised warning"]);
  assert.equal(await of(0, { inverter_status: "ONLINE", irradiance_w_m2: 100 }), []);
  assert.equal(await of(0, { inverter_status: "OFFLINE", irradiance_w_m2: 600 }), []);
  assert.equal(await of(5, { ...WIND, inverter_status: "FAULT" }), []);
});

// Silence ------------------------------------------------------------------------------------------------------------------------------

/** The feed's clock goes to a minute, by records of another plant, so many minutes apart; the feed waits two hours for late ones. */
const clock = (from: number, to: number, step: number): readonly Arrival[] =>
  every(step, Math.floor((to + 120 - from) / step) + 1, (minute) => production(from + minute, 5, { plant_id: "REN-SOLAR-099" }));

test("a plant that stops reporting is silent, gravely so after a day, until it is back", async () => {
  const known = every(HOUR, 80, (minute) => production(minute, 5));
  const last = 79 * HOUR;
  const seen = await given(...known).when(...clock(last, last + 30 * HOUR, 20), production(last + 32 * HOUR, 5));
  assert.equal(
    said(seen, "silent").map((line) => line.split(" ").slice(1).join(" ")),
    ["raised warning", "updated major", "cleared major"],
  );
  const raisedAfter = Number(said(seen, "silent")[0]?.split(" ")[0]) - last;
  assert.ok(raisedAfter >= 3 * HOUR && raisedAfter <= 6 * HOUR, String(raisedAfter));
});

test("a feed that was quiet as a whole makes no plant silent", async () => {
  const known = every(HOUR, 80, (minute) => production(minute, 5));
  assert.equal(said(await given(...known).when(...clock(100 * HOUR, 100 * HOUR + 20, 20)), "silent"), []);
});

test("before seven gaps are known nobody is silent", async () => {
  const known = every(HOUR, 7, (minute) => production(minute, 5));
  assert.equal(said(await given(...known).when(...clock(7 * HOUR, 90 * HOUR, 20)), "silent"), []);
});

test("the guide's own samples raise nothing of warning or above", async () => {
  const { events } = await given().when(...GUIDE_SAMPLES);
  assert.equal(
    events.filter(({ data }) => data.severity !== "info").map(({ data }) => data.rule),
    [],
  );
});
