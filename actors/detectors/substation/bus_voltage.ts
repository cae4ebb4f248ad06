import type { Out } from "../../../engine/behaviour.ts";
import type { GridMessage } from "../../message.ts";
import { type LimitsOf, limitsOf } from "../../rules.ts";
import { learnUsual, type Usual } from "../../statistics/usual.ts";

const LEVELS_KV = [11, 22, 33, 66, 110, 132, 220, 400] as const;
/** Ranges of levels that have one of their own, kV. */
const RANGES_KV: Readonly<Record<number, readonly [low: number, high: number]>> = {
  66: [60, 72],
  132: [122, 145],
  220: [198, 245],
  400: [380, 420],
};

/** The level of the busbar, learnt from its voltages. Changed in place. */
export interface Bus {
  readonly voltage: Usual;
  /** Does not change any more once it is known. */
  nominalKv: number | null;
}

/** `substation.bus_voltage`: against the range of the busbar's level, which its first samples tell. */
export function judgeBusVoltage(bus: Bus, atMs: number, voltageKv: number | null, out: Out<GridMessage>): void {
  if (voltageKv === null || voltageKv <= 0) return;
  const limits = limitsOf(out, "substation.bus_voltage");
  if (bus.nominalKv === null) {
    learnUsual(bus.voltage, voltageKv);
    if (bus.voltage.n >= limits.samplesMin) bus.nominalKv = nearestLevel(bus.voltage.median);
    return;
  }
  const [low, high] = rangeOf(bus.nominalKv, limits);
  const isLow = voltageKv < bus.nominalKv;
  const edge = isLow ? low : high;
  const isFar = Math.abs(voltageKv - bus.nominalKv) > limits.majorFactor * Math.abs(edge - bus.nominalKv);
  out.observe("substation.bus_voltage", {
    holds: voltageKv < low || voltageKv > high,
    atMs,
    value: voltageKv,
    limit: edge,
    clear: edge + ((isLow ? 1 : -1) * limits.clearPercent * bus.nominalKv) / 100,
    ...(isFar ? { severity: "major" as const } : {}),
    evidence: { nominal_kv: bus.nominalKv, low_kv: low, high_kv: high },
  });
}

function nearestLevel(voltageKv: number): number {
  return LEVELS_KV.reduce(
    (best, level) => (Math.abs(Math.log(level / voltageKv)) < Math.abs(Math.log(best / voltageKv)) ? level : best),
    11,
  );
}

function rangeOf(nominalKv: number, { upToPercent, downToPercent }: LimitsOf<"substation.bus_voltage">): readonly [number, number] {
  return RANGES_KV[nominalKv] ?? [nominalKv * (1 - downToPercent / 100), nominalKv * (1 + upToPercent / 100)];
}
