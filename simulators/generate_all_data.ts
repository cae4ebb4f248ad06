import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { billingRows } from "./billing.ts";
import { csvLine } from "./csv.ts";
import { type CustomerRow, customerSnapshot } from "./customer_master.ts";
import { type Grid, gridOf, padded } from "./grid.ts";
import { type Injected, type InjectedOptions, injectedOf, STORIES, type Story } from "./injected.ts";
import { MAINTENANCE_COLUMNS, MAINTENANCE_MONTHS, type MaintenanceRow, maintenanceRows } from "./maintenance.ts";
import { type ParquetFileOptions, writeParquetFile } from "./parquet_file.ts";
import { exitWith, isProgram } from "./program.ts";
import { PLANT_HOURS, plantReadings } from "./renewable.ts";
import { SAMPLE_READING, SAMPLE_TELEMETRY, SAMPLE_UPDATE_PAIR } from "./samples.ts";
import { meterReadings } from "./smart_meter.ts";
import { telemetryRecords } from "./substation_telemetry.ts";
import { type TakeLine, writeTextFile } from "./text_file.ts";
import { type TransformerRow, transformerDelta, transformerSnapshot } from "./transformer_master.ts";
import type { Labelled } from "./truth.ts";

/** A file that was written: its path below the output folder, with `/`, and its rows (a document counts its records). */
export interface GeneratedFile {
  readonly path: string;
  readonly rows: number;
}

export interface GenerateOptions {
  readonly outDir: string;
  /** A whole number below 2^32. */
  readonly seed: number;
  /** Multiplies entities and records, 1 … 10,000. */
  readonly scale: number;
  /** Stories that go on for weeks behind the data day, with `truth/episodes.jsonl`. Default: none. */
  readonly injected?: InjectedOptions;
  /** Told of each file when it is complete. */
  readonly onProgress?: (file: GeneratedFile) => void;
  /** Told, now and then, how many more rows are written. */
  readonly onRows?: (rows: number) => void;
}

const TOLD_EVERY_ROWS = 1_000;

/**
 * Writes all seven sets, the guide's samples, the labels (`truth/`) and `truth/manifest.json` in the layout of the data guide. The same seed
 * and scale give the same bytes. Memory does not grow with the scale. Throws a RangeError for a bad seed or scale, else what the file system says.
 */
export async function generateAllData({
  outDir,
  seed,
  scale,
  injected: options,
  onProgress,
  onRows = () => {},
}: GenerateOptions): Promise<{ readonly files: readonly GeneratedFile[] }> {
  const grid = gridOf(seed, scale);
  const injected = options === undefined || options.stories.length === 0 ? null : injectedOf(grid, options);
  const files: GeneratedFile[] = [];
  let rows = 0;
  const done = (path: string, rows: number): void => {
    files.push({ path, rows });
    onProgress?.({ path, rows });
  };
  for (const set of sets(grid, injected)) {
    const truthPath = `truth/${set.name}.jsonl`;
    const labels = await writeTextFile(join(outDir, truthPath), async (line) => {
      let count = 0;
      const noted = async function* <Row>(records: Iterable<Labelled<Row>>): AsyncGenerator<Row> {
        for (const { row, labels } of records) {
          for (const label of labels) await line(JSON.stringify(label));
          count += labels.length;
          rows += 1;
          if (rows % TOLD_EVERY_ROWS === 0) onRows(TOLD_EVERY_ROWS);
          yield row;
        }
      };
      for (const part of set.parts) done(part.path, await part.write(join(outDir, part.path), noted));
      return count;
    });
    done(truthPath, labels);
  }
  for (const { path, value, records } of DOCUMENTS) {
    await writeTextFile(join(outDir, path), (line) => line(JSON.stringify(value, null, 2)));
    done(path, records);
  }
  if (injected !== null) {
    const episodes = await writeTextFile(join(outDir, EPISODES), async (line) => {
      const told = [...injected.episodes()];
      for (const one of told) await line(JSON.stringify(one));
      return told.length;
    });
    done(EPISODES, episodes);
  }
  await writeManifest(outDir, { seed, scale, ...(injected === null ? {} : { injected: options }) }, files, done);
  return { files };
}

/** Passes rows on, and their labels to the truth file of the set. */
type Noted = <Row>(records: Iterable<Labelled<Row>>) => AsyncGenerator<Row>;

interface Part {
  readonly path: string;
  /** Resolves to the number of rows. */
  readonly write: (path: string, noted: Noted) => Promise<number>;
}

function sets(grid: Grid, injected: Injected | null): readonly { readonly name: string; readonly parts: readonly Part[] }[] {
  const hours = PLANT_HOURS.map((hour, nth) =>
    jsonLines(`renewable_autoloader/renewable_production_20250615_${padded(hour, 2)}00.json`, () => plantReadings(grid, nth)),
  );
  const months = MAINTENANCE_MONTHS.map(({ name }, month) =>
    maintenanceCsv(`maintenance_csv/maintenance_logs_${name}.csv`, () => maintenanceRows(grid, month)),
  );
  return [
    {
      name: "smart_meter",
      parts: [jsonLines("smart_meter_kafka/smart_meter_stream.json", () => both(meterReadings(grid), injected?.readings()))],
    },
    {
      name: "substation_telemetry",
      parts: [jsonLines("substation_iot/substation_telemetry_stream.json", () => both(telemetryRecords(grid), injected?.telemetry()))],
    },
    { name: "billing", parts: [jsonLines("billing_cdc/billing_cdc_feed.json", () => billingRows(grid))] },
    { name: "maintenance", parts: months },
    {
      name: "transformer_master",
      parts: [
        masterFile("transformer_parquet/transformer_master.parquet", TRANSFORMER_FILE, () =>
          both(transformerSnapshot(grid), injected?.transformers()),
        ),
        masterFile("transformer_parquet/transformer_master_delta_20250601.parquet", TRANSFORMER_FILE, () => transformerDelta(grid)),
      ],
    },
    {
      name: "customer_master",
      parts: [
        masterFile("transformer_parquet/customer_master.parquet", CUSTOMER_FILE, () => both(customerSnapshot(grid), injected?.customers())),
      ],
    },
    { name: "renewable", parts: hours },
  ];
}

