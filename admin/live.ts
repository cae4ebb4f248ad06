import type { DrainReport } from "../engine/drain.ts";
import type { SourceReport, StoredBatch } from "../engine/engine.ts";
import type { ActorId } from "../engine/ids.ts";
import type { LogReport } from "../engine/retention.ts";
import type { TraceEar } from "../engine/tracer.ts";

/** What only a running engine knows of itself. */
export interface Live {
  readonly sources: () => readonly SourceReport[];
  readonly sinks: () => readonly DrainReport[];
  /** Null: all of the log is kept. */
  readonly log: () => LogReport | null;
  /** Last number of the log. */
  readonly sequence: () => number;
  /** Hears the messages of an actor until the returned function is called. */
  readonly trace: (actor: ActorId, ear: TraceEar) => () => void;
  /** Of one source, by name; null: it has brought nothing since the start. */
  readonly pace: (source: string) => Pace | null;
}

/** How quickly a source is read. */
export interface Pace {
  /** Where the latest batch began and ended: partition -> position. Empty before the second one. */
  readonly from: Readonly<Record<string, string>>;
  readonly to: Readonly<Record<string, string>>;
  /** Records that came in a second lately (null: it has not been read for a second yet), and that were processed in a second of work. */
  readonly inputPerSecond: number | null;
  readonly processedPerSecond: number;
}

/** Measures the pace of sources by their batches. */
export interface Paces {
  batch(batch: StoredBatch): void;
  pace(source: string): Pace | null;
}

const WINDOW_MS = 10_000;
/** What came in less says nothing of a second. */
const MEASURED_MS_MIN = 1_000;
/** A batch of many files has many positions: so many are shown. */
const POSITIONS_MAX = 16;

interface Kept {
  from: Readonly<Record<string, string>>;
  to: Readonly<Record<string, string>>;
  beganAtMs: number;
  records: number;
  workMs: number;
  last: { readonly perSecond: number | null; readonly processed: number } | null;
}

/** `nowMs`: a clock that never goes back. */
export function paces(nowMs: () => number): Paces {
  const kept = new Map<string, Kept>();
  const renew = (one: Kept): void => {
    const elapsedMs = nowMs() - one.beganAtMs;
    if (elapsedMs < WINDOW_MS) return;
    one.last = rates(one, elapsedMs);
    Object.assign(one, { beganAtMs: nowMs(), records: 0, workMs: 0 });
  };
  return {
    batch({ source, records, turnMs, commitMs, resumeAt }) {
      const one = kept.get(source) ?? { from: {}, to: {}, beganAtMs: nowMs(), records: 0, workMs: 0, last: null };
      kept.set(source, one);
      renew(one);
      one.records += records;
      one.workMs += turnMs + commitMs;
      if (resumeAt.size === 0) return;
      one.from = one.to;
      one.to = Object.fromEntries([...resumeAt].slice(0, POSITIONS_MAX));
    },
    pace(source) {
      const one = kept.get(source);
      if (one === undefined) return null;
      renew(one);
      const { perSecond, processed } = one.last ?? rates(one, nowMs() - one.beganAtMs);
      return { from: one.from, to: one.to, inputPerSecond: perSecond, processedPerSecond: processed };
    },
  };
}

function rates({ records, workMs }: Kept, elapsedMs: number): NonNullable<Kept["last"]> {
  const round = (value: number): number => Math.round(10 * value) / 10;
  return {
    perSecond: elapsedMs < MEASURED_MS_MIN ? null : round((1_000 * records) / elapsedMs),
    processed: workMs <= 0 ? 0 : round((1_000 * records) / workMs),
  };
}
