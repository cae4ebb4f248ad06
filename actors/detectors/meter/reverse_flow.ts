import type { Out } from "../../../engine/behaviour.ts";
import type { GridMessage, ReadingMeasured } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import type { Link } from "../../tells.ts";

const GENERATES = /SOLAR|PROSUMER|NET/;

/** `meter.reverse_flow`: three readings of energy that flows back. `link`: in force, or null. */
export function judgeReverse({ atMs, readingKwh, currentA, powerFactor }: ReadingMeasured, link: Link | null, out: Out<GridMessage>): void {
  const isReverse =
    readingKwh < 0 || (powerFactor !== null && powerFactor < 0 && (currentA ?? 0) > limitsOf(out, "meter.reverse_flow").currentA);
  if (!isReverse && !out.hasEpisode("meter.reverse_flow")) return;
  if (!isReverse) return out.observe("meter.reverse_flow", { holds: false, atMs, value: readingKwh });
  const generates = GENERATES.test(link?.connection ?? "");
  out.observe("meter.reverse_flow", {
    holds: true,
    atMs,
    value: readingKwh,
    severity: generates ? "info" : "major",
    evidence: { current_a: currentA, power_factor: powerFactor, connection: link?.connection ?? null },
  });
}
