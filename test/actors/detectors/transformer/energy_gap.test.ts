import * as assert from "uvu/assert";
import { ActorId } from "../../../../engine/ids.ts";
import { householdDays, streetDays } from "../../../../simulators/household.ts";
import { streams } from "../../../../simulators/random.ts";
import { type Arrival, CRASH, type Script, type Seen } from "../../../kit/given.ts";
import { customer, given, reading, telemetry, transformer } from "../../../kit/grid.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("energy gap");
const DAYS = 46;
const FROM = 28;
const METERS = 8;
const THIEF = 3;
/** Minutes from the puppets' start (12:00 UTC) to the next midnight of the grid. */
const MIDNIGHT = 390;

const meterId = (meter: number): string => `SM-N-${String(meter + 1).padStart(5, "0")}`;
const customerId = (meter: number): string => `CUST-${String(meter + 1).padStart(6, "0")}`;

const days = streetDays(streams(5, "gap")(0), DAYS);
const homes = Array.from({ length: METERS }, (_, meter) => householdDays(streams(5, "gap")(1 + meter), days));
const usedKwh = (meter: number, day: number, hour: number): number =>
  (homes[meter]?.[day]?.[2 * hour] ?? 0) + (homes[meter]?.[day]?.[2 * hour + 1] ?? 0);

const masters: readonly Arrival[] = [
  transformer("2025-01-01"),
  ...Array.from({ length: METERS }, (_, meter) =>
    customer("2025-01-01", { customer_id: customerId(meter), meter_id: meterId(meter), sanctioned_load_kw: 10 }),
  ),
];

/** Hourly readings; `share` is what the meter reports of what is used. */
function readings(share: (meter: number, day: number) => number, ofDay: (day: number) => boolean = () => true): readonly Arrival[] {
  return Array.from({ length: DAYS * 24 }, (_, hour) => hour).flatMap((hour) => {
    const day = Math.floor(hour / 24);
    if (!ofDay(day)) return [];
    return homes.map((__, meter) =>
      reading(MIDNIGHT + 60 * (hour + 1), Math.round(1_000 * share(meter, day) * usedKwh(meter, day, hour % 24)) / 1_000, {
        meter_id: meterId(meter),
      }),
    );
  });
}

/** Telemetry every 15 minutes, with 2 % of losses. */
function load(factor = 1.02, ofDay: (day: number) => boolean = () => true): readonly Arrival[] {
  return Array.from({ length: DAYS * 96 + 1 }, (_, quarter) => quarter).flatMap((quarter) => {
    const [day, hour] = [Math.floor(quarter / 96), Math.floor(quarter / 4) % 24];
    if (!ofDay(day)) return [];
    const kwh = homes.reduce((sum, _home, meter) => sum + usedKwh(meter, day, hour), 0);
    // Constant within the hour but for its last minute, so that straight lines between samples lose nothing.
    const at = MIDNIGHT + 15 * quarter;
    const kept = quarter % 4 === 0 && quarter > 0 ? [at + 0.02] : [at];
    const before = quarter % 4 === 3 ? [at + 14.98] : [];
    return [...kept, ...before].map((minute) => telemetry(minute, { load_mw: (factor * kwh) / 1_000, capacity_mw: 0.1 }));
  });
}

function gap(seen: Seen): readonly string[] {
  const events = seen.events.filter(({ data }) => data.rule === "transformer.energy_gap");
  return events.map(({ type, data }) => `${type.split(".")[2]} ${data.severity}`);
}

const THEFT = (meter: number, day: number): number => (meter === THIEF && day >= FROM ? 0.1 : 1);
const tenDays = (seen: Seen): number => {
  const raised = seen.events.find(({ data }) => data.rule === "transformer.energy_gap");
  return raised === undefined ? Number.NaN : (Date.parse(raised.time) - Date.parse("2025-06-15T18:30:00Z")) / 86_400_000 - FROM;
};

