import type { Extents } from "../../engine/sink.ts";
import { type SinkUnderTest, sinkContract } from "../contract/sink.ts";
import { alertEmission } from "../kit/emissions.ts";
import { type Fate, flakySink, recordingSink, type Tape } from "../kit/flaky_sink.ts";

sinkContract("recording sink", async () => recorded([]));
sinkContract("recording sink with extents", async () => recorded([], { extents: { records: 3, everyMs: 30_000 } }));
sinkContract("flaky sink", async () => recorded(["unavailable", "works", "unavailable", "unavailable"]));

function recorded(fates: readonly Fate[], options: { readonly extents?: Extents } = {}): SinkUnderTest {
  const tape: Tape = [];
  const name = "tape";
  return {
    name,
    stream: "alerts",
    emission: alertEmission,
    open: async (cursor, passing) => flakySink(recordingSink({ name, tape, cursor, passing, ...options }), fates),
    seen: async () => tape.map(({ sequence }) => sequence),
    remove: async () => {},
  };
}
