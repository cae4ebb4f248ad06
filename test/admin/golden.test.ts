// timeout: 60 s
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { GRID } from "../../actors/registry.ts";
import { RULES } from "../../actors/rules.ts";
import type { Asker } from "../../admin/asker.ts";
import type { Live } from "../../admin/live.ts";
import { livePieces } from "../../admin/live_asker.ts";
import { Session } from "../../admin/repl/session.ts";
import type { Stop } from "../../admin/stop.ts";
import type { Answer, Known, Query } from "../../admin/verb.ts";
import { VERBS, verbNamed, WRITE_VERBS } from "../../admin/verbs.ts";
import { liveWriter, type Writer } from "../../admin/writer.ts";
import { settableClock } from "../../engine/clock.ts";
import { type Command, type CommandOutcome, carryOut } from "../../engine/command.ts";
import { COMMANDS } from "../../engine/commands.ts";
import { hours } from "../../engine/duration.ts";
import { invariant } from "../../engine/fault.ts";
import { Position, SourceId } from "../../engine/ids.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import type { Batch, Source } from "../../engine/source.ts";
import type { Store } from "../../engine/store.ts";
import { Turn } from "../../engine/turn.ts";
import { World } from "../../engine/world.ts";
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

/** What a session speaks with: readers have no writer. */
interface Partners {
  readonly known: Known;
  readonly asker: Asker;
}

async function scene(): Promise<Session> {
  return sessionOf(partners((await given().when(...SCRIPT)).store), null);
}

function sessionOf({ asker }: Partners, writer: Writer | null): Session {
  const screen = { widthMax: 110, color: false };
  return new Session({ asker, writer, clock: settableClock(), screen: () => screen, format: "table", limit: 100, cwd: "." });
}

function partners(store: Store, stops: readonly Stop[] = []): Partners {
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
    view: viewOf({ store }),
    rules: RULES.map(({ id }) => id),
    ruleTable: new RuleTable(RULES, new Map([["meter.stuck", { enabled: false, limits: {}, overrides: [] }]])),
    schemas: new Map(),
    live,
    stops: () => stops,
  };
  const ask = async (name: string, query: Query): Promise<Answer> => {
    const verb = verbNamed(name);
    if (verb.stream === undefined) return verb.ask(known, query);
    const pieces: unknown[] = [];
    const one = { ...query, limit: "1" };
    for await (const piece of livePieces(name, known, one, new AbortController().signal, { ask })) pieces.push(piece);
    return { value: pieces };
  };
  return { known, asker: { ask } };
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

/**
 * Lines that change something, for each verb, said one after another to an engine of their own: first as tables, then to another engine as JSON. The
 * last ones are refused.
 */
const WRITES: Readonly<Record<string, readonly string[]>> = {
  ack: ["ack ALR-2VZ3 --reason-text seen", "ack ALR-2VZ3", "ack ALR-02N6 --resolve", "ack ALR-02N6", "ack ALR-XXXX"],
  shelve: [
    "shelve ALR-2VZ3 --for 2h --reason-text crew",
    "shelve ALR-2VZ3 --for 9h",
    "shelve ALR-02N6 --for 9h --force",
    "shelve ALR-2VZ3",
  ],
  "accept-gap": ["accept-gap meters", "accept-gap meters --reason-text known", "accept-gap metres"],
  "files retry": ["files retry 2025/b.json", "files retry 2025/b.json", "files retry 2025/c.json"],
  "quarantine retry": ["quarantine retry Q-Q4WQ", "quarantine retry Q-Q4WQ", "quarantine retry Q-GCVC", "quarantine retry Q-XXXX"],
  "quarantine drop": ["quarantine drop Q-GCVC --reason-text noise", "quarantine drop Q-GCVC", "quarantine retry Q-GCVC"],
  "schema approve": [
    "schema approve smart_meter tariff_slot bigint",
    "schema approve smart_meter tariff_slot bigint",
    "schema approve smart_meter voltage_v string",
    "schema approve smart_meter tariff_slot number",
    "schema approve smart_metre tariff_slot bigint",
  ],
  "schema ignore": [
    "schema ignore smart_meter tariff_slot",
    "schema ignore smart_meter tariff_slot",
    "schema ignore smart_meter voltage_v",
  ],
};

