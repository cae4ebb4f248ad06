import { SourceId } from "../../engine/ids.ts";
import type { Batch } from "../../engine/source.ts";
import { sourceContract } from "../contract/source.ts";
import { scriptedSource } from "./scripted_source.ts";
import { recordsOf } from "./source_reading.ts";

const batch = (texts: readonly string[], first: number, idle = false): Batch => ({
  origin: "script/",
  path: null,
  generation: 0,
  records: recordsOf(texts, first),
  resumeAt: new Map(),
  idle,
});

const BATCHES = [batch(["a", "b"], 0), batch([], 2), batch(["c"], 2), batch(["d", "e"], 3), batch([], 5, true)];

for (const follow of [false, true]) {
  sourceContract(`a script${follow ? " that goes on" : ""}`, async () => ({
    open: () => scriptedSource({ id: SourceId("script"), batches: BATCHES, follow }),
    expected: { "": ["a", "b", "c", "d", "e"] },
    bounds: { records: 2, bytes: 100 },
    remove: async () => {},
  }));
}
