import { bell } from "./bell.ts";
import type { Clock } from "./clock.ts";
import type { Emission } from "./emission.ts";
import { invariant, Unavailable } from "./fault.ts";
import type { LogEntry } from "./log_entry.ts";
import { retry } from "./retry.ts";
import type { Sink, Stream } from "./sink.ts";
import { encodeCursor, type SinkCursor, storedCursor } from "./sink_cursor.ts";
import type { Store } from "./store.ts";

/** What a drain works with. `decode` is made by `emissionDecoder`. */
export interface DrainOptions {
  readonly store: Pick<Store, "get" | "nextSequence" | "readLog" | "logStart" | "settle">;
  readonly sink: Sink;
  readonly stream: Stream;
  readonly decode: (stream: Stream, entry: LogEntry) => Emission;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Told before each pause of an outage. */
  readonly onRetry?: (sink: string, error: Error, pauseMs: number) => void;
  /** Told at the start if the log no longer holds all that the sink lacks: it goes on at `firstAvailable`. */
  readonly onGap?: (sink: string, requested: number, firstAvailable: number) => void;
}

/** One loop from the log to a sink. */
export interface Drain {
  /** Says that the log has grown. Called after every flush. */
  wake(): void;
  /** Hands over the log until `signal` fires; what is not handed over then stays in the log. Rejects on everything but `Unavailable`. Runs once. */
  run(signal: AbortSignal): Promise<void>;
  /** Hands over all that is flushed now, extents that are not full included. False: not done within the time, or the loop has ended. */
  flush(withinMs: number): Promise<boolean>;
  /** Everything of the stream up to this number is handed over for good. */
  handedOver(): number;
  /** If the sink never holds the log up: what it lacks up to this number (inclusive) is put aside now. Anything else is left alone. */
  surrender(to: number): void;
  report(): DrainReport;
}

export interface DrainReport {
  readonly sink: string;
  /** Last sequence that the sink holds for good. */
  readonly settled: number;
  /** At most so many emissions are still to be handed over (the numbers of the other stream count until the log has been read past them). */
  readonly behind: number;
  /** Epoch milliseconds of the last write that succeeded since the start; null: none yet. */
  readonly lastSuccess: number | null;
  /** Failed attempts since the start. */
  readonly retries: number;
}

const READ_BYTES = 1_048_576;
const EXTENT_BYTES_MAX = 67_108_864; // Bounds memory where records are few but large.

/**
 * Makes the loop of one sink. It goes on after the last settled sequence. Where the sink wants extents, the end of each is stored before the
 * write and cleared after it, so that a crash in between repeats that very extent; a sink without extents resumes by its mark.
 */
