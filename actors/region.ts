import type { Behaviour } from "../engine/behaviour.ts";
import { hours } from "../engine/duration.ts";
import { type AmbientRegion, gatherAmbient } from "./detectors/group/ambient.ts";
import {
  childBack,
  childQuiet,
  GATHER_TIMER,
  judgeGathered,
  type QuietGroup,
  quietGroup,
  SERVE_TIMER,
  type SilentParent,
  serveChildren,
} from "./detectors/group/children_silent.ts";
import { type Alarms, alarms, childAlerted } from "./detectors/group/common_cause.ts";
import { type Covering, FLOOD_TIMER, type Flood, flood, judgeFlood, judgeFloodEnd } from "./detectors/group/flood.ts";
import { coverInStorm, endStorm, followStorm, STORM_TIMER, type Storm, stormOn } from "./detectors/group/storm.ts";
import { type FrequencyMinute, type GridMinute, gatherFrequency, judgeGridFrequency } from "./detectors/region/frequency.ts";
import { judgeTally, type Tallied, tallied } from "./detectors/region/tallies.ts";
import type { GridMessage } from "./message.ts";

/** What is kept of a region: counts and sums, and of its members only those about which something is open. */
export interface RegionState extends Covering {
  substations: number;
  plants: number;
  productionMw: number;
  lastProductionAtMs: number | null;
  /** Substations that are silent, alerts of substations and plants, alerts in the region, outdoor temperature. Absent: there were none. */
  quiet?: QuietGroup;
  alarms?: Alarms;
  flood?: Flood;
  /** There is one, or its end is being told. */
  storm?: Storm;
  ambient?: AmbientRegion;
  /** Frequencies outside of the band in the latest minute; at the region that speaks for all, medians of regions. Absent: there were none. */
  frequency?: FrequencyMinute;
  gridMinute?: GridMinute;
  /** Counts of the records that concern it. Absent: no hour is over. */
  tallied?: Tallied;
}

const LARGE = ["covered", "tallied"] as const satisfies readonly (keyof RegionState)[];

/** A region of the grid. */
export const region: Behaviour<RegionState, GridMessage> = {
  kind: "region",
  version: 2,
  clocks: [],
  large: LARGE,
  initial: () => ({ substations: 0, plants: 0, productionMw: 0, lastProductionAtMs: null }),
  receive(state, message, out) {
    switch (message.type) {
      case "region_joined":
        if (message.kind === "substation") state.substations += 1;
        else state.plants += 1;
        return;
      case "production_reported":
        state.productionMw += message.changeMw;
        state.lastProductionAtMs = Math.max(state.lastProductionAtMs ?? message.atMs, message.atMs);
        return;
      case "child_quiet":
        state.quiet ??= quietGroup();
        return childQuiet(state.quiet, message, silentParent(state), out);
      case "child_back":
        if (state.quiet !== undefined) childBack(state.quiet, message, silentParent(state), out);
        return;
      case "child_alerted":
        state.alarms ??= alarms();
        return childAlerted(state.alarms, message, { rule: "region.common_cause", children: state.substations + state.plants }, out);
      case "alert_raised":
        if (coverInStorm(state.storm ?? null, message, out)) return;
        state.flood ??= flood();
        return judgeFlood(state.flood, state, message, out);
      case "ambient_hour":
        state.ambient ??= { hour: 0, means: {} };
        return gatherAmbient(state.ambient, message, out);
      case "frequency_told":
        state.frequency = gatherFrequency(state.frequency ?? null, message, state.tallied?.perMinute ?? 0, out);
        return;
      case "frequency_median":
        state.gridMinute = judgeGridFrequency(state.gridMinute ?? null, message, out);
        return;
      case "hour_tallied":
        state.tallied = { ...(state.tallied ?? tallied()) };
        judgeTally(state.tallied, message, out);
        return keepStorm(state, followStorm(state.storm ?? null, (message.hour + 1) * hours(1), out));
      case "woken":
        if (message.name === FLOOD_TIMER && state.flood !== undefined) judgeFloodEnd(state.flood, state, message.dueMs, out);
        if (message.name === STORM_TIMER && state.storm !== undefined) keepStorm(state, endStorm(state.storm, message.dueMs, out));
        if (state.quiet === undefined) return;
        if (message.name === GATHER_TIMER) judgeGathered(state.quiet, silentParent(state), message, out);
        if (message.name === SERVE_TIMER) serveChildren(state.quiet, silentParent(state), message.dueMs, out);
        return;
    }
  },
  describe: (state) => ({
    status: null,
    attributes: { substations: state.substations, plants: state.plants, ...confusionOf(state) },
    latest:
      state.lastProductionAtMs === null
        ? null
        : { eventTime: state.lastProductionAtMs, production_mw: Math.round(state.productionMw * 1_000) / 1_000 },
    rolling: null,
  }),
  links: () => ({}),
  coveredBy: (state, { rule }) => stormOn(state.storm ?? null, rule.family),
};

function keepStorm(state: RegionState, storm: Storm | null): void {
  if (storm === null) delete state.storm;
  else state.storm = storm;
}

function silentParent(state: RegionState): SilentParent {
  return {
    rule: "region.children_silent",
    childKind: "substation",
    children: state.substations,
    parent: null,
    claims: {},
    causeSince: () => "unknown",
  };
}

/** `flagged <rule>`: labelled records that it stamped, of those that it stamped. */
function confusionOf({ tallied: known }: RegionState): Record<string, string> {
  const entries = Object.entries(known?.confusion ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([rule, [stamped, flagged]]) => [`flagged ${rule}`, `${flagged} of ${stamped}`]));
}
