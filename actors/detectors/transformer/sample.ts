import type { TelemetryMeasured } from "../../message.ts";

/** A record of telemetry with what the transformer knows to it. */
export interface Sample extends TelemetryMeasured {
  /** The capacity to judge by, MW: the record's own, else the master's as of its time. */
  readonly ratedMw: number | null;
  /** Load as a share of that capacity; 1 is full. */
  readonly load: number | null;
}
