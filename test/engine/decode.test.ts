import * as assert from "uvu/assert";
import { decode } from "../../engine/decode.ts";
import { minutes } from "../../engine/duration.ts";
import { fault } from "../../engine/fault.ts";
import { civilDate, code, decimal, feed, instant, integer, key, number, optional, text } from "../../engine/feed.ts";
import { ActorId } from "../../engine/ids.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { firstSchema, type SchemaSettings } from "../../engine/schema.ts";
import { decoded, type Given, noteCodes, recordOf, refused, rescuedOf } from "../kit/decoding.ts";
import { seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

const test = suite("decode");
const SEED = 1_509;
const AT = "2025-06-15T14:23:45.123Z";
const AT_MS = Date.UTC(2025, 5, 15, 14, 23, 45, 123);

/** A pump with a field of each kind that decode treats in a way of its own. */
const pumps = feed({
  name: "pumps",
  latenessMs: minutes(5),
  fields: {
    id: key,
    at: instant,
    flow: number(0, 1_000),
    turns: optional(integer()),
    cost: optional(decimal(18, 2)),
    mode: optional(code(["ON", "OFF"])),
    place: optional(text),
    from: optional(civilDate),
    to: optional(civilDate),
  },
  check: (row) => {
    if (row.flow === 999) return fault("bad_interval", "a flow that cannot be", "flow");
    return row.from !== null && row.to !== null && row.to < row.from ? fault("bad_interval", "ends before it starts", "to") : null;
  },
  eventTimeMs: (row) => row.at,
  dedupKey: (row) => row.id,
  actors: (row) => [ActorId("pump", row.id)],
  message: () => ({ type: "pumped" }),
});
const NULLS = { turns: null, cost: null, mode: null, place: null, from: null, to: null };
const GOOD = { id: "P-1", at: AT, flow: 12.5, ...NULLS };
const ROW = { id: "P-1", at: AT_MS, flow: 12.5, ...NULLS };

/** GOOD as JSON text with members put in as they are written. */
function withText(members: string): string {
  return `{"id":"P-1","at":"${AT}","flow":12.5,${members}}`;
}

function with_(members: object): Given {
  return { json: { ...GOOD, ...members } };
}

// Rows ----------------------------------------------------------------------------------------------------------------------------------

test("a good record becomes a row of its feed, with nothing noted", () => {
  const schema = firstSchema(pumps);
  const { row, rescued, notes, extra, schema: after, authored } = decoded(pumps, { json: GOOD }, schema);
  assert.equal(row, ROW);
  assert.equal([rescued, notes, extra], [null, [], null]);
  assert.is(after, schema);
  assert.ok(authored("turns"));
  assert.not.ok(authored("other"));
});

test("keys in any order, with or without nulls, in JSON or in values, give equal rows in the feed's order", () => {
  const { shuffled, chance } = seeded(SEED);
  for (let n = 0; n < 500; n += 1) {
    const pairs = shuffled(Object.entries(GOOD)).filter(([, value]) => value !== null || chance(50));
    const values = Object.fromEntries(pairs);
    for (const given of [{ json: values }, JSON.stringify(values, null, 2), { fields: { ...values, at: new Date(AT_MS) } }]) {
      const { row } = decoded(pumps, given);
      assert.equal(Object.entries(row), Object.entries(ROW), `seed ${SEED}`);
    }
  }
});

test("a record spoke about the columns that it has, null or not", () => {
  const { authored } = decoded(pumps, { json: { id: "P-1", at: AT, flow: 1, turns: null } });
  assert.equal(["id", "turns", "cost", "toString"].map(authored), [true, true, false, false]);
  const cells = decoded(pumps, { fields: { id: "P-1", at: AT, flow: 1, place: undefined, mode: null } });
  assert.equal(["flow", "place", "mode"].map(cells.authored), [true, false, true]);
});

test("what the transport knows beside the bytes stands in where the record says nothing or null, and is judged like the rest", () => {
  const beside = { mode: "ON", place: "hall\u202e", to: 0 };
  const row = (members: object): unknown => decode(pumps, { ...recordOf(with_(members)), beside }, firstSchema(pumps), DEFAULT_LIMITS);
  const seen = row({ mode: "OFF", place: "yard" }) as { readonly row: object };
  assert.equal(seen.row, { ...ROW, mode: "OFF", place: "yard", to: "1970-01-01" });
  const filled = decode(pumps, { ...recordOf(withText('"place":null')), beside }, firstSchema(pumps), DEFAULT_LIMITS);
  assert.equal("row" in filled && filled.row, { ...ROW, mode: "ON", place: "hall\u202e", to: "1970-01-01" });
  const broken = decode(pumps, { ...recordOf({ json: GOOD }), beside: { place: "half\ud800" } }, firstSchema(pumps), DEFAULT_LIMITS);
  assert.equal("row" in broken && broken.row?.["place"], null);
});

test("what the format could not read stays its fault", () => {
  const broken = fault("bad_csv", "too many cells");
  assert.is(decode(pumps, { ...recordOf(""), fault: broken }, firstSchema(pumps), DEFAULT_LIMITS), broken);
});

test("minus zero is zero, read in place or not", () => {
  for (const members of [`"turns":-0,"cost":-0.00`, `"cost":-0.0,"turns":-0`]) {
    const { row } = decoded(pumps, `{"id":"P-1","at":"${AT}","flow":-0,${members}}`);
    for (const column of ["flow", "turns", "cost"]) assert.ok(Object.is(row[column], 0), column);
  }
  const { row } = decoded(
    pumps,
    `{"id":"P-1","at":"${AT}","flow":-0,"turns":-0,"cost":null,"mode":null,"place":null,"from":null,"to":null}`,
  );
  assert.ok(Object.is(row["flow"], 0) && Object.is(row["turns"], 0));
});

// Required and optional -----------------------------------------------------------------------------------------------------------------

test("a required field that is absent, null or bad refuses the record", () => {
  assert.is(refused(pumps, { json: { at: AT, flow: 1 } }), "missing_field id");
  assert.is(refused(pumps, with_({ flow: null })), "missing_field flow");
  assert.is(refused(pumps, with_({ flow: "much" })), "bad_type flow");
  assert.is(refused(pumps, with_({ flow: 1_001 })), "out_of_range flow");
  assert.is(refused(pumps, with_({ id: "" })), "bad_id id");
  assert.is(refused(pumps, with_({ at: "yesterday" })), "bad_time at");
});

test("an optional field that is bad becomes null, and what came is rescued with its reason", () => {
  const seen = decoded(pumps, with_({ turns: 1.5, cost: "1,5", mode: 7, from: "31.12.2025", to: { day: 1 } }));
  assert.equal(seen.row, ROW);
  assert.equal(rescuedOf(seen), {
    turns: { value: 1.5, reason: "type_mismatch" },
    cost: { value: "1,5", reason: "type_mismatch" },
    mode: { value: 7, reason: "type_mismatch" },
    from: { value: "31.12.2025", reason: "bad_format" },
    to: { value: { day: 1 }, reason: "bad_format" },
  });
  assert.equal(noteCodes(seen), Array(5).fill("rescued"));
});

test("what is out of range says so", () => {
  assert.equal(rescuedOf(decoded(pumps, with_({ turns: 1e300 }))), { turns: { value: "1e+300", reason: "out_of_range" } });
});

test("an unknown code is kept and noted, a word for nothing is null", () => {
  const seen = decoded(pumps, with_({ mode: " PAUSED " }));
  assert.is(seen.row["mode"], "PAUSED");
  assert.equal(seen.notes, [{ code: "unknown_code", detail: "mode=PAUSED" }]);
  const nothing = decoded(pumps, with_({ mode: "N/A" }));
  assert.equal([nothing.row["mode"], nothing.notes, nothing.rescued], [null, [], null]);
});

test("an instant without a zone is noted", () => {
  assert.equal(noteCodes(decoded(pumps, with_({ at: "2025-06-15T14:23:45.123" }))), ["no_zone"]);
});

test("the feed's check refuses the record, or costs the optional field that it names", () => {
  assert.is(refused(pumps, with_({ flow: 999 })), "bad_interval flow");
  for (const given of [
    with_({ from: "2025-06-02", to: "2025-06-01" }),
    { json: { to: "2025-06-01", from: "2025-06-02", id: "P-1", at: AT, flow: 12.5 } },
  ]) {
    const seen = decoded(pumps, given);
    assert.equal(seen.row, { ...ROW, from: "2025-06-02" });
    assert.equal(rescuedOf(seen), { to: { value: "2025-06-01", reason: "out_of_range" } });
    assert.equal(noteCodes(seen), ["rescued"]);
  }
  const days = decoded(pumps, with_({ from: "2025-06-02", to: 20_240 }));
  assert.equal(rescuedOf(days), { to: { value: 20_240, reason: "out_of_range" } }, "as it came, not as it was read");
});

// Numbers that a double cannot hold -----------------------------------------------------------------------------------------------------

test("corpus 18: 9007199254740993 is kept exactly", () => {
  for (const members of [
    `"turns":9007199254740993`,
    `"turns":9007199254740993,"cost":null,"mode":null,"place":null,"from":null,"to":null`,
  ]) {
    const seen = decoded(pumps, withText(members));
    assert.is(seen.row["turns"], null);
    assert.equal(rescuedOf(seen), { turns: { value: "9007199254740993", reason: "out_of_range" } });
  }
  assert.is(decoded(pumps, withText(`"turns":9007199254740991`)).row["turns"], Number.MAX_SAFE_INTEGER);
});

test("money is what is written, not what a double makes of it", () => {
  for (const [written, paise] of [
    ["2968.07", 296_807],
    ["0.01", 1],
    ["1e2", 10_000],
    ["99999999999.99", 9_999_999_999_999],
    ["90071992547409.91", 9_007_199_254_740_991],
    ["2968.0700000000000000", 296_807],
  ] as const) {
    const seen = decoded(pumps, withText(`"cost":${written}`));
    assert.equal([seen.row["cost"], seen.notes], [paise, []], written);
  }
});

test("more places are rounded half away from zero, noted, and kept as they were written", () => {
  for (const [written, paise, kept] of [
    ["2.675", 268, 2.675],
    ["-2.675", -268, -2.675],
    ["2.67499999999999999999", 267, "2.67499999999999999999"],
    ["2.67500000000000000001", 268, "2.67500000000000000001"],
    ['"0.005"', 1, "0.005"],
  ] as const) {
    const seen = decoded(pumps, withText(`"cost":${written}`));
    assert.equal([seen.row["cost"], noteCodes(seen)], [paise, ["rounded"]], written);
    assert.equal(rescuedOf(seen), { cost: { value: kept, reason: "rounded" } });
  }
});

test("nanoseconds are cut by their digits", () => {
  for (const [epoch, ms] of [
    ["1749997425123999999", 123],
    ["1749997425123000000", 123],
    ["1749997425122999999", 122],
  ] as const) {
    const { row } = decoded(pumps, `{"id":"P-1","at":${epoch},"flow":1}`);
    assert.is(row["at"], 1_749_997_425_000 + ms, epoch);
  }
});

test("numbers inside of what is rescued keep all digits", () => {
  const seen = decoded(
    pumps,
    withText(`"new":{"big":12345678901234567890,"long":0.1234567890123456789,"small":0.5,"text":"1234567890123456789012"}`),
  );
  assert.equal(rescuedOf(seen), {
    new: {
      value: { big: "12345678901234567890", long: "0.1234567890123456789", small: 0.5, text: "1234567890123456789012" },
      reason: "new_column",
    },
  });
});

// Bytes and limits ----------------------------------------------------------------------------------------------------------------------

test("corpus 3, 25: a byte order mark and other line ends around JSON are nothing", () => {
  assert.equal(decoded(pumps, `\ufeff${JSON.stringify(GOOD)}`).row, ROW);
  assert.equal(decoded(pumps, ` \r\n${JSON.stringify(GOOD, null, 1).replaceAll("\n", "\r")}\r`).row, ROW);
});

test("corpus 4, 5, 30: UTF-16, broken UTF-8 and compressed bytes are no text", () => {
  const json = JSON.stringify(GOOD);
  const broken = (hex: string) => Buffer.concat([Buffer.from(json.slice(0, 7)), Buffer.from(hex, "hex"), Buffer.from(json.slice(7))]);
  const utf16 = Buffer.from(json, "utf16le");
  for (const bytes of [utf16, Buffer.from(utf16).swap16(), Buffer.concat([Buffer.from("fffe", "hex"), utf16])])
    assert.is(refused(pumps, bytes), "bad_encoding");
  for (const hex of ["80", "c080", "e08080", "eda080", "f8888080", "e282", "ff", "c3"])
    assert.is(refused(pumps, broken(hex)), "bad_encoding", hex);
  assert.is(refused(pumps, Buffer.from("1f8b0800000000000003", "hex")), "bad_encoding");
});

test("a replacement character that was sent is text like any other", () => {
  assert.is(decoded(pumps, with_({ place: "a\ufffdb" })).row["place"], "a\ufffdb");
});

test("bytes of any kind of array are read", () => {
  const bytes = Buffer.from(JSON.stringify({ ...GOOD, place: "दिल्ली" }));
  const copy = new Uint8Array(bytes.length + 8);
  copy.set(bytes, 4);
  assert.is(decoded(pumps, copy.subarray(4, 4 + bytes.length)).row["place"], "दिल्ली");
});

test("corpus 6, 7, 8: half characters, NUL and marks that turn lines are no ids, and in text are rescued or kept", () => {
  for (const id of ["\\ud83d", "a\\udc00", "a\\u0000b", "a\\u2028b", "a\\u2029b", "\\u202eb", "\u2066b", "a\\u007f", "a\u007fb"]) {
    assert.is(refused(pumps, `{"id":"${id}","at":"${AT}","flow":1}`), "bad_id id", JSON.stringify(id));
  }
  for (const place of ["\\ud83d", "a\\u0000b"]) {
    const seen = decoded(pumps, withText(`"place":"${place}"`));
    assert.is(seen.row["place"], null);
    assert.equal(rescuedOf(seen), { place: { value: JSON.parse(`"${place}"`), reason: "type_mismatch" } });
    assert.ok(!/[\ud800-\udfff\0]/.test(seen.rescued ?? ""), "the rescued text is sound itself");
  }
  assert.is(decoded(pumps, withText(`"place":"\\ud83d\\ude00 \\u2028"`)).row["place"], "😀 \u2028");
  for (const key of ["a\\ud83d", "a\\u0000b"]) assert.is(refused(pumps, withText(`"${key}":1`)), "forbidden_key");
  assert.is(refused(pumps, `{"id":"a\0b","at":"${AT}","flow":1}`), "bad_json");
});

test("corpus 9: 64 levels are allowed, 65 and a million are not", () => {
  const nested = (levels: number) => withText(`"deep":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}`);
  assert.ok(decoded(pumps, nested(64)).rescued);
  assert.is(refused(pumps, nested(65)), "limit_depth");
  assert.is(refused(pumps, nested(10_000)), "limit_depth");
  assert.is(refused(pumps, nested(500_000)), "limit_depth");
  assert.is(refused(pumps, `${"[".repeat(500_000)}`), "bad_json");
  assert.is(refused(pumps, with_({ flow: JSON.parse(`${'{"a":'.repeat(70)}1${"}".repeat(70)}`) })), "limit_depth");
});

test("corpus 10, 11, 12, 13: a record has bounds in bytes, keys, elements and text", () => {
  const keys = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, i]));
  assert.is(refused(pumps, withText(`"place":"${"x".repeat(1_048_576)}"`)), "too_large");
  assert.is(refused(pumps, with_(keys(992))), "limit_keys");
  assert.ok(decoded(pumps, with_(keys(991))));
  assert.is(refused(pumps, with_({ place: keys(1_001) })), "limit_keys");
  assert.is(refused(pumps, with_({ list: Array(10_001).fill(0) })), "limit_array");
  assert.ok(decoded(pumps, with_({ list: Array(10_000).fill(0) })));
  assert.is(refused(pumps, with_({ place: "x".repeat(262_145) })), "limit_string");
  assert.is(refused(pumps, with_({ place: "न".repeat(87_382) })), "limit_string");
  assert.is(decoded(pumps, with_({ place: "x".repeat(262_144) })).row["place"], "x".repeat(262_144));
});

