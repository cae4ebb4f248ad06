import { spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";

// The long tier, `npm run test:soak [PART…] [-- --share 0.1]`: the tests that every run has, with more of what they try. Each part runs by itself,
// at low priority, through the runner of the tests; what it measured is shown. `--share` tries only that part of the amounts. Exit code 1: something failed.

interface Part {
  readonly file: string;
  /** What it is for people, and how much of it. */
  readonly what: string;
  readonly amount: number;
  /** Name of the setting, and its value for an amount. */
  readonly settings: (amount: number) => Readonly<Record<string, string>>;
}

const PARTS: Readonly<Record<string, Part>> = {
  simulation: {
    file: "test/simulation/simulation.test.ts",
    what: "seeds of the simulation",
    amount: 2_000,
    settings: (seeds) => ({ SEEDS: String(Math.ceil(seeds * 0.8)) }), // And a quarter more that are new with each commit.
  },
  power: {
    file: "test/faults/power_loss.test.ts",
    what: "power losses",
    amount: 300,
    settings: (images) => ({ POWER_LOSSES: String(images) }),
  },
  io: {
    file: "test/faults/io_error.test.ts",
    what: "I/O errors in a hundred calls",
    amount: 100,
    settings: (share) => ({ IO_STRIDE: String(Math.max(1, Math.round(100 / share))) }),
  },
  damage: {
    file: "test/faults/damage.test.ts",
    what: "flipped bits, and a tenth as many cut files",
    amount: 10_000,
    settings: (flips) => ({ FLIPS: String(flips), CUTS: String(Math.max(1, Math.round(flips / 10))) }),
  },
  kills: { file: "test/end_to_end/kill.test.ts", what: "kills of a drain", amount: 100, settings: (kills) => ({ KILLS: String(kills) }) },
  fuzz: {
    file: "test/faults/fuzz.test.ts",
    what: "inputs for each decoder",
    amount: 1_000_000,
    settings: (inputs) => ({ FUZZ: String(inputs) }),
  },
  kafka: { file: "test/faults/kafka_network.test.ts", what: "rounds of a bad network before Kafka", amount: 20, settings: rounds },
  hub: { file: "test/faults/hub_network.test.ts", what: "rounds of a bad network before a hub", amount: 20, settings: rounds },
  sinks: {
    file: "test/end_to_end/sink_kill.test.ts",
    what: "kills in the midst of sinks, all of them",
    amount: 1,
    settings: () => ({ SINK_TRIAL: "full" }),
  },
  subscribers: {
    file: "test/end_to_end/subscribers.test.ts",
    what: "subscribers that do not read, all of them",
    amount: 1,
    settings: () => ({ SUBSCRIBER_TRIAL: "full" }),
  },
};

function rounds(count: number): Readonly<Record<string, string>> {
  return { NETWORK_ROUNDS: String(count) };
}

const ROOT = resolve(import.meta.dirname, "..");
const { names, share } = argumentsOf(process.argv.slice(2));
const rows: string[] = [];
let failed = 0;
for (const name of names) {
  const part = PARTS[name] as Part;
  const amount = Math.max(1, Math.round(part.amount * share));
  const beganMs = performance.now();
  const { code, output } = await ended(part, amount);
  const seconds = Math.round((performance.now() - beganMs) / 1_000);
  if (code !== 0) failed += 1;
  const counts = /^\d+ passed, \d+ failed$/m.exec(output)?.[0] ?? "no counts";
  rows.push(`| ${name} | ${amount.toLocaleString("en")} ${part.what} | ${code === 0 ? "passed" : "FAILED"} | ${counts} | ${seconds} s |`);
  process.stdout.write(`${rows.at(-1)}\n${code === 0 ? "" : output}`);
}
process.stdout.write(`\n| part | tried | | tests | took |\n|---|---|---|---|---:|\n${rows.join("\n")}\n`);
process.stdout.write(`${names.length - failed} parts passed, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;

async function ended({ file, settings }: Part, amount: number): Promise<{ readonly code: number | null; readonly output: string }> {
  const command = ["-n", "19", process.execPath, "--import", import.meta.resolve("tsx"), join(ROOT, "test/run.ts"), file];
  const env = { ...process.env, ...settings(amount), TEST_TIMEOUT_S: String(24 * 3_600) };
  const child = spawn("nice", command, { cwd: ROOT, env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}

/** Exits with 2 for a word that is none. */
function argumentsOf(words: readonly string[]): { readonly names: readonly string[]; readonly share: number } {
  const at = words.indexOf("--share");
  const fraction = at < 0 ? 1 : Number(words[at + 1]);
  const chosen = words.filter((_, n) => at < 0 || (n !== at && n !== at + 1));
  const unknown = chosen.filter((name) => !Object.hasOwn(PARTS, name));
  if (unknown.length > 0 || !(fraction > 0 && fraction <= 1)) {
    process.stderr.write(`parts: ${Object.keys(PARTS).join(" ")}; --share 0…1\n`);
    process.exit(2);
  }
  return { names: chosen.length > 0 ? chosen : Object.keys(PARTS), share: fraction };
}
