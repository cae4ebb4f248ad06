import type { Out } from "../../../engine/behaviour.ts";
import type { GridMessage } from "../../message.ts";

/** `transformer.status_conflict`: telemetry of one that the master calls decommissioned as of that day. `status`: null where none is known. */
export function judgeStatus(atMs: number, status: string | null, out: Out<GridMessage>): void {
  if (status === null) return;
  out.observe("transformer.status_conflict", { holds: status === "DECOMMISSIONED", atMs, value: status });
}
