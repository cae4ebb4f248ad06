import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Clock } from "../../engine/clock.ts";
import { seconds } from "../../engine/duration.ts";
import { either } from "../alert_cursor.ts";

const STALLED_MS = seconds(10);

/** Writes a piece of an answer that has begun, and waits until there is room for the next. False, and the connection is cut: the reader has taken nothing for too long, or is gone. */
export async function written(response: ServerResponse, bytes: Uint8Array | string, clock: Clock, signal: AbortSignal): Promise<boolean> {
  if (response.write(bytes)) return true;
  const drained = once(response, "drain", { signal }).catch(() => {});
  await either(drained, clock, STALLED_MS, signal);
  if (!response.writableNeedDrain && !signal.aborted) return true;
  response.destroy();
  return false;
}
