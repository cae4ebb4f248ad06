import { writeSync } from "node:fs";
import { openLmdbStore } from "../../engine/lmdb_store.ts";
import { commitSeries, SERIES_LENGTH, SERIES_LIMITS } from "./store_series.ts";

// A process of its own that commits the series into a directory, and ends itself when it passes a point for the n-th time:
// `store_child.ts <dir> [<point> <n>]`. It prints the number of each commit that has resolved.

const [dir = "", point = "", nth = "0"] = process.argv.slice(2);
let passed = 0;

const store = await openLmdbStore({
  dir,
  limits: SERIES_LIMITS,
  crashAt(passing) {
    if (passing !== point) return;
    passed += 1;
    if (passed === Number(nth)) process.kill(process.pid, "SIGKILL");
  },
});
await commitSeries(store, SERIES_LENGTH, (k) => writeSync(1, `${k}\n`));
await store.close();
