import type { Out } from "../../../engine/behaviour.ts";
import type { GridMessage } from "../../message.ts";
import { usual } from "../../statistics/usual.ts";
import type { TelemetryReported } from "../../tells.ts";
import type { Bay, Bays } from "./bay.ts";
import { judgeOpenLoad } from "./breaker_open_load.ts";
import { type Bus, judgeBusVoltage } from "./bus_voltage.ts";
import { judgeCondensation } from "./condensation.ts";
import { judgeDeadFeeder } from "./dead_feeder.ts";
import { judgeLatency, type Latency, latency } from "./latency.ts";
import { judgeReserve } from "./n_minus_1.ts";
import { shareAmbient } from "./share_ambient.ts";
import { type Devices, judgeLoss } from "./telemetry_loss.ts";
import { judgeTrips } from "./trips.ts";

/** What a substation's detectors keep beside its bays. Changed in place. */
export interface SubstationWatch {
  readonly bus: Bus;
  readonly devices: Devices;
  readonly latency: Latency;
  trips: readonly number[];
}

export function substationWatch(): SubstationWatch {
  return { bus: { voltage: usual(), nominalKv: null }, devices: {}, latency: latency(), trips: [] };
}

/** Looks at a report that is newer than all of its transformer. The bay knows it already; `before`: its breaker in the last one. */
export function judgeReport(
  state: SubstationWatch,
  bays: Bays,
  bay: Bay,
  before: string | null,
  report: TelemetryReported,
  out: Out<GridMessage>,
): void {
  judgeOpenLoad(bays, bay, report, out);
  shareAmbient(bays, bay, report, out);
  judgeBusVoltage(state.bus, report.atMs, report.voltageKv, out);
  judgeDeadFeeder(bays, bay, report, state.bus.nominalKv, out);
  state.trips = judgeTrips(state.trips, before, report, out);
  judgeCondensation(bays, bay, report, out);
  judgeReserve(bays, report.atMs, out);
  judgeLoss(state.devices, report, out);
  judgeLatency(state.latency, report, out);
}