test("lowered limits hold for small records, too", () => {
  const limits = { ...DEFAULT_LIMITS, keysMax: 10, stringBytesMax: 50, arrayLengthMax: 3, depthMax: 3, recordBytesMax: 500 };
  assert.equal(decoded(pumps, { json: GOOD }, firstSchema(pumps), limits).row, ROW);
  assert.is(refused(pumps, with_({ a: 1, b: 2 }), limits), "limit_keys");
  assert.is(refused(pumps, with_({ place: "x".repeat(51) }), limits), "limit_string");
  assert.is(refused(pumps, with_({ a: [1, 2, 3, 4] }), limits), "limit_array");
  assert.is(refused(pumps, with_({ a: [[[1]]] }), limits), "limit_depth");
  assert.is(refused(pumps, with_({ place: "x".repeat(500) }), limits), "too_large");
});

test("corpus 14: of a key that comes twice the last counts", () => {
  assert.is(decoded(pumps, withText(`"flow":13,"flow":14`)).row["flow"], 14);
});

test("corpus 15, 16: keys that reach behind an object refuse the record, at every level", () => {
  for (const key of ["__proto__", "constructor", "prototype"]) {
    assert.is(refused(pumps, withText(`"${key}":1`)), "forbidden_key");
    assert.is(refused(pumps, withText(`"new":{"a":[{"${key}":1}]}`)), "forbidden_key");
    assert.is(refused(pumps, withText(`"place":{"${key}":{}}`)), "forbidden_key");
    assert.is(refused(pumps, { fields: { ...GOOD, new: JSON.parse(`{"${key}":1}`) } }), "forbidden_key");
  }
});

