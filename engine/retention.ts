import { bell } from "./bell.ts";
import type { Clock } from "./clock.ts";
import type { ChangedRow } from "./commit.ts";
import type { Drain } from "./drain.ts";
import { seconds } from "./duration.ts";
import type { Emission } from "./emission.ts";
import { invariant } from "./fault.ts";
import { keptRow } from "./kept_alert.ts";
import type { LogEntry } from "./log_entry.ts";
import type { Stream } from "./sink.ts";
import type { LogPiece, Store } from "./store.ts";

/** How much of the log is kept. */
export interface KeptLog {
  /** What nothing was added to for so long is cut. */
  readonly keepMs: number;
  /** Of each stream. */
  readonly sizeBytesMax: number;
  /** Below this much free disk nothing is taken in. */
  readonly freeDiskBytesMin: number;
}

export interface RetentionOptions extends KeptLog {
  readonly store: Pick<Store, "logPieces" | "cutLog" | "readLog" | "nextSequence">;
  readonly decode: (stream: Stream, entry: LogEntry) => Emission;
  readonly drains: readonly { readonly stream: Stream; readonly drain: Pick<Drain, "handedOver" | "surrender"> }[];
  /** Free space where the log lies. */
  readonly freeDiskBytes: () => Promise<number>;
  readonly clock: Clock;
  /** Told when sources begin to wait, with the reason, and (null) when they go on. */
  readonly onPressure: (reason: string | null) => void;
}

/** Keeps the log within its bounds. */
export interface Retention {
  /** Looks after the log until `signal` fires. Rejects if the store does. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when there is room for another batch, or `signal` fires. */
  room(signal: AbortSignal): Promise<void>;
  /** Cuts what may be cut, and sees whether there is room. */
  look(): Promise<void>;
  /** Sources wait. */
  isFull(): boolean;
  report(): LogReport;
}

/** How full the log is. */
export interface LogReport {
  /** Why sources wait; null: they do not. */
  readonly waiting: string | null;
  /** Of each stream. From 80 % of the greatest size on, what a sink has not taken makes sources wait. */
  readonly bytes: Readonly<Record<Stream, number>>;
  readonly sizeBytesMax: number;
}

/** Shares of `sizeBytesMax`: from the first on a stream is cut, from the second on sources wait. */
const CUT_AT = 0.7;
const FULL_AT = 0.8;
const LOOK_EVERY_MS = seconds(1);
const LOOK_WHEN_FULL_MS = 50;
const READ_BYTES = 1_048_576;
const STREAMS: readonly Stream[] = ["alerts", "curated"];

/**
 * Cuts the oldest pieces of a stream when they are old, or too many, and every sink has them: nothing is cut that a sink still lacks. Instead, when a
 * stream is full, sources wait, and sinks that never hold the log up put aside what they lack. The newest event of an alert that is still open is
 * kept as a row (table `open_alert`) when it is cut.
 */