test("a meter that reports a tenth is missed within ten days, whichever file is read first, and its customer's risk is the highest", async () => {
  const orders: Readonly<Record<string, Script>> = {
    "load first": [...masters, ...load(), CRASH, ...readings(THEFT)],
    "meters first": [...masters, ...readings(THEFT), CRASH, ...load()],
  };
  for (const [order, script] of Object.entries(orders)) {
    const seen = await given().when(...script);
    assert.equal(gap(seen), ["raised major"], order);
    assert.ok(tenDays(seen) <= 10, `${order}: after ${tenDays(seen)} days`);
    const risks = homes.map((_, meter) => Number(seen.actor(ActorId("customer", customerId(meter))).attributes["theft_risk"] ?? 0));
    assert.is(risks.indexOf(Math.max(...risks)), THIEF, `${order}: ${risks.join(" ")}`);
    assert.ok((risks[THIEF] ?? 0) > 0.35, `${order}: ${risks.join(" ")}`); // More than its low use alone would say.
  }
});

test("late readings that bring what was missing take the alert back: amended, with the reading that did it as its cause", async () => {
  const all = readings(THEFT);
  const raised = await given().when(...masters, ...load(), ...all);
  const raisedAt = raised.events.find(({ data }) => data.rule === "transformer.energy_gap")?.time ?? "";
  const at = (arrival: Arrival): string => String((arrival.record as Readonly<Record<string, unknown>>)["timestamp"]);
  const until = new Date(Date.parse(raisedAt) + 8 * 3_600_000).toISOString(); // Its meters have had their time.
  const first = all.filter((arrival) => at(arrival) <= until);
  const lastDay = Math.floor((Date.parse(raisedAt) - Date.parse("2025-06-15T18:30:00Z")) / 86_400_000) - 1;
  const late = [lastDay - 1, lastDay].flatMap((day) =>
    Array.from({ length: 24 }, (_, hour) => {
      const missing = Math.round(900 * usedKwh(THIEF, day, hour)) / 1_000;
      return reading(MIDNIGHT + 60 * (24 * day + hour + 1) - 30, missing, { meter_id: meterId(THIEF) });
    }),
  );
  const seen = await given(...masters, ...load(), ...first).when(...late);
  assert.equal(gap(seen), ["amended major"]);
  const [event] = seen.events.filter(({ data }) => data.rule === "transformer.energy_gap");
  const alertId = raised.events.find(({ data }) => data.rule === "transformer.energy_gap")?.data.alertId;
  assert.equal([event?.data.alertId, event?.data.status, event?.data.evidence[0]?.feed], [alertId, "retracted", "smart_meter"]);
  assert.ok(Number(event?.data.details?.facts["days_over"]) < 3);
  assert.ok(Number(event?.data.details?.facts["share_before"]) > 0.08);
  const few = await given(...masters, ...load(), ...first).when(...late.slice(-3));
  assert.equal(gap(few), []);
});

test("without a theft, or with one below the limit, nothing is raised", async () => {
  assert.equal(gap(await given(...masters).when(...load(), ...readings(() => 1))), []);
  const small = (meter: number, day: number): number => (meter === THIEF && day >= FROM ? 0.7 : 1);
  assert.equal(gap(await given(...masters).when(...load(), ...readings(small))), []);
});

test("a load that is not that of the meters, as of tens of megawatts, says nothing", async () => {
  assert.equal(gap(await given(...masters).when(...load(1_000), ...readings(THEFT))), []);
});

test("a meter that has halved while its neighbours have not is told of after a week; a season that halves all is not", async () => {
  const drop = (share: (meter: number, day: number) => number) => given(...masters).when(...readings(share));
  const said = (seen: Seen) => seen.events.flatMap(({ subject, data }) => (data.rule === "meter.sustained_drop" ? [subject] : []));
  const halved = (meter: number, day: number): number => (meter === THIEF && day >= FROM ? 0.25 : 1);
  assert.equal(said(await drop(halved)), [ActorId("meter", meterId(THIEF))]);
  assert.equal(said(await drop((_, day) => (day >= FROM ? 0.25 : 1))), []);
});
