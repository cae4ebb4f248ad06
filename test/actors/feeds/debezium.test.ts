import * as assert from "uvu/assert";
import { billing } from "../../../actors/feeds/billing.ts";
import type { BillChange } from "../../../actors/message.ts";
import { decode } from "../../../engine/decode.ts";
import { DEFAULT_LIMITS } from "../../../engine/limits.ts";
import { firstSchema } from "../../../engine/schema.ts";
import { decoded, isNothing, recordOf, refused, rescuedOf, told } from "../../kit/decoding.ts";
import { base64Of, type EnvelopeOptions, envelope, envelopesOf } from "../../kit/envelopes.ts";
import { GUIDE_BILL } from "../../kit/guide_samples.ts";
import { seeded } from "../../kit/seeded.ts";
import { suite } from "../../kit/suite.ts";

const SEED = Number(process.env["SEED"] ?? 20_250_615);
const test = suite("debezium");

const AT_MS = Date.UTC(2025, 5, 15, 11, 23, 45);
const BEFORE = { ...GUIDE_BILL, __$operation: 3, payment_status: "PENDING", payment_method: null };
const AFTER = { ...GUIDE_BILL, __$operation: 4 };

/** What its bill is told of an envelope. */
function change(text: string): BillChange {
  return told(billing, text);
}

/** A created bill with other members in the image. */
function created(members: object, options: EnvelopeOptions = {}): string {
  const [text = ""] = envelopesOf([GUIDE_BILL], options);
  const whole = JSON.parse(text) as Record<string, Record<string, unknown>>;
  Object.assign((whole["payload"] ?? whole)["after"] as object, members);
  return JSON.stringify(whole);
}

test("an envelope says what the row of the same change says, in every shape and form of values", () => {
  const row = told(billing, { json: { ...GUIDE_BILL, __$command_id: null } });
  for (const shape of ["bare", "wrapped", "flattened"] as const) {
    for (const decimals of ["precise", "string", "double"] as const) {
      for (const dates of ["days", "ms", "us", "ns", "text"] as const) {
        const [text = ""] = envelopesOf([GUIDE_BILL], { shape, decimals, dates });
        const { serial, ...said } = change(text);
        const { serial: none, ...wanted } = row;
        assert.equal(said, wanted, `${shape} ${decimals} ${dates}`);
        assert.equal([serial, none], [shape === "flattened" ? 0 : 1, 0]);
        assert.is(decoded(billing, text).rescued, null);
      }
    }
  }
});

test("an update brings what it replaces", () => {
  const [text = ""] = envelopesOf([BEFORE, AFTER]);
  const { operation, before, values } = change(text);
  assert.equal([operation, before?.["payment_status"], values["payment_status"]], [4, "PENDING", "PAID"]);
  assert.equal(before, told(billing, { json: BEFORE }).values);
  assert.is(change(envelope("u", AFTER, null, AFTER)).before, null, "one that was not captured is not made up");
  assert.is(change(envelope("u", AFTER, { ...BEFORE, customer_id: "?" }, AFTER)).before, null, "one that cannot be read is none");
});

test("a deletion carries the image that it deletes", () => {
  const { operation, values } = change(envelope("d", GUIDE_BILL, GUIDE_BILL, null));
  assert.equal([operation, values["base_amount"]], [1, 296_807]);
  assert.is(refused(billing, envelope("d", GUIDE_BILL, null, null)), "bad_envelope before");
  const [flat = ""] = envelopesOf([{ ...GUIDE_BILL, __$operation: 1 }], { shape: "flattened" });
  assert.is(change(flat).operation, 1);
});

test("a flattened record that does not tell its operation is a merge, or a deletion if it says so", () => {
  const [text = ""] = envelopesOf([GUIDE_BILL], { shape: "flattened" });
  const { __op, ...rest } = JSON.parse(text);
  assert.equal([__op, change(JSON.stringify(rest)).operation], ["c", 5]);
  for (const deleted of ["true", true]) assert.is(change(JSON.stringify({ ...rest, __deleted: deleted })).operation, 1);
});