test("corpus 17: names that every object has are data like any other", () => {
  const seen = decoded(pumps, withText(`"toString":"a","hasOwnProperty":2,"then":"b"`));
  assert.equal(seen.row, ROW);
  const kept = [...Object.entries(rescuedOf(seen) as object)].map(([name, { value }]) => [name, value]);
  assert.equal(kept, [
    ["toString", "a"],
    ["hasOwnProperty", 2],
    ["then", "b"],
  ]);
  assert.is(decoded(pumps, with_({ id: "hasOwnProperty" })).row["id"], "hasOwnProperty");
});

test("corpus 19, 20, 21: numbers that are none, or none that fits", () => {
  assert.is(refused(pumps, `{"id":"P-1","at":"${AT}","flow":1e400}`), "out_of_range flow");
  assert.equal(rescuedOf(decoded(pumps, withText(`"cost":1e400,"turns":-1e400`))), {
    cost: { value: "1e400", reason: "out_of_range" },
    turns: { value: "-1e400", reason: "out_of_range" },
  });
  assert.is(decoded(pumps, `{"id":"P-1","at":"${AT}","flow":1e-400}`).row["flow"], 0);
  for (const word of ["NaN", "Infinity", "-Infinity", "0x10", "01", "1.", ".5", "+1"])
    assert.is(refused(pumps, withText(`"cost":${word}`)), "bad_json", word);
  for (const word of ["1,5", "0x10", "1e3"]) assert.is(refused(pumps, with_({ flow: word })), "bad_type flow", word);
  assert.is(decoded(pumps, with_({ flow: " 12 " })).row["flow"], 12);
});

