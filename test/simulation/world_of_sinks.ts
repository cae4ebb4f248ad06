import type { Emission } from "../../engine/emission.ts";
import { Unavailable } from "../../engine/fault.ts";
import { Mark } from "../../engine/ids.ts";
import type { Sink, Stream } from "../../engine/sink.ts";
import { storedCursor } from "../../engine/sink_cursor.ts";
import type { Store } from "../../engine/store.ts";
import type { Seeded } from "../kit/seeded.ts";
import { type Life, perhaps } from "./life.ts";

/** What one delivery left outside: its place in the log, and the id by which its receiver knows it. */
export interface Delivered {
  readonly sequence: number;
  readonly id: string;
}

/** What stands outside and outlives every process: a file that is appended to, a table of extents, and an endpoint that remembers its calls. */
export interface Outside {
  readonly file: Delivered[];
  readonly extents: Map<number, readonly Delivered[]>;
  readonly calls: Delivered[];
}

export function newOutside(): Outside {
  return { file: [], extents: new Map(), calls: [] };
}

export interface SinkTroubles {
  readonly life: Life;
  readonly store: Store;
  readonly chance: Seeded;
  readonly fails: number;
  readonly lies: number;
  /** A bug that is planted: a write is called done before anything of it is. */
  readonly settlesEarly?: boolean;
}

/** The three ways in which sinks keep their promises, as one process sees them. */
export function sinksOf(outside: Outside, troubles: SinkTroubles): readonly { readonly sink: Sink; readonly stream: Stream }[] {
  return [
    { sink: fileSink(outside.file, troubles), stream: "alerts" },
    { sink: extentSink(outside.extents, troubles), stream: "curated" },
    { sink: callingSink(outside.calls, troubles), stream: "alerts" },
  ];
}

/** What it holds beyond its cursor was torn by a crash, or is of a write that is done again: it is cut. */
function fileSink(file: Delivered[], troubles: SinkTroubles): Sink {
  file.length = Number(storedCursor(troubles.store, "file").mark ?? 0);
  return sinkOf("file", troubles, async (emissions) => {
    const rows = emissions.map(deliveredAs);
    const first = rows[0]?.sequence ?? 0;
    file.length = file.filter(({ sequence }) => sequence < first).length;
    const half = troubles.chance.below(rows.length + 1);
    file.push(...rows.slice(0, half));
    await troubles.life.pass();
    file.push(...rows.slice(half));
    return Mark(String(file.length));
  });
}

/** An extent has a name, and exists whole or not at all. */
function extentSink(extents: Map<number, readonly Delivered[]>, troubles: SinkTroubles): Sink {
  const sink = sinkOf("extents", troubles, async (emissions) => {
    const rows = emissions.map(deliveredAs);
    const name = rows[0]?.sequence as number;
    const before = extents.get(name);
    if (before !== undefined && JSON.stringify(before) !== JSON.stringify(rows))
      throw new Error(`extent ${name} was written with other rows`);
    extents.set(name, rows);
    return Mark(String(name));
  });
  return { ...sink, extents: { records: 64, everyMs: 5_000 } };
}

function callingSink(calls: Delivered[], troubles: SinkTroubles): Sink {
  return sinkOf("calls", troubles, async (emissions) => {
    for (const emission of emissions) {
      calls.push(deliveredAs(emission));
      await troubles.life.pass();
    }
    return Mark("called");
  });
}

function sinkOf(name: string, troubles: SinkTroubles, write: Sink["write"]): Sink {
  const { life, chance, fails, lies, settlesEarly = false } = troubles;
  const error = (): Error => new Unavailable(name, new Error("scripted"));
  return {
    name,
    async write(emissions) {
      const held = [...emissions];
      const writing = (): Promise<Mark> => perhaps(life, () => write(held), { chance, fails, lies, error });
      if (!settlesEarly) return writing();
      void writing().catch(() => {}); // The bug.
      return Mark("early");
    },
    close: async () => {},
  };
}

/** By its id: that of the event, or of the row. */
export function deliveredAs(emission: Emission): Delivered {
  return { sequence: emission.sequence, id: emission.stream === "alerts" ? emission.event.id : emission.row.rowId };
}