export function retention(options: RetentionOptions): Retention {
  const { store, drains, sizeBytesMax, clock } = options;
  const eased = bell();
  let pressure: string | null = null;
  let looking: Promise<void> | null = null;

  async function lookNow(): Promise<void> {
    const full: Stream[] = [];
    for (const stream of STREAMS) {
      await cut(stream);
      if (bytesOf(stream) < FULL_AT * sizeBytesMax) continue;
      surrenderOldest(stream);
      full.push(stream);
    }
    const isDiskFull = (await options.freeDiskBytes()) < options.freeDiskBytesMin;
    if (isDiskFull) tell("less disk is free than log.minFreeDisk");
    else tell(full[0] === undefined ? null : `the log of ${full[0]} is full of what sinks have not taken yet`);
  }

  function tell(reason: string | null): void {
    if (reason === pressure) return;
    pressure = reason;
    options.onPressure(reason);
    if (reason === null) eased.ring();
  }

  async function cut(stream: Stream): Promise<void> {
    const pieces = store.logPieces(stream);
    const count = piecesToCut(pieces, options, clock.now(), handedOver(stream, pieces));
    if (count > 0) await cutOff(stream, pieces, count);
  }

  function handedOver(stream: Stream, pieces: readonly LogPiece[]): (piece: number) => boolean {
    const last = (piece: number): number => (pieces[piece + 1]?.first ?? store.nextSequence) - 1;
    const to = Math.min(store.nextSequence - 1, ...ofStream(stream).map((drain) => drain.handedOver()));
    return (piece) => last(piece) <= to;
  }

  /** Sinks that never hold the log up put aside what is in the way; what they have put aside is cut at the next look. */
  function surrenderOldest(stream: Stream): void {
    const pieces = store.logPieces(stream);
    const count = piecesToCut(pieces, options, clock.now(), () => true);
    const to = (pieces[count]?.first ?? store.nextSequence) - 1;
    for (const drain of ofStream(stream)) drain.surrender(to);
  }

  async function cutOff(stream: Stream, pieces: readonly LogPiece[], count: number): Promise<void> {
    const behind = pieces[count]?.first ?? store.nextSequence;
    if (stream === "curated") return store.cutLog(stream, { pieces: pieces.slice(0, count), start: behind, rows: [] });
    const rows = new Map<string, ChangedRow>();
    let start = 0;
    for (let from = pieces[0]?.first ?? 0; from < behind; ) {
      const entries = (await store.readLog(stream, from, READ_BYTES)).filter(({ sequence }) => sequence < behind);
      for (const entry of entries) {
        const row = keptRow(options.decode(stream, entry), entry);
        rows.set(row.key, row);
      }
      const last = entries.at(-1)?.sequence;
      if (last === undefined) break;
      start = last + 1;
      from = start;
    }
    invariant(start > 0, "a piece of the log has entries");
    await store.cutLog(stream, { pieces: pieces.slice(0, count), start, rows: [...rows.values()] });
  }

  const bytesOf = (stream: Stream): number => store.logPieces(stream).reduce((sum, { bytes }) => sum + bytes, 0);
  const ofStream = (stream: Stream) => drains.filter((one) => one.stream === stream).map(({ drain }) => drain);

  function look(): Promise<void> {
    looking ??= lookNow().finally(() => {
      looking = null;
    });
    return looking;
  }

  return {
    look,
    isFull: () => pressure !== null,
    report: () => ({ waiting: pressure, bytes: { alerts: bytesOf("alerts"), curated: bytesOf("curated") }, sizeBytesMax }),
    async run(signal) {
      while (!signal.aborted) {
        await look();
        await clock.sleep(pressure === null ? LOOK_EVERY_MS : LOOK_WHEN_FULL_MS, signal);
      }
    },
    async room(signal) {
      if (pressure === null && STREAMS.some((stream) => bytesOf(stream) >= FULL_AT * sizeBytesMax)) await look();
      while (pressure !== null && !signal.aborted) {
        const waiting = new AbortController(); // So that no listener stays behind on a signal that lives as long as the engine.
        const gone = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { signal: waiting.signal }));
        await Promise.race([eased.heard(), gone]);
        waiting.abort();
      }
    },
  };
}

/** How many of the oldest pieces go: those that are old, and as many as make the stream small enough, as long as `mayGo`. */
export function piecesToCut(
  pieces: readonly LogPiece[],
  { keepMs, sizeBytesMax }: Pick<KeptLog, "keepMs" | "sizeBytesMax">,
  nowMs: number,
  mayGo: (piece: number) => boolean,
): number {
  let left = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
  let count = 0;
  for (const { bytes, writtenAtMs } of pieces) {
    const isDue = nowMs - writtenAtMs > keepMs || left > CUT_AT * sizeBytesMax;
    if (!isDue || !mayGo(count)) break;
    left -= bytes;
    count += 1;
  }
  return count;
}
