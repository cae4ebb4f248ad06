import * as assert from "uvu/assert";
import { minutes } from "../../engine/duration.ts";
import {
  bool,
  civilDate,
  code,
  decimal,
  type Field,
  feed,
  id,
  instant,
  integer,
  json,
  key,
  number,
  optional,
  type Reading,
  text,
} from "../../engine/feed.ts";
import { ActorId } from "../../engine/ids.ts";
import { decoded } from "../kit/decoding.ts";
import { suite } from "../kit/suite.ts";

const test = suite("feed");

/** What a field makes of a value: the value, or the code of its fault; then what it noted. */
function read(field: Field<string | number | boolean | null>, value: unknown, plain = false): unknown {
  const notes: string[] = [];
  const reading: Reading = {
    plain,
    note: (noteCode, detail) => notes.push(`${noteCode} ${detail}`),
    literal: (_, number) => String(number),
    rounded: (name, original) => notes.push(`rounded ${name} ${original}`),
  };
  const result = field.read(value, "it", reading);
  const shown = typeof result === "object" && result !== null ? result.code : result;
  return notes.length === 0 ? shown : [shown, ...notes];
}

test("the feed of the library's documentation is typed and decodes", () => {
  const feederLoad = feed({
    name: "feeder_load",
    latenessMs: minutes(5),
    fields: { id: text, feeder: text, at: instant, amps: number(0, 5_000) },
    eventTimeMs: (row) => row.at,
    dedupKey: (row) => row.id,
    actors: (row) => [ActorId("feeder", row.feeder)],
    message: (row) => ({ type: "feeder_measured", atMs: row.at, amps: row.amps }),
  });
  const { row, authored } = decoded(feederLoad, { json: { id: "a", feeder: "F-1", at: "2025-06-15T10:00:00Z", amps: 12.5 } });
  const context = { path: null, generation: 0, mode: "delta", arrivedAtMs: 0, authored, before: null, absent: false, extra: null } as const;
  assert.equal(feederLoad.message(row, context), { type: "feeder_measured", atMs: Date.UTC(2025, 5, 15, 10), amps: 12.5 });
  assert.equal(feederLoad.actors(row), ["feeder/F-1"]);
  assert.is(feederLoad.eventTimeMs(row), Date.UTC(2025, 5, 15, 10));
});

test("what a feed leaves out has its default", () => {
  const bare = {
    name: "f",
    fields: { id: key },
    eventTimeMs: () => 0,
    dedupKey: () => "",
    actors: () => [],
    message: () => ({ type: "m" }),
  };
  const made = feed({ ...bare, latenessMs: minutes(5) });
  assert.is(made.table, "f");
  assert.is(made.dedup, "window");
  assert.is(made.dedupMs, minutes(10));
  assert.is(made.clockDelayMs, minutes(5));
  assert.is(made.refusesFuture, true);
  assert.is(made.date, null);
  assert.is(made.check({ id: "a" }), null);
  assert.is(feed({ ...bare, latenessMs: Number.POSITIVE_INFINITY }).clockDelayMs, 0);
  assert.is(feed({ ...bare, latenessMs: 0, table: null }).table, null);
});

test("a field cannot have a name that every object answers to", () => {
  for (const name of ["constructor", "toString", "hasOwnProperty"]) {
    const fields = { [name]: key };
    const options = { name: "f", latenessMs: 0, fields, eventTimeMs: () => 0, dedupKey: () => "", actors: () => [], message: () => null };
    assert.throws(() => feed(options), new RegExp(name));
  }
});

test("a number is finite and within its limits, or a plain decimal as text", () => {
  const field = number(-10, 100);
  for (const [value, result] of [
    [12.5, 12.5],
    [-10, -10],
    [100, 100],
    [" 12 ", 12],
    ["-0.5", -0.5],
    [7n, 7],
    [100.01, "out_of_range"],
    ["101", "out_of_range"],
    [Number.POSITIVE_INFINITY, "out_of_range"],
    [2n ** 60n, "out_of_range"],
    [Number.NaN, "bad_type"],
    ["1,5", "bad_type"],
    ["0x10", "bad_type"],
    ["1e3", "bad_type"],
    ["NaN", "bad_type"],
    ["", "bad_type"],
    [true, "bad_type"],
    [[1], "bad_type"],
  ] as const) {
    assert.is(read(field, value), result, String(value));
  }
  assert.ok(Object.is(read(field, -0), 0));
});

test("a whole number has no fraction and is exact", () => {
  const field = integer(0);
  assert.equal(
    [5, "5", "5.0", 5n, 2 ** 53 - 1].map((value) => read(field, value)),
    [5, 5, 5, 5, 2 ** 53 - 1],
  );
  assert.equal(
    [5.5, "5.5", "five", false].map((value) => read(field, value)),
    ["bad_type", "bad_type", "bad_type", "bad_type"],
  );
  assert.equal(
    [-1, 2 ** 53, 9_007_199_254_740_993n, "9007199254740993", Number.POSITIVE_INFINITY].map((value) => read(field, value)),
    Array(5).fill("out_of_range"),
  );
});

