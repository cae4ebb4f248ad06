import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Result } from "./end_to_end.ts";
import { costChart } from "./report_chart.ts";
import type { Restart, Stages } from "./stages.ts";
import { measureLatency } from "./streams.ts";

// `npm run bench -- --report [--readings N] [--meters 1000,10000,…] [--out out/bench] [--kafka]`: writes report.md and cost.svg. Every figure is taken in
// this run, beside what the machine alone can do; `--kafka`: in a checkout with a broker's jars also from Kafka (`npm run bench:kafka`).

const { values } = parseArgs({
  options: {
    readings: { type: "string", default: "1000000" },
    meters: { type: "string", default: "1000,10000,100000,1000000" },
    out: { type: "string", default: "out/bench" },
    kafka: { type: "boolean", default: false },
  },
});
const readings = Number(values.readings);
const sizes = values.meters.split(",").map(Number);
if (![readings, ...sizes].every((count) => Number.isSafeInteger(count) && count > 0)) throw new Error("whole numbers are wanted");
const most = Math.max(...sizes);
const scratch = mkdtempSync(join(tmpdir(), "gridactor-bench-"));
try {
  const loadBefore = loadavg()[0] ?? 0;
  const cases = sizes.map((meters) => say(`${meters} meters`, () => child<Result>("end_to_end", [Math.max(readings, meters), meters])));
  const stages = say("stages", () => child<Stages>("stages", ["stages", scratch, most, Math.max(readings, most)]));
  const restart = say("restart", () => child<Restart>("stages", ["restart", scratch, most]));
  const puts = say("LMDB alone", () => child<number>("stages", ["puts", 500_000]));
  const latency = await measureLatency(Math.min(20_000, readings), 10);
  const broker = values.kafka ? say("Kafka", () => kafkaTable(readings)) : "Not measured: `--kafka` was not given.";
  mkdirSync(values.out, { recursive: true });
  const chart = costChart("CPU of all threads for one reading, in microseconds", [
    { name: "end to end", color: "#0b6", points: cases.map(({ meters, cpuMicrosPerReading }) => [meters, cpuMicrosPerReading]) },
    { name: "JSON.parse alone", color: "#888", points: cases.map(({ meters, parseCpuMicros }) => [meters, parseCpuMicros]) },
  ]);
  writeFileSync(join(values.out, "cost.svg"), chart);
  const [fewest] = cases;
  const largest = cases.at(-1);
  const perActor =
    fewest === undefined || largest === undefined || largest === fewest
      ? null
      : (largest.peakMiB - fewest.peakMiB) / (largest.meters - fewest.meters);
  const text = [
    "# What the engine costs on this machine",
    "",
    `Node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model ?? "unknown"}); load of the machine ${loadBefore.toFixed(1)} at the beginning, ${(loadavg()[0] ?? 0).toFixed(1)} at the end: other programs slow everything in it down. CPU times are steadier than rates.`,
    "",
    "## From a file to durable state",
    "",
    "Alerts on disk, curated rows in the log, state durable, all rules on. Meters report in scattered order.",
    "",
    "![cost](cost.svg)",
    "",
    "| meters | readings | readings/s | JSON.parse alone /s | ratio | CPU µs/reading | of JSON.parse | peak MiB | alerts |",
    "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ...cases.map((one) => {
      const counts = [one.meters, one.readings, one.readingsPerSecond, one.parsePerSecond].map(whole);
      return `| ${counts.join(" | ")} | ${(one.readingsPerSecond / one.parsePerSecond).toFixed(2)} | ${one.cpuMicrosPerReading.toFixed(1)} | ${one.parseCpuMicros.toFixed(1)} | ${whole(one.peakMiB)} | ${whole(one.alerts)} |`;
    }),
    "",
    "## Where it goes",
    "",
    `Microseconds a reading by the clock, ${whole(most)} meters, one stage after another. In a run stages overlap.`,
    "",
    "| cutting the file | decoding | turn | storing | of it waiting for the disk |",
    "|---:|---:|---:|---:|---:|",
    `| ${[stages.cutting, stages.decoding, stages.turn, stages.storing, stages.disk].map((micros) => micros.toFixed(2)).join(" | ")} |`,
    "",
    `LMDB alone stores ${whole(puts)} values of 200 bytes a second (${(1e6 / puts).toFixed(2)} µs each), flushed every 20,000.`,
    "",
    "## From Kafka",
    "",
    broker,
    "",
    "## Latency",
    "",
    `From a reading's arrival to a subscriber of alerts, at ${whole(latency.readingsPerSecond)} readings/s: half in ${latency.p50Ms.toFixed(0)} ms, 99 of 100 in ${latency.p99Ms.toFixed(0)} ms (${whole(latency.events)} alerts).`,
    "",
    "## Start and memory",
    "",
    `${whole(restart.actors)} actors on disk: ready ${whole(restart.readyMs)} ms after the state was opened (${whole(restart.readyCpuMs)} ms of CPU), ${whole(restart.bytesPerActor)} bytes of memory each.`,
    ...(perActor === null ? [] : [`During a run an actor takes ${whole(perActor * 2 ** 20)} bytes more memory at the peak.`]),
    ...(stages.refused === 0
      ? []
      : [
          `${whole(stages.refused)} readings of more actors than there may be went to quarantine as \`actor_limit\`; ${whole(stages.actors)} actors are known.`,
        ]),
    "",
  ];
  writeFileSync(join(values.out, "report.md"), text.join("\n"));
  process.stdout.write(`${text.join("\n")}\nwritten to ${values.out}/report.md and cost.svg\n`);
} finally {
  rmSync(scratch, { recursive: true });
}

function say<T>(what: string, measure: () => T): T {
  process.stderr.write(`${what} …\n`);
  return measure();
}

/** A measurement in a process of its own, so that its memory is its own. */
function child<T>(name: string, args: readonly (string | number)[]): T {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const program = fileURLToPath(new URL(`./${name}.${extension}`, import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, [...process.execArgv, program, ...args.map(String)], {
    maxBuffer: 2 ** 20,
  });
  if (status !== 0) throw new Error(`${name} ${args.join(" ")} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout.toString()) as T;
}

/** What `npm run bench:kafka` prints. It reads from a real broker, and needs a checkout. */
function kafkaTable(count: number): string {
  const { stdout, stderr, status } = spawnSync("npm", ["run", "--silent", "bench:kafka", "--", String(count)], { maxBuffer: 2 ** 20 });
  if (status !== 0) return `It could not be measured: ${stderr.toString().split("\n")[0]}`;
  return stdout.toString().trim();
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}
