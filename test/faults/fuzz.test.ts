// timeout: 3600 s
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { GRID } from "../../actors/registry.ts";
import { sealed, unseal } from "../../engine/codec.ts";
import { DamagedStore } from "../../engine/damaged_store.ts";
import { decode } from "../../engine/decode.ts";
import { FAULT_CODES } from "../../engine/fault.ts";
import type { Feed, Row } from "../../engine/feed.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { decodeQuarantine, encodeQuarantine } from "../../engine/quarantine.ts";
import { firstSchema } from "../../engine/schema.ts";
import { checkBlock } from "../../engine/segment_file.ts";
import type { SourceRecord } from "../../engine/source.ts";
import type { Format } from "../../sources/format.ts";
import { csv } from "../../sources/formats/csv.ts";
import { jsonLines } from "../../sources/formats/json_lines.ts";
import { parquet } from "../../sources/formats/parquet.ts";
import { BadBatch } from "../../sources/kafka/bad_batch.ts";
import { decompress } from "../../sources/kafka/codecs.ts";
import { packedBatch } from "../../sources/kafka/packed_batch.ts";
import { batchRecords, packedRecords } from "../../sources/kafka/record_batch.ts";
import { recordOf } from "../kit/decoding.ts";
import { envelopesOf } from "../kit/envelopes.ts";
import { finalOutcomes, readBytes } from "../kit/format_reading.ts";
import { DATA, ROOT } from "../kit/grid_folder.ts";
import { GUIDE_BILL, GUIDE_LOG, GUIDE_PRODUCTION, GUIDE_READING, GUIDE_TELEMETRY } from "../kit/guide_samples.ts";
import { mutantBytes, mutantOf, mutantTable } from "../kit/mutant.ts";
import { type Seeded, seeded } from "../kit/seeded.ts";
import { measured, suite } from "../kit/suite.ts";

const test = suite("fuzzed decoders");

/** `FUZZ=n`: so many inputs for each decoder; `SEED=n`: others. */
const INPUTS = Number(process.env["FUZZ"] ?? 500);
const SEED = Number(process.env["SEED"] ?? 20_250_615);
/** Slow ones get a part of them. */
const FILES = Math.ceil(INPUTS / 5);
/** What one input may cost on a machine that others use as well; on a quiet one the longest are Parquet's, in a thread of their own. */
const LONGEST_MS = 10_000;

const CODES: ReadonlySet<string> = new Set(FAULT_CODES);
const read = (path: string): Buffer => readFileSync(join(DATA, path));

