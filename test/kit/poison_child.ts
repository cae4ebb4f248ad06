import { GRID } from "../../actors/registry.ts";
import { RULES } from "../../actors/rules.ts";
import { openLog } from "../../admin/log.ts";
import { drainRun } from "../../daemon.ts";
import type { AnyBehaviour } from "../../engine/population.ts";
import { gridConfig } from "./grid_folder.ts";

// A drain in a process of its own whose meters cannot bear some readings: `poison_child.ts <config> <state> <sign>`. A meter whose key holds the sign
// ends the process when it is given a reading, without a word, as a fault of a native library would. Prints the summary.

const [config = "", state = "", sign = ""] = process.argv.slice(2);
const folder = { path: "", config, state, alerts: "", curated: "" };

const behaviours = GRID.behaviours.map((one): AnyBehaviour => {
  if (one.kind !== "meter") return one;
  return {
    ...one,
    receive(actor, message, out) {
      if (message.type === "reading_measured" && out.self.includes(sign)) process.kill(process.pid, "SIGKILL");
      one.receive(actor, message, out);
    },
  };
});

const log = openLog({ level: "warn", screen: null });
const assembly = { domain: { ...GRID, behaviours }, rules: RULES, sources: new Map(), sinks: new Map() };
const options = { config: { ...gridConfig(folder), stateDir: state }, assembly, log, screen: null, say: () => {} };
const answer = await drainRun(options, new AbortController().signal).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(70);
});
process.stdout.write(JSON.stringify(answer));
log.close();
