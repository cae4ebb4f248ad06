// timeout: 900 s
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as assert from "uvu/assert";
import { openLmdbStore } from "../../engine/lmdb_store.ts";
import { commitSeries, SERIES_LENGTH, SERIES_LIMITS } from "../kit/store_series.ts";
import { measured, suite } from "../kit/suite.ts";

const test = suite("damaged files");

const FLIPS = Number(process.env["FLIPS"] ?? 150);
const CUTS = Number(process.env["CUTS"] ?? 30);
const ROOT = resolve(import.meta.dirname, "../..");

const scratch = mkdtempSync(join(tmpdir(), "gridactor-damage-"));
const dir = join(scratch, "state");
test.before(async () => {
  const store = await openLmdbStore({ dir, limits: SERIES_LIMITS });
  await commitSeries(store, SERIES_LENGTH, () => {});
  await store.close();
});
test.after(() => rmSync(scratch, { recursive: true }));

test(`a flip of one bit is found or changes nothing, ${FLIPS} times: no wrong value is served`, async () => {
  const { same, found, refused, died } = await damaged("flip", FLIPS);
  measured(`${FLIPS} flips: ${same} changed nothing, ${found} were found, ${refused} refused by LMDB, ${died} ended the process`);
  assert.ok(found > FLIPS / 10 && same > 0);
});

test(`a file that is too short is found, ${CUTS} times: never an empty start`, async () => {
  const { same, found, refused, died } = await damaged("cut", CUTS);
  measured(`${CUTS} cuts: ${same} changed nothing, ${found} were found, ${refused} refused by LMDB, ${died} ended the process`);
  assert.ok(found > CUTS / 2);
  assert.is(died, 0);
});

interface Tally {
  readonly same: number;
  readonly found: number;
  readonly refused: number;
  /** Damage that ends the process serves no wrong value, either. */
  readonly died: number;
}

async function damaged(damage: string, count: number): Promise<Tally> {
  const tally = { same: 0, found: 0, refused: 0, died: 0 };
  for (let from = 0; from < count; ) {
    const { lines, code, signal } = await child(damage, from, count);
    for (const line of lines) {
      const [n = "", word, ...rest] = line.split(" ");
      if (word === undefined) from = Number(n) + 1;
      else if (word === "same" || word === "found" || word === "refused") tally[word] += 1;
      else assert.unreachable(`${damage} ${n}: ${word} ${rest.join(" ")}`);
    }
    if (code === 0) break;
    assert.ok(signal !== null || (code ?? 0) > 128, `the child ended with ${code}: ${lines.at(-1)}`);
    tally.died += 1;
  }
  assert.is(tally.same + tally.found + tally.refused + tally.died, count);
  return tally;
}

async function child(damage: string, from: number, to: number) {
  const args = ["--import", "tsx", "test/kit/damage_child.ts", dir, damage, String(from), String(to)];
  const process_ = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "ignore"] });
  let output = "";
  process_.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const [code, signal] = (await once(process_, "close")) as [number | null, string | null];
  return { lines: output.split("\n").filter(Boolean), code, signal };
}