/** Tries one decoder with many inputs. `tried` throws where something is wrong, and is told by the seed of its input. */
function fuzz(what: string, inputs: number, tried: (random: Seeded) => void | Promise<void>): void {
  test(`${inputs} mutants: ${what}`, async () => {
    let longestMs = 0;
    for (let n = 0; n < inputs; n += 1) {
      const beganMs = performance.now();
      try {
        await tried(seeded(SEED + n));
      } catch (error) {
        throw new Error(`SEED=${SEED + n} FUZZ=1: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      }
      longestMs = Math.max(longestMs, performance.now() - beganMs);
    }
    measured(`fuzz ${what}: ${inputs} inputs, the longest took ${longestMs.toFixed(1)} ms`);
    assert.ok(longestMs < LONGEST_MS, `${longestMs} ms`);
  });
}

// Feeds ---------------------------------------------------------------------------------------------------------------------------------

const MASTER = { record_effective_date: "2025-06-01", region: "NORTH", transformer_id: "TRF-N-0034" };
const SAMPLES: Readonly<Record<string, readonly object[]>> = {
  smart_meter: [GUIDE_READING],
  substation_telemetry: [GUIDE_TELEMETRY],
  billing: [
    GUIDE_BILL,
    ...[{}, { shape: "bare" } as const, { shape: "flattened" } as const].flatMap((options) =>
      envelopesOf([GUIDE_BILL], options).map((text) => JSON.parse(text) as object),
    ),
  ],
  maintenance: [GUIDE_LOG],
  renewable: [GUIDE_PRODUCTION],
  transformer_master: [{ ...MASTER, health_index_score: 80, status: "OPERATIONAL" }],
  customer_master: [{ ...MASTER, customer_id: "CUST-000123", meter_id: "SM-N-00042", outstanding_balance: 12.5 }],
};

for (const feed of GRID.feeds) {
  fuzz(`a record of ${feed.name} decodes to a row or a fault, and whatever it decodes to can be used`, INPUTS, (random) => {
    const sample = random.pick(SAMPLES[feed.name] ?? []);
    const value = mutantOf(sample, random);
    if (random.chance(40)) return requireUsable(feed, recordOf({ fields: Object(value) as Readonly<Record<string, unknown>> }));
    const text = Buffer.from(JSON.stringify(value) ?? "");
    return requireUsable(feed, recordOf(random.chance(25) ? mutantBytes(text, random) : text));
  });
}

/** What a turn asks of a row before it can refuse it must not throw. */
function requireUsable(feed: Feed, record: SourceRecord): void {
  const result = decode(feed, record, firstSchema(feed), DEFAULT_LIMITS);
  if ("code" in result) {
    assert.ok(CODES.has(result.code), result.code);
    return;
  }
  if (result.row === null) return;
  const row: Row = result.row;
  assert.ok(Number.isFinite(feed.eventTimeMs(row)), `a time of ${feed.eventTimeMs(row)}`);
  for (const id of feed.actors(row)) assert.ok(Buffer.byteLength(id) <= 200, `an id of ${Buffer.byteLength(id)} bytes`);
  assert.type(feed.dedupKey(row), "string");
  assert.match(feed.date === null ? "2025-01-01" : feed.date(row), /^[+-]?\d{4,6}-\d\d-\d\d$/);
  assert.is(Object.getPrototypeOf({}), Object.prototype);
  assert.is(({} as Record<string, unknown>)["polluted"], undefined);
}

// Formats -------------------------------------------------------------------------------------------------------------------------------

const JSON_SHAPES: readonly string[] = [
  `${[GUIDE_READING, GUIDE_TELEMETRY, GUIDE_READING].map((one) => JSON.stringify(one)).join("\n")}\n`,
  JSON.stringify([GUIDE_READING, GUIDE_BILL]),
  JSON.stringify(GUIDE_READING, null, 2),
  `${JSON.stringify(GUIDE_READING, null, 1)}\n${JSON.stringify(GUIDE_BILL)}`,
];

fuzz("JSON in any shape is records and faults, the same in batches of one", INPUTS, (random) =>
  requireSteady(jsonLines(DEFAULT_LIMITS), mutantBytes(Buffer.from(random.pick(JSON_SHAPES)), random)),
);

const TABLE = read("maintenance_csv/maintenance_logs_2025_06.csv").toString().split("\n").slice(0, 12).join("\n");

fuzz("CSV is records and faults, the same in batches of one", INPUTS, (random) => {
  const text = Buffer.from(mutantTable(TABLE, random));
  return requireSteady(csv(DEFAULT_LIMITS), random.chance(30) ? mutantBytes(text, random) : text);
});

const PARQUET = ["transformer_master.parquet", "transformer_master_delta_20250601.parquet", "customer_master.parquet"].map((name) =>
  read(`transformer_parquet/${name}`),
);

fuzz("Parquet is records and faults", FILES, async (random) => {
  const whole = random.pick(PARQUET);
  const at = random.chance(60) ? footerAt(whole) : 0; // Most lies are told in the footer.
  const mutant = Buffer.concat([whole.subarray(0, at), mutantBytes(whole.subarray(at), random)]);
  for (const record of (await readBytes(parquet(DEFAULT_LIMITS), mutant)).records) {
    if (record.fault === undefined) requireUsable(random.pick(MASTERS), record);
    else assert.ok(CODES.has(record.fault.code), record.fault.code);
  }
});

const MASTERS = GRID.feeds.filter(({ name }) => name.endsWith("_master"));

function footerAt(file: Buffer): number {
  return file.length - 8 - file.readInt32LE(file.length - 8);
}

/** Whatever the bytes are, reading them ends, and how they are cut into batches makes no difference. */
async function requireSteady(format: Format, content: Buffer): Promise<void> {
  const whole = finalOutcomes(await readBytes(format, content));
  for (const outcome of whole) if (outcome.startsWith("!")) assert.ok(CODES.has(outcome.slice(1)) || !outcome.startsWith("!bad"), outcome);
  assert.equal(finalOutcomes(await readBytes(format, content, { bounds: { records: 1, bytes: 1 } })), whole);
}

// What brokers send, and what is stored -------------------------------------------------------------------------------------------------

for (const codec of ["none", "gzip", "snappy", "lz4", "zstd"]) {
  const batches = readFileSync(join(ROOT, `test/fixtures/kafka/${codec}.batches`));
  fuzz(
    `a record batch with ${codec} is its records, or known to be damaged, also where its checksum is believed`,
    FILES,
    async (random) => {
      const decoder = { buffer: mutantBytes(batches, random), offset: 0 };
      while (decoder.offset < decoder.buffer.length) {
        const before = decoder.offset;
        const read = await packedBatch(decoder).catch((error: unknown) => error as Error);
        if (read instanceof Error) return assert.is(read.name, "KafkaJSPartialMessageError");
        assert.ok(decoder.offset > before, "it gets further");
        for (const { packed } of read.records) if (packed.bytes.length >= 61) await requireBounded(packed);
      }
    },
  );
}

async function requireBounded(packed: Parameters<typeof packedRecords>[0]): Promise<void> {
  try {
    const records = [...batchRecords(packed, await decompress(packed.codec, packedRecords(packed)))];
    assert.ok(records.length <= packed.bytes.length * 200);
  } catch (error) {
    if (!(error instanceof BadBatch)) throw error;
  }
}

const ROW = {
  id: "QR-1",
  feed: "smart_meter",
  source: "meters",
  position: "file:a/1",
  reason: "bad_json",
  field: null,
  error: "e",
  actor: null,
  eventTimeMs: null,
  arrivedAtMs: 1,
  sizeBytes: 3,
  attempts: 1,
  status: "open",
  bytes: new Uint8Array([1, 2, 3]),
} as const;

fuzz("a stored value that is not what was stored is damage, never another value", INPUTS, (random) => {
  const key = Buffer.from(`key ${random.below(1_000)}`);
  const value = sealed(encodeQuarantine(ROW), key);
  const mutant = mutantBytes(value, random);
  try {
    const row = decodeQuarantine(unseal(mutant, key));
    assert.ok(mutant.equals(value) && row.id === ROW.id, "other bytes were believed");
  } catch (error) {
    if (!(error instanceof DamagedStore)) throw error;
  }
});

fuzz("a block of a segment that is not what was written is damage", INPUTS, (random) => {
  const mutant = mutantBytes(random.chance(50) ? Buffer.alloc(64, random.below(256)) : Buffer.from(TABLE), random);
  try {
    assert.ok(checkBlock(mutant, 0, "journal-1.seg") <= mutant.length);
  } catch (error) {
    if (!(error instanceof DamagedStore)) throw error;
  }
});
