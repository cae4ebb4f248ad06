// timeout: 180 s
import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { compose } from "../../compose.ts";
import { stateDigest } from "../../engine/digest.ts";
import { hours } from "../../engine/duration.ts";
import { openLmdbStore } from "../../engine/lmdb_store.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import type { Store } from "../../engine/store.ts";
import { alertLines, type GridFolder, gridConfig, inGridFolder } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";

const test = suite("determinism");

/** What must not depend on how records were cut into batches, nor on where they are kept. */
interface Result {
  readonly digest: string;
  readonly alerts: string;
  readonly alertIds: readonly string[];
}

interface Drained extends Result {
  readonly commits: number;
}

const RECORDS = 3_630;
const BATCHES = [1, 7, 1_000, 100_000];

let expected: Result;
let inMemory: readonly Drained[];

test.before(async () => {
  const drained: Drained[] = [];
  for (const records of BATCHES) drained.push(await drain(records, async () => openMemoryStore()));
  inMemory = drained;
  expected = resultOf(drained[0] as Drained);
});

test("the sizes of batches differ as they should", () => {
  const commits = inMemory.map((one) => one.commits);
  assert.ok((commits[0] ?? 0) >= RECORDS, `${commits}`);
  assert.equal(
    commits,
    [...commits].sort((a, b) => b - a),
  );
  assert.ok((commits[1] ?? 0) < RECORDS / 6, `${commits}`);
});

test("batches of 1, 7, 1,000 and 100,000 records lead to the same digest and, byte for byte, the same alerts", () => {
  assert.ok(expected.alertIds.length > 200);
  for (const one of inMemory) assert.equal(resultOf(one), expected);
});

for (const records of [7, 1_000]) {
  test(`a state directory ends as the memory does, in batches of ${records}`, async () => {
    const drained = await drain(records, (folder) => openLmdbStore({ dir: folder.state, limits: gridConfig(folder).limits }));
    assert.equal(resultOf(drained), expected);
  });
}

/** Drains the committed data in batches of so many records at most. */
async function drain(records: number, open: (folder: GridFolder) => Promise<Store>): Promise<Drained> {
  let drained: Drained | null = null;
  await inGridFolder(async (folder) => {
    const config = gridConfig(folder);
    const batch = { ...config.batch, recordsMax: records / 4, bytesMax: 1e9 }; // What is in a file comes in batches four times as large.
    const store = await open(folder);
    let commits = 0;
    const counting: Store = {
      ...store,
      get nextSequence() {
        return store.nextSequence;
      },
      commit(commit) {
        commits += 1;
        return store.commit(commit);
      },
    };
    const engine = await compose({
      config: { ...config, batch },
      store: counting,
      mode: "drain",
      screen: null,
      onRetry: (source, error) => assert.unreachable(`${source}: ${error.message}`),
      onSinkRetry: () => {},
      onStage: () => {},
      onTrouble: () => {},
    });
    await engine.run(new AbortController().signal, hours(1));
    const digest = stateDigest(store);
    await engine.close();
    const alertIds = (await alertLines(folder)).map(({ id }) => id);
    drained = { commits, digest, alerts: readFileSync(folder.alerts, "utf8"), alertIds };
  });
  if (drained === null) throw new Error("no drain");
  return drained;
}

function resultOf({ digest, alerts, alertIds }: Drained): Result {
  return { digest, alerts, alertIds };
}
