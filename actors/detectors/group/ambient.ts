import type { Out } from "../../../engine/behaviour.ts";
import { hours } from "../../../engine/duration.ts";
import { type ActorId, actorIdFrom } from "../../../engine/ids.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import type { AmbientHour, AmbientMedian } from "../../tells.ts";
import { rounded } from "../rounded.ts";

/** A substation's outdoor temperature by the hour. Changed in place. */
export interface Ambient {
  hour: number;
  sumC: number;
  samples: number;
  /** Means of the latest hours, for which the region has not answered. */
  told: readonly (readonly [hour: number, meanC: number])[];
  /** What is usual against the region (altitude), and the hours that say so. */
  offsetK: number;
  hours: number;
}

/** The region's latest hour: substation -> mean. Changed in place. */
export interface AmbientRegion {
  hour: number;
  means: Record<string, number>;
}

const TOLD_MAX = 6;
/** What one record may lead to is bounded. */
const ANSWERED_MAX = 500;
/** Hours that a usual offset is a mean over, at most: a month. */
const OFFSET_HOURS = 720;

export function ambient(): Ambient {
  return { hour: 0, sumC: 0, samples: 0, told: [], offsetK: 0, hours: 0 };
}

/** Takes in a sample. An hour that is over is told to the region. */
export function measureAmbient(state: Ambient, atMs: number, ambientC: number, region: ActorId | null, out: Out<GridMessage>): void {
  const hour = Math.floor(atMs / hours(1));
  if (hour < state.hour) return;
  if (hour > state.hour) {
    if (state.samples > 0 && region !== null) {
      const meanC = rounded(state.sumC / state.samples, 3);
      state.told = [...state.told, [state.hour, meanC] as const].slice(-TOLD_MAX);
      out.tell(region, { type: "ambient_hour", substation: out.self, hour: state.hour, meanC });
    }
    state.hour = hour;
    state.sumC = 0;
    state.samples = 0;
  }
  state.sumC += ambientC;
  state.samples += 1;
}

/** The region's part: the first word of the next hour closes one. */
export function gatherAmbient(state: AmbientRegion, { substation, hour, meanC }: AmbientHour, out: Out<GridMessage>): void {
  if (hour < state.hour) return;
  if (hour > state.hour) {
    const means = Object.values(state.means).sort((a, b) => a - b);
    const medianC = means[means.length >> 1];
    if (medianC !== undefined)
      for (const id of Object.keys(state.means).sort().slice(0, ANSWERED_MAX))
        out.tell(actorIdFrom(id), { type: "ambient_median", hour: state.hour, medianC, substations: means.length });
    state.hour = hour;
    state.means = {};
  }
  if (Object.hasOwn(state.means, substation) || Object.keys(state.means).length < ANSWERED_MAX) state.means[substation] = meanC;
}

/** `substation.ambient_disagrees`: an hour of the substation against the region's median. What is usual at its altitude is learnt first. */
export function judgeAmbient(state: Ambient, { hour, medianC, substations }: AmbientMedian, out: Out<GridMessage>): void {
  const meanC = state.told.find(([told]) => told === hour)?.[1];
  state.told = state.told.filter(([told]) => told > hour);
  const { limitK, clearK, hoursMin, substationsMin } = limitsOf(out, "substation.ambient_disagrees");
  const atMs = (hour + 1) * hours(1);
  if (meanC === undefined || substations < substationsMin) return;
  const offK = rounded(meanC - medianC - state.offsetK, 3);
  const isLearnt = state.hours >= hoursMin;
  const holds = isLearnt ? Math.abs(offK) > limitK : null;
  const evidence = { own_c: meanC, region_c: medianC, usual_offset_k: rounded(state.offsetK, 3), n: state.hours, substations };
  const reason = isLearnt ? {} : { reason: "cold" };
  out.observe("substation.ambient_disagrees", { holds, atMs, value: Math.abs(offK), limit: limitK, clear: clearK, ...reason, evidence });
  if (holds === true) return; // A fault is not learnt as usual.
  state.hours = Math.min(OFFSET_HOURS, state.hours + 1);
  state.offsetK += offK / state.hours;
}
