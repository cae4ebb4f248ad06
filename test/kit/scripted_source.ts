import { Position, type SourceId } from "../../engine/ids.ts";
import type { Batch, Source } from "../../engine/source.ts";

export interface ScriptedSourceOptions {
  readonly id: SourceId;
  /** What it hands over, in this order; its position is added to `resumeAt`. */
  readonly batches: readonly Batch[];
  /** True: after the last batch it is idle and waits for the signal, as a transport does that goes on. */
  readonly follow?: boolean;
}

/** The partition whose position is the number of batches handed over. */
export const SCRIPT = "script";

/** A source that plays a list of batches: the transport of tests. */
export function scriptedSource({ id, batches, follow = false }: ScriptedSourceOptions): Source {
  return {
    id,
    async *read(after, signal) {
      let isIdle = false;
      for (let n = Number(after.get(SCRIPT) ?? 0); n < batches.length && !signal.aborted; n += 1) {
        const batch = batches[n] as Batch;
        isIdle = batch.idle;
        yield { ...batch, resumeAt: new Map([...batch.resumeAt, [SCRIPT, Position(String(n + 1))]]) };
      }
      if (!follow) return;
      if (!isIdle) yield { origin: "script/", path: null, generation: 0, records: [], resumeAt: new Map(), idle: true };
      if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    },
  };
}