test("corpus 22, 26: what is not one JSON object is refused", () => {
  for (const json of [`{"id":"P-1",}`, `{/* */}`, `{'id':1}`, `{"id":"P-1"`, `{} {}`, ``, ` `])
    assert.is(refused(pumps, json), "bad_json", json);
  for (const json of ["5", `"a"`, "true", "null", "[]", `[{"id":"P-1"}]`]) assert.is(refused(pumps, json), "not_an_object", json);
});

test("corpus 27: a number that turns into text, object and null costs what it must, record by record", () => {
  for (const [value, turns] of [
    [5, 5],
    ["6", 6],
    [{ a: 1 }, null],
    [null, null],
    ["x", null],
  ] as const) {
    assert.is(decoded(pumps, with_({ turns: value })).row["turns"], turns);
  }
});

test("corpus 28: times in every unit are read, impossible ones refused", () => {
  for (const at of [
    1_749_997_425,
    1_749_997_425_123,
    1_749_997_425_123_000,
    "1749997425123",
    "2025-06-15T14:23:45Z",
    "2025-06-15 14:23:45",
  ]) {
    assert.is(Math.floor((decoded(pumps, with_({ at })).row["at"] as number) / 1_000), 1_749_997_425, String(at));
  }
  for (const at of ["2025-06-15T24:00:00Z", "2025-06-15T14:60:00Z", "0000-01-01T00:00:00Z", "+275760-09-13T00:00:00Z", 946_684_799]) {
    assert.is(refused(pumps, with_({ at })), "bad_time at", String(at));
  }
});

