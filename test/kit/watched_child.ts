import { watchdog } from "../../admin/watchdog.ts";

// A process that is watched: `standing` lets its loop stand still, `hanging` has a batch that never ends, `living` says for how long it has lived.

const [what = "", afterMs = "1000"] = process.argv.slice(2);
const watched = watchdog({ busyMs: () => (what === "hanging" ? Number(afterMs) : 0), afterMs: Number(afterMs) });
process.stdout.write("watched\n");
if (what === "standing") for (;;);
if (what === "living") {
  // Longer than it would be left alone standing still; then it ends by itself.
  const wait = new Int32Array(new SharedArrayBuffer(4));
  for (let n = 0; n < 8; n += 1) {
    Atomics.wait(wait, 0, 0, Number(afterMs) / 4);
    await new Promise((turn) => setImmediate(turn));
  }
  await watched.stop();
} else process.stdin.resume(); // Its loop turns until somebody ends it.
