// A feed, a kind of actor, a rule, a source and a sink of your own, in an engine in your own process: `examples/feeder_load.yaml` puts them together.
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Sink, Source } from "gridactor";
import { ActorId, type Behaviour, feed, instant, Mark, minutes, number, openEngine, Position, type Rule, text } from "gridactor";

// What a record means; not how it arrives.
const feederLoad = feed({
  name: "feeder_load",
  latenessMs: minutes(5),
  fields: { id: text, feeder: text, at: instant, amps: number(0, 5_000) },
  eventTimeMs: (row) => row.at,
  dedupKey: (row) => row.id,
  actors: (row) => [ActorId("feeder", row.feeder)],
  message: (row) => ({ type: "feeder_measured", atMs: row.at, amps: row.amps }) as const,
});

// When to speak. The configuration may set other limits.
const limits = { limitA: 400, clearA: 380 };
const delays = { onDelayMs: minutes(10), offDelayMs: minutes(15) };
const overload: Rule = {
  id: "feeder.overload",
  version: 1,
  family: "load",
  severity: "warning",
  metric: "amps",
  unit: "A",
  limits,
  ...delays,
};

// One actor for each feeder. It is pure: time is in the message, effects go to `out`.
const feeder: Behaviour<{ amps: number | null }, ReturnType<typeof feederLoad.message>> = {
  kind: "feeder",
  version: 1,
  initial: () => ({ amps: null }),
  receive(state, { amps, atMs }, out) {
    state.amps = amps;
    const { limitA = 0, clearA = 0 } = out.limits("feeder.overload");
    out.observe("feeder.overload", { holds: amps > limitA, atMs, value: amps, limit: limitA, clear: clearA });
    out.curate("feeder_load", {}); // The columns of the record are in the row already.
  },
};

// A sample each five minutes, up to a peak and down again. A source of your own would read a socket here.
const ramp = ({ feeder, peakA }: { feeder: string; peakA: number }): Source => ({
  id: "ramp",
  async *read(after, signal) {
    const samples = Array.from({ length: 25 }, (_, n) => {
      const sample = { id: `s${n}`, feeder, at: Date.UTC(2025, 5, 15, 8, 5 * n), amps: Math.round(peakA * Math.sin((n * Math.PI) / 24)) };
      return { at: n, arrivedAtMs: sample.at, bytes: Buffer.from(JSON.stringify(sample)) };
    });
    const records = samples.slice(Number(after.get("ramp") ?? 0)); // Behind what is stored: nothing counts twice, whatever crashes.
    const resumeAt = new Map([["ramp", Position(String(samples.length))]]);
    if (records.length > 0) yield { origin: "ramp:", path: null, generation: 0, records, resumeAt, idle: false };
    if (!signal.aborted) await once(signal, "abort"); // There is no more.
  },
});

// Takes alerts one after another. Resolving means that they are safe; the mark says where to go on.
const pager: Sink = {
  name: "pager",
  async write(emissions) {
    for (const emission of emissions) if (emission.stream === "alerts") console.log(`page: ${emission.event.id} ${emission.event.type}`);
    return Mark(String(emissions.at(-1)?.sequence));
  },
  close: async () => {},
};

const engine = await openEngine({
  config: fileURLToPath(new URL("feeder_load.yaml", import.meta.url)),
  ...{ actors: [feeder], rules: [overload], feeds: [feederLoad], sources: { ramp }, sinks: { pager } },
});
await engine.start();
for await (const { sequence, type, time, data } of engine.subscribe({ from: 0, rule: "feeder.*" })) {
  console.log(`${Number(sequence)} ${type} ${time} ${data.actor} ${data.observation.value} ${data.observation.unit}`);
  if (data.status === "cleared") break;
}
console.log(JSON.stringify((await engine.inspect("F-17")).state.attributes));
await engine.stop();
