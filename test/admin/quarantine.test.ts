import * as assert from "uvu/assert";
import { listQuarantine, quarantineDetailText, quarantineText, showQuarantine } from "../../admin/quarantine.ts";
import { ActorId } from "../../engine/ids.ts";
import { encodeQuarantine, type QuarantineRow } from "../../engine/quarantine.ts";
import { changes } from "../contract/store.ts";
import { failure } from "../kit/failure.ts";
import { suite } from "../kit/suite.ts";
import { ARRIVED_AT_MS, tinyEngine } from "../kit/tiny_grid.ts";

const test = suite("quarantine");

const UNLUCKY = { event_id: "e1", meter_id: "SM-N-00042", timestamp: "2025-06-15T16:00:00Z", reading_kwh: 13 };
const ROW: QuarantineRow = {
  id: "Q-5T8M2C0ZKE7WD1RA",
  feed: "billing",
  source: "billing",
  position: "file:c07d91ee/212",
  reason: "bad_lsn",
  field: "__$start_lsn",
  error: 'expected hexadecimal bytes, got "n/a"',
  actor: null,
  eventTimeMs: null,
  arrivedAtMs: ARRIVED_AT_MS,
  sizeBytes: 3,
  attempts: 1,
  status: "open",
  bytes: Buffer.from("n/a"),
};

/** A state that holds just these rows. */
async function holding(...rows: readonly Partial<QuarantineRow>[]) {
  const engine = tinyEngine();
  const put = rows.map((row) => ({ ...ROW, ...row }));
  const stored = put.map((row) => ({ table: "quarantine", key: row.id, value: encodeQuarantine(row) }) as const);
  await engine.store.commit(changes({ rows: stored }));
  return engine;
}

test("a row of the list has the keys of the interfaces, in their order, and no bytes", async () => {
  assert.is(
    JSON.stringify(listQuarantine(await holding({}), {}, 100).rows),
    `[{"id":"Q-5T8M2C0ZKE7WD1RA","feed":"billing","source":"billing","position":"file:c07d91ee/212","reason":"bad_lsn","field":"__$start_lsn",` +
      `"error":"expected hexadecimal bytes, got \\"n/a\\"","actor":null,"eventTime":null,"size":3,"attempts":1,"status":"open"}]`,
  );
});

test("what the engine quarantines is listed in order of its place in the input", async () => {
  const engine = tinyEngine();
  await engine.take("smart_meter", ["not json", UNLUCKY, { ...UNLUCKY, event_id: "e2", meter_id: null }]);
  const { rows, found } = listQuarantine(engine, {}, 100);
  assert.equal(
    rows.map(({ position, reason, actor, eventTime }) => ({ position, reason, actor, eventTime })),
    [
      { position: "file:1/0", reason: "bad_json", actor: null, eventTime: null },
      { position: "file:1/1", reason: "handler_error", actor: "meter/SM-N-00042", eventTime: "2025-06-15T16:00:00Z" },
      { position: "file:1/2", reason: "missing_field", actor: null, eventTime: null },
    ],
  );
  assert.is(found, 3);
});

test("filters choose by feed and reason; settled rows come with all only", async () => {
  const engine = await holding({}, { id: "Q-2", status: "dropped" }, { id: "Q-3", feed: "smart_meter", reason: "bad_json" });
  const ids = (query: Parameters<typeof listQuarantine>[1]) => listQuarantine(engine, query, 100).rows.map(({ id }) => id);
  assert.equal(ids({}), [ROW.id, "Q-3"].sort());
  assert.equal(ids({ all: true }), ["Q-2", "Q-3", ROW.id]);
  assert.equal(ids({ feed: "smart_meter" }), ["Q-3"]);
  assert.equal(ids({ reason: "bad_lsn" }), [ROW.id]);
  assert.equal(ids({ reason: "bad_lsn", feed: "smart_meter" }), []);
  assert.equal([failure(() => ids({ feed: "biling" })).exit, failure(() => ids({ feed: "biling" })).candidates], [2, ["billing"]]);
  assert.equal([failure(() => ids({ reason: "bad_isn" })).exit, failure(() => ids({ reason: "bad_isn" })).candidates], [2, ["bad_lsn"]]);
  assert.equal(ids({ reason: "truncated" }), [], "a reason that nothing has is no mistake");
});

test("the id and the reason are whole on a terminal of 80 columns", async () => {
  const engine = await holding({ id: "Q-5T8M2C0ZKE7WD1RA", actor: ActorId("bill", "TXN-00000001"), error: "e".repeat(200) });
  const text = quarantineText(listQuarantine(engine, {}, 100).rows, { widthMax: 80, color: false });
  const [, line = ""] = text.split("\n");
  assert.match(line, /^Q-5T8M2C0ZKE7WD1RA {2}.* {2}bad_lsn /);
  assert.is(line.length, 80);
});

test("the limit cuts the list and not the count", async () => {
  const { rows, found } = listQuarantine(await holding({}, { id: "Q-2" }, { id: "Q-3" }), {}, 2);
  assert.equal([rows.length, found], [2, 3]);
});

test("one record is shown with its bytes, and as text when it is UTF-8", async () => {
  const engine = await holding({}, { id: "Q-BYTES", bytes: Buffer.from([0xff, 0xfe]), sizeBytes: 2 });
  const shown = showQuarantine(engine, ROW.id);
  assert.equal([shown.bytes, shown.text], [Buffer.from("n/a").toString("base64"), "n/a"]);
  const bytes = showQuarantine(engine, "Q-BYTES");
  assert.equal([bytes.bytes, bytes.text], ["//4=", null]);
});

test("a beginning that was cut inside a character is still text", async () => {
  const whole = Buffer.from("नमस्ते");
  const kept = whole.subarray(0, 4);
  assert.is(showQuarantine(await holding({ bytes: kept, sizeBytes: whole.length }), ROW.id).text, "न");
  assert.is(showQuarantine(await holding({ bytes: kept, sizeBytes: kept.length }), ROW.id).text, null);
});

test("an id is found by an unambiguous beginning in any case, with or without its prefix", async () => {
  const engine = await holding({}, { id: "Q-5T9" });
  for (const text of ["Q-5T8M", "q-5t8m", "5t8m", ROW.id]) assert.is(showQuarantine(engine, text).id, ROW.id, text);
  assert.equal([failure(() => showQuarantine(engine, "5T")).exit, failure(() => showQuarantine(engine, "5T")).candidates.length], [2, 2]);
  assert.equal(
    [failure(() => showQuarantine(engine, "Q-5T7")).exit, failure(() => showQuarantine(engine, "Q-5T7")).candidates],
    [4, ["Q-5T9"]],
  );
});

test("text from a record cannot steer the terminal", async () => {
  const engine = await holding({ error: "got \u001b[2J", bytes: Buffer.from("a\u001b[2J\nb") });
  const ESC = String.fromCharCode(27);
  assert.not.ok(
    quarantineText(listQuarantine(engine, {}, 100).rows, { widthMax: 200, color: true })
      .replaceAll(`${ESC}[1m`, "")
      .replaceAll(`${ESC}[0m`, "")
      .includes(ESC),
  );
  const shown = quarantineDetailText(showQuarantine(engine, ROW.id));
  assert.not.ok(shown.includes(ESC));
  assert.match(shown, /a\\u001b\[2J\nb\n$/);
});
