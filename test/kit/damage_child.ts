import { closeSync, cpSync, fstatSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, truncateSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DamagedStore } from "../../engine/damaged_store.ts";
import { openLmdbStore } from "../../engine/lmdb_store.ts";
import { contents } from "../contract/store.ts";
import { seeded } from "./seeded.ts";
import { SERIES_LIMITS } from "./store_series.ts";

// A process of its own that damages copies of a store and opens them: `damage_child.ts <dir> flip|cut <from> <to>`. Some damage ends a process, so
// each number is said before it is tried: `<n>` and then `<n> same|found|WRONG ...`.

const [dir = "", damage = "", from = "0", to = "0"] = process.argv.slice(2);
const say = (line: string): void => void writeSync(1, `${line}\n`);
const scratch = mkdtempSync(join(tmpdir(), "gridactor-damaged-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

const sound = JSON.stringify(await readAll(dir, true));
for (let n = Number(from); n < Number(to); n += 1) {
  say(`${n}`);
  say(`${n} ${await outcome(n)}`);
}

async function outcome(n: number): Promise<string> {
  const copy = join(scratch, String(n));
  cpSync(dir, copy, { recursive: true });
  const chance = seeded(n);
  const files = readdirSync(copy).filter((name) => name === "data.mdb" || name.endsWith(".seg"));
  const file = chance.chance(60) ? "data.mdb" : chance.pick(files);
  if (damage === "flip") flipBit(join(copy, file), chance.below(2 ** 31));
  else truncateSync(join(copy, file), chance.below(fileBytes(join(copy, file))));
  try {
    const read = JSON.stringify(await readAll(copy, chance.chance(80)));
    return read === sound ? "same" : `WRONG ${file} of ${copy}`;
  } catch (error) {
    if (error instanceof DamagedStore) return `found ${error.message}`;
    return `refused ${file}: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`;
  } finally {
    rmSync(copy, { recursive: true });
  }
}

async function readAll(path: string, readOnly: boolean): Promise<unknown> {
  const store = await openLmdbStore({ dir: path, limits: SERIES_LIMITS, readOnly });
  try {
    return await contents(store);
  } finally {
    await store.close();
  }
}

function flipBit(path: string, at: number): void {
  const file = openSync(path, "r+");
  const byte = Buffer.alloc(1);
  const place = at % fstatSync(file).size;
  readSync(file, byte, 0, 1, place);
  byte[0] = (byte[0] as number) ^ (1 << (at % 8));
  writeSync(file, byte, 0, 1, place);
  closeSync(file);
}

function fileBytes(path: string): number {
  const file = openSync(path, "r");
  const { size } = fstatSync(file);
  closeSync(file);
  return size;
}