function* both<Row>(first: Iterable<Row>, second: Iterable<Row> | undefined): Generator<Row> {
  yield* first;
  if (second !== undefined) yield* second;
}

// `sample_*` and `*_example*` are documents, not data: no source's default pattern matches them.
const DOCUMENTS = [
  { path: "smart_meter_kafka/sample_message.json", value: SAMPLE_READING, records: 1 },
  { path: "substation_iot/sample_telemetry.json", value: SAMPLE_TELEMETRY, records: 1 },
  { path: "billing_cdc/cdc_update_pair_example.json", value: SAMPLE_UPDATE_PAIR, records: 2 },
];

const TRANSFORMER_FILE: Omit<ParquetFileOptions<TransformerRow>, "path"> = {
  required: ["transformer_id", "record_effective_date"],
  columns: {
    transformer_id: "UTF8",
    substation_id: "UTF8",
    region: "UTF8",
    state: "UTF8",
    manufacturer: "UTF8",
    capacity_mw: "DOUBLE",
    voltage_kv: "DOUBLE",
    cooling_type: "UTF8",
    installation_date: "DATE",
    health_index_score: "DOUBLE",
    status: "UTF8",
    last_maintenance_date: "DATE",
    record_effective_date: "DATE",
    record_end_date: "DATE",
    is_current: "BOOLEAN",
    scd_version: "INT32",
  },
};

const CUSTOMER_FILE: Omit<ParquetFileOptions<CustomerRow>, "path"> = {
  required: ["customer_id", "record_effective_date"],
  columns: {
    customer_id: "UTF8",
    customer_name: "UTF8",
    meter_id: "UTF8",
    transformer_id: "UTF8",
    region: "UTF8",
    state: "UTF8",
    tariff_category: "UTF8",
    connection_type: "UTF8",
    sanctioned_load_kw: "DOUBLE",
    account_status: "UTF8",
    outstanding_balance: "DOUBLE",
    record_effective_date: "DATE",
    record_end_date: "DATE",
    is_current: "BOOLEAN",
    scd_version: "INT32",
  },
};

function jsonLines<Row>(path: string, records: () => Iterable<Labelled<Row>>): Part {
  const write = (target: string, noted: Noted) =>
    writeTextFile(target, (line) => eachLine(noted(records()), line, (row) => JSON.stringify(row)));
  return { path, write };
}

function maintenanceCsv(path: string, records: () => Iterable<Labelled<MaintenanceRow>>): Part {
  const write = (target: string, noted: Noted) =>
    writeTextFile(target, async (line) => {
      await line(csvLine(MAINTENANCE_COLUMNS));
      return eachLine(noted(records()), line, (row) => csvLine(MAINTENANCE_COLUMNS.map((column) => row[column])));
    });
  return { path, write };
}

function masterFile<Row extends object>(
  path: string,
  file: Omit<ParquetFileOptions<Row>, "path">,
  records: () => Iterable<Labelled<Row>>,
): Part {
  return { path, write: (target, noted) => writeParquetFile({ ...file, path: target }, noted(records())) };
}

async function eachLine<Row>(rows: AsyncIterable<Row>, line: TakeLine, text: (row: Row) => string): Promise<number> {
  let count = 0;
  for await (const row of rows) {
    await line(text(row));
    count += 1;
  }
  return count;
}

/** Rows and SHA-256 of every file, this one excepted. */
async function writeManifest(
  outDir: string,
  made: { seed: number; scale: number; injected?: InjectedOptions | undefined },
  files: readonly GeneratedFile[],
  done: (path: string, rows: number) => void,
): Promise<void> {
  const entries: (GeneratedFile & { readonly sha256: string })[] = [];
  for (const { path, rows } of files) entries.push({ path, rows, sha256: await sha256Of(join(outDir, path)) });
  await writeTextFile(join(outDir, MANIFEST), (line) => line(JSON.stringify({ ...made, files: entries }, null, 2)));
  done(MANIFEST, entries.length);
}

const MANIFEST = "truth/manifest.json";
const EPISODES = "truth/episodes.jsonl";

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}

/** Names of stories, comma-separated. Throws a RangeError for one that there is not. */
export function parseStories(text: string): readonly Story[] {
  const names = text.split(",").flatMap((name) => name.trim() || []);
  return names.map((name) => {
    const story = STORIES.find((one) => one === name);
    if (story === undefined) throw new RangeError(`there is no story ${name}: ${STORIES.join(", ")}`);
    return story;
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      out: { type: "string", default: "data_sources" },
      seed: { type: "string", default: "42" },
      scale: { type: "string", default: "1" },
      inject: { type: "string", default: "" },
      days: { type: "string", default: "66" },
    },
  });
  const onProgress = ({ path, rows }: GeneratedFile): void => console.log(`${String(rows).padStart(9)}  ${path}`);
  const injected = { stories: parseStories(values.inject), days: Number(values.days) };
  await generateAllData({ outDir: values.out, seed: Number(values.seed), scale: Number(values.scale), injected, onProgress });
}

if (isProgram(import.meta.url)) exitWith(main());
