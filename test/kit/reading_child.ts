import { settableClock } from "../../engine/clock.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { csv } from "../../sources/formats/csv.ts";
import { jsonLines } from "../../sources/formats/json_lines.ts";
import { parquet } from "../../sources/formats/parquet.ts";
import { landingZone } from "../../sources/landing_zone.ts";
import { LandingFolder } from "./landing_folder.ts";

// A process of its own that drains a folder and prints what it has read, and the most memory it ever had: `reading_child.ts <folder> <format>`.
const [folder = "", format = ""] = process.argv.slice(2);
const formats = { json: jsonLines, csv, parquet };
const make = Object.entries(formats).find(([name]) => name === format)?.[1] ?? jsonLines;
const zone = new LandingFolder(folder).zone({
  include: [`*.${format}`],
  format: make(DEFAULT_LIMITS),
  bounds: { records: 4 * DEFAULT_LIMITS.batchRecords, bytes: 4 * DEFAULT_LIMITS.batchBytes }, // What a source that is behind hands over.
  clock: settableClock(),
});

let records = 0;
let faults = 0;
for await (const batch of landingZone(zone).read(new Map(), new AbortController().signal)) {
  records += batch.records.length;
  faults += batch.records.filter(({ fault }) => fault !== undefined).length;
}
process.stdout.write(JSON.stringify({ records, faults, mostMib: process.resourceUsage().maxRSS / 1_024 }));
