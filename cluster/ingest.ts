import type { Clock } from "../engine/clock.ts";
import type { SourceWiring } from "../engine/engine.ts";
import { invariant } from "../engine/fault.ts";
import type { Position, SourceId } from "../engine/ids.ts";
import { pump } from "../engine/pump.ts";
import type { Batch } from "../engine/source.ts";
import type { Intake } from "../engine/turn.ts";
import type { Addressed, Router } from "./router.ts";

/** The topic that the shards read. */
export interface Mailbox {
  /** Resolves when all is durable, in order within each shard. Throws `Unavailable`; some of it may be there then. */
  send(chunks: readonly Addressed[]): Promise<void>;
}

/** Where sources are read on: kept outside of this process. */
export interface PositionBook {
  /** As they were at the start, and have been kept since. */
  of(source: SourceId): ReadonlyMap<string, Position>;
  /** Resolves when they are durable. Throws `Unavailable`. */
  keep(source: SourceId, positions: ReadonlyMap<string, Position>): Promise<void>;
}

export interface IngestOptions {
  readonly sources: readonly SourceWiring[];
  readonly router: Router;
  readonly mailbox: Mailbox;
  readonly positions: PositionBook;
  /** Resolves when all shards have taken what was sent, and what they have told each other. */
  readonly settled: (signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onRetry: (source: SourceId, error: Error, pauseMs: number) => void;
  readonly onStage: (stage: number) => void;
}

/**
 * Reads sources into the mailbox, in stages as an engine does; a stage begins when all shards have taken the one before. It keeps nothing here: what was
 * sent is durable before a position behind it is kept, so that after any end the records in between are sent once more, and dropped by the shards.
 * Resolves when the sources have ended, or `signal` has fired.
 */
export async function ingest(options: IngestOptions, signal: AbortSignal): Promise<void> {
  const { sources, settled, onStage } = options;
  const running: Promise<void>[] = [];
  let sent = Promise.resolve(); // One request after another: records of a partition must not overtake each other.
  const send = (intake: Intake, batch: Batch): Promise<void> => {
    const sending = sent.then(() => take(options, intake, batch));
    sent = sending.catch(() => {}); // The source hears of it, and reads on from what was kept.
    return sending;
  };
  const stages = [...new Set(sources.map(({ stage }) => stage))].sort((a, b) => a - b);
  for (const stage of stages) {
    for (const wiring of sources.filter((one) => one.stage === stage)) {
      const { ended, caughtUp } = reading(options, wiring, send, signal);
      running.push(ended);
      if (wiring.holdsNext) await Promise.race([caughtUp, Promise.all(running)]);
      if (signal.aborted) break;
    }
    if (signal.aborted) break;
    if (stage !== stages.at(-1)) await settled(signal);
    onStage(stage);
  }
  await Promise.all(running);
}

function reading(
  { positions, clock, random, onRetry }: IngestOptions,
  { source, intake }: SourceWiring,
  apply: (intake: Intake, batch: Batch) => Promise<void>,
  signal: AbortSignal,
): { readonly ended: Promise<void>; readonly caughtUp: Promise<void> } {
  let onIdle = (): void => {};
  const idle = new Promise<void>((resolve) => {
    onIdle = resolve;
  });
  const told = (error: Error, pauseMs: number): void => onRetry(source.id, error, pauseMs);
  const ended = pump({ source, intake, positions: (id) => positions.of(id), apply, onIdle, onRetry: told, clock, random }, signal);
  const caughtUp = Promise.race([idle, ended]);
  caughtUp.catch(() => {}); // `ended` is always awaited, this only if it holds the next one.
  ended.catch(() => {}); // Awaited at the end; meanwhile it must not count as unhandled.
  return { ended, caughtUp };
}

async function take({ router, mailbox, positions }: IngestOptions, intake: Intake, batch: Batch): Promise<void> {
  invariant(batch.gap === undefined && batch.areAbsent !== true, "a source of a cluster accepts no gaps and compares no snapshots");
  const chunks = router.route(intake, batch);
  if (chunks.length > 0) await mailbox.send(chunks);
  if (batch.resumeAt.size > 0) await positions.keep(intake.source, batch.resumeAt);
}
