import type { Emission } from "../../engine/emission.ts";
import { BrokenInvariant, orUnavailable, Unavailable } from "../../engine/fault.ts";
import { Mark } from "../../engine/ids.ts";
import type { Extents, Sink } from "../../engine/sink.ts";
import type { SinkCursor } from "../../engine/sink_cursor.ts";

/** What a recording sink writes to: it outlives the sink, as a file outlives a process. */
export type Tape = Emission[];

export interface RecordingOptions {
  readonly name: string;
  readonly tape: Tape;
  readonly cursor: Pick<SinkCursor, "mark">;
  readonly extents?: Extents;
  readonly passing?: (point: string) => void;
}

/** A sink that keeps everything in memory, exactly once: its mark is the length of the tape, and what lies beyond it is cut off. */
export function recordingSink({ name, tape, cursor, extents, passing = () => {} }: RecordingOptions): Sink {
  let length = Number(cursor.mark ?? 0);
  tape.length = length;
  async function record(emissions: readonly Emission[]): Promise<Mark> {
    tape.length = length;
    passing("tape.write");
    tape.push(...emissions);
    passing("tape.written");
    length = tape.length;
    return Mark(String(length));
  }
  return {
    name,
    ...(extents === undefined ? {} : { extents }),
    write: (emissions) => orUnavailable(name, record(emissions)),
    close: async () => {},
  };
}

/** What becomes of one write: it works, the sink is not there, or a bug shows. */
export type Fate = "works" | "unavailable" | "broken";

/** `inner`, whose writes go as `fates` says, one after the other; they work once the list is used up. */
export function flakySink(inner: Sink, fates: readonly Fate[]): Sink {
  const left = [...fates];
  return {
    ...inner,
    async write(emissions) {
      const fate = left.shift() ?? "works";
      if (fate === "unavailable") throw new Unavailable(inner.name, new Error("scripted"));
      if (fate === "broken") throw new BrokenInvariant("scripted");
      return inner.write(emissions);
    },
  };
}
