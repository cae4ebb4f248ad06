// timeout: 600 s
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cp, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as assert from "uvu/assert";
import { ROOT } from "./kit/grid_folder.ts";
import { executed, isAsShown, newClone, type Step, stepsOf } from "./kit/guide.ts";
import { tool } from "./kit/package_folder.ts";
import { notRun, suite } from "./kit/suite.ts";
import { removeFolder } from "./kit/temp_folder.ts";

// Reads the README and the guide as a new user does: every command that they show, in order, in a clone. `UPDATE_GUIDE=1` writes into the pages of the
// checkout what the commands print now.

const test = suite("guide");

const isUpdating = process.env["UPDATE_GUIDE"] !== undefined;
const hasTerminal = spawnSync("script", ["--version"]).error === undefined;
const guidePages = existsSync(join(ROOT, "docs")) ? readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md")) : [];

/** What a run leaves. */
const MADE = ["state", "out"];

let clone = "";
test.before(async () => {
  clone = await newClone();
});
test.after(() => removeFolder(dirname(clone)));

test("the README can be followed: each command that it shows prints what it shows", async () => {
  if (!hasTerminal) return notRun("README", "no `script` to make a terminal with (util-linux)");
  try {
    await follow("README.md", stepsOf(readFileSync(join(ROOT, "README.md"), "utf8")));
  } finally {
    for (const made of MADE) await rename(join(clone, made), join(clone, "..", made)); // For the pages of the guide.
  }
  return undefined;
});

test("the real npx finds the command", async () => {
  const { code, stdout } = await tool("npx", ["gridactor", "--version"], clone);
  assert.equal([code, stdout], [0, `${(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string }).version}\n`]);
});

test("`npm start` runs, is asked from beside it as the README says, and stops at once", async () => {
  const env = { ...process.env, GRIDACTOR__ADMIN__HTTP__PORT: "0" };
  const child = spawn("npm", ["start"], { cwd: clone, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const ended = once(child, "exit");
  let output = "";
  const isUp = new Promise<void>((up, down) => {
    const look = (chunk: Buffer): void => {
      output += chunk.toString();
      if (output.includes("stage 2 is read")) up();
    };
    child.stdout.on("data", look);
    child.stderr.on("data", look);
    void ended.then(() => down(new Error(output)));
  });
  try {
    await isUp;
    const readme = readFileSync(join(ROOT, "README.md"), "utf8");
    const beside = /In a second terminal.*?```\n(.*?)```/s.exec(readme)?.[1]?.trimEnd().split("\n") ?? [];
    assert.is(beside.length, 3);
    for (const command of beside) {
      const isEndless = command.includes("--follow");
      const { code, lines } = await executed(isEndless ? `${command} | head -n 1` : command, clone);
      assert.is(code, 0, command);
      assert.ok(lines.length > 0, command);
    }
    assert.is(child.exitCode, null, output);
  } finally {
    if (child.exitCode === null) process.kill(-(child.pid ?? 0), "SIGINT"); // As Ctrl-C reaches all of a terminal.
  }
  const [code] = await ended;
  assert.ok(code === 0 || code === 130, `${code}: ${output.slice(-400)}`);
  for (const made of MADE) await rm(join(clone, made), { recursive: true });
});

for (const page of guidePages) {
  test(`docs/${page} can be followed, with the state that the README leaves`, async () => {
    if (!hasTerminal) return notRun(page, "no `script` to make a terminal with (util-linux)");
    for (const made of MADE) await cp(join(clone, "..", made), join(clone, made), { recursive: true });
    const steps = stepsOf(readFileSync(join(ROOT, "docs", page), "utf8"));
    assert.ok(steps.length > 0, "it shows commands");
    await follow(`docs/${page}`, steps);
    for (const made of MADE) await rm(join(clone, made), { recursive: true });
    return undefined;
  });
}

test("every page of the guide is named in the README, and every link in them leads somewhere", () => {
  const pages = ["README.md", ...guidePages.map((name) => `docs/${name}`)];
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  for (const page of guidePages) assert.ok(readme.includes(`docs/${page}`), page);
  for (const page of pages) {
    for (const [, to = ""] of readFileSync(join(ROOT, page), "utf8").matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      if (!to.startsWith("http")) assert.ok(existsSync(join(ROOT, dirname(page), to)), `${page}: ${to}`);
    }
  }
});

test("a difference between a page and the program is seen", () => {
  const [step] = stepsOf("text\n```\n$ echo a\na\n…\nd 0123456789abcdef0123456789abcdef · 2.2 s\n\n```\n");
  assert.equal([step?.command, step?.shown.length, step?.from, step?.to], ["echo a", 3, 2, 6]);
  const shown = step?.shown ?? [];
  assert.ok(isAsShown(shown, ["a", "b", "c", "d fedcba9876543210fedcba9876543210 · 17 s"]));
  assert.ok(isAsShown(shown, ["a", "d fedcba9876543210fedcba9876543210 · 17 s"]));
  assert.not(isAsShown(shown, ["a", "b"]));
  assert.not(isAsShown(shown, ["b", "d fedcba9876543210fedcba9876543210 · 17 s"]));
  assert.not(isAsShown(shown, ["a", "d fedcba9876543210fedcba9876543210 · 17 s", "more"]));
});

async function follow(page: string, steps: readonly Step[]): Promise<void> {
  const text = readFileSync(join(ROOT, page), "utf8").split("\n");
  const wrong: string[] = [];
  for (const step of [...steps]) {
    const { lines } = await executed(step.command, clone);
    if (isAsShown(step.shown, lines)) continue;
    wrong.push(`$ ${step.command}\n--- shown\n${step.shown.join("\n")}\n--- printed\n${lines.join("\n")}`);
    if (isUpdating) updated.set(step, lines);
  }
  if (isUpdating) {
    for (const step of [...steps].reverse()) {
      const lines = updated.get(step);
      if (lines !== undefined) text.splice(step.from + 1, step.to - step.from - 1, ...lines);
    }
    writeFileSync(join(ROOT, page), text.join("\n"));
  } else assert.is(wrong.length, 0, `${page}\n${wrong.join("\n\n")}`);
}

const updated = new Map<Step, readonly string[]>();
