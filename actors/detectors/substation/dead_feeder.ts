import type { Out } from "../../../engine/behaviour.ts";
import { minutes } from "../../../engine/duration.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import type { TelemetryReported } from "../../tells.ts";
import { type Bay, type Bays, baysWhere } from "./bay.ts";

/** The lightest load that is usual creeps up by this share a sample, so that a single light hour is forgotten in time. */
const CREEP = 0.001;

/** `substation.dead_feeder`: no load on a closed breaker under voltage, where the lightest load is known to be more. */
export function judgeDeadFeeder(bays: Bays, bay: Bay, report: TelemetryReported, nominalKv: number | null, out: Out<GridMessage>): void {
  const { atMs, loadMw, capacityMw, breakerStatus, voltageKv } = report;
  if (loadMw === null || capacityMw === null) return;
  const { usualLoadShare, samplesMin, afterMinutes, voltageShare } = limitsOf(out, "substation.dead_feeder");
  const hasVoltage = voltageKv !== null && nominalKv !== null && voltageKv > voltageShare * nominalKv;
  const isKnown = bay.samples >= samplesMin && bay.lightest > usualLoadShare;
  const isDead = isKnown && loadMw === 0 && breakerStatus === "CLOSED" && hasVoltage;
  bay.deadSinceMs = isDead ? (bay.deadSinceMs ?? atMs) : null;
  if (loadMw !== 0) {
    bay.lightest = Math.min(loadMw / capacityMw, bay.lightest * (1 + CREEP));
    bay.samples += 1;
  }
  const dead = baysWhere(bays, ({ deadSinceMs }) => deadSinceMs !== null && atMs - deadSinceMs >= minutes(afterMinutes));
  const first = bays[dead[0] ?? ""] ?? bay;
  out.observe("substation.dead_feeder", {
    holds: dead.length > 0,
    atMs,
    value: loadMw,
    evidence: {
      transformers: dead.join(" "),
      dead_minutes: first.deadSinceMs === null ? null : (atMs - first.deadSinceMs) / minutes(1),
      lightest_share: first.lightest,
      n: first.samples,
      voltage_kv: voltageKv,
    },
  });
}
