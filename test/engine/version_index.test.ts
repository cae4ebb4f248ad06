import * as assert from "uvu/assert";
import { valuesThen, versionThen } from "../../admin/history.ts";
import { verify } from "../../admin/verify.ts";
import type { ChangedRow } from "../../engine/commit.ts";
import { stateDigest } from "../../engine/digest.ts";
import { decodeFact, encodeFact, factKey } from "../../engine/fact_codec.ts";
import { History, type HistoryChange, type HistoryOptions } from "../../engine/history.ts";
import { ActorId } from "../../engine/ids.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import type { Store } from "../../engine/store.ts";
import { indexedVersions, indexRows, isIndexed } from "../../engine/version_index.ts";
import { changes as commitOf } from "../contract/store.ts";
import { customer, given, transformer, viewOf } from "../kit/grid.ts";
import { type Seeded, seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

const test = suite("version index");

const KEY = ActorId("transformer", "TRF-N-0034");
const TRACKED: HistoryOptions = { untracked: [], ignored: [], ignoreNulls: [] };
const DAY_MS = 86_400_000;
const dateOf = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

/** A history over a store, as the engine keeps one: rows are stored after so many changes, and then it may be read from the store again. */
class Kept {
  readonly store: Store = openMemoryStore();
  #history = new History(KEY, [], TRACKED);
  #rows: ChangedRow[] = [];
  #clockMs = 0;

  async learn(changes: readonly HistoryChange[], options: HistoryOptions, isCut: () => boolean): Promise<void> {
    this.#history = new History(KEY, this.#history.facts, options, isIndexed(this.store, KEY, options, this.#history.facts.length));
    for (const change of changes) {
      this.#clockMs += 1_000;
      const { history, fact, remembered } = this.#history.add(change, this.#clockMs);
      if (fact !== null) {
        const index = indexRows(this.#history, history, remembered.changes, this.store);
        this.#rows.push({ table: "fact", key: factKey(KEY, fact), value: encodeFact(fact) }, ...(index ?? []));
        this.#history = index === null ? history : history.indexed();
      }
      if (isCut()) await this.flush();
    }
    await this.flush();
  }

  async flush(): Promise<void> {
    await this.store.commit(commitOf({ rows: this.#rows }));
    this.#rows = [];
  }

  get history(): History {
    return this.#history;
  }
}

function randomChange(random: Seeded): HistoryChange {
  const rank = { publication: random.below(3), precedence: 0, generation: 0 };
  const from = dateOf(20_000 + random.below(80));
  if (random.chance(15)) return { from, kind: random.pick(["delete", "close"] as const), rank, values: {}, authored: null, atMs: null };
  return { from, kind: "upsert", rank, values: { a: random.below(3), b: random.below(4) }, authored: null, atMs: null };
}

const rowsOf = (store: Store): readonly unknown[] => [...indexedVersions(store, KEY)];
const shown = ({ versions }: History): readonly unknown[] =>
  versions.map(({ from, to, values, knownFromMs }) => ({ from, to, values, knownFromMs }));

test("the rows say what the sweep says, after any changes in any batches, and when column classes change and change back", async () => {
  const noisy: HistoryOptions = { ...TRACKED, untracked: ["b"] };
  for (let seed = 1; seed <= 20; seed += 1) {
    const random = seeded(seed);
    const kept = new Kept();
    for (const options of [TRACKED, random.pick([TRACKED, noisy]), noisy, TRACKED]) {
      await kept.learn(
        Array.from({ length: 40 }, () => randomChange(random)),
        options,
        () => random.chance(20),
      );
      const { facts } = kept.history;
      assert.is(isIndexed(kept.store, KEY, options, facts.length), facts.length > 64, `seed ${seed}`);
      if (facts.length > 64) assert.equal(rowsOf(kept.store), shown(kept.history), `seed ${seed}`);
    }
    assert.ok(kept.history.facts.length > 64, `seed ${seed}`);
  }
});

const noted = (days: number) => Array.from({ length: days }, (_, n) => transformer(dateOf(19_000 + n), { health_index_score: n % 90 }));

test("as of any date, and as known at any time, what is read is what all facts say", async () => {
  const late = transformer(dateOf(19_050), { health_index_score: 99, status: "UNDER_MAINTENANCE" });
  const ended = transformer(dateOf(19_090), { record_end_date: dateOf(19_093), health_index_score: 1 });
  const script = [...noted(90), late, ended].map((arrival, n) => ({ ...arrival, arrivedAtMs: 1_750_000_000_000 + n * 1_000 }));
  const view = viewOf(await given().when(...script));
  const options = view.domain.behaviours.find(({ kind }) => kind === "transformer")?.history ?? assert.unreachable("it has a history");
  const all = new History(
    KEY,
    [...view.store.range("fact", `${KEY}\0`)].map(([key, bytes]) => decodeFact(key, bytes)),
    options ?? TRACKED,
  );
  assert.ok(isIndexed(view.store, KEY, options ?? TRACKED));
  for (let day = 18_998; day <= 19_097; day += 1) {
    for (const knownMs of [null, 1_750_000_000_000 + 91_000, 1_750_000_000_000 + 60_000, 1_750_000_000_000 - 1]) {
      const asOfMs = day * DAY_MS;
      const found = valuesThen(view, KEY, options ?? TRACKED, asOfMs, knownMs);
      assert.equal(found, versionThen(all, asOfMs, knownMs)?.values ?? null, `${dateOf(day)} known at ${knownMs}`);
    }
  }
  assert.equal(valuesThen(view, KEY, options ?? TRACKED, null, null), versionThen(all, null, null)?.values ?? null);
});

test("of a history of 2,000 versions an as-of read looks at one row, and so does the current version", async () => {
  const { store, domain, decode } = viewOf(await given().when(...noted(2_000)));
  let rows = 0;
  const counting: Pick<Store, "range"> = {
    *range(...asked) {
      for (const row of store.range(...asked)) {
        rows += 1;
        yield row;
      }
    },
  };
  const view = { store: { ...store, ...counting, nextSequence: store.nextSequence }, domain, decode };
  const at = (day: number | null) => valuesThen(view, KEY, TRACKED, day === null ? null : day * DAY_MS, null)?.["health_index_score"];
  assert.equal([at(19_000), at(19_777), at(25_000), at(null)], [0, 777 % 90, 1_999 % 90, 1_999 % 90]);
  assert.is(rows, 4);
});

test("who has few facts has no rows, and the digest knows none of them", async () => {
  const few = await given().when(...noted(64), customer("2024-01-01"));
  assert.equal([...few.store.range("version", "")], []);
  const many = await given().when(...noted(65));
  assert.is([...many.store.range("version", "")].length, 66);
  const [[key] = [""]] = [...many.store.range("version", `${KEY}\0${dateOf(19_010)}`)];
  assert.equal(verify(viewOf(many)).problems, []);
  await many.store.commit(commitOf({ rows: [{ table: "version", key, value: null }] }));
  assert.is(stateDigest(many.store), many.digest);
  assert.equal(
    verify(viewOf(many)).problems.map(({ code, at }) => [code, at]),
    [["index_differs", `TRF-N-0034 ${dateOf(19_010)}`]],
  );
});