test("corpus 29: an id is not empty and not long", () => {
  for (const id of ["", "x".repeat(2_000), "x".repeat(200_000)]) assert.is(refused(pumps, with_({ id })), "bad_id id");
});

// CSV and Parquet -----------------------------------------------------------------------------------------------------------------------

test("corpus 51, 52: cells mean null where they are empty or say so; a dash and leading zeros are text", () => {
  const cells = { id: "007", at: AT, flow: "-0.5".slice(1), turns: "NULL", cost: "12.50", mode: "N/A", place: "-", from: "", to: " " };
  const seen = decoded(pumps, { cells });
  assert.equal(seen.row, { ...ROW, id: "007", flow: 0.5, cost: 1_250, place: "-" });
  assert.equal([seen.notes, seen.rescued], [[], null]);
  assert.ok(seen.authored("from"));
  assert.is(refused(pumps, { cells: { ...cells, flow: "null" } }), "missing_field flow");
  assert.is(decoded(pumps, { json: { ...GOOD, place: "null" } }).row["place"], "null", "in JSON it is a text");
});

test("corpus 37, 53, 54: fewer cells are noted once, numbers and dates of spreadsheets rescued", () => {
  const short = decoded(pumps, { cells: { id: "1", at: AT, flow: "1", turns: null, cost: null, mode: null } });
  assert.equal(noteCodes(short), ["rescued"]);
  assert.is(short.rescued, null);
  assert.equal(rescuedOf(decoded(pumps, { cells: { id: "1", at: AT, flow: "1", cost: "1.234,56", from: "45000" } })), {
    cost: { value: "1.234,56", reason: "type_mismatch" },
    from: { value: "45000", reason: "bad_format" },
  });
});

