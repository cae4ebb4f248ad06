// timeout: 600 s
import { watch } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { Summary } from "../../admin/summary.ts";
import { generateAllData } from "../../simulators/generate_all_data.ts";
import { deltaRows } from "../kit/delta_reader.ts";
import { alertLines, type GridFolder, gridactor, newGridFolder } from "../kit/grid_folder.ts";
import { type Seeded, seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";
import { newTempFolder, removeFolder } from "../kit/temp_folder.ts";

const test = suite("kill and resume");

/** `KILLS=n`: so many. */
const KILLS = Number(process.env["KILLS"] ?? 30);
/** About so many of them fall into one drain, from its beginning to its end. */
const KILLS_OF_A_DRAIN = 10;
const SEED = 7;

/** What a drain leaves behind. */
interface Outcome {
  readonly digest: string;
  readonly actors: Summary["actors"];
  readonly alerts: string;
  readonly alertIds: readonly string[];
  readonly rowIds: Readonly<Record<string, readonly string[]>>;
}

let data: string;
test.before(async () => {
  data = await newTempFolder();
  await generateAllData({ outDir: data, seed: 42, scale: 3 });
});
test.after(() => removeFolder(data));

test(`a drain that is killed ${KILLS} times ends as one that is not, with every alert and row once`, async () => {
  let changes = 0;
  const expected = await inFolder((folder) => drained(folder, () => (changes += 1)));
  assert.is(new Set(expected.alertIds).size, expected.alertIds.length);
  assert.ok(changes > 100, `${changes} changes of files are too few to choose from`);

  const random = seeded(SEED);
  const everyN = Math.ceil((2 * changes) / KILLS_OF_A_DRAIN);
  let kills = 0;
  while (kills < KILLS) {
    const outcome = await inFolder(async (folder) => {
      while (kills < KILLS && (await killed(folder, random, everyN))) kills += 1;
      return drained(folder, () => {});
    });
    assert.equal(differences(outcome, expected), [], `seed ${SEED}, after ${kills} kills`);
  }
});

/** Starts a drain and kills it at the n-th change of a file in the state directory, n by chance. False: it ended before. */
async function killed(folder: GridFolder, random: Seeded, everyN: number): Promise<boolean> {
  let left = 1 + random.below(everyN);
  const child = gridactor(["run", "--drain", "--json"], folder);
  const close = onChange(folder, () => {
    left -= 1;
    if (left === 0) child.kill("SIGKILL");
  });
  const { code, stderr } = await child.ended;
  close();
  assert.ok(code === null || code === 0, `${code}: ${stderr}`);
  return code === null;
}

async function drained(folder: GridFolder, change: () => void): Promise<Outcome> {
  const close = onChange(folder, change);
  const { code, stdout, stderr } = await gridactor(["run", "--drain", "--json"], folder).ended;
  close();
  assert.is(code, 0, stderr);
  const { digest, actors } = JSON.parse(stdout) as Summary;
  const rowIds: Record<string, readonly string[]> = {};
  for (const table of await readdir(folder.curated)) {
    rowIds[table] = (await deltaRows(join(folder.curated, table))).map((row) => String(row["_row_id"]));
  }
  const alertIds = (await alertLines(folder)).map(({ id }) => id);
  return { digest, actors, alerts: await readFile(folder.alerts, "utf8"), alertIds, rowIds };
}

/** What is not the same, in few words. */
function differences(actual: Outcome, expected: Outcome): readonly string[] {
  const lists: (readonly [name: string, actual: readonly string[], expected: readonly string[]])[] = [
    ["digest", [actual.digest], [expected.digest]],
    ["actors", [JSON.stringify(actual.actors)], [JSON.stringify(expected.actors)]],
    ["alerts", actual.alerts.split("\n"), expected.alerts.split("\n")],
    ["tables", Object.keys(actual.rowIds).sort(), Object.keys(expected.rowIds).sort()],
    ...Object.keys(expected.rowIds).map((table) => [table, actual.rowIds[table] ?? [], expected.rowIds[table] ?? []] as const),
  ];
  return lists.flatMap(([name, got, wanted]) => {
    const at = wanted.findIndex((one, n) => got[n] !== one);
    if (at === -1 && got.length === wanted.length) return [];
    return [`${name}: ${got.length} instead of ${wanted.length}, at ${at} ${got[at]} instead of ${wanted[at]}`];
  });
}

function onChange({ state }: GridFolder, change: () => void): () => void {
  const watcher = watch(state, change);
  return () => watcher.close();
}

async function inFolder<T>(body: (folder: GridFolder) => Promise<T>): Promise<T> {
  const folder = await newGridFolder(data, { "records: 5000": "records: 12" });
  try {
    await mkdir(folder.state);
    return await body(folder);
  } finally {
    await removeFolder(folder.path);
  }
}
