import type { Behaviour, Out } from "../engine/behaviour.ts";
import type { CellValue } from "../engine/emission.ts";
import { type ActorId, keyOf } from "../engine/ids.ts";
import { numberOf } from "./cell.ts";
import { type Claimed, claimOn, dropClaim, takeClaim } from "./claims.ts";
import { tellAlert } from "./detectors/group/common_cause.ts";
import { judgeImpossible } from "./detectors/plant/impossible.ts";
import { judgeProduction, type PlantWatch, plantWatch } from "./detectors/plant/watch.ts";
import { amendSilence, judgeSilence, SILENCE_TIMER } from "./detectors/silence.ts";
import { regionActor } from "./grid_region.ts";
import type { GridMessage, ProductionMeasured } from "./message.ts";

/** What is kept of a plant. */
export interface PlantState extends Claimed {
  region: string | null;
  state: string | null;
  plantType: string | null;
  status: string | null;
  latest: Record<string, CellValue> | null;
  productionMw: number;
  /** What the detectors keep. Absent: nothing yet. */
  watch?: PlantWatch;
}

/** A renewable plant: what it produces, against its rating. */
export const plant: Behaviour<PlantState, GridMessage> = {
  kind: "plant",
  version: 1,
  clocks: ["renewable"],
  initial: (id) => ({ region: null, state: null, plantType: keyOf(id).split("-")[1] ?? null, status: null, latest: null, productionMw: 0 }),
  receive(state, message, out) {
    if (message.type === "production_measured") return produced(state, message, out);
    if (message.type === "alerts_claimed") return takeClaim(state, message, out);
    if (message.type === "alerts_released") return dropClaim(state, message, out);
    if (message.type === "woken" && message.name === SILENCE_TIMER && state.watch !== undefined) {
      judgeSilence(state.watch.cadence, message, "plant.silent", out);
    }
  },
  describe: (state) => ({
    status: state.status,
    attributes: { region: state.region, state: state.state, plant_type: state.plantType },
    latest: state.latest,
    rolling: null,
  }),
  links: (state) => linksOf(state.region),
  coveredBy: claimOn,
  alerted: (state, alert, out) => tellAlert(alert, regionActor(state.region), regionActor(state.region), out),
};

function produced(state: PlantState, message: ProductionMeasured, out: Out<GridMessage>): void {
  const used = message.capacityMw === null ? null : round3(message.productionMw / message.capacityMw);
  if (used !== null && message.capacityFactor !== null && Math.abs(used - message.capacityFactor) > 0.02) out.note("recomputed_differs");
  const ratedMw = message.capacityMw;
  const production = ratedMw === null ? null : { ...message, ratedMw, kind: message.plantType ?? state.plantType };
  if (production !== null) judgeImpossible(production, out);
  out.curate("renewable_production", { capacity_factor_used: used, conflict: out.conflict });
  if (out.late && !out.conflict) amendSilence(message.atMs, "plant.silent", out);
  if (out.late || out.conflict || message.atMs < (numberOf(state.latest?.["eventTime"]) ?? message.atMs)) return;
  report(state, message, out);
  state.watch ??= plantWatch();
  if (production !== null) judgeProduction(state.watch, production, out);
  state.state = message.state ?? state.state;
  state.status = message.inverterStatus ?? state.status;
  state.productionMw = message.productionMw;
  state.latest = {
    eventTime: message.atMs,
    eventId: message.eventId,
    production_mw: message.productionMw,
    capacity_mw: message.capacityMw,
    capacity_factor_used: used,
  };
}

/** The region's sum moves by what the plant's production moved. A plant stands where it was first: a row that names no region is of there. */
function report(state: PlantState, { region, productionMw, atMs }: ProductionMeasured, out: Out<GridMessage>): void {
  const id = regionActor(state.region ?? region);
  if (id === null) return;
  if (state.region === null) out.tell(id, { type: "region_joined", kind: "plant" });
  out.tell(id, { type: "production_reported", atMs, changeMw: state.region === null ? productionMw : productionMw - state.productionMw });
  state.region ??= region;
}

function round3(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

function linksOf(region: string | null): Record<string, ActorId> {
  const id = regionActor(region);
  return id === null ? {} : { region: id };
}