/** With a record that was too early for the engine of then, a column that nobody knows, and a file that was given up. */
async function writeScene(): Promise<Session> {
  const other = (minute: number, changes: object) => reading(minute, 7, { meter_id: "SM-N-00043", ...changes });
  const early = { ...other(390, { event_id: "early-1" }), arrivedAtMs: at(0) };
  const { store } = await given().when(...SCRIPT, early, other(300, { tariff_slot: 2 }), other(330, { tariff_slot: "peak" }));
  const limits = { ...DEFAULT_LIMITS, futureMs: hours(24) };
  const world = new World({ name: "main", domain: GRID, rules: new RuleTable(RULES), schemas: new Map(), limits }, store);
  const turn = new Turn(world);
  const intake = { source: SourceId("meters"), feed: "smart_meter", mode: "delta", origin: "live" } as const;
  const file = { path: "2025/b.json", sizeBytes: 1_234, contentId: "b", etag: null, rows: 0, faults: 0, row: 0 };
  const stood = (state: string, error: string | null): Batch => ({
    origin: "file:b/",
    path: file.path,
    generation: 0,
    records: [],
    resumeAt: new Map([[file.path, Position(JSON.stringify({ ...file, state, error }))]]),
    idle: false,
  });
  await store.commit(turn.run(intake, stood("quarantined", "no line of it is JSON")));
  const source: Source = {
    id: intake.source,
    read: async function* () {
      yield* [];
    },
    again: (path) => (fileState(store) === "quarantined" && path === file.path ? stood("discovered", null) : null),
  };
  const stops = ["t/0", "t/1"].map((partition) => ({ source: "meters", partition, reason: "offsets 5 to 9 are gone", isGap: true }));
  const { known, asker } = partners(store, stops);
  const readings = { source, intake: { ...intake, source: SourceId("smart_meter") } };
  const carry = (command: Command): Promise<CommandOutcome> => {
    const handler = COMMANDS[command.verb];
    invariant(handler !== undefined, "somebody carries it out");
    return carryOut(command, handler, { world, turn, store, sources: [{ source, intake }, readings] });
  };
  return sessionOf({ known, asker }, liveWriter({ carryOut: carry, asker, known, nowMs: () => at(1_000), log: { info: () => {} } }));
}

function fileState(store: Store): unknown {
  const bytes = store.get("position", "meters\x002025/b.json");
  return bytes === null || bytes === undefined ? null : (JSON.parse(Buffer.from(bytes).toString()) as { readonly state: string }).state;
}

test("there are lines for every verb", () => {
  assert.equal(
    VERBS.map(({ name }) => name).filter((name) => LINES[name] === undefined),
    ["schema states", "schema alert", "schema config"], // Each is held to where its answer comes from, below.
  );
  assert.equal(
    WRITE_VERBS.map(({ name }) => name).filter((name) => WRITES[name] === undefined),
    [],
  );
});

for (const name of ["alert", "config"]) {
  test(`schema ${name} says the document of the package, in any form`, async () => {
    const document: unknown = JSON.parse(readFileSync(join(ROOT, `schemas/${name}.schema.json`), "utf8"));
    const session = await scene();
    for (const line of [`schema ${name}`, `schema ${name} | json`]) assert.equal(JSON.parse(await said(session, line)), document, line);
  });
}

test("schema states counts the actors of each kind at the version that is written now, as a table and as JSON", async () => {
  const session = await scene();
  const counts = JSON.parse(await said(session, "count | json")) as Readonly<Record<string, number>>;
  const rows = JSON.parse(await said(session, "schema states | json")) as readonly {
    readonly kind: string;
    readonly version: number;
    readonly actors: number;
  }[];
  const expected = GRID.behaviours.flatMap(({ kind, version }) => (counts[kind] ? [`${kind} ${version} ${counts[kind]}`] : []));
  assert.equal(rows.map(({ kind, version, actors }) => `${kind} ${version} ${actors}`).sort(), [...expected].sort());
  const [head, ...lines] = (await said(session, "schema states")).trimEnd().split("\n");
  assert.is(head?.trim().replace(/ +/g, " "), "kind version actors");
  assert.equal(lines.map((line) => line.trim().replace(/ +/g, " ")).sort(), [...expected].sort());
});

const FOLDER = join(ROOT, "test/golden");

/** Holds a text to the file of its verb, or makes the file. */
function hold(verb: string, text: string): void {
  const file = join(FOLDER, `${verb.replaceAll(" ", "_")}.txt`);
  if (process.env["UPDATE_GOLDEN"] === "1") {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(file, text);
  }
  assert.ok(existsSync(file), `${file} is there: UPDATE_GOLDEN=1 makes it`);
  assert.is(text, readFileSync(file, "utf8"), verb);
}

for (const [verb, lines] of Object.entries(LINES)) {
  test(`${verb} says what it has always said, as a table and as JSON`, async () => {
    const session = await scene();
    const parts: string[] = [];
    for (const line of lines) {
      parts.push(`grid> ${line}\n${await said(session, line)}`, `grid> ${line} | json\n${await said(session, `${line} | json`)}`);
    }
    hold(verb, parts.join("\n"));
  });
}

for (const [verb, lines] of Object.entries(WRITES)) {
  test(`${verb} answers what it has always answered to whoever changes something, as a table and as JSON`, async () => {
    const parts: string[] = [];
    for (const form of ["", " | json"]) {
      const session = await writeScene();
      for (const line of lines) parts.push(`grid> ${line}${form}\n${await said(session, `${line}${form}`)}`);
    }
    hold(verb, parts.join("\n"));
  });
}
