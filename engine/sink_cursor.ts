import type { Mark } from "./ids.ts";
import type { Store } from "./store.ts";

/** How far a sink has got. Kept in the store, so a sink may be behind it, never ahead. */
export interface SinkCursor {
  /** Last sequence that the sink holds for good; 0: none. */
  readonly settled: number;
  /** What the sink answered when it took that one; null: never written. */
  readonly mark: Mark | null;
  /** Last sequence of the extent being handed over: after a crash exactly that extent is handed over again. Null: no extent is fixed. */
  readonly pending: number | null;
}

export const NO_CURSOR: SinkCursor = { settled: 0, mark: null, pending: null };

/** The stored cursor of a sink; `NO_CURSOR` if it has none yet. */
export function storedCursor(store: Pick<Store, "get">, sink: string): SinkCursor {
  const bytes = store.get("sink", sink);
  return bytes === null ? NO_CURSOR : (JSON.parse(Buffer.from(bytes).toString()) as SinkCursor);
}

/** Bytes for `Store.settle`. */
export function encodeCursor(cursor: SinkCursor): Uint8Array {
  return Buffer.from(JSON.stringify(cursor));
}
