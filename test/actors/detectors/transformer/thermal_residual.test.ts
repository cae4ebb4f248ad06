import * as assert from "uvu/assert";
import { rampSigmas } from "../../../../actors/detectors/transformer/ramp.ts";
import { exceed } from "../../../../actors/detectors/transformer/thermal_residual.ts";
import { takeHour, twin } from "../../../../actors/detectors/transformer/twin.ts";
import { limitsOf, RULES } from "../../../../actors/rules.ts";
import { DISTRIBUTION_ONAN, POWER_ONAF } from "../../../../actors/statistics/thermal.ts";
import { minutes } from "../../../../engine/duration.ts";
import { type Arrival, CRASH, type Seen } from "../../../kit/given.ts";
import { given, telemetry } from "../../../kit/grid.ts";
import { type OilHour, oilSeries } from "../../../kit/oil_series.ts";
import { at } from "../../../kit/puppets.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("thermal residual");
const DAY = 24;

/** A sound transformer with oil that is hotter by `extraK` of the hour. */
function hourly(count: number, extraK: (hour: number) => number, seed = 1): readonly Arrival[] {
  const series = oilSeries(seed, { design: POWER_ONAF, hours: count, noiseK: 0.7 });
  return series.map(({ ambientC, load, oilC }, hour) =>
    telemetry(60 * hour, {
      load_mw: 100 * load,
      capacity_mw: 100,
      ambient_temperature_c: ambientC,
      oil_temperature_c: oilC + extraK(hour),
    }),
  );
}

function said(seen: Seen, rule = "thermal_residual"): readonly string[] {
  const events = seen.events.filter(({ data }) => data.rule === `transformer.${rule}`);
  return events.map(
    ({ type, time, data }) => `${Math.round((Date.parse(time) - at(0)) / 3_600_000)} ${type.split(".")[2]} ${data.severity}`,
  );
}

const ramp =
  (from: number, mostK = 10, until = Number.POSITIVE_INFINITY) =>
  (hour: number): number =>
    hour < from || hour >= until ? 0 : Math.min(mostK, hour - from + 1);

test("oil that grows hotter by 1 K an hour is found within a day, whatever crashes, and is over when it is back", async () => {
  const arrivals = hourly(36 * DAY, ramp(33 * DAY, 10, 33 * DAY + 36));
  const seen = await given().when(...arrivals.slice(0, 801), CRASH, ...arrivals.slice(801));
  const [raised, cleared, ...more] = said(seen);
  assert.equal(more, []);
  assert.match(raised ?? "", /^(79\d|80\d|81\d) raised warning$/);
  assert.match(cleared ?? "", /^8[3-6]\d cleared warning$/);
});

test("before 720 hours are learnt nothing is said", async () => {
  assert.equal(said(await given().when(...hourly(32 * DAY, ramp(20 * DAY)))), []);
});

test("a fault that stands does not become its own reference", async () => {
  const seen = await given().when(...hourly(45 * DAY, ramp(34 * DAY, 12)));
  assert.is(said(seen).length, 2);
  assert.match(said(seen)[1] ?? "", /updated major$/); // Its mean has come to more than 10 K, days later.
  assert.ok(!said(seen).some((line) => line.includes("cleared")));
});

test("what has lasted for a month is learnt anew, and that is told", async () => {
  const seen = await given().when(...hourly(70 * DAY, ramp(34 * DAY)));
  assert.is(said(seen, "baseline_reset").length, 1);
});

test("while nothing is learnt, a fault changes no prediction", () => {
  const series = oilSeries(3, { design: POWER_ONAF, hours: 1_100, noiseK: 0.5 });
  const predictions = (faultK: number) => {
    const state = twin(-1);
    return series.map(({ oilC, lossShare }, hour) => {
      const isFaulty = hour >= 1_000;
      return takeHour(state, { hour, oilC: oilC + (isFaulty ? faultK : 0), ambientC: null, lossShare }, 75, isFaulty)?.predictedC;
    });
  };
  assert.equal(predictions(15), predictions(0));
});

// Over years, without the engine.

interface Run {
  readonly falseAlarms: number;
  readonly delays: readonly (number | null)[];
}

const LIMITS = limitsOf({ limits: (rule) => RULES.find(({ id }) => id === rule)?.limits ?? {} }, "transformer.thermal_residual");

