import * as assert from "uvu/assert";
import { CommandError } from "../../admin/errors.ts";
import { gridDate, instantText, isoMs, spanText, timeMs, timeOfDayText } from "../../admin/time.ts";
import { hours } from "../../engine/duration.ts";
import { suite } from "../kit/suite.ts";

const test = suite("time on the command line");
const CLOCK = Date.UTC(2025, 5, 15, 16, 31, 8);

test("every form of a time is read", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["2025-06-15T14:00:00Z", "2025-06-15T14:00:00Z"],
    ["2025-06-15T14:00Z", "2025-06-15T14:00:00Z"],
    ["2025-06-15T19:30:00+05:30", "2025-06-15T14:00:00Z"],
    ["2025-06-15T14:00:00.57Z", "2025-06-15T14:00:00.570Z"],
    ["2025-06-15T14:00:00.1239999Z", "2025-06-15T14:00:00.123Z"],
    ["2025-06-15 14:00:00", "2025-06-15T14:00:00Z"],
    ["2025-06-01", "2025-05-31T18:30:00Z"],
    ["2024-02-29", "2024-02-28T18:30:00Z"],
    ["now", "2025-06-15T16:31:08Z"],
    ["90s", "2025-06-15T16:29:38Z"],
    ["15m", "2025-06-15T16:16:08Z"],
    ["6h", "2025-06-15T10:31:08Z"],
    ["7d", "2025-06-08T16:31:08Z"],
  ];
  for (const [text, instant] of cases) assert.is(instantText(timeMs(text, CLOCK)), instant, text);
});

test("what is no time is a usage error that names the flag", () => {
  for (const text of [
    "",
    "yesterday",
    "2025-13-01",
    "2025-02-30",
    "2025-06-15T24:00:00Z",
    "2025-06-15T14:60Z",
    "14:00",
    "6 hours",
    "-6h",
    "1718460000",
    "0000-01-01",
  ]) {
    const failure = failing(() => timeMs(text, CLOCK, "--since"));
    assert.is(failure.code, "USAGE", text);
    assert.ok(failure.message.startsWith("--since"), text);
  }
});

test("now and spans need a clock, instants and dates do not", () => {
  for (const text of ["now", "6h"]) assert.is(failing(() => timeMs(text, null)).code, "USAGE", text);
  assert.is(timeMs("2025-06-15T14:00:00Z", null), Date.UTC(2025, 5, 15, 14));
});

test("a date is that of the grid zone, whatever the zone of the process", () => {
  assert.is(gridDate(Date.UTC(2025, 4, 31, 18, 29, 59)), "2025-05-31");
  assert.is(gridDate(Date.UTC(2025, 4, 31, 18, 30)), "2025-06-01");
  assert.is(isoMs("2025-06-01"), Date.UTC(2025, 5, 1) - hours(5.5));
});

test("instants are printed in UTC, with milliseconds only where there are some", () => {
  assert.is(instantText(CLOCK), "2025-06-15T16:31:08Z");
  assert.is(instantText(CLOCK + 120), "2025-06-15T16:31:08.120Z");
  assert.is(timeOfDayText(CLOCK + 999), "16:31:08Z");
});

test("lengths of time are said in their two largest units", () => {
  const cases = [
    [250, "250 ms"],
    [1_900, "1.9 s"],
    [60_000, "1 min"],
    [725_000, "12 min 5 s"],
    [hours(3) + 1_200_000, "3 h 20 min"],
    [hours(52), "2 d 4 h"],
  ] as const;
  for (const [spanMs, text] of cases) assert.is(spanText(spanMs), text);
});

function failing(work: () => unknown): CommandError {
  try {
    work();
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}
