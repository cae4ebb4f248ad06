// timeout: 120 s
import { execFileSync } from "node:child_process";
import * as assert from "uvu/assert";
import { wallClock } from "../../engine/clock.ts";
import { folderWatch } from "../../sources/folder_watch.ts";
import { landingZone } from "../../sources/landing_zone.ts";
import { inLandingFolder } from "../kit/landing_folder.ts";
import { texts } from "../kit/source_reading.ts";
import { suite } from "../kit/suite.ts";

const test = suite("landing zone in a flood");
const FILES = 10_000;
const BLOCK_MS = 5_000;

/** Puts files into the folder by renaming, spread over the time; each holds its own number. */
const WRITER = `
const { renameSync, writeFileSync } = require("node:fs");
const [folder, files, ms] = process.argv.slice(1);
const nap = new Int32Array(new SharedArrayBuffer(4));
const beganAt = Date.now();
for (let n = 0; n < files; n += 1) {
  writeFileSync(folder + "/.part", n + "\\n");
  renameSync(folder + "/.part", folder + "/" + n + ".json");
  const aheadMs = beganAt + (n * ms) / files - Date.now();
  if (aheadMs > 20) Atomics.wait(nap, 0, 0, aheadMs);
}`;

test("10,000 files that appear while the event loop is blocked for 5 s are all read, each once", () =>
  inLandingFolder(async (folder) => {
    const stop = new AbortController();
    const live = { follow: true, settleMs: 0, clock: wallClock, watch: folderWatch, bounds: { records: 5_000, bytes: 2 ** 23 } };
    const seen: string[] = [];
    let isWatching = false;
    for await (const batch of landingZone(folder.zone(live)).read(new Map(), stop.signal)) {
      seen.push(...texts([batch]));
      if (batch.idle && !isWatching) {
        isWatching = true;
        const beganAt = Date.now();
        execFileSync(process.execPath, ["-e", WRITER, folder.path, String(FILES), String(BLOCK_MS)]);
        assert.ok(Date.now() - beganAt >= BLOCK_MS * 0.95, "nothing else ran meanwhile");
      } else if (batch.idle) stop.abort(); // All that is there was read: if one is missing, it was missed.
    }
    assert.is(seen.length, FILES);
    assert.is(new Set(seen).size, FILES);
  }));
