import * as assert from "uvu/assert";
import { customerMaster } from "../../../actors/feeds/customer_master.ts";
import { transformerMaster } from "../../../actors/feeds/transformer_master.ts";
import type { TransformerDescribed } from "../../../actors/message.ts";
import type { RecordContext } from "../../../engine/feed.ts";
import { decoded, refused, rescuedOf, told } from "../../kit/decoding.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("master feeds");

const day = (text: string) => new Date(`${text}T00:00:00Z`);
const TRANSFORMER = {
  transformer_id: "TRF-N-0034",
  substation_id: "SUB-N-012",
  region: "NORTH",
  state: "Delhi",
  manufacturer: "Ganga Power Works",
  capacity_mw: 160,
  voltage_kv: 33,
  cooling_type: "ONAF",
  installation_date: day("1994-12-03"),
  health_index_score: 89.6,
  status: "ACTIVE",
  last_maintenance_date: day("2025-05-19"),
  record_effective_date: day("2025-06-01"),
  record_end_date: day("9999-12-31"),
  is_current: true,
  scd_version: 2n,
};
const BUSINESS = {
  substation_id: "SUB-N-012",
  region: "NORTH",
  state: "Delhi",
  manufacturer: "Ganga Power Works",
  capacity_mw: 160,
  voltage_kv: 33,
  cooling_type: "ONAF",
  installation_date: "1994-12-03",
  health_index_score: 89.6,
  status: "ACTIVE",
  last_maintenance_date: "2025-05-19",
};
const CUSTOMER = {
  customer_id: "CUST-000123",
  customer_name: "Tara Nair",
  meter_id: "SM-N-00042",
  transformer_id: "TRF-N-0034",
  region: "NORTH",
  state: "Delhi",
  tariff_category: "RESIDENTIAL",
  connection_type: "SINGLE_PHASE",
  sanctioned_load_kw: 2,
  account_status: "ACTIVE",
  outstanding_balance: 152.54,
  record_effective_date: day("2024-01-01"),
  record_end_date: null,
  is_current: true,
  scd_version: 1,
};

function described(members: object = {}, context: Partial<RecordContext> = {}): TransformerDescribed {
  return told(transformerMaster, { fields: { ...TRANSFORMER, ...members } }, context);
}

test("a transformer's row is a fact from its effective date, without what it claims of versions", () => {
  const context = { path: "transformer_parquet/transformer_master_delta_20250601.parquet", mode: "delta", generation: 2 } as const;
  assert.equal(described({}, context), {
    type: "transformer_described",
    atMs: Date.UTC(2025, 4, 31, 18, 30),
    change: {
      from: "2025-06-01",
      kind: "upsert",
      rank: { publication: 20_250_601, precedence: 1, generation: 2 },
      values: BUSINESS,
      authored: null,
      atMs: null,
    },
    close: null,
    again: null,
  });
});

test("a customer's row is one too, its balance in paise", () => {
  const { change, close } = told(customerMaster, { fields: CUSTOMER }, { path: "customer_master.parquet", mode: "snapshot" });
  const { customer_id, record_effective_date, record_end_date, is_current, scd_version, ...business } = CUSTOMER;
  assert.equal(change.values, { ...business, outstanding_balance: 15_254 });
  assert.equal(change.rank, { publication: 0, precedence: 0, generation: 0 });
  assert.equal([change.from, close], ["2024-01-01", null]);
});

test("a row goes to its own actor", () => {
  assert.equal(transformerMaster.actors(decoded(transformerMaster, { fields: TRANSFORMER }).row), ["transformer/TRF-N-0034"]);
  assert.equal(customerMaster.actors(decoded(customerMaster, { fields: CUSTOMER }).row), ["customer/CUST-000123"]);
});

test("rank: the eight digits of the file's name, the source's mode, the file's generation", () => {
  const rank = (path: string | null, mode: RecordContext["mode"]) => described({}, { path, mode }).change.rank;
  assert.equal(rank("20240101/delta_20250601.parquet", "delta"), { publication: 20_250_601, precedence: 1, generation: 0 });
  assert.is(rank("20240101/delta.parquet", "delta").publication, 0, "folders do not count");
  assert.is(rank("delta_202506011.parquet", "delta").publication, 0, "nine digits are no date");
  assert.equal(rank(null, "cdc"), { publication: 0, precedence: 2, generation: 0 });
});