/** Feeds the twin as the detector does. `onsets`: hours at which the oil begins to grow hotter by 1 K an hour to 10 K, for two days. */
function run(series: readonly OilHour[], tauMinutes: number, onsets: readonly number[], withAmbient: boolean): Run {
  const state = twin(-1);
  let [cusum, falseAlarms] = [0, 0];
  let frozenSinceHour: number | null = null;
  let isRaised = false;
  const delays = new Map<number, number>();
  series.forEach(({ oilC, ambientC, lossShare }, hour) => {
    const onset = onsets.find((from) => hour >= from && hour < from + 48);
    const extraK = onset === undefined ? 0 : Math.min(10, hour - onset + 1);
    const means = { hour, oilC: oilC + extraK, ambientC: withAmbient ? ambientC : null, lossShare };
    const verdict = takeHour(state, means, minutes(tauMinutes), frozenSinceHour !== null);
    if (verdict === null || verdict.sigmaK === null) return;
    cusum = exceed({ cusum, frozenSinceHour }, { ...verdict, sigmaK: verdict.sigmaK }, rampSigmas(state.ramp, LIMITS) ?? 0, LIMITS).cusum;
    frozenSinceHour = cusum > LIMITS.freezeSigma ? (frozenSinceHour ?? hour) : null;
    if (cusum > LIMITS.limitSigma && !isRaised) {
      isRaised = true;
      if (onset === undefined) falseAlarms += 1;
      else delays.set(onset, hour - onset + 1);
    }
    if (cusum < LIMITS.clearSigma) isRaised = false;
  });
  return { falseAlarms, delays: onsets.map((onset) => delays.get(onset) ?? null) };
}

test("in a year a sound transformer has no more than one false alarm, on the average, whether the weather is known or not", () => {
  for (const withAmbient of [true, false]) {
    let falseAlarms = 0;
    for (let seed = 901; seed <= 906; seed += 1) {
      const design = seed % 2 === 0 ? POWER_ONAF : DISTRIBUTION_ONAN;
      const series = oilSeries(seed, { design, hours: 395 * DAY, noiseK: 0.7 });
      falseAlarms += run(series, design.k11 * design.oilMinutes, [], withAmbient).falseAlarms;
    }
    assert.ok(falseAlarms <= 6, `${withAmbient}: ${falseAlarms}`);
  }
});

test("slow overheating is found within 24 hours in 95 of 100 cases, and in most where the weather is not known", () => {
  const onsets = Array.from({ length: 5 }, (_, n) => (60 + 30 * n) * DAY + 5 * n);
  for (const [withAmbient, share] of [
    [true, 0.95],
    [false, 0.8],
  ] as const) {
    let found = 0;
    for (let seed = 911; seed <= 922; seed += 1) {
      const series = oilSeries(seed, { design: POWER_ONAF, hours: 190 * DAY, noiseK: 1 });
      found += run(series, POWER_ONAF.k11 * POWER_ONAF.oilMinutes, onsets, withAmbient).delays.filter(
        (delay) => delay !== null && delay <= 24,
      ).length;
    }
    assert.ok(found / 60 >= share, `${withAmbient}: ${found} of 60`);
  }
});

test("a transformer that does not measure the air is compared with the air of its neighbour", async () => {
  const series = oilSeries(31, { design: POWER_ONAF, hours: 34 * DAY, noiseK: 0.7 });
  const faultK = ramp(32 * DAY);
  const station = (isHeard: boolean) =>
    series.flatMap(({ ambientC, load, oilC }, hour) => {
      const shared = { load_mw: 100 * load, capacity_mw: 100 };
      const neighbour = {
        ...shared,
        transformer_id: "TRF-N-0035",
        oil_temperature_c: 60,
        ambient_temperature_c: isHeard ? ambientC : null,
      };
      const own = { ...shared, oil_temperature_c: oilC + faultK(hour) };
      return [telemetry(60 * hour, neighbour), telemetry(60 * hour + 1, own), telemetry(60 * hour + 2, own)];
    });
  const alone = (seen: Seen) =>
    seen.events.filter(({ data }) => data.rule === "transformer.thermal_residual" && data.actor.endsWith("0034"));
  const heard = alone(await given().when(...station(true)));
  assert.type(heard[0]?.data.details?.facts["ambient_c"], "number");
  const unheard = alone(await given().when(...station(false)));
  assert.is(unheard[0]?.data.details?.facts["ambient_c"], null);
});
