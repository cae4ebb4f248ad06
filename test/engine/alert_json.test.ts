import * as assert from "uvu/assert";
import { alertJson } from "../../engine/alert_json.ts";
import { ByteWriter } from "../../engine/byte_writer.ts";
import type { CellValue } from "../../engine/emission.ts";
import { ENGINE_TABLES } from "../../engine/engine_tables.ts";
import { encodeHead, type RowCause, type RowFacts, writeCells } from "../../engine/row_codec.ts";
import { resolveTable } from "../../engine/table.ts";
import { type Seeded, seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

const SEED = Number(process.env["SEED"] ?? 20_250_615);
const TABLE = resolveTable(ENGINE_TABLES[0], null);
const AT_MS = Date.UTC(2025, 5, 15, 16, 23, 45, 120);
const CELLS = {
  event_id: "ALR-7K2Q9D4M1T5XHB3R/2",
  alert_id: "ALR-7K2Q9D4M1T5XHB3R",
  change: "cleared",
  rule: "meter.spike",
  rule_version: 1,
  severity: "major",
  status: "cleared",
  actor: "meter/SM-N-00042",
  path: "region/NORTH substation/S-1",
  event_time: AT_MS,
  starts_at: AT_MS - 1,
  ends_at: AT_MS + 880,
  count: 70_000,
  flags: "latched unseen",
  metric: "reading_kwh",
  value: 86.412,
  value_text: null,
  unit: "kWh",
  limit_lower: null,
  limit_upper: 50,
  evidence_feed: "smart_meter",
  evidence_source: "meters",
  evidence_position: "file:9f2c/17",
  evidence_event_id: "e-1",
  origin: "live",
  suppressed_by: null,
  expected: 6.8,
  n: 14,
  details: '{"facts":{"reading_kwh":"\\u0000\\""},"limits":{"limitKwh":50}}',
} satisfies Record<string, CellValue>;

const test = suite("alert json");

function json(changes: Partial<Record<keyof typeof CELLS, CellValue>> = {}, shard = "main", sequence = 3_613): string {
  const cells: CellValue[] = Object.values({ ...CELLS, ...changes });
  const cause = { head: encodeHead("smart_meter", "meters", "file:9f2c/"), at: 17, arrivedAtMs: AT_MS, rescued: null, schemaVersion: 1 };
  const row = { table: TABLE, key: String(cells[0]), ordinal: 0, date: "2025-06-15", actor: null, late: false, rules: null, extra: null };
  return Buffer.from(alertJson(shard)(written(cause, row, cells), sequence)).toString();
}

function written(...row: [RowCause, RowFacts, readonly CellValue[]]): Uint8Array {
  const writer = new ByteWriter();
  writer.begin();
  writeCells(writer, ...row);
  return writer.end();
}

test("an event is the CloudEvent that the contract with every consumer describes, member by member in its order", () => {
  const actor = "meter/SM-N-00042";
  const expected = {
    specversion: "1.0",
    type: "energy.alert.cleared.v1",
    source: "/gridactor/main",
    id: "ALR-7K2Q9D4M1T5XHB3R/2",
    subject: actor,
    time: "2025-06-15T16:23:45.120Z",
    datacontenttype: "application/json",
    dataschema: "urn:gridactor:alert:1",
    partitionkey: actor,
    sequence: "00000000000000003613",
    data: {
      alertId: "ALR-7K2Q9D4M1T5XHB3R",
      rule: "meter.spike",
      ruleVersion: 1,
      severity: "major",
      status: "cleared",
      startsAt: "2025-06-15T16:23:45.119Z",
      updatedAt: "2025-06-15T16:23:45.120Z",
      endsAt: "2025-06-15T16:23:46.000Z",
      count: 70_000,
      flags: ["latched", "unseen"],
      actor,
      path: ["region/NORTH", "substation/S-1"],
      observation: { metric: "reading_kwh", value: 86.412, unit: "kWh", expected: 6.8, lower: null, upper: 50, score: null, n: 14 },
      evidence: [{ feed: "smart_meter", source: "meters", position: "file:9f2c/17", eventId: "e-1" }],
      origin: "live",
      suppressedBy: null,
      details: { facts: { reading_kwh: '\u0000"' }, limits: { limitKwh: 50 } },
    },
  };
  assert.is(json(), JSON.stringify(expected));
});

test("what is not there is null, or an empty list; the value of a text rule is its text", () => {
  const { data } = JSON.parse(json({ ends_at: null, flags: "", path: "", value: null, value_text: "TAMPERED", evidence_feed: null }));
  assert.equal([data.endsAt, data.flags, data.path, data.observation.value, data.evidence[0].feed], [null, [], [], "TAMPERED", null]);
});

test("a row that was written before the table had its last columns has null there", () => {
  const cells: CellValue[] = Object.values(CELLS).slice(0, -5);
  const cause = { head: encodeHead(null, "meters", "timer:x"), at: -1, arrivedAtMs: AT_MS, rescued: null, schemaVersion: 1 };
  const row = { table: TABLE, key: "k", ordinal: 0, date: "2025-06-15", actor: null, late: false, rules: null, extra: null };
  const { data } = JSON.parse(Buffer.from(alertJson("main")(written(cause, row, cells), 1)).toString());
  assert.equal([data.evidence[0].eventId, data.origin, data.details], ["e-1", null, null]);
});

const TEXTS = ["", '"', "\\", 'a"b\\c', "\n\t\u0000\u001f", "\u007f\u2028", "é", "दिल्ली", "a😀b", "x".repeat(300), `${"é".repeat(200)}"`];
const NUMBERS = [0, -0, 1, 65_535, 65_536, 0.1, 1e-7, 1e21, 5e-324, -1, Infinity, Number.NaN, null];

function anyText(random: Seeded): string {
  return random.below(2) === 0 ? random.pick(TEXTS) : String.fromCodePoint(...Array.from({ length: 9 }, () => random.below(500)));
}

test("whatever a row says, its text is the very one that JSON.stringify would write", () => {
  const random = seeded(SEED);
  for (let n = 0; n < 2_000; n += 1) {
    const changes = Object.fromEntries(
      Object.entries(CELLS).map(([name, cell]) => {
        if (name.endsWith("_at") || name === "event_time")
          return [name, random.pick([random.below(2 ** 32) * 997 - 2 ** 41, random.below(2 ** 32) * 100_000 - 2 ** 47])];
        if (name.includes("limit") || name === "value" || typeof cell === "number") return [name, random.pick(NUMBERS)];
        return [name, name === "details" ? JSON.stringify({ facts: { seen: anyText(random) } }) : anyText(random)];
      }),
    );
    const line = json(changes, random.pick(["main", 'a"b', "é"]), random.below(2 ** 31));
    const event = JSON.parse(line);
    assert.is(JSON.stringify(event), line, `SEED=${SEED}`);
    assert.is(event.data.observation.unit, changes["unit"], `SEED=${SEED}`);
    assert.is(event.time, new Date(Number(changes["event_time"])).toISOString(), `SEED=${SEED}`);
    assert.is(event.data.path.join(" "), changes["path"], `SEED=${SEED}`);
  }
});
