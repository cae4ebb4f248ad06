// timeout: 180 s
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { AlertEvent } from "../../engine/emission.ts";
import { longHash } from "../../engine/ids.ts";
import { alertLines, type GridFolder, run } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";
import { newTempFolder, removeFolder } from "../kit/temp_folder.ts";

const test = suite("an outage, from files to the alerts file");

const FROM_MS = Date.UTC(2025, 5, 1);
const HALF_HOUR_MS = 1_800_000;
const DAY = 48;
/** Half-hours: SUB-N-001 is out from day 2 to day 4; one meter below SUB-N-002 from then on until noon of day 3. */
const OUT = [2 * DAY, 4 * DAY] as const;
const LONELY_OUT = [2 * DAY, 3.5 * DAY] as const;
const LAST = 5 * DAY;

const TRANSFORMERS = [1, 2, 3, 4, 5, 6].map((n) => ({ id: `TRF-N-000${n}`, substation: n <= 3 ? "SUB-N-001" : "SUB-N-002" }));
const METERS = TRANSFORMERS.flatMap((transformer, t) => [1, 2, 3].map((n) => ({ id: `SM-N-00${t + 1}0${n}`, transformer })));
const LONELY = "SM-N-00401";

function lines(rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

function reading(meter: string, half: number): object {
  const timestamp = new Date(FROM_MS + half * HALF_HOUR_MS).toISOString();
  return { event_id: longHash([meter, half]), meter_id: meter, timestamp, reading_kwh: 0.4 + (half % 7) / 50, meter_status: "ACTIVE" };
}

function isWithin(half: number, [from, to]: readonly [number, number]): boolean {
  return from <= half && half < to;
}

/** A folder with masters, five days of readings, and a second file with what the lonely meter had kept. */
async function newFolder(batchRecords: number): Promise<GridFolder> {
  const path = await newTempFolder();
  const data = join(path, "data");
  mkdirSync(data);
  const from = { region: "NORTH", record_effective_date: "2024-01-01" };
  const transformers = TRANSFORMERS.map(({ id, substation }) => ({
    transformer_id: id,
    substation_id: substation,
    status: "ACTIVE",
    ...from,
  }));
  const customers = METERS.map(({ id, transformer }, n) => ({
    customer_id: `CUST-${String(n).padStart(6, "0")}`,
    meter_id: id,
    transformer_id: transformer.id,
    ...from,
  }));
  const told = Array.from({ length: LAST }, (_, half) =>
    METERS.filter(
      ({ id, transformer }) =>
        !(transformer.substation === "SUB-N-001" && isWithin(half, OUT)) && !(id === LONELY && isWithin(half, LONELY_OUT)),
    ).map(({ id }) => reading(id, half)),
  ).flat();
  const kept = Array.from({ length: LAST }, (_, half) => half)
    .filter((half) => isWithin(half, LONELY_OUT))
    .map((half) => reading(LONELY, half));
  writeFileSync(join(data, "transformers.json"), lines(transformers));
  writeFileSync(join(data, "customers.json"), lines(customers));
  writeFileSync(join(data, "meters_1.json"), lines(told));
  writeFileSync(join(data, "meters_2.json"), lines(kept));
  const config = join(path, "gridactor.yaml");
  writeFileSync(
    config,
    `version: 1
state: ./state
admin: { http: false }
sources:
  transformers: { feed: transformer_master, type: landing, stage: 1, location: data, include: [transformers.json], format: jsonl, mode: snapshot }
  customers: { feed: customer_master, type: landing, stage: 1, location: data, include: [customers.json], format: jsonl, mode: snapshot }
  meters: { feed: smart_meter, type: landing, location: data, include: ["meters_*.json"], format: jsonl }
sinks:
  alerts_file: { type: jsonl, stream: alerts, path: out/alerts.jsonl }
batch: { records: ${batchRecords}, bytes: 8MiB, wait: 50ms }
`,
  );
  return { path, config, state: join(path, "state"), alerts: join(path, "out/alerts.jsonl"), curated: join(path, "out/curated") };
}

interface Drained {
  readonly digest: string;
  readonly text: string;
  readonly events: readonly AlertEvent[];
  /** SHA-256 of the file that came late. */
  readonly lateFile: string;
}

async function drained(batchRecords: number): Promise<Drained> {
  const folder = await newFolder(batchRecords);
  try {
    const { code, stdout, stderr } = await run(["--json", "run", "--drain"], folder);
    assert.is(code, 0, stderr);
    const { digest } = JSON.parse(stdout) as { readonly digest: string };
    const lateFile = createHash("sha256")
      .update(readFileSync(join(folder.path, "data/meters_2.json")))
      .digest("hex");
    return { digest, text: readFileSync(folder.alerts, "utf8"), events: await alertLines(folder), lateFile };
  } finally {
    await removeFolder(folder.path);
  }
}

let seen: Drained;
test.before(async () => {
  seen = await drained(1_000);
});

const ofSilence = ({ events }: Drained) => events.filter(({ data }) => data.rule.endsWith("silent"));

test("an outage of a whole substation calls once: one alert that nothing covers, all others are raised covered by their parent's", () => {
  const raised = ofSilence(seen).filter(({ type, subject }) => type === "energy.alert.raised.v1" && subject !== `meter/${LONELY}`);
  const calling = raised.filter(({ data }) => data.suppressedBy === null);
  assert.equal(
    calling.map(({ subject, data }) => [subject, data.rule, data.severity]),
    [["substation/SUB-N-001", "substation.children_silent", "major"]],
  );
  assert.is(raised.length, 1 + 3 + 9);
  const idOf = (subject: string | undefined) => raised.find((event) => event.subject === subject)?.data.alertId;
  for (const { data, subject } of raised.filter((event) => event !== calling[0])) {
    const parent = subject.startsWith("meter/")
      ? `transformer/${METERS.find(({ id }) => subject.endsWith(id))?.transformer.id}`
      : calling[0]?.subject;
    assert.is(data.suppressedBy, idOf(parent), subject);
  }
});

test("it clears by itself, with everything below it", () => {
  const newest = new Map(ofSilence(seen).map(({ subject, data }) => [subject, data.status]));
  newest.delete(`meter/${LONELY}` as never);
  assert.equal([newest.size, new Set(newest.values())], [13, new Set(["cleared"])]);
});

test("readings that were late take the silence of their meter back, under the same alert id, with the first that does as the cause", () => {
  const events = ofSilence(seen).filter(({ subject }) => subject === `meter/${LONELY}`);
  assert.equal(
    events.map(({ type, data }) => [type.split(".")[2], data.status]),
    [
      ["raised", "open"],
      ["cleared", "cleared"],
      ["amended", "retracted"],
    ],
  );
  assert.is(new Set(events.map(({ data }) => data.alertId)).size, 1);
  const [cause] = events.at(-1)?.data.evidence ?? [];
  assert.equal([cause?.feed, cause?.position.split("/")[0]], ["smart_meter", `file:${seen.lateFile}`]);
});

test("batches of another size lead to the same digest and, byte for byte, the same alerts", async () => {
  const other = await drained(7);
  assert.equal([other.digest, other.text], [seen.digest, seen.text]);
});
