import { createHash } from "node:crypto";
import * as assert from "uvu/assert";
import { decodeFact, digestedBytes, encodeFact, factKey, factPrefix } from "../../engine/fact_codec.ts";
import {
  type Added,
  type Fact,
  History,
  type HistoryChange,
  type HistoryOptions,
  type Rank,
  type Values,
  type Version,
  versionAt,
  versionAtMs,
} from "../../engine/history.ts";
import { ActorId, longHash } from "../../engine/ids.ts";
import { type Seeded, seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

const KEY = ActorId("transformer", "TRF-N-0034");
const TRACKED: HistoryOptions = { untracked: [], ignored: [], ignoreNulls: [] };
const CDC: HistoryOptions = { ...TRACKED, transactionChars: 2 };

// Given

const rank = (publication = 0, precedence = 0, generation = 0): Rank => ({ publication, precedence, generation });

function upsert(from: string, values: Values, more: Partial<HistoryChange> = {}): HistoryChange {
  return { from, kind: "upsert", rank: rank(), values, authored: null, atMs: null, ...more };
}

function ended(kind: "delete" | "close", from: string, more: Partial<HistoryChange> = {}): HistoryChange {
  return { from, kind, rank: rank(), values: {}, authored: null, atMs: null, ...more };
}

interface Life {
  readonly history: History;
  readonly facts: readonly Fact[];
  readonly added: readonly Added[];
}

/** Adds the changes one after the other; the n-th arrives at 1,000 * (n + 1). */
function live(changes: readonly HistoryChange[], options = TRACKED, arrivedAtMs = (n: number) => 1_000 * (n + 1), key = KEY): Life {
  let history = new History(key, [], options);
  const added = changes.map((change, n) => {
    const one = history.add(change, arrivedAtMs(n));
    history = one.history;
    return one;
  });
  return { history, facts: history.facts, added };
}

/** The versions of facts that a new history sweeps. */
const versionsOf = (facts: readonly Fact[], options = TRACKED) => new History(KEY, facts, options).versions;

// Then

/** `[from,to) values`, the way people write versions. */
const shown = (versions: readonly Version[]) => versions.map(({ from, to, values }) => `[${from},${to ?? "∞"}) ${JSON.stringify(values)}`);
const lived = (changes: readonly HistoryChange[], options = TRACKED) => shown(live(changes, options).history.versions);
const said = ({ remembered }: Added) => remembered.changes.map(({ change, version }) => `${change} ${shown([version])[0]}`);
const withoutKnown = (versions: readonly Version[]) => versions.map(({ knownFromMs: _, ...rest }) => rest);
const last = <T>(items: readonly T[]): T => items[items.length - 1] as T;

const cases = suite("history, the twelve cases");

cases("1: the same event twice changes nothing and is counted", () => {
  const { facts, added } = live([upsert("10", { a: 1 }), upsert("10", { a: 1 })]);
  assert.is(facts.length, 1);
  assert.is(added[1]?.fact, null);
  assert.equal(added[1]?.remembered, { duplicate: true, changes: [], tie: false, versions: versionsOf(facts, TRACKED) });
});

cases("2: 12 and then a late 10 gives [10,12) and [12,∞)", () => {
  const { facts, added } = live([upsert("12", { a: 2 }), upsert("10", { a: 1 })]);
  assert.equal(shown(versionsOf(facts, TRACKED)), ['[10,12) {"a":1}', '[12,∞) {"a":2}']);
  assert.equal(said(last(added)), ['opened [10,12) {"a":1}']); // That 12 is now number 2 is no change.
});

cases("3: two payloads with the same from and no rank have one winner in every order, and a tie is told once", () => {
  const one = upsert("10", { a: 1 });
  const two = upsert("10", { a: 2 });
  const three = upsert("10", { a: 3 });
  const hash = (change: HistoryChange) => createHash("sha256").update(JSON.stringify(change.values)).digest("hex");
  const winner = [one, two, three].reduce((best, change) => (hash(change) > hash(best) ? change : best));
  for (const order of [
    [one, two, three],
    [three, two, one],
    [two, three, one, two],
  ]) {
    const { facts, added } = live(order);
    assert.equal(shown(versionsOf(facts, TRACKED)), [`[10,∞) ${JSON.stringify(winner.values)}`]);
    assert.is(added.filter(({ remembered }) => remembered.tie).length, 2);
    assert.is(facts.length, 3); // Both values stay readable.
  }
});

cases("4: effective dates that always equal the arrival date are taken as they are", () => {
  const { facts } = live([upsert("2025-06-01", { a: 1 }), upsert("2025-06-02", { a: 2 })], TRACKED, (n) => Date.UTC(2025, 5, n + 1));
  assert.equal(shown(versionsOf(facts, TRACKED)), ['[2025-06-01,2025-06-02) {"a":1}', '[2025-06-02,∞) {"a":2}']);
});

cases("5: a null inherits in an ignoreNulls column and overwrites in any other", () => {
  const changes = [upsert("10", { a: 1, b: 1 }), upsert("12", { a: null, b: null })];
  assert.equal(lived(changes, { ...TRACKED, ignoreNulls: ["a"] }), ['[10,12) {"a":1,"b":1}', '[12,∞) {"a":1,"b":null}']);
});

cases("6: upsert 17, delete 20 and a late 18 give [17,18) and [18,20)", () => {
  const { facts, added } = live([upsert("17", { a: 1 }), ended("delete", "20"), upsert("18", { a: 2 })]);
  assert.equal(shown(versionsOf(facts, TRACKED)), ['[17,18) {"a":1}', '[18,20) {"a":2}']);
  assert.equal(added.map(said), [
    ['opened [17,∞) {"a":1}'],
    ['closed [17,20) {"a":1}'],
    ['changed [17,18) {"a":1}', 'opened [18,20) {"a":2}'],
  ]);
});

cases("7: a whole life again, in any order, changes nothing", () => {
  const life = [upsert("10", { a: 1 }), upsert("12", { a: 2 }), ended("close", "15"), upsert("17", { a: 2 }), ended("delete", "20")];
  const once = live(life);
  const twice = live([...life, ...life.toReversed()]);
  assert.equal(twice.facts, once.facts);
  assert.ok(twice.added.slice(life.length).every(({ fact, remembered }) => fact === null && remembered.duplicate));
});

cases("8: fifty changes of one noisy column are 51 versions, and one when it is untracked", () => {
  const changes = Array.from({ length: 51 }, (_, n) => upsert(String(100 + n), { noisy: n, calm: 1 }));
  const { facts } = live(changes);
  const tracked = versionsOf(facts, TRACKED);
  assert.is(tracked.length, 51);
  assert.ok(tracked.slice(1).every(({ changed }) => changed?.join() === "noisy")); // What the noise advisor counts.
  assert.equal(shown(versionsOf(facts, { ...TRACKED, untracked: ["noisy"] })), ['[100,∞) {"calm":1,"noisy":50}']);
});

cases("9: when a belief has changed twice, both old ones can be read by known time", () => {
  const { facts } = live([
    upsert("10", { a: 1 }, { rank: rank(1) }),
    upsert("10", { a: 2 }, { rank: rank(2) }),
    upsert("10", { a: 3 }, { rank: rank(3) }),
  ]);
  const asOf = (knownAtMs: number) => shown(new History(KEY, facts, TRACKED).knownAt(knownAtMs).versions);
  assert.equal([999, 1_000, 2_500, 3_000].map(asOf), [[], ['[10,∞) {"a":1}'], ['[10,∞) {"a":2}'], ['[10,∞) {"a":3}']]);
  assert.equal(
    new History(KEY, facts, TRACKED).beliefs().map(({ version, knownFromMs, knownToMs }) => [version.values["a"], knownFromMs, knownToMs]),
    [
      [1, 1_000, 2_000],
      [2, 2_000, 3_000],
      [3, 3_000, null],
    ],
  );
});

cases("10: a delete and then an identical insert are two versions with a gap", () => {
  const changes = [upsert("10", { a: 1 }), ended("delete", "12"), upsert("15", { a: 1 })];
  const versions = versionsOf(live(changes).facts, TRACKED);
  assert.equal(shown(versions), ['[10,12) {"a":1}', '[15,∞) {"a":1}']);
  assert.equal(
    versions.map(({ endedBy, changed }) => [endedBy, changed]),
    [
      ["delete", null],
      [null, null],
    ],
  );
});

cases("11: a delete that arrives before its insert shows nothing and lets the insert be born closed", () => {
  const { added } = live([ended("delete", "20"), upsert("17", { a: 1 })]);
  assert.equal(added[0]?.remembered.versions, []);
  assert.equal(said(last(added)), ['opened [17,20) {"a":1}']);
});

cases("12: a new column in the middle of a history fills the run and opens no version", () => {
  const changes = [upsert("10", { a: 1 }), upsert("12", { a: 1, b: null }), upsert("14", { a: 1, b: 7 }), upsert("16", { a: 2 })];
  assert.equal(lived(changes.slice(0, 2)), ['[10,∞) {"a":1,"b":null}']);
  assert.equal(lived(changes), ['[10,14) {"a":1,"b":null}', '[14,16) {"a":1,"b":7}', '[16,∞) {"a":2,"b":7}']);
});

const test = suite("history");

test("500 snapshot rows and 30 changed ones are 530 versions with 500 current, whichever file comes first and however often", () => {
  const names = Array.from({ length: 500 }, (_, n) => ActorId("transformer", `TRF-${n}`));
  const row = (n: number, version: 1 | 2): HistoryChange => {
    const delta = version === 2;
    const values = { status: delta ? "UNDER_MAINTENANCE" : "ACTIVE", health_index_score: delta && n < 3 ? null : 78.4 };
    return upsert(delta ? "2025-06-01" : "2024-01-01", values, { rank: delta ? rank(20250601, 1) : rank() });
  };
  const snapshot = names.map((key, n) => ({ key, change: row(n, 1) }));
  const delta = names.slice(0, 30).map((key, n) => ({ key, change: row(n, 2) }));
  const results = [
    [...snapshot, ...delta],
    [...delta, ...snapshot],
    [...delta, ...snapshot, ...snapshot, ...delta],
  ].map((files) => {
    const histories = new Map(names.map((key) => [key, new History(key, [], TRACKED)]));
    files.forEach(({ key, change }, n) => void histories.set(key, (histories.get(key) as History).add(change, n).history));
    return names.flatMap((key) => withoutKnown((histories.get(key) as History).versions));
  });
  assert.is(results[0]?.length, 530);
  assert.is(results[0]?.filter(({ to }) => to === null).length, 500);
  assert.equal(results[1], results[0]);
  assert.equal(results[2], results[0]);
});

test("a hidden fact is kept: a late change before it leaves it standing", () => {
  const changes = ["1", "5", "9"].map((from) => upsert(from, { v: "A" }));
  assert.equal(lived(changes), ['[1,∞) {"v":"A"}']);
  assert.equal(lived([...changes, upsert("7", { v: "B" })]), ['[1,7) {"v":"A"}', '[7,9) {"v":"B"}', '[9,∞) {"v":"A"}']);
});

test("a correction by rank replaces the value, with no version of zero length and no tie", () => {
  const { added } = live([upsert("10", { a: 1 }, { rank: rank(20250501) }), upsert("10", { a: 2 }, { rank: rank(20250601) })]);
  assert.equal(said(last(added)), ['changed [10,∞) {"a":2}']);
  assert.is(last(added).remembered.tie, false);
});

test("publication ranks before precedence, and precedence before generation", () => {
  const ranks = [rank(1, 0, 9), rank(1, 1, 0), rank(1, 1, 1), rank(2, 0, 0)];
  const changes = ranks.map((each, n) => upsert("10", { n }, { rank: each }));
  for (const order of [changes, changes.toReversed()]) assert.equal(lived(order), ['[10,∞) {"n":3}']);
});

test("at one from and rank a delete beats an upsert, and anything beats a close", () => {
  assert.equal(lived([upsert("05", { a: 1 }), ended("delete", "10"), upsert("10", { a: 2 })]), ['[05,10) {"a":1}']);
  assert.not(last(live([upsert("10", { a: 2 }), ended("delete", "10")]).added).remembered.tie);
  assert.equal(lived([upsert("05", { a: 1 }), ended("close", "10", { rank: rank(9, 9, 9) }), upsert("10", { a: 2 })]), [
    '[05,10) {"a":1}',
    '[10,∞) {"a":2}',
  ]);
  assert.equal(lived([upsert("05", { a: 1 }), ended("close", "10")]), ['[05,10) {"a":1}']);
});

test("null equals null and differs from a value", () => {
  assert.equal(lived([upsert("1", { a: null }), upsert("2", { a: null }), upsert("3", { a: 1 }), upsert("4", { a: null })]), [
    '[1,3) {"a":null}',
    '[3,4) {"a":1}',
    '[4,∞) {"a":null}',
  ]);
});

test("a column not authored takes the next-ranked word at the same from, else the nearest earlier one, but none from before a delete", () => {
  const partial = (from: string, a: number, more: Partial<HistoryChange> = {}) =>
    upsert(from, { a, b: null, c: null }, { authored: ["a"], ...more });
  assert.equal(lived([upsert("1", { a: 1, b: 1, c: 1 }), upsert("2", { b: 2 }), partial("2", 2, { rank: rank(1) })]), [
    '[1,2) {"a":1,"b":1,"c":1}',
    '[2,∞) {"a":2,"b":2,"c":1}',
  ]);
  assert.equal(lived([upsert("1", { a: 1, b: 1 }), ended("delete", "2"), partial("3", 1)]), ['[1,2) {"a":1,"b":1}', '[3,∞) {"a":1}']);
});

test("an untracked column is overwritten in place, and known from the overwriting on", () => {
  const options = { ...TRACKED, untracked: ["balance"] };
  const { added } = live([upsert("1", { a: 1, balance: 10 }), upsert("2", { a: 1, balance: 20 })], options);
  assert.equal(said(last(added)), ['changed [1,∞) {"a":1,"balance":20}']);
  assert.is(last(added).remembered.versions[0]?.knownFromMs, 2_000);
});

test("an ignored column is neither compared nor kept, also where facts from before hold it", () => {
  const ignoring = { ...TRACKED, ignored: ["is_current"] };
  const { facts } = live([upsert("1", { a: 1, is_current: true })], ignoring);
  assert.equal(facts[0]?.values, { a: 1 });
  const before = live([upsert("1", { a: 1, is_current: true }), upsert("2", { a: 1, is_current: false })]);
  assert.equal(shown(versionsOf(before.facts, ignoring)), ['[1,∞) {"a":1}']);
});

test("a fact that repeats what is believed changes nothing, and not the time since when it is known", () => {
  const { added } = live([upsert("1", { a: 1 }, { rank: rank(1) }), upsert("1", { a: 1 }, { rank: rank(2) }), upsert("3", { a: 1 })]);
  assert.equal(added.map(said), [['opened [1,∞) {"a":1}'], [], []]);
  assert.is(last(added).remembered.versions[0]?.knownFromMs, 1_000);
  assert.not(last(added).remembered.duplicate);
});

test("a version that a correction turns into a member of its neighbour's run is retracted", () => {
  const { added } = live([upsert("1", { a: 1 }), upsert("3", { a: 2 }, { rank: rank(1) }), upsert("3", { a: 1 }, { rank: rank(2) })]);
  assert.equal(said(last(added)), ['changed [1,∞) {"a":1}', 'retracted [3,∞) {"a":2}']);
});

test("what changed is told in order of from, also when a version in the middle goes", () => {
  const changes = [upsert("1", { a: 1, b: 1 }), upsert("3", { a: 2 }), upsert("5", { b: 2 }), upsert("3", { a: 1 }, { rank: rank(1) })];
  assert.equal(said(last(live(changes).added)), [
    'changed [1,5) {"a":1,"b":1}',
    'retracted [3,5) {"a":2,"b":1}',
    'changed [5,∞) {"a":1,"b":2}',
  ]);
});

test("minus zero is zero", () => {
  const { facts } = live([upsert("1", { a: -0 }), upsert("1", { a: 0 })]);
  assert.equal(
    facts.map(({ values }) => Object.is(values["a"], 0)),
    [true],
  );
});

test("known never goes back, and facts known at one moment are one belief", () => {
  const arrivals = [5_000, 3_000, 5_000];
  const changes = [
    upsert("1", { a: 1 }, { rank: rank(1) }),
    upsert("1", { a: 2 }, { rank: rank(2) }),
    upsert("1", { a: 1 }, { rank: rank(3) }),
  ];
  const { facts, added } = live(changes, TRACKED, (n) => arrivals[n] ?? 0);
  assert.equal(
    facts.map(({ knownAtMs }) => knownAtMs),
    [5_000, 5_000, 5_000],
  );
  assert.equal(added.map(said), [['opened [1,∞) {"a":1}'], ['changed [1,∞) {"a":2}'], ['changed [1,∞) {"a":1}']]);
  assert.equal(
    new History(KEY, facts, TRACKED).beliefs().map(({ knownFromMs, knownToMs }) => [knownFromMs, knownToMs]),
    [[5_000, null]],
  );
});

test("a delete and an insert in one transaction leave no gap, in any order of arrival; in two they do", () => {
  const changes = [upsert("aa1", { a: 1 }), ended("delete", "bb1"), upsert("bb2", { a: 2 })];
  for (const order of [changes, changes.toReversed()]) assert.equal(lived(order, CDC), ['[aa1,bb2) {"a":1}', '[bb2,∞) {"a":2}']);
  assert.equal(lived([upsert("aa1", { a: 1 }), ended("delete", "bb1"), upsert("bb2", { a: 1 })], CDC), ['[aa1,∞) {"a":1}']);
  assert.equal(lived([upsert("aa1", { a: 1 }), ended("delete", "bb1"), upsert("cc1", { a: 2 })], CDC), [
    '[aa1,bb1) {"a":1}',
    '[cc1,∞) {"a":2}',
  ]);
  assert.equal(lived([...changes.slice(0, 2), ended("close", "bb11"), ...changes.slice(2)], CDC), [
    '[aa1,bb11) {"a":1}',
    '[bb2,∞) {"a":2}',
  ]);
  assert.equal(lived([...changes, ended("delete", "bb3")], CDC), ['[aa1,bb2) {"a":1}', '[bb2,bb3) {"a":2}']);
});

test("a position stands for the greatest event time up to it", () => {
  const changes = [upsert("aa1", { a: 1 }, { atMs: 50 }), upsert("bb1", { a: 2 }, { atMs: 40 }), ended("delete", "cc1", { atMs: 90 })];
  const versions = versionsOf(live(changes, CDC).facts, CDC);
  assert.equal(
    versions.map(({ fromMs, toMs }) => [fromMs, toMs]),
    [
      [50, 50],
      [50, 90],
    ],
  );
  assert.equal(
    [49, 50, 89, 90].map((atMs) => versionAtMs(versions, atMs)?.values["a"] ?? null),
    [null, 2, 2, null],
  );
});

test("on the day of change the new version holds, alone", () => {
  const versions = versionsOf(live([upsert("2025-05-01", { a: 1 }), upsert("2025-06-01", { a: 2 })]).facts, TRACKED);
  const dates = ["2025-04-30", "2025-05-01", "2025-05-31", "2025-06-01"];
  assert.equal(
    dates.map((at) => versionAt(versions, at)?.values["a"] ?? null),
    [null, 1, 1, 2],
  );
});

test("the version in force among 10,000 is found with 14 looks", () => {
  const froms = Array.from({ length: 10_000 }, (_, n) => String(100_000 + 2 * n));
  const { history } = live(froms.map((from, n) => upsert(from, { n }, { atMs: Number(from) })));
  assert.is(history.versions.length, 10_000);
  let looks = 0;
  const watched = new Proxy(history.versions as Version[], {
    get(versions, name, self) {
      if (name !== "length") looks += 1;
      return Reflect.get(versions, name, self);
    },
  });
  for (const at of [0, 1, 4_999, 9_999]) {
    for (const find of [() => versionAt(watched, String(100_001 + 2 * at)), () => versionAtMs(watched, 100_001 + 2 * at)]) {
      looks = 0;
      assert.is(find()?.values["n"], at);
      assert.ok(looks <= 15, `${looks} looks`); // The last one takes what was found.
    }
  }
});

test("a history is a value: the one before a change goes on to say what it said", () => {
  const before = live([upsert("1", { a: 1 }), upsert("3", { a: 2 })]).history;
  const said = { versions: [...before.versions], beliefs: before.beliefs() };
  const { history } = before.add(upsert("2", { a: 3 }), 9_000);
  const other = before.add(ended("delete", "5"), 9_000).history;
  assert.equal({ versions: before.versions, beliefs: before.beliefs() }, said);
  assert.equal([history.versions.length, other.versions.length, other.facts.length], [3, 2, 3]);
});

test("a version is named by key and from, and only numbered by its place", () => {
  const { added } = live([upsert("12", { a: 2 }), upsert("10", { a: 1 })]);
  const names = added.map(({ remembered }) => remembered.versions.map(({ versionId, scdVersion }) => [versionId, scdVersion]));
  const [ten, twelve] = ["10", "12"].map((from) => longHash([KEY, from]));
  assert.equal(names, [
    [[twelve, 1]],
    [
      [ten, 1],
      [twelve, 2],
    ],
  ]);
});

test("a fact survives its bytes, and the digested part has no known time", () => {
  const changes = [
    upsert(
      "10",
      { z: null, a: 1.5, m: "text", b: true, "10": -5, big: 2 ** 53 - 1 },
      { rank: rank(20250601, 2, 3), atMs: 1_750_000_000_123 },
    ),
    ended("delete", "12"),
    ended("close", "13"),
  ];
  const { facts } = live(changes);
  const again = live(changes, TRACKED, (n) => 77_000 + n).facts;
  facts.forEach((fact, n) => {
    const bytes = encodeFact(fact);
    assert.equal(decodeFact(factKey(KEY, fact), bytes), fact);
    assert.not.equal(bytes, encodeFact(again[n] as Fact));
    assert.equal(digestedBytes(bytes), digestedBytes(encodeFact(again[n] as Fact)));
    assert.ok(factKey(KEY, fact).startsWith(factPrefix(KEY)));
  });
});

// Properties, over random histories.

const HISTORIES = process.env["CI"] === undefined ? 2_000 : 10_000;
const SEED = Number(process.env["SEED"] ?? 20_250_615);
const ALL_OPTIONS: readonly HistoryOptions[] = [
  TRACKED,
  { untracked: ["b"], ignored: [], ignoreNulls: ["a"] },
  CDC,
  { ...CDC, untracked: ["a", "c"] },
];

/** Few positions, values and ranks, so that everything collides. */
function randomChange(random: Seeded): HistoryChange {
  const from = `${random.pick(["aa", "bb", "cc"])}${random.below(3)}`;
  const more = {
    rank: rank(random.below(2), random.below(2), 0),
    atMs: from.charCodeAt(0) % 2 === 0 ? (from.charCodeAt(2) * 7) % 5 : null,
  };
  if (random.chance(25)) return ended(random.pick(["delete", "close"] as const), from, more);
  const columns = ["a", "b", "c"].filter(() => random.chance(70));
  return upsert(from, Object.fromEntries(columns.map((column) => [column, random.pick([null, 1, 2])])), more);
}

function property(title: string, body: (changes: readonly HistoryChange[], options: HistoryOptions, random: Seeded) => void): void {
  test(title, () => {
    for (let n = 0; n < HISTORIES; n += 1) {
      const seed = SEED + n;
      const random = seeded(seed);
      const changes = Array.from({ length: 1 + random.below(12) }, () => randomChange(random));
      try {
        body(changes, random.pick(ALL_OPTIONS), random);
      } catch (error) {
        throw new Error(`SEED=${seed}`, { cause: error });
      }
    }
  });
}

property("P-10: every arrival order, batching and repetition gives identical versions, ties included", (changes, options, random) => {
  const once = live(changes, options);
  const other = random.shuffled([...changes, ...changes.filter(() => random.chance(30))]);
  const batch = 1 + random.below(4);
  const again = live(other, options, (n) => 1_000 * Math.floor(n / batch));
  const expected = JSON.stringify(withoutKnown(versionsOf(once.facts, options)));
  assert.is(JSON.stringify(withoutKnown(versionsOf(again.facts, options))), expected);
  assert.is(JSON.stringify(withoutKnown(last(again.added).remembered.versions)), expected);
  assert.is(JSON.stringify(withoutKnown(versionsOf(random.shuffled(once.facts), options))), expected);
  const ties = ({ added }: Life) => added.filter(({ remembered }) => remembered.tie).length;
  assert.is(ties(again), ties(once));
});

property(
  "P-11: versions do not overlap, one at most is open, gaps are explained, neighbours differ in a tracked column",
  (changes, options) => {
    const versions = live(changes, options).history.versions;
    versions.forEach((version, n) => {
      const { to, endedBy, values } = version;
      const next = versions[n + 1];
      assert.is(version.scdVersion, n + 1);
      assert.is(to === null, endedBy === null);
      if (to !== null) assert.ok(version.from < to);
      if (next === undefined) return;
      assert.ok(to !== null && to <= next.from);
      assert.is(to === next.from, endedBy === "upsert");
      const differs = Object.keys(values).filter((column) => values[column] !== next.values[column] && !options.untracked.includes(column));
      assert.equal(next.changed, to === next.from ? differs : null);
      assert.not.equal(next.changed, []);
    });
  },
);

property("P-12: as of a known time equals replaying only the facts known by then, and beliefs say the same", (changes, options, random) => {
  let nowMs = 0;
  const { history, facts, added } = live(changes, options, () => (nowMs += random.below(3) - 1)); // Arrivals repeat and go back.
  const all = new History(KEY, facts, options).beliefs();
  assert.equal(history.versions, new History(KEY, facts, options).versions); // Learnt one by one, and moment by moment.
  added.forEach(({ history: { facts: sofar }, remembered }, n) => {
    assert.equal(versionsOf(sofar, options), remembered.versions);
    const knownAtMs = Math.max(...sofar.map((fact) => fact.knownAtMs));
    if (added[n + 1]?.fact?.knownAtMs === knownAtMs || added[n + 1]?.fact === null) return;
    assert.equal(new History(KEY, facts, options).knownAt(knownAtMs).versions, remembered.versions);
    const then = all.filter(({ knownFromMs, knownToMs }) => knownFromMs <= knownAtMs && (knownToMs === null || knownAtMs < knownToMs));
    assert.equal(shown(then.map(({ version }) => version)), shown(remembered.versions));
    assert.equal(
      then.map(({ knownFromMs }) => knownFromMs),
      remembered.versions.map(({ knownFromMs }) => knownFromMs),
    );
  });
});

property("P-13: sweeping from the new fact on gives what the full sweep gives, and that is what the rules say", (changes, options) => {
  const { facts } = live(changes, options);
  const local = withoutKnown(versionsOf(facts, options));
  const atOnce = facts.map((fact) => ({ ...fact, knownAtMs: 0 }));
  assert.equal(withoutKnown(versionsOf(atOnce, options)), local);
  assert.equal(
    local.map(({ from, to, values }) => [from, to, values]),
    plainly(facts, options),
  );
});

property("P-14: turning columns from tracked to untracked and back restores the first result", (changes, options) => {
  let facts: readonly Fact[] = [];
  const classes = [options, { ...options, untracked: ["a", "b", "c"] }];
  changes.forEach((change, n) => {
    facts = new History(KEY, facts, classes[n % 2] ?? options).add(change, n).history.facts;
  });
  assert.equal(versionsOf(facts, options), versionsOf(live(changes, options, (n) => n).facts, options));
});

property("what is said to have changed leads from the versions before to the versions after", (changes, options) => {
  const told = new Map<string, string>();
  for (const { remembered } of live(changes, options).added) {
    for (const { change, version } of remembered.changes) {
      const [text = ""] = shown([version]);
      assert.is(told.has(version.versionId), change !== "opened");
      if (change === "retracted") assert.is(told.get(version.versionId), text);
      else assert.is.not(told.get(version.versionId), text);
      if (change === "closed") assert.ok(told.get(version.versionId)?.includes("∞") && version.to !== null);
      if (change === "retracted") told.delete(version.versionId);
      else told.set(version.versionId, text);
    }
    assert.equal([...told.values()].sort(), shown(remembered.versions).sort());
  }
});

test("facts are found by what their place begins with, in the order of places", () => {
  const { history } = live([upsert("b2", { a: 1 }), upsert("c1", { a: 2 }), upsert("a9", { a: 3 }), ended("delete", "b1")]);
  assert.equal(
    history.factsFrom("b").map(({ from, kind }) => `${from} ${kind}`),
    ["b1 delete", "b2 upsert"],
  );
  assert.equal([history.factsFrom("").length, history.factsFrom("d"), history.factsFrom("bb")], [4, [], []]);
});

test("a place that is spelt in two ways is one, at the spelling that tells more, in every order and at every known time", () => {
  // Transaction, command (0: not told), sequence: a01 and a21 are one place.
  const options: HistoryOptions = { ...TRACKED, transactionChars: 1, placeOf: (from) => `${from[0]}${from[2]}` };
  const changes = [
    upsert("a01", { v: 1 }),
    upsert("a21", { v: 1 }),
    upsert("a02", { v: 2 }),
    upsert("a32", { v: 2 }),
    ended("delete", "a03"),
    ended("delete", "a33"),
    upsert("b04", { v: 3 }),
  ];
  const wanted = ['[a21,a32) {"v":1}', '[a32,a33) {"v":2}', '[b04,∞) {"v":3}'];
  const { shuffled } = seeded(7);
  for (let run = 0; run < 50; run += 1) {
    const { history, facts } = live(shuffled([...changes, ...changes]), options);
    assert.equal(shown(history.versions), wanted);
    assert.equal(shown(versionsOf(shuffled(facts), options)), wanted);
    assert.is(facts.length, changes.length, "what comes again is known again");
    for (const { knownAtMs } of facts) {
      const known = facts.filter((fact) => fact.knownAtMs <= knownAtMs);
      assert.equal(shown(history.knownAt(knownAtMs).versions), shown(versionsOf(known, options)));
    }
  }
});

test("of two accounts of one place that differ, one wins, wherever they were said to be", () => {
  const options: HistoryOptions = { ...TRACKED, transactionChars: 1, placeOf: (from) => `${from[0]}${from[2]}` };
  const [silent, told] = [upsert("a01", { v: 1 }), upsert("a21", { v: 2 })];
  const ways = [live([silent, told], options), live([told, silent], options)];
  assert.equal(shown(ways[0]!.history.versions), shown(ways[1]!.history.versions));
  assert.equal(
    ways.map(({ added }) => added.map(({ remembered }) => remembered.tie)),
    [
      [false, true],
      [false, true],
    ],
  );
});

/** The rules again, as plainly as they can be put: one pass over all winners, nothing kept from before. */
function plainly(facts: readonly Fact[], { untracked, ignoreNulls, transactionChars = 0 }: HistoryOptions): readonly unknown[] {
  const payloadHash = ({ values }: Fact) => createHash("sha256").update(JSON.stringify(values)).digest("hex");
  const strength = (fact: Fact) =>
    [fact.kind === "close" ? 0 : 1, fact.rank.publication, fact.rank.precedence, fact.kind === "upsert" ? 0 : 1, payloadHash(fact)].join();
  const froms = [...new Set(facts.map(({ from }) => from))].sort();
  const bests = froms.map((from) => facts.filter((fact) => fact.from === from).sort((a, b) => (strength(a) > strength(b) ? -1 : 1)));
  const transaction = (from: string) => from.slice(0, transactionChars);
  const undone = ([winner]: readonly Fact[]) =>
    transactionChars > 0 &&
    winner?.kind === "delete" &&
    bests.some(([other]) => other?.kind === "upsert" && other.from > winner.from && transaction(other.from) === transaction(winner.from));
  const versions: { from: string; to: string | null; values: Record<string, unknown> }[] = [];
  for (const best of bests.filter((each) => !undone(each))) {
    const [winner] = best as [Fact];
    const open = versions.find(({ to }) => to === null);
    if (winner.kind !== "upsert") {
      if (open) open.to = winner.from;
      continue;
    }
    const values: Record<string, unknown> = { ...open?.values };
    for (const fact of best.toReversed()) {
      if (fact.kind !== "upsert") continue;
      for (const [column, value] of Object.entries(fact.values))
        if (value !== null || !ignoreNulls.includes(column)) values[column] = value;
    }
    const differs =
      open && Object.keys(open.values).some((column) => !untracked.includes(column) && open.values[column] !== values[column]);
    if (open && !differs) open.values = values;
    else {
      if (open) open.to = winner.from;
      versions.push({ from: winner.from, to: null, values });
    }
  }
  return versions.map(({ from, to, values }) => [from, to, values]);
}
