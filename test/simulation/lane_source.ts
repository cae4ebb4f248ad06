import { Unavailable } from "../../engine/fault.ts";
import { Position } from "../../engine/ids.ts";
import type { Batch, Source, SourceRecord } from "../../engine/source.ts";
import type { Seeded } from "../kit/seeded.ts";
import type { Item, Lane } from "./script.ts";

/** A span of a lane's items that is applied at once: [from, to). An idle word ends it. */
export interface Cut {
  readonly lane: Lane;
  readonly from: number;
  readonly to: number;
}

/** The batch that a cut comes as. */
export function batchOf({ lane, from, to }: Cut): Batch {
  const items = lane.items.slice(from, to);
  const records = items.flatMap((item, n): SourceRecord[] => (item === "idle" ? [] : [{ at: from + n, ...item }]));
  return {
    origin: `sim:${lane.partition}/`,
    path: null,
    partition: lane.partition,
    generation: 0,
    records,
    resumeAt: new Map([[lane.partition, Position(String(to))]]),
    idle: items.at(-1) === "idle",
  };
}

/** Where a cut from `from` ends that has so many items at most: with the first idle word. */
export function endOf(items: readonly Item[], from: number, most: number): number {
  const until = Math.min(items.length, from + most);
  const idle = items.indexOf("idle", from);
  return idle >= 0 && idle < until ? idle + 1 : until;
}

export interface LaneSourceOptions {
  readonly lanes: readonly Lane[];
  readonly chance: Seeded;
  readonly batchMax: number;
  /** In percent of the batches. */
  readonly outage: number;
  /** A bug that is planted: a batch comes twice in one life. */
  readonly repeats?: boolean;
}

/** Plays the lanes of one source, cut anywhere and in any order of partitions. It ends when all is read. */
export function laneSource({ lanes, chance, batchMax, outage, repeats = false }: LaneSourceOptions): Source {
  const { source } = (lanes[0] as Lane).intake;
  return {
    id: source,
    async *read(after, signal) {
      const next = new Map(lanes.map((lane) => [lane, Number(after.get(lane.partition) ?? 0)]));
      for (;;) {
        const open = lanes.filter((lane) => (next.get(lane) as number) < lane.items.length);
        if (open.length === 0 || signal.aborted) return;
        if (chance.chance(outage)) throw new Unavailable(source, new Error("scripted"));
        const lane = chance.pick(open);
        const from = next.get(lane) as number;
        const to = endOf(lane.items, from, 1 + chance.below(batchMax));
        next.set(lane, to);
        yield batchOf({ lane, from, to });
        if (repeats && chance.chance(10)) yield batchOf({ lane, from, to });
      }
    },
  };
}
