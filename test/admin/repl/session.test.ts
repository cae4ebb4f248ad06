import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { LINES_MAX, readHistory, writeHistory } from "../../../admin/repl/line_history.ts";
import { runScript } from "../../../admin/repl/script.ts";
import { type Outlets, Session } from "../../../admin/repl/session.ts";
import { verbNamed } from "../../../admin/verbs.ts";
import type { Writer } from "../../../admin/writer.ts";
import { type SettableClock, settableClock } from "../../../engine/clock.ts";
import { RuleTable } from "../../../engine/rule_table.ts";
import { failureOf } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";
import { inTempFolder } from "../../kit/temp_folder.ts";
import { TINY_RULES, tinyEngine } from "../../kit/tiny_grid.ts";

const test = suite("a session of the REPL");

interface Scene {
  readonly session: Session;
  readonly clock: SettableClock;
  /** What a line gives: data, then everything else. */
  says(line: string): Promise<readonly [out: string, note: string]>;
  readonly heard: Heard;
}

/** Keeps what is said. */
class Heard implements Outlets {
  all = { out: "", note: "" };

  readonly out = (text: string): void => {
    this.all.out += text;
  };

  readonly note = (text: string): void => {
    this.all.note += text;
  };
}

async function scene({ widthMax = null as number | null, cwd = ".", writer = null as Writer | null } = {}): Promise<Scene> {
  const engine = tinyEngine();
  const reading = (n: number, kwh: number) => ({
    event_id: `e${n}`,
    meter_id: `SM-N-0000${n}`,
    timestamp: "2025-06-15T16:00:00Z",
    reading_kwh: kwh,
  });
  await engine.take("smart_meter", [reading(1, 60), reading(2, 5), reading(3, 7)]);
  const known = { view: engine, rules: TINY_RULES, ruleTable: new RuleTable([]), schemas: new Map() };
  const clock = settableClock();
  const session = new Session({
    asker: { ask: async (verb, query) => verbNamed(verb).ask(known, query) },
    writer,
    clock,
    screen: () => (widthMax === null ? null : { widthMax, color: false }),
    format: "table",
    limit: 100,
    cwd,
  });
  const heard = new Heard();
  return {
    session,
    clock,
    heard,
    async says(line) {
      heard.all = { out: "", note: "" };
      await session.run(line, heard, new AbortController().signal);
      return [heard.all.out, heard.all.note];
    },
  };
}

const LS = "id\tstatus\topen\tclock\nSM-N-00001\tACTIVE\t1\t2025-06-15T16:00:00Z\n";

test("an answer is a table, or what the line or the session says", async () => {
  const { says } = await scene();
  assert.equal(await says("ls meter SM-N-00001"), [LS, ""]);
  assert.equal(await says("ls meter | json | count"), ["3\n", ""]);
  assert.match((await says("ls meter SM-N-00001 | csv"))[0], /^id,kind,status,openAlerts,clock\nSM-N-00001,meter,ACTIVE,1,/);
  await says("\\format jsonl");
  assert.is(JSON.parse((await says("ls meter SM-N-00001"))[0]).id, "SM-N-00001");
  await says("\\format table");
  await says("\\x on");
  assert.match((await says("ls meter SM-N-00001"))[0], /^id {10}SM-N-00001\nkind/);
});

test("\\x auto turns what is wider than the terminal, and nothing else", async () => {
  const narrow = await scene({ widthMax: 30 });
  await narrow.says("\\x auto");
  assert.match((await narrow.says("ls meter SM-N-00001"))[0], /^id {10}SM-N-00001\n/);
  const wide = await scene({ widthMax: 100 });
  await wide.says("\\x auto");
  assert.match((await wide.says("ls meter SM-N-00001"))[0], /^id {10}status/);
});

test("heads, greps, files and limits cut, and say so where nobody asked for it", async () => {
  await inTempFolder(async (cwd) => {
    const { says } = await scene({ cwd });
    assert.equal((await says("ls meter | head 2"))[0].split("\n").length, 4);
    assert.equal(await says("ls meter | grep n-00002"), ["SM-N-00002\tACTIVE\t0\t2025-06-15T16:00:00Z\n", ""]);
    await says("\\limit 2");
    assert.is((await says("ls meter"))[1], "2 of at least 3; add --limit 3\n");
    const [out, note] = await says("ls meter SM-N-00001 | > list.txt");
    assert.equal([out, note], ["", `written to ${join(cwd, "list.txt")}\n`]);
    assert.is(readFileSync(join(cwd, "list.txt"), "utf8"), LS);
  });
});

