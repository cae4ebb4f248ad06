import { readFileSync } from "node:fs";
import { join } from "node:path";
import { settableClock } from "../../engine/clock.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import type { Source } from "../../engine/source.ts";
import { csv } from "../../sources/formats/csv.ts";
import { jsonLines } from "../../sources/formats/json_lines.ts";
import { parquet } from "../../sources/formats/parquet.ts";
import { type LandingZoneOptions, landingZone } from "../../sources/landing_zone.ts";
import { sourceContract } from "../contract/source.ts";
import { outcomes, readBytes } from "../kit/format_reading.ts";
import { BOUNDS, LandingFolder, START_MS } from "../kit/landing_folder.ts";
import { newTempFolder, removeFolder } from "../kit/temp_folder.ts";

const PARQUET = readFileSync(join(import.meta.dirname, "../fixtures/parquet/pyarrow_zstd.parquet"));
const ROWS = outcomes((await readBytes(parquet(DEFAULT_LIMITS), PARQUET)).records);

interface Case {
  readonly options: Partial<LandingZoneOptions>;
  readonly files: Readonly<Record<string, string | Buffer>>;
  readonly expected: readonly string[];
}

const LINES = { "1.json": "a\nb\nc\n", "2/x.json": "", "3.json": "d", "4.json": 'e\n{"cut":', "5.json": '[{"a":1},{"b":2},{"c":tru}]' };
const CASES: Readonly<Record<string, Case>> = {
  "files of JSON lines": {
    options: { format: jsonLines(DEFAULT_LIMITS) },
    files: LINES,
    expected: ["a", "b", "c", "!truncated", "e", "!truncated", '{"a":1}', '{"b":2}', "!bad_json"],
  },
  "files of CSV": {
    options: { format: csv(DEFAULT_LIMITS), include: ["*.csv"] },
    files: { "1.csv": "h,i\n1,2\n3,4\n5,6\n7", "2.csv": 'h,i\n8,"9\n\n9"\n10,11,12\n', "3.csv": "h,h\n1,2\n" },
    expected: ["1,2", "3,4", "5,6", "!truncated", '8,"9\n\n9"', "!bad_csv", "!bad_csv"],
  },
  "files of Parquet": {
    options: { format: parquet(DEFAULT_LIMITS), include: ["*.parquet"] },
    files: { "1.parquet": PARQUET, "2.parquet": PARQUET.subarray(0, -1) },
    expected: [...ROWS, "!bad_parquet"],
  },
};

async function flooded(records: readonly string[], follow: boolean): Promise<Source> {
  const folder = new LandingFolder(await newTempFolder(), { format: jsonLines(DEFAULT_LIMITS) });
  floods.push(folder.path);
  await folder.write("flood.json", `${records.join("\n")}\n`);
  return landingZone(folder.zone({ follow, settleMs: 0, incompleteAfterMs: 0, clock: settableClock(START_MS) }));
}

const floods: string[] = [];

for (const [title, { options, files, expected }] of Object.entries(CASES)) {
  for (const follow of [false, true]) {
    sourceContract(`${title}${follow ? ", followed" : ""}`, async () => {
      const folder = new LandingFolder(await newTempFolder(), options);
      for (const [path, content] of Object.entries(files)) await folder.write(path, content);
      // Followed without any wait: tails are given up at once, so that the first idle batch is the end.
      const more = { follow, settleMs: 0, incompleteAfterMs: 0 };
      return {
        open: (laterMs) => landingZone(folder.zone({ ...more, clock: settableClock(START_MS + laterMs) })),
        expected: { "": expected },
        bounds: BOUNDS,
        ...(title === "files of JSON lines" ? { flooded: (records: readonly string[]) => flooded(records, follow) } : {}),
        remove: async () => {
          for (const path of [folder.path, ...floods.splice(0)]) await removeFolder(path);
        },
      };
    });
  }
}
