import type { Out } from "../../../engine/behaviour.ts";
import { ActorId, actorIdFrom } from "../../../engine/ids.ts";
import type { GridMessage } from "../../message.ts";
import { REGIONS } from "../../names.ts";
import { limitsOf } from "../../rules.ts";
import type { FrequencyMedian, FrequencyTold } from "../../tells.ts";
import { medianOf } from "../transformer/balance.ts";

/** Meters that told of a frequency outside of the band in one minute. Replaced when the next one begins. */
export interface FrequencyMinute {
  readonly minute: number;
  /** Meter -> its frequency, for the first ones; the others change nothing, so that the region's state stays as it is. */
  readonly told: Record<string, number>;
}

/** Medians of regions in the latest minute of which any has told, kept by the region that speaks for all. */
export interface GridMinute {
  readonly minute: number;
  readonly medians: Record<string, number>;
}

const TOLD_MAX = 60;
const MINUTE_MS = 60_000;
/** All regions are one synchronous grid: the first by name speaks for them. */
const SPEAKER = ActorId("region", [...REGIONS].sort()[0] ?? "");

/** Takes in a meter's frequency. A minute that is over is judged: many that agree are the grid's; a few are those of their meters. */
export function gatherFrequency(
  before: FrequencyMinute | null,
  { meter, atMs, hz }: FrequencyTold,
  perMinute: number,
  out: Out<GridMessage>,
): FrequencyMinute {
  const minute = Math.floor(atMs / MINUTE_MS);
  if (before !== null && minute < before.minute) return before; // Late: its minute has been judged.
  if (before !== null && minute > before.minute) closeMinute(before, perMinute, out);
  const now = before !== null && minute === before.minute ? before : { minute, told: {} };
  if (Object.keys(now.told).length < TOLD_MAX) now.told[meter] = hz;
  return now;
}

function closeMinute({ minute, told }: FrequencyMinute, perMinute: number, out: Out<GridMessage>): void {
  const { metersMin } = limitsOf(out, "grid.frequency");
  const heard = Object.entries(told).sort(([a], [b]) => (a < b ? -1 : 1));
  const atMs = (minute + 1) * MINUTE_MS;
  if (heard.length < metersMin) {
    for (const [meter, hz] of heard) {
      out.tell(actorIdFrom(meter), { type: "frequency_alone", atMs, hz, others: heard.length - 1, perMinute });
    }
    return;
  }
  const hz = medianOf(heard.map(([, one]) => one));
  out.tell(SPEAKER, { type: "frequency_median", region: out.self, atMs, hz, meters: heard.length });
}

/** `grid.frequency`, at the region that speaks for all: two regions agree on a frequency outside of the band. */
export function judgeGridFrequency(
  before: GridMinute | null,
  { region, atMs, hz, meters }: FrequencyMedian,
  out: Out<GridMessage>,
): GridMinute {
  const minute = Math.floor(atMs / MINUTE_MS);
  if (before !== null && minute < before.minute) return before;
  const now = before !== null && minute === before.minute ? before : { minute, medians: {} };
  now.medians[region] = hz;
  const { lowHz, highHz, criticalHz, regionsMin } = limitsOf(out, "grid.frequency");
  const medians = Object.values(now.medians);
  const middle = medianOf(medians);
  const regions = medians.filter((one) => (middle < lowHz ? one < lowHz : one > highHz)).length;
  if ((middle >= lowHz && middle <= highHz) || regions < regionsMin) return now;
  out.observe("grid.frequency", {
    holds: true,
    atMs,
    value: Math.round(1_000 * middle) / 1_000,
    limit: middle < lowHz ? lowHz : highHz,
    severity: middle < criticalHz ? "critical" : "warning",
    evidence: { regions, meters_of_last: meters, region_of_last: region },
  });
  return now;
}