test("\\watch repeats the last line until it has done so often enough, or too few rows come", async () => {
  const { says, clock, heard } = await scene();
  await says("ls meter SM-N-00001");
  const watched = says("\\watch 5 c=3");
  for (let n = 0; n < 2; n += 1) {
    await clock.asleep();
    clock.advance(5_000);
  }
  await watched;
  assert.is(heard.all.out, LS.repeat(3));
  await says("\\watch m=2");
  assert.is(heard.all.out, LS);
});

test("a script's code is that of its last line that failed; --bail stops at the first; control characters are escaped", async () => {
  const { session } = await scene();
  const lines = ["# nothing", "", "inspect SM-N-00009", "inspcet", "ls meter SM-N-00001", "\\q", "inspcet"];
  const heard = new Heard();
  assert.is(await runScript(session, lines, heard, { isBailing: false, isJson: false }), 2);
  assert.equal([heard.all.out, heard.all.note.match(/^error:/gm)?.length], [LS, 2]);
  heard.all.note = "";
  assert.is(await runScript(session, ["inspect \u001b[2J", "inspcet"], heard, { isBailing: true, isJson: false }), 4);
  assert.not.ok(heard.all.note.includes("\u001b"));
});

test("help lists the verbs and explains one", async () => {
  const { says } = await scene();
  for (const verb of ["inspect", "history", "alerts", "ls", "tree", "top", "count", "quarantine show"])
    assert.ok((await says("help"))[0].includes(`  ${verb} `));
  assert.match((await says("help history"))[0], /^history ID \[--known-at TIME\] \[--all\] \[--limit NUMBER\]\n/);
});

test("lines are kept for the next session: latest first, each once, none that begins with a space, in a file of one's own", () =>
  inTempFolder(async (folder) => {
    const path = join(folder, "gridactor/history");
    writeHistory(path, ["count", " secret", "inspect a", "count"]);
    assert.equal(readHistory(path), ["count", "inspect a"]);
    assert.is(statSync(path).mode & 0o777, 0o600);
    writeHistory(
      path,
      Array.from({ length: LINES_MAX + 5 }, (_, n) => `inspect ${n}`),
    );
    assert.equal([readHistory(path).length, readHistory(path)[0]], [LINES_MAX, "inspect 0"]);
    assert.equal(readHistory(join(folder, "none")), []);
  }));

test("a line that changes something is refused without --write, asked back where somebody can answer, and never repeated", async () => {
  const refused = await failureOf((await scene()).says("ack ALR-1"));
  assert.equal([refused.exit, refused.hint], [2, "gridactor repl --write"]);
  const written: unknown[] = [];
  const event = { type: "energy.alert.acknowledged.v1", sequence: "7", subject: "meter/a", time: "2025-06-15T16:00:00Z" };
  const data = { severity: "major", rule: "meter.spike", alertId: "ALR-1", observation: { value: 60 }, suppressedBy: null };
  const writer: Writer = {
    write: async (verb, query) => {
      written.push([verb, query]);
      return { value: { ...event, data } };
    },
  };
  const { session, says, heard } = await scene({ writer });
  assert.ok((await says("ack ALR-1 resolve reason text 'seen at the desk' | json"))[0].includes('"ALR-1"'));
  assert.equal(written, [["ack", { alertId: "ALR-1", resolve: true, reasonText: "seen at the desk" }]]);
  const asked: string[] = [];
  const answering = (answer: boolean) => ({
    ...heard,
    out: heard.out,
    note: heard.note,
    confirm: async (question: string) => {
      asked.push(question);
      return answer;
    },
  });
  const never = new AbortController().signal;
  assert.is((await failureOf(session.run("ack ALR-1", answering(false), never))).code, "REFUSED");
  await session.run("ack ALR-1 | json", answering(true), never);
  await session.run("ack ALR-1 --yes | json", answering(false), never);
  assert.equal([asked.length, written.length], [2, 3]);
  assert.is((await failureOf(says("\\watch 1 c=1"))).exit, 2);
});
