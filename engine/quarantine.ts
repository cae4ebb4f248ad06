import { Packr } from "msgpackr";
import type { FaultCode } from "./fault.ts";
import type { ActorId } from "./ids.ts";

const packr = new Packr({ useRecords: false, moreTypes: false });

/** A quarantined record as it is kept (table `quarantine`, key = `id`). `bytes`: what came; of a very large record the beginning. */
export interface QuarantineRow {
  readonly id: string;
  readonly feed: string;
  readonly source: string;
  readonly position: string;
  readonly reason: FaultCode;
  readonly field: string | null;
  readonly error: string;
  readonly actor: ActorId | null;
  readonly eventTimeMs: number | null;
  readonly arrivedAtMs: number;
  readonly sizeBytes: number;
  readonly attempts: number;
  readonly status: "open" | "retried" | "dropped";
  readonly bytes: Uint8Array;
}

export function encodeQuarantine(row: QuarantineRow): Uint8Array {
  return packr.pack(row);
}

export function decodeQuarantine(bytes: Uint8Array): QuarantineRow {
  return packr.unpack(bytes) as QuarantineRow;
}
