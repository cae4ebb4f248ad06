// timeout: 60 s
import * as assert from "uvu/assert";
import { chiSquare } from "../../../actors/detectors/meter/last_digit.ts";
import { judgeVoltages, type VoltageDay, type VoltageOffset } from "../../../actors/detectors/transformer/sibling_voltage.ts";
import type { GridMessage } from "../../../actors/message.ts";
import { limitsOf, RULES } from "../../../actors/rules.ts";
import { likeness, priorShape } from "../../../actors/statistics/prior.ts";
import type { Out } from "../../../engine/behaviour.ts";
import { ActorId } from "../../../engine/ids.ts";
import type { Observation } from "../../../engine/rule.ts";
import { type Arrival, CRASH, type Seen } from "../../kit/given.ts";
import { customer, given, grid, reading } from "../../kit/grid.ts";
import { at } from "../../kit/puppets.ts";
import { samples } from "../../kit/samples.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("rules of neighbours and regions");
const HOUR = 60;
const DAY = 24 * HOUR;

function said(seen: Seen, rule: string): readonly string[] {
  const events = seen.events.filter(({ data }) => data.rule === rule);
  return events.map(({ type, time, data }) => `${(Date.parse(time) - at(0)) / 60_000} ${type.split(".")[2]} ${data.severity}`);
}

const letters = { NORTH: "N", SOUTH: "S" } as const;
/** A reading of the `n`-th meter of a region. */
function of(region: keyof typeof letters, n: number, minute: number, changes: object = {}): Arrival {
  const meter_id = `SM-${letters[region]}-${String(n).padStart(5, "0")}`;
  return reading(minute, 0.5 + 0.001 * (n % 7), { meter_id, region, ...changes });
}

// Frequency -----------------------------------------------------------------------------------------------------------------------------

/** An hour in which a region reports so often that a meter that is alone is known to be. */
const busy = (region: keyof typeof letters, hour = 0): readonly Arrival[] =>
  Array.from({ length: 1_300 }, (_, n) => of(region, 1 + (n % 130), hour * HOUR + n / 22, { frequency_hz: 50 }));

test("one meter that is alone with its frequency is told of after five times, and no longer when it measures what others do", async () => {
  const off = Array.from({ length: 7 }, (_, n) => of("NORTH", 500, HOUR + 5 + 2 * n, { frequency_hz: 49.6 }));
  const back = Array.from({ length: 4 }, (_, n) => of("NORTH", 500, 2 * HOUR + n, { frequency_hz: 50 }));
  const seen = await given(...busy("NORTH"), of("NORTH", 1, HOUR + 1)).when(...off.slice(0, 3), CRASH, ...off.slice(3), ...back);
  const lines = said(seen, "meter.frequency_off").map((line) => line.split(" ").slice(1).join(" "));
  assert.equal(lines, ["raised warning", "cleared warning"]);
  assert.equal(said(seen, "grid.frequency"), []);
});

test("where few meters report, nobody can be known to be alone", async () => {
  const off = Array.from({ length: 9 }, (_, n) => of("NORTH", 500, 2 * n, { frequency_hz: 49.6 }));
  assert.equal(said(await given().when(...off), "meter.frequency_off"), []);
});

test("a frequency that many meters of two regions have is the grid's, and one alert; that of one region alone is none", async () => {
  const low = (region: keyof typeof letters, minute: number) =>
    Array.from({ length: 12 }, (_, n) => of(region, 1 + n, minute + n / 100, { frequency_hz: 49.4 }));
  const both = [...low("NORTH", 10), ...low("SOUTH", 10.5), ...low("NORTH", 11), ...low("SOUTH", 11.5)];
  const seen = await given().when(...both);
  assert.equal(said(seen, "grid.frequency"), ["11 raised critical"]);
  assert.equal(seen.events.find(({ data }) => data.rule === "grid.frequency")?.data.actor, ActorId("region", "CENTRAL"));
  assert.equal(said(seen, "meter.frequency_off"), []);
  assert.equal(said(await given().when(...low("NORTH", 10), ...low("NORTH", 11), ...low("NORTH", 12)), "grid.frequency"), []);
});

// Counts of an hour ---------------------------------------------------------------------------------------------------------------------

