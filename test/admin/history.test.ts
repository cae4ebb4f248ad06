import * as assert from "uvu/assert";
import { history, historyText } from "../../admin/history.ts";
import { failure } from "../kit/failure.ts";
import { suite } from "../kit/suite.ts";
import { ARRIVED_AT_MS, tinyEngine } from "../kit/tiny_grid.ts";

const test = suite("history");

const DAY_MS = 86_400_000;
const FIRST = {
  transformer_id: "TRF-N-0034",
  substation_id: "SUB-N-012",
  status: "ACTIVE",
  health_index_score: 78.4,
  last_maintenance_date: "2025-02-11",
  record_effective_date: "2024-01-01",
};
const SECOND = {
  ...FIRST,
  status: "UNDER_MAINTENANCE",
  health_index_score: 61.2,
  last_maintenance_date: "2025-05-28",
  record_effective_date: "2025-06-01",
};
const BILL = {
  transaction_id: "TXN-00000001",
  __$operation: 2,
  __$start_lsn: "0x0001",
  __$seqval: "0x01",
  customer_id: "CUST-000123",
  base_amount: 2_969.07,
  payment_status: "PENDING",
  cdc_timestamp: "2025-06-15T10:00:00.250Z",
};

/** The first version known on the first day, the second one a day later. */
async function changed() {
  const engine = tinyEngine();
  await engine.take("transformer_master", [FIRST]);
  await engine.take("transformer_master", [SECOND], { arrivedAtMs: ARRIVED_AT_MS + DAY_MS });
  return engine;
}

test("a history has the keys of the interfaces, in their order, and civil dates for master data", async () => {
  const attributes = { region: null, substation_id: "SUB-N-012" };
  assert.is(
    JSON.stringify(history(await changed(), "trf-n-0034")),
    JSON.stringify([
      {
        version: 1,
        validFrom: "2024-01-01",
        validTo: "2025-06-01",
        knownFrom: "2025-06-17T04:00:01Z",
        knownTo: null,
        isCurrent: false,
        deleted: false,
        attributes: {
          health_index_score: 78.4,
          last_maintenance_date: "2025-02-11",
          region: null,
          status: "ACTIVE",
          substation_id: "SUB-N-012",
        },
      },
      {
        version: 2,
        validFrom: "2025-06-01",
        validTo: null,
        knownFrom: "2025-06-17T04:00:01Z",
        knownTo: null,
        isCurrent: true,
        deleted: false,
        attributes: {
          health_index_score: 61.2,
          last_maintenance_date: "2025-05-28",
          region: attributes.region,
          status: "UNDER_MAINTENANCE",
          substation_id: attributes.substation_id,
        },
      },
    ]),
  );
});

test("the text shows the status, what changes most, and what changed", async () => {
  assert.is(
    historyText(history(await changed(), "TRF-N-0034"), {}, { widthMax: 200, color: false }),
    [
      "v  valid from  valid to    status             health_index_score  last_maintenance_date  changed",
      "1  2024-01-01  2025-06-01  ACTIVE                           78.4  2025-02-11             (first)",
      "2  2025-06-01  -           UNDER_MAINTENANCE                61.2  2025-05-28             health_index_score, last_maintenance_date, status",
      "",
    ].join("\n"),
  );
});

test("dates and ids are whole on a terminal of 80 columns", async () => {
  const engine = await changed();
  await engine.take("transformer_master", [{ ...SECOND, substation_id: "SUB-N-00000000123", record_effective_date: "2025-06-10" }]);
  const text = historyText(history(engine, "TRF-N-0034", { all: true }), { all: true }, { widthMax: 80, color: false });
  for (const whole of ["2025-06-01", "2025-06-17T04:00:01Z"]) assert.ok(text.includes(whole), whole);
});

test("known at a time, the history is the one that was believed then", async () => {
  const engine = await changed();
  const then = history(engine, "TRF-N-0034", { knownAt: "2025-06-16T12:00:00Z" });
  assert.equal(
    then.map(({ version, validTo, knownFrom, knownTo, isCurrent }) => ({ version, validTo, knownFrom, knownTo, isCurrent })),
    [{ version: 1, validTo: null, knownFrom: "2025-06-16T04:00:01Z", knownTo: "2025-06-17T04:00:01Z", isCurrent: false }],
  );
  assert.equal(history(engine, "TRF-N-0034", { knownAt: "2025-06-01" }), []);
  assert.equal(history(engine, "TRF-N-0034", { knownAt: "now" }), history(engine, "TRF-N-0034"));
  assert.equal(history(engine, "TRF-N-0034", { knownAt: "1h" }), then, "a span counts from the latest fact");
});

test("all also gives what is no longer believed, with the time in which it was", async () => {
  const rows = history(await changed(), "TRF-N-0034", { all: true });
  assert.equal(
    rows.map(({ version, validTo, knownTo }) => ({ version, validTo, knownTo })),
    [
      { version: 1, validTo: null, knownTo: "2025-06-17T04:00:01Z" },
      { version: 1, validTo: "2025-06-01", knownTo: null },
      { version: 2, validTo: null, knownTo: null },
    ],
  );
  assert.match(historyText(rows, { all: true }, { widthMax: 200, color: false }), /known from {12}known to/);
});

test("a bill's versions are valid by instant, and its amounts are rupees", async () => {
  const engine = tinyEngine();
  const paid = { ...BILL, __$operation: 4, __$start_lsn: "0x0002", payment_status: "PAID", cdc_timestamp: "2025-06-15T12:00:00Z" };
  await engine.take("billing", [BILL, paid]);
  const rows = history(engine, "TXN-00000001");
  assert.equal(
    rows.map(({ validFrom, validTo }) => [validFrom, validTo]),
    [
      ["2025-06-15T10:00:00.250Z", "2025-06-15T12:00:00Z"],
      ["2025-06-15T12:00:00Z", null],
    ],
  );
  assert.is(rows[0]?.attributes["base_amount"], 2_969.07);
});

test("a deleted bill keeps its last image and has no current version", async () => {
  const engine = tinyEngine();
  await engine.take("billing", [BILL, { ...BILL, __$operation: 1, __$start_lsn: "0x0003", cdc_timestamp: "2025-06-15T13:00:00Z" }]);
  const rows = history(engine, "TXN-00000001");
  assert.equal(
    rows.map(({ validTo, isCurrent, deleted }) => ({ validTo, isCurrent, deleted })),
    [{ validTo: "2025-06-15T13:00:00Z", isCurrent: false, deleted: true }],
  );
  assert.is(rows[0]?.attributes["payment_status"], "PENDING");
  assert.match(historyText(rows, {}, null), /\(first\) \(then deleted\)/);
});

test("an actor without a history has an empty one, and one that does not exist ends with code 4", async () => {
  const engine = tinyEngine();
  await engine.take("smart_meter", [{ event_id: "e", meter_id: "SM-N-00042", timestamp: "2025-06-15T16:00:00Z", reading_kwh: 1 }]);
  assert.equal(history(engine, "SM-N-00042"), []);
  assert.is(failure(() => history(engine, "SM-N-00043")).exit, 4);
});
