import type { Behaviour } from "../engine/behaviour.ts";
import type { GridMessage } from "./message.ts";

/** What is kept of a region: counts and sums, never a list of its members. */
export interface RegionState {
  substations: number;
  plants: number;
  productionMw: number;
  lastProductionAtMs: number | null;
}

/** A region of the grid. */
export const region: Behaviour<RegionState, GridMessage> = {
  kind: "region",
  version: 1,
  clocks: [],
  initial: () => ({ substations: 0, plants: 0, productionMw: 0, lastProductionAtMs: null }),
  receive(state, message) {
    switch (message.type) {
      case "region_joined":
        if (message.kind === "substation") state.substations += 1;
        else state.plants += 1;
        return;
      case "production_reported":
        state.productionMw += message.changeMw;
        state.lastProductionAtMs = Math.max(state.lastProductionAtMs ?? message.atMs, message.atMs);
        return;
    }
  },
  describe: (state) => ({
    status: null,
    attributes: { substations: state.substations, plants: state.plants },
    latest:
      state.lastProductionAtMs === null
        ? null
        : { eventTime: state.lastProductionAtMs, production_mw: Math.round(state.productionMw * 1_000) / 1_000 },
    rolling: null,
  }),
  links: () => ({}),
};
