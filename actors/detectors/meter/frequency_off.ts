import type { Out } from "../../../engine/behaviour.ts";
import { regionActor, regionOf } from "../../grid_region.ts";
import type { GridMessage, ReadingMeasured } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import type { FrequencyAlone } from "../../tells.ts";

/** Within it a frequency is usual, whatever the limits in force are: they are not looked up for each reading. */
const SURELY_USUAL_HZ = { low: 49.95, high: 50 } as const;

/**
 * A frequency outside of the band goes to the region, which alone can say whose it is: that of the grid, or of this meter. One inside ends the
 * meter's own alert.
 */
export function tellFrequency({ atMs, frequencyHz }: ReadingMeasured, out: Out<GridMessage>): void {
  if (frequencyHz === null) return;
  const isOpen = out.hasEpisode("meter.frequency_off");
  if (!isOpen && frequencyHz >= SURELY_USUAL_HZ.low && frequencyHz <= SURELY_USUAL_HZ.high) return;
  const { lowHz, highHz } = limitsOf(out, "meter.frequency_off");
  if (frequencyHz < lowHz || frequencyHz > highHz) {
    const region = regionActor(regionOf(out.self));
    if (region !== null) out.tell(region, { type: "frequency_told", meter: out.self, atMs, hz: frequencyHz });
  } else if (isOpen) out.observe("meter.frequency_off", { holds: false, atMs, value: frequencyHz });
}

/** `meter.frequency_off`: the region has heard of no other meter with such a frequency, though many report to it. */
export function judgeFrequency({ atMs, hz, others, perMinute }: FrequencyAlone, out: Out<GridMessage>): void {
  const { lowHz, highHz, perMinuteMin } = limitsOf(out, "meter.frequency_off");
  if (perMinute < perMinuteMin) return; // Others may have the same frequency, and not have reported yet.
  out.observe("meter.frequency_off", {
    holds: true,
    atMs,
    value: hz,
    limit: hz < lowHz ? lowHz : highHz,
    evidence: { others_outside: others, readings_per_minute: perMinute },
  });
}
