// timeout: 60 s
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { exporter } from "../../admin/exporter.ts";
import type { StateConfig } from "../../admin/state_view.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { failureOf } from "../kit/failure.ts";
import { suite } from "../kit/suite.ts";
import { inTempFolder } from "../kit/temp_folder.ts";

const test = suite("exports by processes of their own");

const CONFIG: StateConfig = { name: "main", stateDir: "/nowhere", limits: DEFAULT_LIMITS, feeds: new Map() };
const WANTED = { table: "history", form: "jsonl", times: {} } as const;
const never = (): AbortSignal => new AbortController().signal;

/** Begins, and writes for ever. */
const ENDLESS = `process.once("message", () => {
  process.send("begun");
  const write = () => { while (process.stdout.write("x".repeat(65536) + "\\n")); };
  process.stdout.on("drain", write);
  write();
});`;

/** Starts processes that run this text, and keeps them. */
async function inScript(
  text: string,
  body: (start: () => ChildProcess, children: readonly ChildProcess[]) => Promise<void>,
): Promise<void> {
  await inTempFolder(async (folder) => {
    const children: ChildProcess[] = [];
    const module = join(folder, "child.mjs");
    await writeFile(module, text);
    const start = (): ChildProcess => {
      const child = fork(module, { serialization: "advanced", execArgv: [], stdio: ["ignore", "pipe", "inherit", "ipc"] });
      children.push(child);
      return child;
    };
    await body(start, children).finally(() => children.map((child) => child.kill("SIGKILL")));
  });
}

test("a process that cannot be started is RETRY, each time, and takes no place", async () => {
  const stdio: ["ignore", "pipe", "inherit", "ipc"] = ["ignore", "pipe", "inherit", "ipc"];
  const failing = exporter(CONFIG, { atOnceMax: 1, start: () => fork("none.mjs", { execPath: "/nowhere/node", stdio }) });
  for (let n = 0; n < 3; n += 1) {
    const { code, message, cause } = await failureOf(failing.pieces(WANTED, never()));
    assert.equal([code, message], ["RETRY", "no process can be started for the export"]);
    assert.is((cause as NodeJS.ErrnoException).code, "ENOENT");
  }
});

test("neither does one whose start throws", async () => {
  const failure = new Error("no more processes");
  const start = (): ChildProcess => {
    throw failure;
  };
  const throwing = exporter(CONFIG, { atOnceMax: 1, start });
  for (let n = 0; n < 3; n += 1) {
    const { code, message, cause } = await failureOf(throwing.pieces(WANTED, never()));
    assert.equal([code, message, cause], ["RETRY", "no process can be started for the export", failure]);
  }
});

test("a process that ends without a word is RETRY, and takes no place", () =>
  inScript("process.exit(3);", async (start) => {
    const silent = exporter(CONFIG, { atOnceMax: 1, start });
    for (let n = 0; n < 2; n += 1) {
      const { code, message } = await failureOf(silent.pieces(WANTED, never()));
      assert.equal([code, message], ["RETRY", "the export ended before it began"]);
    }
  }));

test("whoever reads no further ends the process, and its place is free", () =>
  inScript(ENDLESS, async (start, children) => {
    const endless = exporter(CONFIG, { atOnceMax: 1, start });
    for (let n = 0; n < 2; n += 1) {
      const pieces = await endless.pieces(WANTED, never());
      const full = await failureOf(endless.pieces(WANTED, never()));
      assert.equal([full.code, full.message], ["RETRY", "1 tables are being exported already"]);
      const child = children.at(-1) as ChildProcess;
      const exit = once(child, "exit");
      for await (const piece of pieces) {
        assert.ok(piece.length > 0);
        break;
      }
      assert.equal(await exit, [null, "SIGKILL"]);
    }
  }));

test("the same where the signal fires while it is read", () =>
  inScript(ENDLESS, async (start, children) => {
    const endless = exporter(CONFIG, { start });
    const gone = new AbortController();
    const pieces = await endless.pieces(WANTED, gone.signal);
    const exit = once(children[0] as ChildProcess, "exit");
    gone.abort();
    assert.equal(await exit, [null, "SIGKILL"]);
    const reading = async (): Promise<void> => {
      for await (const piece of pieces) assert.ok(piece.length > 0);
    };
    assert.is((await failureOf(reading())).message, "the table could not be read to its end");
  }));