test("records that name other customers than the master does are a matter of the region where there are many", async () => {
  const linked = customer("2025-01-01");
  const hour = (from: number, wrong: number) =>
    Array.from({ length: 100 }, (_, n) =>
      reading(from + n / 2, 0.5, { customer_id: n < wrong ? "CUST-000999" : "CUST-000123", region: "NORTH" }),
    );
  const next = (minute: number) => reading(minute, 0.5, { region: "NORTH" });
  const seen = await given(linked).when(...hour(0, 20), CRASH, next(HOUR), ...hour(HOUR + 1, 1), next(2 * HOUR));
  assert.equal(said(seen, "region.link_quality"), ["60 raised warning", "120 cleared warning"]);
  assert.equal(said(await given(linked).when(...hour(0, 19), next(HOUR)), "region.link_quality"), []);
});

test("far fewer readings than are usual at an hour are a storm, until they are back", async () => {
  const day = (from: number, count: number) =>
    [0, 1].flatMap((hour) => Array.from({ length: count }, (_, n) => of("NORTH", 1 + n, from + hour * HOUR + n / 3)));
  const days = Array.from({ length: 8 }, (_, n) => day(n * DAY, 120)).flat();
  const seen = await given(...days).when(...day(8 * DAY, 70), ...day(9 * DAY, 120), of("NORTH", 1, 9 * DAY + 5 * HOUR));
  const lines = said(seen, "region.storm").map((line) => line.split(" ").slice(1).join(" "));
  assert.equal(lines, ["raised major", "cleared major"]);
  const small = Array.from({ length: 9 }, (_, n) => day(n * DAY, n === 8 ? 20 : 90)).flat();
  assert.equal(said(await given().when(...small, of("NORTH", 1, 9 * DAY)), "region.storm"), []);
});

test("a feed that kept step for a day and has fallen behind is told of; files read one after another are not", async () => {
  const meters = (hour: number) => of("NORTH", 1, hour * HOUR);
  const stations = (hour: number): Arrival => ({
    feed: "substation_telemetry",
    record: {
      telemetry_id: `t-${hour}`,
      substation_id: "SUB-N-012",
      transformer_id: "TRF-N-0034",
      timestamp: new Date(at(hour * HOUR)).toISOString(),
      load_mw: 5,
      region: "NORTH",
    },
  });
  const together = Array.from({ length: 30 }, (_, hour) => [meters(hour), stations(hour)]).flat();
  const alone = Array.from({ length: 6 }, (_, n) => meters(30 + n));
  const back = Array.from({ length: 9 }, (_, n) => [stations(30 + n), meters(36 + n)]).flat();
  const seen = await given(...together).when(...alone, ...back, stations(46), stations(47), stations(48));
  const lines = said(seen, "region.freshness").map((line) => line.split(" ").slice(1).join(" "));
  assert.is(lines[0], "raised warning");
  const apart = [...Array.from({ length: 40 }, (_, n) => meters(n)), ...Array.from({ length: 40 }, (_, n) => stations(n))];
  assert.equal(said(await given().when(...apart), "region.freshness"), []);
});

test("labels are counted against the rules that spoke, whatever the cuts of the batches and the crashes", async () => {
  const script = [
    of("NORTH", 1, 0, { is_anomaly_flag: true, reading_kwh: 60 }),
    of("NORTH", 2, 1, { is_anomaly_flag: false, reading_kwh: 70 }),
    of("NORTH", 3, 2, { is_anomaly_flag: true, reading_kwh: 1 }),
  ];
  const over = of("NORTH", 4, HOUR);
  const shown = (seen: Seen) =>
    Object.entries(seen.actor(ActorId("region", "NORTH")).attributes).filter(([name]) => name.startsWith("flagged"));
  const once = await given().when(...script, over);
  assert.equal(shown(once), [
    ["flagged *", "2 of 3"],
    ["flagged meter.spike", "1 of 2"],
  ]);
  const [first = over, ...more] = script;
  assert.equal(shown(await given().when(first, CRASH, ...more, CRASH, over)), shown(once));
  assert.is((await grid({ batchOf: 1 })().when(...script, over)).digest, once.digest);
});

// Digits, voltages, hours ---------------------------------------------------------------------------------------------------------------

const DAYS = 10;

