import type { Out } from "../../../engine/behaviour.ts";
import { hours } from "../../../engine/duration.ts";
import type { GridMessage } from "../../message.ts";
import type { TelemetryReported } from "../../tells.ts";
import type { Bay, Bays } from "./bay.ts";

/** The air beside a transformer is that beside its neighbour, for so long. */
const FRESH_MS = hours(1);

/** Keeps the air that a bay measures. One that does not is told what its neighbours have measured last, so that its oil is compared with it. */
export function shareAmbient(bays: Bays, bay: Bay, { transformer, atMs, ambientC }: TelemetryReported, out: Out<GridMessage>): void {
  if (ambientC !== null) {
    bay.ambient = [atMs, ambientC];
    return;
  }
  const heard = Object.values(bays)
    .flatMap(({ ambient }) => (ambient !== undefined && ambient[0] > atMs - FRESH_MS ? [ambient] : []))
    .sort(([a], [b]) => a - b)
    .at(-1);
  if (heard !== undefined) out.tell(transformer, { type: "ambient_shared", atMs: heard[0], ambientC: heard[1] });
}