test("a flattened record may name its place without the source", () => {
  const [text = ""] = envelopesOf([GUIDE_BILL], { shape: "flattened" });
  const renamed = text.replaceAll("__source_", "__").replace(/,"__ts_ms":\d+(?=,"__deleted)/, "");
  assert.equal(change(renamed), change(text));
});

test("a row of a snapshot stands behind the transaction that it contains, and without an LSN before everything", () => {
  const { operation, position } = change(envelope("r", GUIDE_BILL, null, GUIDE_BILL, {}, { change_lsn: null }));
  assert.equal([operation, position], [0, `00000000000a3b5c7d8effffffff${"f".repeat(20)}00`]);
  for (const commit_lsn of [null, undefined, "NULL"]) {
    assert.is(change(envelope("r", GUIDE_BILL, null, GUIDE_BILL, {}, { commit_lsn, change_lsn: null })).position, "0".repeat(50));
  }
});

test("tombstones, truncations, messages and the marks of a transaction have no effect", () => {
  for (const text of [
    "",
    '{"schema":null,"payload":null}',
    '{"before":null,"after":null,"op":"t","source":{},"ts_ms":1}',
    '{"schema":{},"payload":{"op":"m","message":{},"source":{}}}',
    '{"status":"BEGIN","id":"00000027:00000ac0:0002","ts_ms":1}',
    '{"status":"END","id":"00000027:00000ac0:0002","event_count":2,"data_collections":[]}',
    '{"ts_ms":1749986625000}',
    '{"source":{},"ts_ms":1,"databaseName":"billing","ddl":"ALTER TABLE","tableChanges":[]}',
  ]) {
    assert.ok(isNothing(billing, text), text);
  }
});

test("a shape that is not understood is bad_envelope, and a place that is not there is none", () => {
  const source = { commit_lsn: "1:1:1", change_lsn: "1:1:1", ts_ms: AT_MS };
  const refusal = (json: object) => refused(billing, { json });
  assert.is(refusal({ payload: 5 }), "bad_envelope payload");
  assert.is(refusal({ payload: [] }), "bad_envelope payload");
  for (const op of ["x", 1, null, undefined]) assert.is(refusal({ op, source, after: {} }), "bad_envelope op");
  assert.is(refusal({ op: "c", after: {} }), "bad_envelope source");
  assert.is(refusal({ op: "c", source, after: null }), "bad_envelope after");
  assert.is(refusal({ op: "u", source, before: {} }), "bad_envelope after");
  assert.is(refusal({ op: "r", source, after: "x" }), "bad_envelope after");
  assert.is(refusal({ __op: 5, transaction_id: "TXN-00000042" }), "bad_envelope __op");
  assert.is(refused(billing, "null"), "not_an_object");
  for (const op of ["c", "u", "d"]) {
    const at = (place: object) => refused(billing, envelope(op, GUIDE_BILL, GUIDE_BILL, GUIDE_BILL, {}, { ...place }));
    assert.is(at({ commit_lsn: null }), "missing_field __$start_lsn");
    assert.is(at({ change_lsn: null }), "missing_field __$seqval");
    assert.is(at({ commit_lsn: "0:0:0" }), "bad_lsn __$start_lsn");
    assert.is(at({ change_lsn: "NULL" }), "bad_lsn __$seqval");
    assert.is(at({ ts_ms: null }), "missing_field cdc_timestamp");
  }
});

test("hostile envelopes are refused, whatever their depth and keys", () => {
  const nested = (name: string, depth: number) => `${`{"${name}":`.repeat(depth)}1${"}".repeat(depth)}`;
  assert.is(refused(billing, nested("payload", 66)), "limit_depth");
  assert.is(refused(billing, nested("payload", 20_000)), "limit_depth");
  assert.is(refused(billing, `{"op":"c","source":{},"after":{"__proto__":{"a":1}}}`), "forbidden_key");
  assert.is(refused(billing, `{"op":"c","source":{"constructor":1},"after":{}}`), "forbidden_key");
});

test("the time of a change is that of its source, in whatever unit it is told", () => {
  const atMs = (place: object) => change(envelope("c", GUIDE_BILL, null, GUIDE_BILL, {}, { ...place })).atMs;
  assert.is(atMs({}), AT_MS);
  assert.is(atMs({ ts_ms: undefined, ts_us: AT_MS * 1_000 }), AT_MS);
  const ns = envelope("c", GUIDE_BILL, null, GUIDE_BILL, {}, { ts_ms: undefined, ts_ns: 17 }).replace(
    '"ts_ns":17',
    '"ts_ns":1749986625999999999',
  );
  assert.is(change(ns).atMs, AT_MS + 999, "a binary number would be rounded up");
});

test("an instant is a date only at midnight, and a zone never shifts it", () => {
  const due = (value: unknown) => decoded(billing, created({ due_date: value }));
  for (const value of [20_270, "2025-07-01", "2025-07-01Z", "2025-07-01T00:00:00+05:30", "2025-07-01T00:00:00Z", Date.UTC(2025, 6, 1)]) {
    assert.is(due(value).row["due_date"], "2025-07-01", String(value));
  }
  const late = due(Date.UTC(2025, 6, 1, 1));
  assert.equal([late.row["due_date"], rescuedOf(late)], [null, { due_date: { value: "2025-07-01T01:00:00.000Z", reason: "bad_format" } }]);
  assert.is(due(-1).row["due_date"], "1969-12-31");
});

test("a unit that the schema tells beats the size of a number", () => {
  const early = (name: string, value: number) => {
    const text = created({ due_date: value }, { shape: "wrapped" });
    return decoded(billing, text.replaceAll("io.debezium.time.Date", name)).row["due_date"];
  };
  assert.is(early("io.debezium.time.Timestamp", 86_400_000), "1970-01-02");
  assert.is(early("io.debezium.time.MicroTimestamp", 86_400_000_000), "1970-01-02");
  assert.is(early("io.debezium.time.NanoTimestamp", 86_400_000_000_000), "1970-01-02");
  assert.is(early("org.apache.kafka.connect.data.Date", 1), "1970-01-02");
});

test("base64 of an unscaled value is exact, of either sign, to the last unit", () => {
  const { below, chance } = seeded(SEED);
  for (let n = 0; n < 3_000; n += 1) {
    const paise = (chance(50) ? -1 : 1) * below(10 ** (1 + below(9)));
    const text = created({ base_amount: base64Of(BigInt(paise)) }, { shape: chance(50) ? "wrapped" : "bare" });
    assert.is(decoded(billing, text).row["base_amount"], paise === 0 ? 0 : paise, `SEED=${SEED} ${paise}`);
  }
  const large = created({ total_amount: base64Of(9_999_999_999_999n) });
  assert.is(decoded(billing, large).row["total_amount"], 9_999_999_999_999);
  assert.is(decoded(billing, created({ total_amount: base64Of(10n ** 30n) })).row["total_amount"], null, "beyond the limit it is rescued");
});

test("base64 that is all digits is told from a number by the other decimals of its record", () => {
  const digits = Buffer.from("1234", "base64"); // As bytes d7 6d f8, as a number 1234.
  const unscaled = digits.readIntBE(0, 3);
  assert.is(decoded(billing, created({ base_amount: "1234" })).row["base_amount"], unscaled);
  assert.is(decoded(billing, created({ base_amount: "1234" }, { decimals: "string" })).row["base_amount"], 123_400);
});

test("a scale of the schema beats the feed's, and a decimal may bring its own", () => {
  const money = created({ base_amount: base64Of(29_680_700n) }, { shape: "wrapped" });
  const scaled = money.replaceAll('"scale":"2"},"field":"base_amount"', '"scale":"4"},"field":"base_amount"');
  assert.is.not(scaled, money);
  assert.is(decoded(billing, scaled).row["base_amount"], 296_807);
  assert.is(decoded(billing, created({ base_amount: { scale: 3, value: base64Of(2_968_070n) } })).row["base_amount"], 296_807);
});

test("money that no double holds is exact, as number and as text", () => {
  const [text = ""] = envelopesOf([GUIDE_BILL], { decimals: "double" });
  for (const amount of ["99999999999.99", '"99999999999.99"']) {
    assert.is(decoded(billing, text.replace("2968.07", amount)).row["base_amount"], 9_999_999_999_999);
  }
  const seen = decoded(billing, text.replace("2968.07", "2968.0700000000000001"));
  assert.equal(
    [seen.row["base_amount"], rescuedOf(seen)],
    [296_807, { base_amount: { value: "2968.0700000000000001", reason: "rounded" } }],
  );
});

test("a large value that the change did not send is not spoken about, a null is", () => {
  const text = envelope("u", AFTER, BEFORE, { ...AFTER, state: "__debezium_unavailable_value", payment_method: null });
  const { authored, values } = change(text);
  assert.equal([authored.includes("state"), authored.includes("payment_method")], [false, true]);
  assert.is(values["state"], null);
});

test("corpus 107: a column of the table that the feed does not know is rescued under its own name", () => {
  assert.equal(rescuedOf(decoded(billing, created({ discount: 5 }))), { discount: { value: 5, reason: "new_column" } });
  assert.is(decoded(billing, created({ units_consumed_kwh: "n/a" }, { decimals: "string" })).row["units_consumed_kwh"], null);
});

test("corpus 108: values of other types than the feed's are exact or rescued, and cost themselves only", () => {
  const seen = decoded(
    billing,
    created({
      base_amount: "9223372036854775807", // 64 bits in base64's place: no bytes, so it is a number, and too large.
      units_consumed_kwh: { a: 1 },
      due_date: "2025-07-01T00:00:00.0000000+05:30",
      billing_period_start: "2025-06-01 00:00:00.0000000",
      billing_period_end: "<period/>",
      state: "0xDEADBEEF",
    }),
  );
  const { row } = seen;
  assert.equal([row["base_amount"], row["units_consumed_kwh"], row["billing_period_end"]], [null, null, null]);
  assert.equal([row["due_date"], row["billing_period_start"], row["state"]], ["2025-07-01", "2025-06-01", "0xDEADBEEF"]);
  assert.equal(Object.keys(rescuedOf(seen) as object).sort(), ["base_amount", "billing_period_end", "units_consumed_kwh"]);
});

test("corpus 109: ids that a database holds for equal are not: a blank behind or another case is no id of ours", () => {
  for (const id of ["TXN-00000042 ", "txn-00000042", "TXN-００００００４２"]) {
    assert.is(refused(billing, created({ transaction_id: id })), "bad_id transaction_id");
  }
});

test("a row of SQL Server inside of schema and payload is a row", () => {
  assert.equal(change(JSON.stringify({ schema: { type: "struct" }, payload: GUIDE_BILL })), told(billing, { json: GUIDE_BILL }));
});

test("damaged envelopes are decoded, refused or without effect, and nothing else", () => {
  const { below, pick } = seeded(SEED);
  const sound = envelopesOf([BEFORE, AFTER, GUIDE_BILL], { shape: "wrapped" }).flatMap((text) => [
    text,
    ...envelopesOf([GUIDE_BILL], { shape: "flattened" }),
  ]);
  const hostile = ["null", "{}", "[]", "-1", '""', "1e400", '{"scale":1e9,"value":"AA=="}', '{"scale":-5,"value":"AQ=="}', "true"];
  for (let n = 0; n < 20_000; n += 1) {
    const text = pick(sound);
    const values = [...text.matchAll(/:("[^"]*"|-?\d+|null|true|false)/g)];
    const at = pick(values);
    const swapped = `${text.slice(0, at.index + 1)}${pick(hostile)}${text.slice(at.index + at[0].length)}`;
    const bytes = Buffer.from(below(2) === 0 ? swapped : text);
    for (let i = 0; i <= below(3); i += 1) bytes[below(bytes.length)] = pick([below(256), 0x22, 0x2c, 0x7b, 0x3a, 0x30]);
    const result = decode(billing, recordOf(bytes), firstSchema(billing), DEFAULT_LIMITS);
    if ("code" in result || result.row === null) continue;
    assert.ok(result.row["transaction_id"] !== null && String(result.row["__$start_lsn"]).length === 20, `SEED=${SEED} ${n}`);
  }
});
