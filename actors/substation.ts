import type { Behaviour, Out } from "../engine/behaviour.ts";
import { type ActorId, keyOf } from "../engine/ids.ts";
import { type Bays, emptyBay } from "./detectors/substation/bay.ts";
import { judgeReport, type SubstationWatch, substationWatch } from "./detectors/substation/watch.ts";
import { regionActor, regionOf } from "./grid_region.ts";
import type { GridMessage, TelemetryMeasured } from "./message.ts";
import type { TelemetryReported } from "./tells.ts";

/** What is kept of a substation: a bay for each transformer in it. */
export interface SubstationState {
  region: string | null;
  bays: Bays;
  lastAtMs: number | null;
  /** What the detectors keep. Absent: nothing yet. */
  watch?: SubstationWatch;
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
};

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
