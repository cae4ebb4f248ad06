import { spawnSync } from "node:child_process";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { type Log, type LogOptions, openLog } from "../../admin/log.ts";
import { seconds } from "../../engine/duration.ts";
import { suite } from "../kit/suite.ts";

const test = suite("log");
const NOON = Date.UTC(2025, 5, 15, 12);

test("a line is JSON with time, level, event and message, and what it is about", () => {
  const { log, lines } = opened();
  log.info("engine.ready", "ready in 1.4 s", { source: "meters", position: "file:9f2c/417" });
  assert.equal(lines(), [
    {
      level: "info",
      time: "2025-06-15T12:00:00.000Z",
      event: "engine.ready",
      source: "meters",
      position: "file:9f2c/417",
      msg: "ready in 1.4 s",
    },
  ]);
});

test("levels below the one asked for are silent", () => {
  const { log, lines } = opened({ level: "warn" });
  log.info("engine.ready", "x");
  log.debug("engine.ready", "x");
  log.warn("source.retry", "x");
  assert.is(lines().length, 1);
});

test("an error is told by type, message and stack", () => {
  const { log, lines } = opened();
  log.error("store.flush_failed", "x", { err: new TypeError("broken") });
  const [line] = lines() as { err: { type: string; message: string; stack: string } }[];
  assert.equal([line?.err.type, line?.err.message, line?.err.stack.includes("log.test.ts")], ["TypeError", "broken", true]);
});

test("repeats within 10 s become one line that counts them", () => {
  const { log, lines, clock } = opened();
  for (let n = 0; n < 5; n += 1) log.warn("source.retry", `attempt ${n}`, { source: "meters", n });
  log.warn("source.retry", "another source", { source: "billing" });
  assert.is(lines().length, 2, "the first of each is written at once");
  clock.nowMs += seconds(10);
  log.warn("source.retry", "attempt 5", { source: "meters" });
  const [, , folded, next] = lines() as { msg: string; repeated?: number; n?: number }[];
  assert.equal([folded?.msg, folded?.repeated, folded?.n], ["attempt 4", 4, 4]);
  assert.equal([next?.msg, next?.repeated], ["attempt 5", undefined]);
  log.close();
  assert.is(lines().length, 4, "one that did not repeat is not told again");
});

test("life cycle is never held back, and closing or dying tells what was", () => {
  const { log, lines } = opened();
  log.info("engine.progress", "1");
  log.info("engine.progress", "2");
  log.error("quarantine.row", "a");
  log.error("quarantine.row", "b");
  log.fatal("engine.failed", "dead");
  assert.equal(
    (lines() as { msg: string }[]).map(({ msg }) => msg),
    ["1", "2", "a", "b", "dead"],
  );
});

test("secrets are masked by key and by value, also where they are cut or escaped", () => {
  const secret = 'canary"\\long-and-quoted';
  const { log, text } = opened({ secrets: [secret, "abc"] });
  log.info("admin.write", `to ${secret}`, { password: "canary-1", customer_name: "canary-2", nested: { token: "canary-3" } });
  log.info("admin.write", "x", { url: `https://h/${secret}`, list: [secret], long: `${"x".repeat(248)}${secret}` });
  log.info("admin.write", "x", { err: new Error(`refused ${secret}`), object: { deep: { er: `${"y".repeat(225)}${secret}` } } });
  log.info("admin.write", "short secrets would mask every line: abc");
  assert.is.not(text().includes("canary"), true);
  assert.ok(text().includes("every line: abc"));
});

test("values are cut at 256 characters", () => {
  const { log, lines } = opened();
  log.info("engine.progress", "m".repeat(300), { a: "a".repeat(300), b: { c: "c".repeat(300) }, short: { d: 1 } });
  const [line] = lines() as { msg: string; a: string; b: string; short: unknown }[];
  assert.equal([line?.msg.length, line?.a.length, line?.b.length, line?.short], [256, 256, 256, { d: 1 }]);
});

test("no control character reaches the terminal in either form", () => {
  for (const screen of [null, { widthMax: 80, color: false }]) {
    const { log, text } = opened({ screen });
    log.info("file.refused", "a\u001b[2J\u009b\u202e\nb", { position: "\u001b\u009b\r\n" });
    assert.is.not(/[^\x20-\x7e\n]/.test(text()), true);
    assert.is(text().split("\n").length, 2);
  }
});

test("a terminal gets one line for people, coloured only if it can", () => {
  const plain = opened({ screen: { widthMax: 80, color: false } });
  plain.log.warn("source.retry", "again", { source: "meters", err: new Error("gone"), n: 3 });
  assert.is(plain.text(), "12:00:00Z  warn   source.retry  again  source=meters n=3 err=gone\n");
  const colored = opened({ screen: { widthMax: 80, color: true } });
  colored.log.warn("source.retry", "again");
  assert.ok(colored.text().includes("\u001b[33mwarn"));
});

test("what is fatal is written before the process dies", () => {
  const script = `
    import { openLog } from ${JSON.stringify(join(import.meta.dirname, "../../admin/log.ts"))};
    const log = openLog({ level: "info", screen: null });
    for (let n = 0; n < 1000; n += 1) log.info("engine.progress", String(n));
    log.fatal("engine.failed", "the last word");
    process.kill(process.pid, "SIGKILL");`;
  const { stderr, stdout, signal } = spawnSync(
    process.execPath,
    ["--import", import.meta.resolve("tsx"), "--input-type=module", "-e", script],
    { encoding: "utf8" },
  );
  assert.is(signal, "SIGKILL");
  assert.is(stdout, "", "stdout is for answers");
  const lines = stderr.trimEnd().split("\n");
  assert.is(lines.length, 1_001);
  assert.is(JSON.parse(lines.at(-1) ?? "{}").msg, "the last word");
});

function opened(options: Partial<LogOptions> = {}): {
  readonly log: Log;
  readonly clock: { nowMs: number };
  readonly text: () => string;
  readonly lines: () => readonly unknown[];
} {
  const written: string[] = [];
  const clock = { nowMs: NOON };
  const output = { write: (line: string) => written.push(line), flushSync: () => {} };
  const log = openLog({ level: "trace", screen: null, output, nowMs: () => clock.nowMs, ...options });
  const text = (): string => written.join("");
  return {
    log,
    clock,
    text,
    lines: () =>
      text()
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
  };
}
