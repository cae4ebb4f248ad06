import * as assert from "uvu/assert";
import { canonicalMs, dateOf, dayOf, epochMs, parseDate, parseInstant } from "../../engine/instant.ts";
import { seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

const SEED = 20_250_615;
const test = suite("instant");

function randomMs(below: (n: number) => number): number {
  return Date.UTC(1900 + below(300), below(12), 1 + below(31), below(24), below(60), below(60), below(1_000));
}

test("every canonical instant is what Date.parse makes of it, on days that change and come back", () => {
  const { below, pick } = seeded(SEED);
  const days = Array.from({ length: 1_000 }, () => new Date(randomMs(below)).toISOString().slice(0, 10));
  for (let n = 0; n < 20_000; n += 1) {
    const time = new Date(randomMs(below)).toISOString().slice(10);
    const text = pick(days) + time;
    assert.is(canonicalMs(text), Date.parse(text), `${text}, seed ${SEED}`);
  }
});

test("a canonical instant with any one character changed is refused, or means what Date.parse says", () => {
  const { below, pick } = seeded(SEED);
  const marks = [..."0123456789-:.TZ /,+aé\0"];
  let refused = 0;
  for (let n = 0; n < 20_000; n += 1) {
    const good = new Date(randomMs(below)).toISOString();
    const at = below(24);
    const text = good.slice(0, at) + pick(marks) + good.slice(at + 1);
    const atMs = canonicalMs(text);
    if (Number.isNaN(atMs)) refused += 1;
    else assert.is(atMs, Date.parse(text), `${text}, seed ${SEED}`);
  }
  assert.ok(refused > 10_000, String(refused));
});

test("all spellings of ISO 8601 with a zone are what Date.parse makes of them", () => {
  const { below, pick } = seeded(SEED);
  for (let n = 0; n < 5_000; n += 1) {
    const wall = new Date(randomMs(below)).toISOString().slice(0, -1);
    const zone = pick(["Z", "+05:30", "-03:30", "+00:00", "+14:00"]);
    const text = (pick([wall, wall.slice(0, 19), wall.slice(0, 16)]) as string) + zone;
    assert.equal(parseInstant(text), { atMs: Date.parse(text), zoned: true }, `${text}, seed ${SEED}`);
  }
});

test("blank for T, comma for point, short zones, small letters and outer blanks are read too", () => {
  const atMs = Date.UTC(2025, 5, 15, 8, 53, 45, 123);
  for (const text of [
    "2025-06-15 14:23:45.123+05:30",
    "2025-06-15T14:23:45,123+0530",
    "2025-06-15t08:53:45.123z",
    " 2025-06-15T08:53:45.123999999 +00 ",
  ]) {
    assert.equal(parseInstant(text), { atMs, zoned: true }, text);
  }
});

test("without a zone an instant is in UTC, and says so", () => {
  assert.equal(parseInstant("2025-06-15T14:23:45.123"), { atMs: Date.UTC(2025, 5, 15, 14, 23, 45, 123), zoned: false });
  assert.equal(parseInstant("2025-06-15"), { atMs: Date.UTC(2025, 5, 15), zoned: false });
});

test("24:00, second 60, days and zones that do not exist, and other words are no instants", () => {
  for (const text of [
    "2025-06-15T24:00:00Z",
    "2025-06-15T23:59:60Z",
    "2025-06-15T23:60:00Z",
    "2025-02-29T00:00:00Z",
    "2025-13-01T00:00:00Z",
    "2025-00-10T00:00:00Z",
    "2025-06-00T00:00:00Z",
    "+275760-09-13T00:00:00.000Z",
    "2025-06-15T00:00:00+24:00",
    "2025-06-15Z",
    "15/06/2025",
    "yesterday",
    "",
  ]) {
    assert.is(parseInstant(text), null, text);
    assert.ok(Number.isNaN(canonicalMs(text)), text);
  }
});

test("an epoch number is read by its size, seconds to nanoseconds, and cut to the millisecond", () => {
  const atMs = 1_749_997_425_123;
  assert.is(epochMs(1_749_997_425), 1_749_997_425_000);
  assert.is(epochMs(1_749_997_425.123), atMs);
  assert.is(epochMs(atMs), atMs);
  assert.is(epochMs(1_749_997_425_123_999), atMs);
  assert.is(epochMs(1_749_997_425_123_999_999n), atMs);
  assert.is(epochMs(-1n), -1_000);
  assert.is(epochMs(-200_000_000_000_000_001n), -200_000_000_001);
});

test("an epoch beyond the year 9999 is none", () => {
  for (const epoch of [1e300, Number.POSITIVE_INFINITY, Number.NaN, 10n ** 22n]) assert.ok(Number.isNaN(epochMs(epoch)), String(epoch));
});

test("days and dates turn into each other, leap years and all", () => {
  for (let day = -719_528; day <= 2_932_896; day += 37) {
    const date = dateOf(day) as string;
    assert.is(date, new Date(day * 86_400_000).toISOString().slice(0, 10));
    assert.is(dayOf(date), day, date);
  }
  for (const day of [2_932_897, -719_529, 0.5, Number.NaN]) assert.is(dateOf(day), null, String(day));
});

test("a date is a day, or an instant at midnight of whatever zone, and is never shifted", () => {
  for (const text of ["2025-06-01", " 2025-06-01 ", "2025-06-01T00:00:00Z", "2025-06-01T00:00:00.000+05:30", "2025-06-01 00:00"]) {
    assert.is(parseDate(text), "2025-06-01", text);
  }
  assert.is(parseDate("9999-12-31"), "9999-12-31");
  for (const text of ["2025-06-01T18:30:00Z", "2025-02-30", "2025-6-1", "01.06.2025", "45000", "2025-06-01T00:00:00+99:00", ""]) {
    assert.is(parseDate(text), null, text);
  }
});
