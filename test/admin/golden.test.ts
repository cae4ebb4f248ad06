// timeout: 60 s
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { RULES } from "../../actors/rules.ts";
import type { Live } from "../../admin/live.ts";
import { livePieces } from "../../admin/live_asker.ts";
import { Session } from "../../admin/repl/session.ts";
import type { Answer, Known, Query } from "../../admin/verb.ts";
import { VERBS, verbNamed } from "../../admin/verbs.ts";
import { settableClock } from "../../engine/clock.ts";
import { SourceId } from "../../engine/ids.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import { change, customer, given, INSERT, log, oil, production, reading, transformer, viewOf } from "../kit/grid.ts";
import { ROOT } from "../kit/grid_folder.ts";
import { at } from "../kit/puppets.ts";
import { suite } from "../kit/suite.ts";

const test = suite("answers of all verbs");

/**
 * Lines as they are typed, for each verb: what they say as a table, and as JSON, is held to `test/golden/<verb>.txt`. After a change that is meant:
 * `UPDATE_GOLDEN=1 npx tsx test/admin/golden.test.ts`, and look at what has changed.
 */
const LINES: Readonly<Record<string, readonly string[]>> = {
  inspect: ["inspect SM-N-00042", "inspect TRF-N-0034", "inspect TRF-N-0034 --as-of 2024-06-01", "inspect SM-N-0042"],
  history: ["history TRF-N-0034", "history CUST-000123 --all"],
  alerts: ["alerts", "alerts --severity major+", "alerts --rule meter.*", "alerts --under SUB-N-012 --status open"],
  alert: ["alert ALR-2VZ3", "alert ALR-"],
  explain: ["explain ALR-2VZ3", "explain alr-4sz0ywcp5jvg4mnv", "explain 02N6", "explain ALR-2VZ3BWXSWYNB57W5"],
  "why-not": [
    "why-not meter.spike SM-N-00042",
    "why-not transformer.overheating TRF-N-0034",
    "why-not meter.near_zero SM-N-00042",
    "why-not plant.wind_curve REN-SOLAR-015",
    "why-not meter.sustained_drop SM-N-00042",
    "why-not meter.stuck SM-N-00042",
    "why-not meter.spikes SM-N-00042",
  ],
  readings: ["readings SM-N-00042", "readings TRF-N-0034 --since 1h --limit 1"],
  trace: ["trace SM-N-00042 --for 10s", "trace SM-N-00042 --for 11m"],
  lag: ["lag"],
  progress: ["progress"],
  ls: ["ls meter", "ls transformer where status = ACTIVE", "ls meter --where colour=red"],
  tree: ["tree NORTH --depth 3", "tree TRF-N-0034 --as-of 2023-01-01"],
  top: ["top", "top meter --by records", "top --by reading_kwh", "top --by alerts --over 1h", "top --by nothing"],
  count: ["count", "count --by region", "count --by status", "count --by link", "count --by colour"],
  regions: ["regions"],
  "quarantine ls": ["quarantine ls", "quarantine ls --reason bad_type"],
  "quarantine show": ["quarantine show Q-"],
  files: ["files"],
  gaps: ["gaps"],
  "schema ls": ["schema ls"],
  "schema show": ["schema show smart_meter", "schema show smart_metre"],
  "schema rules": ["schema rules"],
  "schema tables": ["schema tables"],
  "schema feeds": ["schema feeds"],
  lint: ["lint"],
  digest: ["digest"],
};

