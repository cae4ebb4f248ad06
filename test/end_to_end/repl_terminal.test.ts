// timeout: 180 s
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { DATA, type GridFolder, ROOT, run } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";
import { newTempFolder, removeFolder } from "../kit/temp_folder.ts";

const test = suite("the REPL on a terminal");

const TSX = fileURLToPath(import.meta.resolve("tsx"));
const [TAB, UP, CTRL_C, ENTER] = ["\t", "\u001b[A", "\u0003", "\r"];

/** `script` of util-linux gives the REPL a terminal; where it is missing only what needs none is tested. */
const HAS_TERMINAL = spawnSync("script", ["--version"]).status === 0;

/** Meters are enough. */
const CONFIG = `version: 1
state: ./state
admin: { http: false }
sources:
  meters: { feed: smart_meter, type: landing, location: ${join(DATA, "smart_meter_kafka")}, include: [smart_meter_stream.json], format: jsonl }
sinks: {}
`;

let folder: GridFolder;
test.before(async () => {
  const path = await newTempFolder();
  folder = { path, config: join(path, "gridactor.yaml"), state: join(path, "state"), alerts: "", curated: "" };
  writeFileSync(folder.config, CONFIG);
  const { code, stderr } = await run(["run", "--drain", "--quiet"], folder);
  assert.is(code, 0, stderr);
});
test.after(() => removeFolder(folder.path));

/** A REPL on a terminal of its own. */
class Terminal {
  readonly #child: ChildProcess;
  readonly ended: Promise<readonly unknown[]>;
  #shown = "";
  #look = (): void => {};

  constructor() {
    const words = [process.execPath, "--import", TSX, join(ROOT, "main.ts"), "--config", folder.config, "repl"];
    const env = { ...process.env, XDG_STATE_HOME: join(folder.path, "xdg"), TERM: "xterm", NO_COLOR: "1" };
    this.#child = spawn("script", ["-qefc", words.map((word) => `'${word}'`).join(" "), "/dev/null"], { env, cwd: folder.path });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#shown += text;
      this.#look();
    });
    this.ended = once(this.#child, "close");
  }

  /** Presses keys, and waits until what is shown from then on has this in it. */
  async keys(keys: string, wanted: string | RegExp): Promise<string> {
    this.#shown = "";
    this.#child.stdin?.write(keys);
    await new Promise<void>((resolve, reject) => {
      const isThere = (): boolean => (typeof wanted === "string" ? this.#shown.includes(wanted) : wanted.test(this.#shown));
      this.#look = () => isThere() && resolve();
      this.#look();
      this.ended.then(() => reject(new Error(`ended before ${wanted} in ${JSON.stringify(this.#shown)}`)), reject);
    });
    return this.#shown;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

const onTerminal = HAS_TERMINAL ? test : test.skip;
onTerminal("Tab completes, Up brings back, Ctrl-C drops a line and not the REPL, pipes cut, \\q ends with 0", async () => {
  const terminal = new Terminal();
  try {
    await terminal.keys("", "grid> ");
    await terminal.keys(`insp${TAB}`, "inspect ");
    await terminal.keys(CTRL_C, "grid> ");
    await terminal.keys(`ls trans${TAB}`, "transformer "); // Ids have 100 ms to come, which a busy machine may need for itself.
    await terminal.keys(CTRL_C, "grid> ");
    await terminal.keys(`inspect SM-N-00012${ENTER}`, /meter SM-N-00012 · [\s\S]*grid> /);
    await terminal.keys(`ls meter SM-N- | json | count${ENTER}`, /\b77\b[\s\S]*grid> /);
    await terminal.keys(`inspcet X${ENTER}`, 'unknown verb "inspcet". Did you mean "inspect"?');
    await terminal.keys(`${UP}${UP}${UP}`, "inspect SM-N-00012");
    await terminal.keys(CTRL_C, "grid> ");
    await terminal.keys(` count${ENTER}`, /meter +389[\s\S]*grid> /);
    await terminal.keys(`\\watch 60${ENTER}`, /meter +389/);
    await terminal.keys(CTRL_C, "grid> ");
    await terminal.keys(`\\q${ENTER}`, /$/);
    assert.equal(await terminal.ended, [0, null]);
  } finally {
    terminal.kill();
  }
  const file = join(folder.path, "xdg/gridactor/history");
  assert.is(statSync(file).mode & 0o777, 0o600);
  const lines = readFileSync(file, "utf8");
  assert.match(lines, /^inspect SM-N-00012$/m);
  assert.not.match(lines, /count$\n count/m); // A line that begins with a space is not kept.
});

test("without a terminal the code is that of the last line that failed, and --bail stops at the first", async () => {
  const ended = async (...args: string[]) => {
    const { code, stdout } = await run(["repl", ...args], folder);
    return [code, stdout.split("\n").filter((line) => /^meter\b/.test(line)).length];
  };
  assert.equal(await ended("-c", "count"), [0, 1]);
  assert.equal(await ended("-c", "inspcet X", "-c", "inspect SM-N-9", "-c", "count"), [4, 1]);
  assert.equal(await ended("-c", "inspcet X", "-c", "count", "--bail"), [2, 0]);
});
