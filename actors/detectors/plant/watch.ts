import type { Out } from "../../../engine/behaviour.ts";
import type { GridMessage } from "../../message.ts";
import { type Usual, usual } from "../../statistics/usual.ts";
import { type Cadence, cadence, reported } from "../silence.ts";
import { type Charge, charge, judgeBalance } from "./balance.ts";
import { type CurtailedDay, curtailedDay, judgeCurtailment } from "./curtailment.ts";
import { judgeHydro, type Specific, specific } from "./hydro_specific.ts";
import { judgeInverter } from "./inverter_conflict.ts";
import { judgeRamp, type Ramps, ramps } from "./ramp.ts";
import type { Production } from "./sample.ts";
import { judgeSolar } from "./solar_ratio.ts";
import { judgeWind, type WindCurve, windCurve } from "./wind_curve.ts";

/** What a plant's detectors keep. Changed in place. */
export interface PlantWatch {
  readonly cadence: Cadence;
  readonly solar: Usual;
  readonly wind: WindCurve;
  readonly hydro: Specific;
  readonly curtailed: CurtailedDay;
  readonly charge: Charge;
  readonly ramps: Ramps;
}

export function plantWatch(): PlantWatch {
  return {
    cadence: cadence(),
    solar: usual(),
    wind: windCurve(),
    hydro: specific(),
    curtailed: curtailedDay(),
    charge: charge(),
    ramps: ramps(),
  };
}

/** Looks at behaviour over time: records on time and in order only. */
export function judgeProduction(state: PlantWatch, production: Production, out: Out<GridMessage>): void {
  judgeSolar(state.solar, production, out);
  judgeWind(state.wind, production, out);
  judgeHydro(state.hydro, production, out);
  judgeCurtailment(state.curtailed, production, out);
  judgeBalance(state.charge, production, out);
  judgeInverter(production, out);
  judgeRamp(state.ramps, production, out);
  reported(state.cadence, production.atMs, "plant.silent", out);
}