export function drain(options: DrainOptions): Drain {
  const { store, sink, stream, clock, random } = options;
  const flushed = bell();
  let cursor = storedCursor(store, sink.name);
  let gathered: Emission[] = [];
  let readTo = cursor.settled;
  let waiting: ((done: boolean) => void)[] = [];
  let ended = false;
  let surrendered = 0;
  let attempt = new AbortController();
  let lastSuccess: number | null = null;
  let retries = 0;

  async function run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", flushed.ring, { once: true });
    const start = store.logStart(stream);
    if (cursor.mark !== null && cursor.settled + 1 < start) options.onGap?.(sink.name, cursor.settled + 1, start);
    try {
      if (cursor.pending !== null) await handOver(await fixedExtent(cursor.settled, cursor.pending), signal);
      while (await gather(signal)) {
        const extent = gathered;
        if (sink.extents !== undefined) await settle({ ...cursor, pending: lastOf(extent) });
        await handOver(extent, signal);
        gathered = [];
      }
    } catch (error) {
      if (!(error instanceof Unavailable && signal.aborted)) throw error;
    } finally {
      signal.removeEventListener("abort", flushed.ring);
      ended = true;
      answer(false);
    }
  }

  /** Fills `gathered` until it is to go. False: the loop is to end. */
  async function gather(signal: AbortSignal): Promise<boolean> {
    const { records: recordsMax, everyMs } = sink.extents ?? { records: Number.POSITIVE_INFINITY, everyMs: 0 };
    let bytes = 0;
    let dueMs = Number.POSITIVE_INFINITY;
    while (!signal.aborted) {
      const heard = flushed.heard();
      const numbered = store.nextSequence - 1;
      const entries = await store.readLog(stream, (gathered.at(-1)?.sequence ?? cursor.settled) + 1, READ_BYTES);
      for (const entry of entries) {
        gathered.push(options.decode(stream, entry));
        bytes += entry.bytes.length;
        readTo = entry.sequence;
        if (gathered.length >= recordsMax || bytes >= EXTENT_BYTES_MAX) return true;
      }
      if (gathered.length > 0) dueMs = Math.min(dueMs, clock.now() + everyMs);
      if (clock.now() >= dueMs) return true;
      if (entries.length > 0) continue;
      readTo = Math.max(readTo, numbered);
      if (gathered.length > 0 && waiting.length > 0) return true;
      answer(true);
      await within(dueMs - clock.now(), heard);
    }
    return false;
  }

  /** The extent that was fixed before a crash: (settled, last]. */
  async function fixedExtent(settled: number, last: number): Promise<Emission[]> {
    const extent: Emission[] = [];
    for (let from = settled + 1; from <= last; from = lastOf(extent) + 1) {
      const entries = await store.readLog(stream, from, READ_BYTES);
      invariant(entries.length > 0, `the log of ${stream} holds the extent to ${last} that was fixed for ${sink.name}`);
      for (const entry of entries) if (entry.sequence <= last) extent.push(options.decode(stream, entry));
      invariant(extent.length > 0, `the log of ${stream} holds the extent to ${last} that was fixed for ${sink.name}`);
    }
    invariant(lastOf(extent) === last, `an extent of ${sink.name} ends with an entry of ${stream}`);
    return extent;
  }

  async function handOver(extent: readonly Emission[], signal: AbortSignal): Promise<void> {
    const onRetry = (error: Unavailable, pauseMs: number): void => {
      retries += 1;
      options.onRetry?.(sink.name, error, pauseMs);
    };
    const mark = await taken(extent, signal, onRetry);
    await settle({ settled: lastOf(extent), mark, pending: null });
    lastSuccess = clock.now();
    readTo = Math.max(readTo, cursor.settled);
  }

  async function taken(extent: readonly Emission[], signal: AbortSignal, onRetry: (error: Unavailable, pauseMs: number) => void) {
    while (sink.surrender === undefined || firstOf(extent) > surrendered) {
      attempt = new AbortController();
      const until = AbortSignal.any([signal, attempt.signal]);
      try {
        return await retry(() => sink.write(extent), { ...sink.retry, clock, random, signal: until, onRetry });
      } catch (error) {
        if (!(error instanceof Unavailable) || signal.aborted || !attempt.signal.aborted) throw error;
      }
    }
    return sink.surrender(extent);
  }

  async function settle(next: SinkCursor): Promise<void> {
    await store.settle(sink.name, encodeCursor(next));
    cursor = next;
  }

  /** What `work` gives, or undefined after `forMs`. */
  async function within<T>(forMs: number, work: Promise<T>): Promise<T | undefined> {
    const done = new AbortController();
    const late = clock.sleep(forMs, done.signal).then(() => undefined);
    try {
      return await Promise.race([work, late]);
    } finally {
      done.abort();
    }
  }

  function answer(done: boolean): void {
    for (const resolve of waiting) resolve(done);
    waiting = [];
  }

  async function flush(withinMs: number): Promise<boolean> {
    if (ended) return false;
    const handedOver = new Promise<boolean>((resolve) => waiting.push(resolve));
    flushed.ring();
    return (await within(withinMs, handedOver)) ?? false;
  }

  return {
    wake: flushed.ring,
    run,
    flush,
    handedOver: () => (gathered.length === 0 && cursor.pending === null ? readTo : cursor.settled),
    surrender(to) {
      if (sink.surrender === undefined || to <= surrendered) return;
      surrendered = to;
      attempt.abort();
      flushed.ring();
    },
    report: () => ({
      sink: sink.name,
      settled: cursor.settled,
      behind: gathered.length + Math.max(0, store.nextSequence - 1 - readTo),
      lastSuccess,
      retries,
    }),
  };
}

function firstOf(extent: readonly Emission[]): number {
  const [first] = extent;
  invariant(first !== undefined, "an extent is never empty");
  return first.sequence;
}

function lastOf(extent: readonly Emission[]): number {
  const last = extent.at(-1);
  invariant(last !== undefined, "an extent is never empty");
  return last.sequence;
}
