import type { Clock } from "./clock.ts";
import { Unavailable } from "./fault.ts";
import type { Position, SourceId } from "./ids.ts";
import { retry } from "./retry.ts";
import type { Batch, Source } from "./source.ts";
import { NewColumns } from "./survey.ts";
import type { Intake } from "./turn.ts";

/** What a pump needs of the engine: where the source stands, and to have a batch applied (resolves when it is flushed). */
export interface PumpOptions {
  readonly source: Source;
  readonly intake: Intake;
  readonly positions: (source: SourceId) => ReadonlyMap<string, Position>;
  /** Resolves when another batch may come, or the signal has fired. */
  readonly room?: () => Promise<void>;
  readonly apply: (intake: Intake, batch: Batch) => Promise<void>;
  /** The first batch is read at once, but applied once this has resolved: by then a source has found its beginning while others were read. */
  readonly turn?: Promise<void>;
  readonly onIdle: () => void;
  readonly onRetry: (error: Error, pauseMs: number) => void;
  /** Told that a person has to decide, and then the source has ended. Left out: it is tried again, as after any outage; others do not wait for it. */
  readonly onNewColumns?: (error: NewColumns) => void;
  readonly clock: Clock;
  readonly random: () => number;
}

/**
 * The loop from one source to the store. Reads the next batch while the last one is being stored, and no further: a store that is behind
 * holds the source back. An outage ends the reading; it begins again, after a pause, behind the last stored position. Resolves when the source
 * has ended or `signal` has fired.
 */
export async function pump(options: PumpOptions, signal: AbortSignal): Promise<void> {
  const { clock, random, onRetry } = options;
  try {
    await retry(() => readUntilDecided(options, signal), { clock, random, signal, onRetry });
  } catch (error) {
    if (!(error instanceof Unavailable && signal.aborted)) throw error;
  }
}

async function readUntilDecided(options: PumpOptions, signal: AbortSignal): Promise<void> {
  try {
    await readOnce(options, signal);
  } catch (error) {
    if (!(error instanceof NewColumns)) throw error;
    options.onIdle();
    if (options.onNewColumns === undefined) throw error;
    options.onNewColumns(error);
  }
}

async function readOnce({ source, intake, positions, room, apply, turn, onIdle }: PumpOptions, signal: AbortSignal): Promise<void> {
  const batches = source.read(positions(source.id), signal)[Symbol.asyncIterator]();
  try {
    let next = batches.next();
    next.catch(() => {}); // Awaited below, in its turn; meanwhile it must not count as unhandled.
    await turn;
    for (;;) {
      if (signal.aborted) break;
      const { done, value: batch } = await next;
      if (done === true) return;
      next = batches.next();
      next.catch(() => {}); // Awaited above in the next round; meanwhile it must not count as unhandled.
      await room?.();
      if (signal.aborted) break;
      await apply(intake, batch);
      source.stored?.(batch.resumeAt);
      if (batch.idle) onIdle();
    }
  } catch (error) {
    // Not awaited: the source may be waiting for its next batch, and the error must not wait with it.
    void batches.return?.().catch(() => {});
    throw error;
  }
  await batches.return?.();
}
