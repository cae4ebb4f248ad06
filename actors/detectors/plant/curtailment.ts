import type { Out } from "../../../engine/behaviour.ts";
import { gridDayOf, gridDayStartMs } from "../../civil_day.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { rounded } from "../rounded.ts";
import type { Production } from "./sample.ts";

/** Today's sums of power, MW. Changed in place. */
export interface CurtailedDay {
  day: number;
  samples: number;
  curtailedMw: number;
  producedMw: number;
}

export function curtailedDay(): CurtailedDay {
  return { day: 0, samples: 0, curtailedMw: 0, producedMw: 0 };
}

/** `plant.curtailment`: of what could have been produced in a day, the share that was not. A record without the field says nothing, and is not 0. */
export function judgeCurtailment(state: CurtailedDay, { atMs, curtailmentMw, productionMw }: Production, out: Out<GridMessage>): void {
  const day = gridDayOf(atMs);
  if (day > state.day) {
    if (state.samples > 0) judgeDay(state, out);
    Object.assign(state, { day, samples: 0, curtailedMw: 0, producedMw: 0 });
  }
  if (curtailmentMw === null) return;
  state.samples += 1;
  state.curtailedMw += Math.max(0, curtailmentMw);
  state.producedMw += Math.max(0, productionMw);
}

function judgeDay({ day, samples, curtailedMw, producedMw }: CurtailedDay, out: Out<GridMessage>): void {
  const { limitShare, majorShare, samplesMin } = limitsOf(out, "plant.curtailment");
  const possibleMw = curtailedMw + producedMw;
  if (samples < samplesMin || possibleMw <= 0) return;
  const share = curtailedMw / possibleMw;
  out.observe("plant.curtailment", {
    holds: share > limitShare,
    atMs: gridDayStartMs(day + 1),
    value: rounded(share, 4),
    limit: limitShare,
    ...(share > majorShare ? { severity: "major" as const } : {}),
    evidence: { samples, curtailed_mw: rounded(curtailedMw, 3), produced_mw: rounded(producedMw, 3) },
  });
}