/** A small grid: two versions of a transformer and a customer, readings with a spike and some that are bad, oil that is too hot, a bill, a plant. */
const SCRIPT = [
  transformer("2024-01-01"),
  transformer("2025-06-01", { status: "UNDER_MAINTENANCE" }),
  customer("2024-01-01", { sanctioned_load_kw: 5, account_status: "ACTIVE" }),
  ...Array.from({ length: 12 }, (_, n) => reading(30 * n, 6 + n / 8, { voltage_v: 230 + n, current_a: 20, power_factor: 0.95 })),
  reading(360, 86.412, { voltage_v: 231.8, current_a: 12.6, power_factor: 0.923 }),
  reading(30, 1.5, { event_id: "late-1" }),
  { feed: "smart_meter", record: { event_id: "bad-1", meter_id: "SM-N-00042", timestamp: "soon", reading_kwh: 1 } },
  oil(0, 60),
  oil(10, 99),
  log({ completed_date: "2025-04-07" }),
  change(1, INSERT),
  production(0, 20),
];

async function scene(): Promise<Session> {
  const seen = await given().when(...SCRIPT);
  const live: Live = {
    sources: () => [{ source: SourceId("meters"), feed: "smart_meter", state: "up", behind: 12, watermarkMs: at(350) }],
    sinks: () => [{ sink: "alerts_file", settled: 40, behind: 2, lastSuccess: at(400), retries: 1 }],
    sequence: () => 42,
    log: () => ({ waiting: null, bytes: { alerts: 4_000, curated: 9_000 }, sizeBytesMax: 4_294_967_296 }),
    pace: () => ({ from: { "0": "10" }, to: { "0": "20" }, inputPerSecond: 50.5, processedPerSecond: 9_000 }),
    trace(actor, ear) {
      ear({ actor, message: { type: "reading_measured" }, feed: "smart_meter", position: "file:a/1", late: false });
      return () => {};
    },
  };
  const known: Known = {
    view: viewOf(seen),
    rules: RULES.map(({ id }) => id),
    ruleTable: new RuleTable(RULES, new Map([["meter.stuck", { enabled: false, limits: {}, overrides: [] }]])),
    schemas: new Map(),
    live,
    stops: () => [],
  };
  const ask = async (name: string, query: Query): Promise<Answer> => {
    const verb = verbNamed(name);
    if (verb.stream === undefined) return verb.ask(known, query);
    const pieces: unknown[] = [];
    const one = { ...query, limit: "1" };
    for await (const piece of livePieces(name, known, one, new AbortController().signal, { ask })) pieces.push(piece);
    return { value: pieces };
  };
  const screen = { widthMax: 110, color: false };
  return new Session({ asker: { ask }, writer: null, clock: settableClock(), screen: () => screen, format: "table", limit: 100, cwd: "." });
}

/** What a line says, or why it says nothing. */
async function said(session: Session, line: string): Promise<string> {
  let text = "";
  const add = (more: string): void => {
    text += more;
  };
  try {
    await session.run(line, { out: add, note: add }, new AbortController().signal);
  } catch (error) {
    if (!(error instanceof Error && "text" in error && typeof error.text === "function")) throw error;
    text += `error: ${error.text()}\n`;
  }
  return text.replace(/\b[0-9a-f]{32}\b/g, "<digest>");
}

test("there are lines for every verb", () => {
  assert.equal(
    VERBS.map(({ name }) => name).filter((name) => LINES[name] === undefined),
    ["schema states", "schema alert", "schema config"], // Versions change often; documents of the package have tests of their own.
  );
});

const FOLDER = join(ROOT, "test/golden");

for (const [verb, lines] of Object.entries(LINES)) {
  test(`${verb} says what it has always said, as a table and as JSON`, async () => {
    const session = await scene();
    const parts: string[] = [];
    for (const line of lines) {
      parts.push(`grid> ${line}\n${await said(session, line)}`, `grid> ${line} | json\n${await said(session, `${line} | json`)}`);
    }
    const text = parts.join("\n");
    const file = join(FOLDER, `${verb.replaceAll(" ", "_")}.txt`);
    if (process.env["UPDATE_GOLDEN"] === "1") {
      mkdirSync(FOLDER, { recursive: true });
      writeFileSync(file, text);
    }
    assert.ok(existsSync(file), `${file} is there: UPDATE_GOLDEN=1 makes it`);
    assert.is(text, readFileSync(file, "utf8"), verb);
  });
}