test("corpus 73: values of Parquet are taken exactly or rescued", () => {
  const seen = decoded(pumps, {
    fields: {
      id: "P-1",
      at: new Date(AT_MS),
      flow: 5n,
      turns: 2n ** 63n,
      cost: 152.54,
      from: new Date(Date.UTC(2025, 5, 1)),
      to: 20_240,
      place: new Uint8Array([1]),
    },
  });
  assert.equal(seen.row, { ...ROW, flow: 5, cost: 15_254, from: "2025-06-01", to: "2025-06-01" });
  assert.equal(rescuedOf(seen), {
    turns: { value: "9223372036854775808", reason: "out_of_range" },
    place: { value: "AQ==", reason: "type_mismatch" },
  });
});

test("limits hold for values that came without text, and these are left as they were", () => {
  assert.is(refused(pumps, { cells: { ...GOOD, flow: "1", place: "x".repeat(262_145) } }), "limit_string");
  assert.is(refused(pumps, { fields: { ...GOOD, place: new Uint8Array(262_145) } }), "limit_string");
  const fields = Object.freeze({ ...GOOD, turns: -0, cost: 1.5 });
  assert.is(decoded(pumps, { fields }).row["cost"], 150);
});

test("corpus 47: a NUL in a cell costs the cell", () => {
  const seen = decoded(pumps, { cells: { id: "1", at: AT, flow: "1", place: "a\0b" } });
  assert.equal(rescuedOf(seen), { place: { value: "a\0b", reason: "type_mismatch" } });
  assert.is(refused(pumps, { cells: { id: "a\0b", at: AT, flow: "1" } }), "bad_id id");
});