test("open ends are null and 9999-12-31; a real end is a fact of its own", () => {
  assert.is(described({ record_end_date: null }).close, null);
  assert.is(described({ record_end_date: "9999-12-31" }).close, null);
  const { close, change } = described(
    { record_end_date: "2025-07-01", is_current: false },
    { path: "m_20250601.parquet", mode: "snapshot" },
  );
  assert.equal(close, { from: "2025-07-01", kind: "close", rank: change.rank, values: {}, authored: null, atMs: null });
});

test("a record that ends before it begins, or as it begins, is refused", () => {
  for (const end of ["2025-06-01", "2025-05-31"]) {
    assert.is(refused(transformerMaster, { fields: { ...TRANSFORMER, record_end_date: end } }), "bad_interval record_effective_date");
  }
  assert.is(refused(customerMaster, { fields: { ...CUSTOMER, record_end_date: day("2023-12-31") } }), "bad_interval record_effective_date");
});

test("a record needs its key and its effective date", () => {
  assert.is(refused(transformerMaster, { fields: { ...TRANSFORMER, transformer_id: null } }), "missing_field transformer_id");
  assert.is(refused(transformerMaster, { fields: { ...TRANSFORMER, record_effective_date: null } }), "missing_field record_effective_date");
  assert.is(refused(customerMaster, { fields: { ...CUSTOMER, record_effective_date: "soon" } }), "bad_time record_effective_date");
  assert.is(refused(customerMaster, { fields: { ...CUSTOMER, customer_id: "CUST-1" } }), "bad_id customer_id");
});

test("a snapshot's row also says that it still holds on the day in the file's name, unless it has ended by then", () => {
  const again = (members: object, path: string, mode: RecordContext["mode"] = "snapshot") => described(members, { path, mode }).again?.from;
  assert.is(again({}, "m_20250701.parquet"), "2025-07-01");
  assert.is(again({}, "m_20251399.parquet"), undefined, "no date: it came in 1970");
  assert.is(again({}, "m_20250601.parquet"), undefined, "its own day");
  assert.is(again({ record_end_date: "2025-07-01" }, "m_20250701.parquet"), undefined);
  assert.is(again({}, "m_20250701.parquet", "delta"), undefined);
});

test("a key that a snapshot lacks is a delete on its day", () => {
  const absence = customerMaster.absence ?? assert.unreachable("absence means something");
  assert.is(absence?.from("a/c_20250701.parquet", 0), "2025-07-01");
  const fields = absence?.fields("CUST-000123", "2025-07-01") ?? {};
  const { change, close, again } = told(customerMaster, { fields }, { path: "c_20250701.parquet", mode: "snapshot", absent: true });
  assert.equal([change.kind, change.from, change.values, close, again], ["delete", "2025-07-01", {}, null, null]);
});

test("columns that the file lacks are not authored, nulls are", () => {
  const { manufacturer, ...rest } = TRANSFORMER;
  const { change } = told(transformerMaster, { fields: { ...rest, cooling_type: null } });
  const others = Object.keys(BUSINESS).filter((name) => name !== "manufacturer");
  assert.equal(change.authored, others);
  assert.equal([change.values["manufacturer"], change.values["cooling_type"]], [null, null], manufacturer);
});

test("effective dates may lie ahead, no zone shifts them, and order is not by time", () => {
  const { row } = decoded(transformerMaster, { fields: { ...TRANSFORMER, record_effective_date: "2030-01-01" } });
  assert.is(transformerMaster.date?.(row), "2030-01-01");
  assert.is(new Date(transformerMaster.eventTimeMs(row)).toISOString(), "2029-12-31T18:30:00.000Z");
  for (const { latenessMs, refusesFuture, dedup, table } of [transformerMaster, customerMaster]) {
    assert.equal([latenessMs, refusesFuture, dedup, table], [Number.POSITIVE_INFINITY, false, "actor", null]);
  }
});

test("the same row of two files has one identity, another value another", () => {
  const keyOf = (members: object) => transformerMaster.dedupKey(decoded(transformerMaster, { fields: { ...TRANSFORMER, ...members } }).row);
  assert.is(keyOf({}), keyOf({ installation_date: "1994-12-03", scd_version: 2 }));
  assert.is.not(keyOf({}), keyOf({ status: "DECOMMISSIONED" }));
  assert.match(keyOf({}), /^TRF-N-0034@2025-06-01\/[0-9a-f]{32}$/);
});

test("a score above 100 is rescued", () => {
  const seen = decoded(transformerMaster, { fields: { ...TRANSFORMER, health_index_score: 101 } });
  assert.is(seen.row["health_index_score"], null);
  assert.equal(rescuedOf(seen), { health_index_score: { value: 101, reason: "out_of_range" } });
});
