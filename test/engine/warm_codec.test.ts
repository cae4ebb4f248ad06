import * as assert from "uvu/assert";
import type { CellValue } from "../../engine/emission.ts";
import type { Episode } from "../../engine/episode.ts";
import { BrokenInvariant } from "../../engine/fault.ts";
import { ActorId, alertId } from "../../engine/ids.ts";
import { decodeOwn, decodeWarm, encodeKept, encodeOwn, joinWarm, type Kept, splitWarm } from "../../engine/warm_codec.ts";
import { type Seeded, seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

const SEED = Number(process.env["SEED"] ?? 20_250_615);
const KIND = { kind: "meter", version: 3 };
const EMPTY: Kept = { timers: new Map(), episodes: new Map(), overflow: [] };

const test = suite("warm codec");

function roundTrip(own: unknown, kept: Kept) {
  const bytes = joinWarm(encodeOwn(own, KIND), encodeKept(kept));
  const within = Buffer.concat([Buffer.from("xxx"), bytes, Buffer.from("yyy")]).subarray(3, 3 + bytes.length); // As a store may hand it over.
  const split = splitWarm(within);
  return decodeWarm(split.own, split.kept, KIND);
}

test("a state of plain values comes back", () => {
  const own = {
    text: "दिल्ली",
    long: "x".repeat(70_000),
    numbers: [0, 0.1, -1, 2 ** 40, 2 ** 53 - 1, 1e-300],
    nothing: null,
    truth: [true, false],
    nested: { a: [{ b: {} }], "": [] },
  };
  assert.equal(roundTrip(own, EMPTY), { own, ...EMPTY });
});

test("bytes come back, and stay when what they were read from is written over", () => {
  const stored = encodeOwn({ bytes: new Uint8Array([1, 2, 255]) }, KIND);
  const { own } = decodeWarm(stored, encodeKept(EMPTY), KIND);
  stored.fill(0);
  assert.equal([...(own as { readonly bytes: Uint8Array }).bytes], [1, 2, 255]);
});

test("timers, episodes and the window come back, whatever they are", () => {
  for (let run = 0; run < 500; run += 1) {
    const kept = anyKept(seeded(SEED + run));
    assert.equal(roundTrip({}, kept), { own: {}, ...kept }, `SEED=${SEED + run}`);
  }
});

test("equal parts have equal bytes", () => {
  const [one, two] = [anyKept(seeded(SEED)), anyKept(seeded(SEED))];
  assert.equal(Buffer.from(encodeKept(one)), Buffer.from(encodeKept(two)));
  assert.equal(encodeOwn({ a: 1, b: [2] }, { version: 3 }), encodeOwn({ a: 1, b: [2] }, { version: 3 }));
});

test("what no bytes can be made of throws, and the next state is encoded as ever", () => {
  assert.throws(() => encodeOwn({ a: Symbol("a") }, { version: 3 }));
  assert.throws(() => encodeOwn({ a: 10n ** 30n }, { version: 3 }));
  assert.equal(roundTrip({ a: 1 }, EMPTY).own, { a: 1 });
});

test("a state of a newer version is refused", () => {
  const isBug = (error: Error): boolean => error instanceof BrokenInvariant;
  assert.throws(() => decodeWarm(encodeOwn({}, { version: 4 }), encodeKept(EMPTY), KIND), isBug);
  assert.equal(decodeWarm(encodeOwn({}, { version: 2 }), encodeKept(EMPTY), KIND).own, {});
});

function anyKept(random: Seeded): Kept {
  const timeOrNull = (): number | null => (random.chance(40) ? null : random.below(2 ** 31) * 1_000);
  const value = (): CellValue => random.pick<CellValue>([null, "GAS_ALARM", "", 0, -0.5, 1e9, true]);
  const episodes = Array.from({ length: random.below(4) }, (_, n): Episode => {
    const onsetMs = random.below(2 ** 31);
    return {
      rule: `rule.${n}`,
      alertId: alertId(ActorId("meter", "a"), `rule.${n}`, onsetMs),
      state: random.pick(["suspected", "raised", "acknowledged", "suppressed", "shelved", "cleared", "retracted"]),
      onsetMs,
      endsAtMs: timeOrNull(),
      count: random.below(100_000),
      severity: random.pick(["info", "warning", "major", "critical"]),
      revision: random.below(9),
      lastHitMs: onsetMs + random.below(1_000),
      normalsInARow: random.below(9),
      normalSinceMs: timeOrNull(),
      flags: random.pick([[], ["latched"], ["latched", "unseen"], ["chattering", "unseen", "summarised"]]),
      seen: random.chance(50),
      origin: random.pick(["live", "late", "backfill", "replay"]),
      value: value(),
      limit: timeOrNull(),
      clear: timeOrNull(),
      suppressedBy: random.pick([null, "maintenance"]),
      shelvedUntilMs: timeOrNull(),
      past: Array.from({ length: random.below(5) }, () => [random.below(99), random.below(99)] as const),
    };
  });
  const timers = Array.from({ length: random.below(4) }, (_, n) => {
    const rowMs = random.below(2 ** 31);
    return [`timer ${n}`, { feed: random.pick(["smart_meter", "billing"]), dueMs: rowMs + random.below(9), rowMs }] as const;
  });
  const overflow = Array.from({ length: random.below(6) }, () => {
    return [random.below(2 ** 32), random.below(2 ** 32), random.below(2 ** 32), random.below(2 ** 31)] as const;
  });
  return { timers: new Map(timers), episodes: new Map(episodes.map((episode) => [episode.rule, episode])), overflow };
}

const WITH_LARGE = { kind: "meter", version: 3, large: ["book", "links"] } as const;

test("large members come back in their places, null as null, and those that are not there stay away", () => {
  assert.equal(decodeOwn(encodeOwn({ n: 1, links: null }, WITH_LARGE), WITH_LARGE), { n: 1, links: null });
  const own = { n: 1, book: { days: [1, null] }, last: "x" };
  const back = decodeWarm(encodeOwn(own, WITH_LARGE), encodeKept(EMPTY), WITH_LARGE).own;
  assert.equal(back, own);
  assert.equal(encodeOwn(back, WITH_LARGE), encodeOwn(own, WITH_LARGE));
});

test("a large member is encoded again when another value stands in its place, and not before", () => {
  const known = new Map();
  const own: { n: number; book: { days: number[] } } = { n: 1, book: { days: [1] } };
  const first = encodeOwn(own, WITH_LARGE, known);
  own.book.days.push(2);
  assert.equal(encodeOwn(own, WITH_LARGE, known), first);
  own.book = { ...own.book };
  assert.equal(encodeOwn(own, WITH_LARGE, known), encodeOwn(own, WITH_LARGE));
  own.n = 2;
  assert.equal(encodeOwn(own, WITH_LARGE, known), encodeOwn(own, WITH_LARGE));
});
