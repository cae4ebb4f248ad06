// timeout: 900 s
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { isSet } from "../kit/environment.ts";
import { suite } from "../kit/suite.ts";
import { PLANTS } from "./plants.ts";
import { Broken, runTrial } from "./trial.ts";

const test = suite("simulation");

// SEED=n tries one seed, SEEDS=n so many of them.
const ONE = process.env["SEED"];
const FIXED = Number(process.env["SEEDS"] ?? (isSet(process.env["CI"]) ? 100 : 30));
/** Other ones with every commit, so that what is tried grows with time. */
const FRESH = Math.ceil(FIXED / 4);
const RECORDS = 300;
const PLANT_SEEDS = 200;

const seeds = ONE === undefined ? [...known(), ...range(0, FIXED), ...range(fresh(), FRESH)] : [Number(ONE)];

test(`the engine keeps its promises through ${seeds.length} scripts of crashes, outages and bad input`, async () => {
  let lives = 0;
  let alerts = 0;
  for (const seed of seeds) {
    const trial = await runTrial({ seed, records: RECORDS });
    lives += trial.lives;
    alerts += trial.alerts;
  }
  assert.ok(ONE !== undefined || (lives > 3 * seeds.length && alerts > 10 * seeds.length), `${lives} lives, ${alerts} alert events`);
});

test("the same seed leads to the same lives, commits and alerts", async () => {
  assert.equal(await runTrial({ seed: 7, records: RECORDS }), await runTrial({ seed: 7, records: RECORDS }));
});

for (const [bug, plant] of Object.entries(PLANTS)) {
  test(`a planted bug is found: ${bug}`, async () => {
    for (let seed = 0; seed < PLANT_SEEDS; seed += 1) if (await breaks(seed, plant())) return;
    assert.unreachable(`${PLANT_SEEDS} seeds did not find it`);
  });
}

async function breaks(seed: number, plant: ReturnType<(typeof PLANTS)[string]>): Promise<boolean> {
  try {
    await runTrial({ seed, records: RECORDS, plant });
    return false;
  } catch (error) {
    if (error instanceof Broken) return true;
    throw error;
  }
}

/** Seeds that once found something. */
function known(): readonly number[] {
  const text = readFileSync(join(import.meta.dirname, "seeds.txt"), "utf8");
  return text
    .split("\n")
    .filter((line) => /^\d/.test(line))
    .map((line) => Number.parseInt(line, 10));
}

/** The first of this commit's own seeds. */
function fresh(): number {
  try {
    const commit = execFileSync("git", ["rev-parse", "HEAD"], { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "ignore"] });
    return Number.parseInt(commit.toString().slice(0, 7), 16);
  } catch {
    return FIXED; // No repository, so no commit to be fresh of.
  }
}

function range(from: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, n) => from + n);
}