// Schema evolution ----------------------------------------------------------------------------------------------------------------------

const GROWING: SchemaSettings = { mode: "addNewColumns", inferColumnTypes: true, hints: { level: "double" } };

test("by rescue a new column is kept beside the row, and the schema stays", () => {
  const schema = firstSchema(pumps);
  const seen = decoded(pumps, with_({ level: 5, Flow: 7, nothing: null }), schema);
  assert.equal(seen.row, ROW);
  assert.equal(rescuedOf(seen), { level: { value: 5, reason: "new_column" }, Flow: { value: 7, reason: "case_mismatch" } });
  assert.equal(noteCodes(seen), ["rescued", "rescued"]);
  assert.is(seen.extra, null);
  assert.is(seen.schema, schema);
});

test("by addNewColumns a new column is born with its first value, as hinted or inferred", () => {
  const seen = decoded(
    pumps,
    with_({ level: 5, n: 3, x: 1.5, ok: true, word: "a", list: [1, 12345678901234567890n.toString()], nothing: null }),
    firstSchema(pumps, GROWING),
  );
  assert.equal(seen.extra, { level: 5, n: 3, x: 1.5, ok: true, word: "a", list: '[1,"12345678901234567890"]' });
  assert.is(seen.schema.version, 2);
  assert.equal(seen.schema.columns["level"], { type: "double", origin: "hint" });
  assert.equal(
    ["n", "x", "ok", "word", "list", "nothing"].map((name) => seen.schema.columns[name]?.type),
    ["bigint", "double", "boolean", "string", "json", undefined],
  );
  assert.equal([seen.rescued, seen.notes], [null, []]);
  assert.ok(seen.authored("level"));
});

test("a column once born is read by its type; what does not fit is rescued, absent is not null", () => {
  const { schema } = decoded(pumps, with_({ level: 5, n: 3 }), firstSchema(pumps, GROWING));
  const seen = decoded(pumps, with_({ level: null, n: 1.5 }), schema);
  assert.equal(seen.extra, { level: null, n: null });
  assert.equal(rescuedOf(seen), { n: { value: 1.5, reason: "type_mismatch" } });
  assert.is(seen.schema, schema);
  assert.is(decoded(pumps, { json: GOOD }, schema).extra, null);
  assert.equal(decoded(pumps, withText(`"n":9007199254740993,"level":2`), schema).extra, { n: null, level: 2 });
});

test("without inference new columns are text", () => {
  const seen = decoded(pumps, with_({ n: 3, word: "a", list: [1] }), firstSchema(pumps, { mode: "addNewColumns" }));
  assert.equal(seen.extra, { n: "3", word: "a", list: "[1]" });
  assert.equal(decoded(pumps, with_({ word: 5 }), seen.schema).extra, { word: "5" });
});

