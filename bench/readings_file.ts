import { wallClock } from "../engine/clock.ts";
import { SourceId } from "../engine/ids.ts";
import { DEFAULT_LIMITS } from "../engine/limits.ts";
import type { Source } from "../engine/source.ts";
import { folderPlace } from "../sources/folder_place.ts";
import { jsonLines } from "../sources/formats/json_lines.ts";
import { landingZone } from "../sources/landing_zone.ts";

/** The file of a folder in which a bench finds its readings. */
export const READINGS_FILE = "smart_meter_stream.json";

const BATCH = { records: 20_000, bytes: 32 * 2 ** 20 };

/** That file as a landing zone reads it, once, to its end. */
export function readingsFile(folder: string): Source {
  return landingZone({
    id: SourceId("meters"),
    place: folderPlace({ folder, archive: null, watch: null }),
    include: [READINGS_FILE],
    format: jsonLines(DEFAULT_LIMITS),
    limits: DEFAULT_LIMITS,
    bounds: BATCH,
    follow: false,
    clean: { mode: "off" },
    maxFiles: 1,
    maxBytes: Number.MAX_SAFE_INTEGER,
    settleMs: 0,
    incompleteAfterMs: 0,
    pollMs: 0,
    order: "name",
    onOverwrite: "correction",
    includeExistingFiles: true,
    clock: wallClock,
  });
}
