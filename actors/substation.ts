import type { Behaviour, Out } from "../engine/behaviour.ts";
import { type ActorId, keyOf } from "../engine/ids.ts";
import { type Claimed, claimOn, dropClaim, takeClaim } from "./claims.ts";
import { type Ambient, ambient, judgeAmbient, measureAmbient } from "./detectors/group/ambient.ts";
import {
  childBack,
  childQuiet,
  GATHER_TIMER,
  judgeGathered,
  type QuietGroup,
  quietGroup,
  SERVE_TIMER,
  type SilenceCause,
  type SilentParent,
  serveChildren,
  serveLater,
  silenceJudged,
} from "./detectors/group/children_silent.ts";
import { type Alarms, alarms, childAlerted, tellAlert } from "./detectors/group/common_cause.ts";
import { type Bay, type Bays, emptyBay } from "./detectors/substation/bay.ts";
import { judgeReport, type SubstationWatch, substationWatch } from "./detectors/substation/watch.ts";
import { regionActor, regionOf } from "./grid_region.ts";
import type { GridMessage, TelemetryMeasured } from "./message.ts";
import type { TelemetryReported } from "./tells.ts";

/** What is kept of a substation: a bay for each transformer in it. */
export interface SubstationState extends Claimed {
  region: string | null;
  bays: Bays;
  lastAtMs: number | null;
  /** What the detectors keep. Absent: nothing yet. */
  watch?: SubstationWatch;
  /** Transformers that have lost their meters, alerts of transformers, outdoor temperature. Absent: there were none. */
  quiet?: QuietGroup;
  alarms?: Alarms;
  ambient?: Ambient;
}

/** A substation: its transformers, and telemetry that names no transformer. */
export const substation: Behaviour<SubstationState, GridMessage> = {
  kind: "substation",
  version: 1,
  clocks: ["substation_telemetry"],
  initial: () => ({ region: null, bays: {}, lastAtMs: null }),
  receive(state, message, out) {
    switch (message.type) {
      case "transformer_joined":
        if (message.joined) state.bays[keyOf(message.transformer)] ??= emptyBay();
        else delete state.bays[keyOf(message.transformer)];
        return joinRegion(state, message.region ?? regionOf(out.self), out);
      case "telemetry_reported":
        return reported(state, message, out);
      case "telemetry_measured":
        return measured(state, message, out);
      case "child_quiet":
        state.quiet ??= quietGroup();
        return childQuiet(state.quiet, message, silentParent(state), out);
      case "child_back":
        if (state.quiet !== undefined) childBack(state.quiet, message, silentParent(state), out);
        return;
      case "silence_judged":
        if (state.quiet !== undefined) silenceJudged(state.quiet, silentParent(state), message.atMs, out);
        return;
      case "child_alerted":
        state.alarms ??= alarms();
        return childAlerted(state.alarms, message, { rule: "substation.common_cause", children: Object.keys(state.bays).length }, out);
      case "alerts_claimed":
        takeClaim(state, message, out);
        if (state.quiet !== undefined) serveLater(message.atMs, out);
        return;
      case "alerts_released":
        dropClaim(state, message, out);
        if (state.quiet !== undefined) serveLater(message.atMs, out);
        return;
      case "ambient_median":
        if (state.ambient !== undefined) judgeAmbient(state.ambient, message, out);
        return;
      case "woken":
        if (state.quiet === undefined) return;
        if (message.name === GATHER_TIMER) judgeGathered(state.quiet, silentParent(state), message, out);
        if (message.name === SERVE_TIMER) serveChildren(state.quiet, silentParent(state), message.dueMs, out);
        return;
    }
  },
  describe: (state) => ({
    status: null,
    attributes: { region: state.region, transformers: Object.keys(state.bays).length },
    latest:
      state.lastAtMs === null
        ? null
        : { eventTime: state.lastAtMs, load_mw: sumOf(state, "loadMw"), capacity_mw: sumOf(state, "capacityMw") },
    rolling: null,
  }),
  links: (state) => linksOf(state.region),
  coveredBy: claimOn,
  alerted: (state, alert, out) => tellAlert(alert, regionActor(state.region), regionActor(state.region), out),
};

function silentParent(state: SubstationState): SilentParent {
  return {
    rule: "substation.children_silent",
    childKind: "transformer",
    children: Object.keys(state.bays).length,
    parent: regionActor(state.region),
    claims: state,
    causeSince: (sinceMs) => causeOf(Object.values(state.bays), sinceMs),
  };
}

/** What the telemetry of the transformers says of their meters' silence. One that still delivers has power. */
function causeOf(bays: readonly Bay[], sinceMs: number): SilenceCause {
  const heard = bays.filter(({ atMs }) => atMs !== null && atMs > sinceMs);
  if (heard.some(({ loadMw, breakerStatus }) => loadMw !== null && loadMw > 0 && breakerStatus !== "OPEN")) return "communications";
  return heard.some(({ loadMw, breakerStatus }) => loadMw === 0 || breakerStatus === "OPEN") ? "outage" : "unknown";
}

function reported(state: SubstationState, message: TelemetryReported, out: Out<GridMessage>): void {
  joinRegion(state, state.region ?? regionOf(out.self), out);
  const bay = state.bays[keyOf(message.transformer)] ?? emptyBay();
  state.bays[keyOf(message.transformer)] = bay;
  if (bay.atMs !== null && message.atMs < bay.atMs) return;
  const before = bay.breakerStatus;
  bay.atMs = message.atMs;
  bay.loadMw = message.loadMw;
  bay.capacityMw = message.capacityMw;
  bay.breakerStatus = message.breakerStatus;
  state.lastAtMs = Math.max(state.lastAtMs ?? message.atMs, message.atMs);
  state.watch ??= substationWatch();
  judgeReport(state.watch, state.bays, bay, before, message, out);
  if (message.ambientC === null) return;
  state.ambient ??= ambient();
  measureAmbient(state.ambient, message.atMs, message.ambientC, regionActor(state.region), out);
}

/** Telemetry of the substation itself: no transformer to judge, but nothing is lost. */
function measured(state: SubstationState, message: TelemetryMeasured, out: Out<GridMessage>): void {
  joinRegion(state, message.region ?? regionOf(out.self), out);
  out.curate("transformer_telemetry", { load_pct_used: null, capacity_source: null, conflict: out.conflict });
  if (!out.late && !out.conflict) state.lastAtMs = Math.max(state.lastAtMs ?? message.atMs, message.atMs);
}

function joinRegion(state: SubstationState, region: string | null, out: Out<GridMessage>): void {
  const id = regionActor(region);
  if (state.region !== null || id === null) return;
  state.region = region;
  out.tell(id, { type: "region_joined", kind: "substation" });
}

function sumOf(state: SubstationState, member: "loadMw" | "capacityMw"): number | null {
  const values = Object.values(state.bays).flatMap((bay) => bay[member] ?? []);
  return values.length === 0 ? null : Math.round(values.reduce((sum, value) => sum + value, 0) * 1_000) / 1_000;
}

function linksOf(region: string | null): Record<string, ActorId> {
  const id = regionActor(region);
  return id === null ? {} : { region: id };
}
