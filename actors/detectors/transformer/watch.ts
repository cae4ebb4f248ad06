import type { Out } from "../../../engine/behaviour.ts";
import { minutes } from "../../../engine/duration.ts";
import { gridDayOf } from "../../civil_day.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { steepness } from "../../statistics/slope.ts";
import { judgeContradiction } from "./contradiction.ts";
import { type Gas, gas, judgeGas } from "./gas.ts";
import { type Health, type HealthTerms, judgeHealth } from "./health.ts";
import { type Excess, judgeOverload } from "./overload.ts";
import { failureWeight, judgeFailures } from "./repeated_failures.ts";
import type { Sample } from "./sample.ts";
import { judgeSensors, type Sensors, sensors } from "./sensor_fault.ts";
import { judgeStatus } from "./status_conflict.ts";
import { judgeResidual, type Residual, type Twinned } from "./thermal_residual.ts";
import { judgeWinding, type Winding } from "./winding.ts";

/** What a transformer's detectors keep of its telemetry. Changed in place. */
export interface Watch {
  readonly sensors: Sensors;
  readonly gas: Gas;
  excess: Excess | null;
  winding: Winding | null;
  residual: Residual | null;
  missedSinceMs: number | null;
  /** The latest days with a trip of the breaker. */
  trips: readonly number[];
  /** The air as a neighbour measured it last, and when. Absent: it was never needed. */
  heard?: readonly [atMs: number, ambientC: number];
  health: Health | null;
  healthDay: number;
}

/** What is known of the transformer beside its telemetry. */
export interface Known {
  /** As the master has it for the day of the sample; null: it says nothing. */
  readonly status: string | null;
  readonly ageYears: number | null;
  /** 0 … 100, 100 = healthy. */
  readonly masterIndex: number | null;
  /** Days of repaired failures. */
  readonly failureDays: readonly number[];
}

const TRIPS_MAX = 20;
const HEARD_MS = minutes(90);
/** What counts as entirely bad in the health index. */
const WORST = { gasPpm: 1_920, gasPpmPerDay: 30, agedHours: 96, overHours: 10, failures: 4, ageYears: 40 };

export function watch(): Watch {
  return {
    sensors: sensors(),
    gas: gas(),
    excess: null,
    winding: null,
    residual: null,
    missedSinceMs: null,
    trips: [],
    health: null,
    healthDay: 0,
  };
}

/** Looks at behaviour over time: samples on time and in order only. */
export function judgeSample(state: Watch, twinned: Twinned, sample: Sample, known: Known, out: Out<GridMessage>): void {
  const isTrusted = judgeSensors(state.sensors, sample, out);
  judgeStatus(sample.atMs, known.status, out);
  judgeGas(state.gas, sample, out);
  state.excess = judgeOverload(state.excess, sample, out);
  state.winding = judgeWinding(state.winding, sample, isTrusted, out);
  state.residual = judgeResidual(state.residual, twinned, { ...sample, ambientC: ambientOf(state, sample) }, isTrusted, out);
  state.missedSinceMs = judgeContradiction(state.missedSinceMs, sample, out);
  if (sample.alarmCode === "BREAKER_TRIP") tripped(state, sample.atMs, known, out);
  const day = gridDayOf(sample.atMs);
  if (day <= state.healthDay) return;
  if (state.healthDay > 0) state.health = judgeHealth(state.health, termsOf(state, day, known, out), sample.atMs, out);
  state.healthDay = day;
}

/** A sample without ambient is compared with the air that a neighbour has measured within an hour or so. */
function ambientOf({ heard }: Watch, { atMs, ambientC }: Sample): number | null {
  return ambientC ?? (heard !== undefined && heard[0] > atMs - HEARD_MS ? heard[1] : null);
}

/** Days of all failures: those that were repaired, and trips. */
export function failuresOf(state: Watch | undefined, repaired: readonly number[]): readonly number[] {
  return [...repaired, ...(state?.trips ?? [])];
}

function tripped(state: Watch, atMs: number, { failureDays }: Known, out: Out<GridMessage>): void {
  state.trips = [...state.trips, gridDayOf(atMs)].slice(-TRIPS_MAX);
  judgeFailures(failuresOf(state, failureDays), atMs, out);
}

function termsOf(state: Watch, day: number, { ageYears, masterIndex, failureDays }: Known, out: Out<GridMessage>): HealthTerms {
  const share = (value: number | null, worst: number): number | null => (value === null ? null : value / worst);
  const rise = steepness(state.gas.line);
  const { forgetDays } = limitsOf(out, "transformer.repeated_failures");
  const { limitSigma } = limitsOf(out, "transformer.thermal_residual");
  return {
    gas_level: share(state.gas.lastDayPpm, WORST.gasPpm),
    gas_rate: rise === null || rise.errors < 3 ? null : share(rise.perX, WORST.gasPpmPerDay),
    thermal_residual: state.residual === null ? null : state.residual.cusum / (2 * limitSigma),
    ageing: share(state.winding?.lastDayHours ?? null, WORST.agedHours),
    overload: share(state.excess?.overHours ?? null, WORST.overHours),
    failures: failureWeight(failuresOf(state, failureDays), day, forgetDays) / WORST.failures,
    age: share(ageYears, WORST.ageYears),
    master_index: masterIndex === null ? null : 1 - masterIndex / 100,
  };
}