test("a decimal is an integer in its scale, and says when it was rounded", () => {
  const rupees = decimal(18, 2, { min: -1_000, max: 1_000 });
  assert.is(read(rupees, 2.5), 250);
  assert.is(read(rupees, "-999.99"), -99_999);
  assert.is(read(rupees, 7n), 700);
  assert.equal(read(rupees, 1.005), [101, "rounded it 1.005"]);
  assert.equal(read(rupees, "1.004"), [100, "rounded it 1.004"]);
  assert.is(read(rupees, 1_000.01), "out_of_range");
  assert.is(read(rupees, "1000.005"), "out_of_range", "and then it is not noted as rounded");
  assert.is(read(decimal(38, 2), 1e300), "out_of_range");
  assert.equal(
    ["1e2", "1,5", true, "", Number.NaN].map((value) => read(rupees, value)),
    Array(5).fill("bad_type"),
  );
});

test("truth is spelled in many ways", () => {
  for (const value of [true, "True", "yes", "Y", "1", 1, " TRUE "]) assert.is(read(bool, value), true, String(value));
  for (const value of [false, "False", "NO", "n", "0", 0]) assert.is(read(bool, value), false, String(value));
  for (const value of ["", "maybe", 2, "2", []]) assert.is(read(bool, value), "bad_type", String(value));
});

test("a code is trimmed; words for nothing are null; an unknown one is kept and noted", () => {
  const status = code(["ACTIVE", "TAMPERED"]);
  assert.is(read(status, " ACTIVE "), "ACTIVE");
  assert.equal(read(status, "BROKEN"), ["BROKEN", "unknown_code it=BROKEN"]);
  assert.is(read(code(), "anything"), "anything");
  assert.is(read(code(), "-"), "-");
  for (const word of ["", "  ", "null", "NULL", "N/A"]) assert.is(read(status, word), "missing_field", word);
  assert.is(read(status, 5), "bad_type");
});

test("an id has its pattern, in ASCII and not too long", () => {
  const meter = id(/^SM-[NSEWC]-\d{5,}$/);
  assert.is(read(meter, "SM-N-00042"), "SM-N-00042");
  assert.is(read(meter, "SM-N-0000042"), "SM-N-0000042");
  for (const value of [
    "SM-N-0042",
    "SM-X-00042",
    "sm-N-00042",
    "SM-N-00042 ",
    "SM-N-00042\n",
    "SM-N-０００４２",
    "",
    42,
    `SM-N-${"0".repeat(100)}`,
  ]) {
    assert.is(read(meter, value), "bad_id", String(value));
  }
});

test("a key is 1 to 128 bytes of printable text", () => {
  for (const value of ["a", "a".repeat(128), "न".repeat(42), "-", "😀", "constructor"]) assert.is(read(key, value), value);
  for (const value of ["", "a".repeat(129), "न".repeat(43), "a\0", "a\x7f", "a\u2028b", "\u202eb", "\ud800", "a\udc00", 5, null]) {
    assert.is(read(key, value), "bad_id", JSON.stringify(value));
  }
});

test("text may hold anything but NUL and half characters", () => {
  for (const value of ["", "a\nb", "दिल्ली", "😀", "=1+1", "\u2028"]) assert.is(read(text, value), value);
  for (const value of ["a\0b", "\ud83d", 5, true]) assert.is(read(text, value), "bad_type", JSON.stringify(value));
});

test("an instant is text, an epoch number or a date object, not before 2000", () => {
  const atMs = Date.UTC(2025, 5, 15, 14, 23, 45, 123);
  for (const value of [
    "2025-06-15T14:23:45.123Z",
    "2025-06-15T19:53:45.123+05:30",
    atMs,
    String(atMs),
    BigInt(atMs) * 1_000_000n,
    new Date(atMs),
  ]) {
    assert.is(read(instant, value), atMs, String(value));
  }
  assert.equal(read(instant, "2025-06-15T14:23:45.123"), [atMs, "no_zone it"]);
  assert.is(read(instant, "2000-01-01T00:00:00.000Z"), 946_684_800_000);
  for (const value of [
    "1999-12-31T23:59:59.999Z",
    0,
    -5,
    "0000-01-01T00:00:00Z",
    "soon",
    "",
    true,
    {},
    new Date(Number.NaN),
    Number.POSITIVE_INFINITY,
  ]) {
    assert.is(read(instant, value), "bad_time", String(value));
  }
});

test("a date is text, days, or midnight", () => {
  for (const value of ["2025-06-01", 20_240, new Date(Date.UTC(2025, 5, 1)), "2025-06-01T00:00:00+05:30"]) {
    assert.is(read(civilDate, value), "2025-06-01", String(value));
  }
  assert.is(read(civilDate, 2_932_896), "9999-12-31");
  for (const value of ["2025-06-31", "45000", 1.5, new Date(Date.UTC(2025, 5, 1, 5)), true, ""])
    assert.is(read(civilDate, value), "bad_time", String(value));
});

test("JSON keeps any value as text, numbers that JSON lacks too", () => {
  assert.is(read(json, { a: [1, null, "x"] }), '{"a":[1,null,"x"]}');
  assert.is(read(json, [2n ** 60n, Number.POSITIVE_INFINITY, new Uint8Array([1, 2])]), '["1152921504606846976","Infinity","AQI="]');
});

test("an optional field is the same field, not required", () => {
  const field = optional(number(0, 1));
  assert.is(field.required, false);
  assert.is(read(field, 2), "out_of_range");
});
