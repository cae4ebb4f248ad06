import type { Clock } from "../engine/clock.ts";
import { invariant } from "../engine/fault.ts";
import { Position, type SourceId } from "../engine/ids.ts";
import type { Batch, Source, SourceRecord } from "../engine/source.ts";

/** A message of a simulated stream: its number, when it is due (its event time) and its JSON text. */
export interface SimulatedMessage {
  readonly n: number;
  readonly atMs: number;
  readonly json: string;
}

export interface SimulatorOptions {
  readonly id: SourceId;
  /** Message n is a pure function of the start and n, so a restart goes on with exactly the messages it would have sent. */
  readonly messages: (startAtMs: number, first: number) => Iterable<SimulatedMessage>;
  /** Event time of the first message. Asked at the very first start only: afterwards the position says it. */
  readonly startAtMs: () => number;
  readonly ratePerSecond: number;
  readonly batchRecords: number;
  readonly clock: Clock;
}

const PARTITION = "stream";

/** A live stream made in this process, in step with the wall clock. Its own time stands still while the engine is down. Arrival = event time. */
export function simulator({ id, messages, startAtMs, ratePerSecond, batchRecords, clock }: SimulatorOptions): Source {
  return {
    id,
    async *read(after, signal) {
      const { start, next: first } = resume(after.get(PARTITION)) ?? { start: startAtMs(), next: 0 };
      const beganAtMs = clock.now();
      let due: SourceRecord[] = [];
      for (const message of messages(start, first)) {
        const waitMs = beganAtMs + ((message.n - first) * 1_000) / ratePerSecond - clock.now();
        if (due.length > 0 && (waitMs > 0 || due.length >= batchRecords)) {
          yield batchOf(id, start, due);
          due = [];
        }
        await clock.sleep(waitMs, signal);
        if (signal.aborted) return;
        due.push({ at: message.n, arrivedAtMs: Math.ceil(message.atMs), bytes: Buffer.from(message.json) });
      }
    },
  };
}

function batchOf(id: SourceId, start: number, records: readonly SourceRecord[]): Batch {
  const next = (records.at(-1)?.at ?? 0) + 1;
  return {
    origin: `simulator:${id}/${start}/`,
    path: null,
    generation: 0,
    records,
    resumeAt: new Map([[PARTITION, Position(`${start} ${next}`)]]),
    idle: false,
  };
}

function resume(position: Position | undefined): { readonly start: number; readonly next: number } | null {
  if (position === undefined) return null;
  const [start, next] = position.split(" ").map(Number);
  invariant(start !== undefined && next !== undefined, "a simulator's position is its start and its next number");
  return { start, next };
}