test("last digits of which some come far too often are told of; those of an honest meter and of a coarse one are not", async () => {
  const draw = samples(5);
  const meter = (kwh: (n: number) => number) => Array.from({ length: 24 * DAYS + 2 }, (_, n) => reading(n * HOUR + 31, kwh(n)));
  const made = (n: number) => Math.round(500 + 400 * Math.sin(n) ** 2) / 100 + (n % 5 === 0 ? 0.007 : 0.003);
  const seen = await given().when(...meter(made));
  assert.is(said(seen, "meter.last_digit").length, 1);
  const honest = await given().when(...meter(() => Math.round(1_000 * draw.between(0.3, 2)) / 1_000));
  const coarse = await given().when(...meter(() => Math.round(100 * draw.between(0.3, 2)) / 100));
  assert.equal([...said(honest, "meter.last_digit"), ...said(coarse, "meter.last_digit")], []);
  assert.is(chiSquare([10, 10], 20), 0);
  assert.is(chiSquare([15, 5], 20), 5);
});

test("a voltage that sinks against the neighbours' for five days is told of, and not if the meter counts more", () => {
  const limits = (rule: string) => RULES.find(({ id }) => id === rule)?.limits ?? {};
  const run = (ratio: number, siblings = 6) => {
    const seen: Observation[] = [];
    const draw = samples(9);
    const out: Partial<Out<GridMessage>> = { limits, observe: (_rule, observation) => void seen.push(observation) };
    const offsets: Record<string, VoltageOffset> = {};
    for (let day = 0; day < 32; day += 1) {
      const told = Array.from({ length: siblings }, (_, n): VoltageDay => {
        const sunk = n === 2 && day >= 20 && day < 27 ? -2 : 0;
        return { meter: `SM-${n}`, volts: 231 - 0.4 * n + 0.1 * draw.bell() + sunk, ratio: n === 2 ? ratio : 1 };
      });
      judgeVoltages(offsets, day, told, out as Out<GridMessage>);
    }
    return seen.map(({ holds }) => (holds === true ? "x" : holds === false ? "." : "?")).join("");
  };
  assert.match(run(1), /^\.{20}\?{4}x{3}\.{5}$/);
  assert.not.ok(run(1.5).includes("x"));
  assert.is(run(1, 4), "");
  assert.is(limitsOf({ limits }, "transformer.sibling_voltage").days, 5);
});

test("shapes are compared without what all of them share", () => {
  const [home, shop] = [priorShape("RESIDENTIAL") ?? [], priorShape("COMMERCIAL") ?? []];
  assert.ok(likeness(home, home) > 0.999 && likeness(shop, home) < 0.6);
  assert.is(likeness(shop, new Array<number>(24).fill(1)), 0);
  assert.ok(
    Math.abs(
      likeness(
        shop,
        shop.map((kwh) => 7 * kwh + 3),
      ) - 1,
    ) < 1e-9,
  );
  assert.is(priorShape("NOBODY"), null);
});

test("a home whose hours are those of a business is told of after weeks; a home is not", async () => {
  const shop = priorShape("COMMERCIAL") ?? [];
  const home = priorShape("RESIDENTIAL") ?? [];
  const use = (shape: readonly number[]) =>
    Array.from({ length: 24 * 60 }, (_, n) =>
      reading(n * HOUR + 31, Math.round(1_000 * 0.8 * (shape[(n + 17) % 24] ?? 1)) / 1_000 + 0.001),
    );
  const master = customer("2025-01-01", { tariff_category: "RESIDENTIAL" });
  assert.is(said(await given(master).when(...use(shop)), "customer.tariff_misuse").length, 1);
  assert.is(said(await given(master).when(...use(home)), "customer.tariff_misuse").length, 0);
});

test("meters tell their voltages, and the transformer names the one that has sunk", async () => {
  const meters = [1, 2, 3, 4, 5, 6];
  const masters = meters.map((n) =>
    customer("2025-01-01", { customer_id: `CUST-00020${n}`, meter_id: `SM-N-0000${n}`, transformer_id: "TRF-N-0034" }),
  );
  const hourly = Array.from({ length: 24 * 28 }, (_, hour) =>
    meters.map((n) =>
      of("NORTH", n, hour * HOUR + 31, { voltage_v: 231 - 0.4 * n + (n === 3 && hour > 20 * 24 ? -2 : 0) + 0.01 * (hour % 5) }),
    ),
  ).flat();
  const seen = await given(...masters).when(...hourly);
  const [event] = seen.events.filter(({ data }) => data.rule === "transformer.sibling_voltage");
  assert.equal([event?.data.actor, event?.data.details?.facts["meter"]], [ActorId("transformer", "TRF-N-0034"), "SM-N-00003"]);
});