test("no column is born of another spelling, of a name that the engine has, or beyond the bound", () => {
  const schema = firstSchema(pumps, GROWING);
  const seen = decoded(pumps, with_({ FLOW: 1, _seq: 2, date: "x", late: true, rules: "r" }), schema);
  assert.is(seen.schema, schema);
  assert.is(seen.extra, null);
  assert.equal(Object.keys(rescuedOf(seen) as object), ["FLOW", "_seq", "date", "late", "rules"]);
  const full = decoded(pumps, with_({ a: 1, b: 2, c: 3 }), schema, { ...DEFAULT_LIMITS, keysMax: 11 + 1 });
  assert.equal([Object.keys(full.extra ?? {}), Object.keys(rescuedOf(full) ?? {})], [["a", "b", "c"], []]);
  const fuller = decoded(pumps, with_({ d: 4 }), full.schema, { ...DEFAULT_LIMITS, keysMax: 12 });
  assert.equal([fuller.extra, Object.keys(rescuedOf(fuller) as object)], [null, ["d"]]);
});

test("a hinted column whose first value does not fit is not born", () => {
  const schema = firstSchema(pumps, GROWING);
  const seen = decoded(pumps, with_({ level: "high" }), schema);
  assert.is(seen.schema, schema);
  assert.equal(rescuedOf(seen), { level: { value: "high", reason: "type_mismatch" } });
});

test("every value is kept, rescued, or null: none is lost", () => {
  const { below, pick, chance } = seeded(SEED);
  const some = [1, 2.5, "a", "7", true, { a: 1 }, [1], "2025-06-15", "N/A", 1e300, ""];
  for (let n = 0; n < 2_000; n += 1) {
    const names = ["turns", "cost", "mode", "place", "from", "level", "other", "Flow"].filter(() => chance(70));
    const given = Object.fromEntries(names.map((name) => [name, pick(some)]));
    const seen = decoded(pumps, with_(given), firstSchema(pumps, chance(50) ? GROWING : {}));
    const rescued = (rescuedOf(seen) ?? {}) as Record<string, unknown>;
    for (const name of names) {
      const isKept = (seen.row[name] ?? seen.extra?.[name] ?? null) !== null;
      const isNothing = name === "mode" && (given[name] === "N/A" || given[name] === "");
      assert.ok(isKept || isNothing || name in rescued, `${name} of ${JSON.stringify(given)}, seed ${SEED}, ${below(1)}`);
    }
  }
});

test("more than can be rescued is told by its hash and length", () => {
  const { rescued } = decoded(pumps, with_({ new: "x".repeat(70_000) }));
  assert.match(rescued ?? "", /^\{"hash":"[0-9a-f]{32}","bytes":7\d{4}\}$/);
});

test("10,000 mutated records are decoded or refused, and never throw", () => {
  const { below, pick } = seeded(SEED);
  const sound = Buffer.from(JSON.stringify({ ...GOOD, turns: 5, cost: 1.25, mode: "ON", place: "a\\u0041é", from: "2025-06-01" }));
  const schema = firstSchema(pumps, GROWING);
  for (let n = 0; n < 10_000; n += 1) {
    const bytes = Buffer.from(sound);
    for (let i = 0; i <= below(3); i += 1) bytes[below(bytes.length)] = pick([below(256), 0x22, 0x2c, 0x7b, 0x5c, 0x30, 0x2d]);
    const cut = bytes.subarray(0, below(4) === 0 ? below(bytes.length) : bytes.length);
    const result = decode(pumps, recordOf(cut), schema, DEFAULT_LIMITS);
    if (!("code" in result)) assert.equal(Object.keys(result.row ?? {}), Object.keys(ROW), `seed ${SEED}: ${cut.toString("latin1")}`);
  }
});
