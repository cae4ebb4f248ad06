import * as assert from "uvu/assert";
import { afterDay, type DayBook, dailyKwh, dayBook, envelopeOf } from "../../../../actors/detectors/meter/day_book.ts";
import { packBook, unpackBook } from "../../../../actors/detectors/meter/packed_book.ts";
import { bitsSet, pushBit, RECENT, readField, withField } from "../../../../actors/detectors/meter/recent.ts";
import { samples } from "../../../kit/samples.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("what a meter keeps");
const FIELDS = Object.values(RECENT);

test("fields of a word do not touch one another, and what does not fit becomes the largest that does", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const { seeded } = samples(seed);
    const values = FIELDS.map(([, width]) => seeded.below(2 ** (width + 1)));
    const word = FIELDS.reduce((all, field, n) => withField(all, field, values[n] ?? 0), seeded.below(2 ** 31));
    assert.equal(
      FIELDS.map((field) => readField(word, field)),
      FIELDS.map(([, width], n) => Math.min(values[n] ?? 0, 2 ** width - 1)),
      `seed ${seed}`,
    );
    assert.ok(word >= 0 && word < 2 ** 32);
  }
  const ends = FIELDS.map(([at, width]) => at + width).sort((a, b) => a - b);
  assert.ok((ends.at(-1) ?? 99) <= 32);
});

test("a row of answers keeps the latest, and counts them", () => {
  let word = 0;
  for (const answer of [true, true, false, true, true, true, false]) word = pushBit(word, RECENT.near, answer);
  assert.is(readField(word, RECENT.near), 0b01110);
  assert.is(bitsSet(0b01110), 3);
});

test("a book comes back from its bytes, energies to seven digits", () => {
  assert.equal(unpackBook(undefined), dayBook());
  for (let seed = 1; seed <= 20; seed += 1) {
    const draw = samples(seed);
    const single = (high: number): number => Math.fround(draw.between(0, high));
    const days = draw.seeded.below(8);
    const book: DayBook = {
      profile: Uint8Array.from({ length: 112 }, () => draw.seeded.below(256)),
      month: draw.seeded.chance(80) ? { mean: single(50), variance: single(9), n: 1 + draw.seeded.below(60_000) } : null,
      lately: single(50),
      odd: [draw.seeded.below(2 ** 24), draw.seeded.below(2 ** 24)],
      untold: Array.from({ length: days }, (_, n) => [20_000 + n, draw.seeded.below(90_000) / 1_000, draw.seeded.below(25)]).flat(),
      holds: draw.seeded.chance(50),
      signs: draw.seeded.below(32),
      digits: Array.from({ length: 10 }, () => draw.seeded.below(256)),
    };
    assert.equal(unpackBook(packBook(book)), book, `seed ${seed}`);
    assert.ok(packBook(book).length <= 150 + 9 * days);
  }
});

const day = (wh: number | null, oddHours = 0) => ({ day: 20_240, wh: new Array<number | null>(24).fill(wh), oddHours });

test("a day that is learnt leaves the book before it as it was", () => {
  const before = afterDay(dayBook(), day(500));
  const bytes = [...before.profile];
  afterDay(before, day(5_000));
  assert.equal([...before.profile], bytes);
});

test("an hour is known after three days; unusual hours teach nothing", () => {
  let book = dayBook();
  for (let n = 0; n < 3; n += 1) {
    assert.is(envelopeOf(book)[5], null);
    book = afterDay(book, day(500, 1 << 6));
  }
  assert.ok(Math.abs((envelopeOf(book)[5] ?? 0) - 500) <= 1);
  assert.is(envelopeOf(book)[6], null);
});

test("hours without readings are taken for the mean of the others, if few are missing", () => {
  const wh = (missing: number) => Array.from({ length: 24 }, (_, n) => (n < missing ? null : 1_000));
  assert.is(dailyKwh({ day: 1, wh: wh(4), oddHours: 0 }), 24);
  assert.is(dailyKwh({ day: 1, wh: wh(5), oddHours: 0 }), null);
});
