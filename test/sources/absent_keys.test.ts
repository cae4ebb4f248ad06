import { setImmediate } from "node:timers/promises";
import * as assert from "uvu/assert";
import { GRID } from "../../actors/registry.ts";
import { RULES } from "../../actors/rules.ts";
import { history } from "../../admin/history.ts";
import { emissionDecoder } from "../../engine/emission_codec.ts";
import { SourceId } from "../../engine/ids.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import { decodeQuarantine } from "../../engine/quarantine.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import type { Store } from "../../engine/store.ts";
import { Turn } from "../../engine/turn.ts";
import { World } from "../../engine/world.ts";
import { landingZone } from "../../sources/landing_zone.ts";
import { inLandingFolder, type LandingFolder, START_MS } from "../kit/landing_folder.ts";
import { suite } from "../kit/suite.ts";

// Snapshots of customers whose `absentMeans` is `delete`, from the folder to the histories.
const test = suite("absent keys");

const FEED = "customer_master";
const IDS = Array.from({ length: 40 }, (_, n) => `CUST-${String(n + 1).padStart(6, "0")}`);
const [FIRST = "", SECOND = "", THIRD = ""] = IDS;

interface Row {
  readonly customer_id: string;
  readonly state?: string;
  readonly record_effective_date?: string;
}

const rows = (ids: readonly string[]): readonly Row[] => ids.map((customer_id) => ({ customer_id }));
const without = (...gone: readonly string[]): readonly Row[] => rows(IDS.filter((id) => !gone.includes(id)));
const lines = (some: readonly (Row | string)[]): string =>
  some
    .map((row) => (typeof row === "string" ? row : JSON.stringify({ state: "Delhi", record_effective_date: "2024-01-01", ...row })))
    .map((text) => `${text}\n`)
    .join("");

/** A process over the folder, which ends once everything is read, or after so many batches. */
async function drain(folder: LandingFolder, store: Store, batchesMax = Number.POSITIVE_INFINITY): Promise<void> {
  const world = new World({ name: "main", domain: GRID, rules: new RuleTable(RULES), schemas: new Map(), limits: DEFAULT_LIMITS }, store);
  const turn = new Turn(world);
  const source = landingZone(folder.zone({ absentees: () => world.absentees(FEED) }));
  const intake = { source: SourceId("zone"), feed: FEED, mode: "snapshot", origin: "live" } as const;
  let batches = 0;
  for await (const batch of source.read(folder.positions, new AbortController().signal)) {
    if (batches === batchesMax) return;
    batches += 1;
    await store.commit(turn.run(intake, batch));
    folder.store([batch]);
    source.stored?.(batch.resumeAt);
  }
}

/** `[from,to)` of a customer's versions; a customer that was never told of has none. */
function lived(store: Store, id: string): string {
  const view = { store, domain: GRID, decode: emissionDecoder("main", GRID.tables) };
  return history(view, id)
    .map(({ validFrom, validTo }) => `[${validFrom},${validTo ?? "∞"})`)
    .join(" ");
}

const ALIVE = "[2024-01-01,∞)";
const aliveIn = (store: Store): number => IDS.filter((id) => lived(store, id) === ALIVE).length;

test("what a later snapshot lacks ends on the day in its name, and all else stands", () =>
  inLandingFolder(async (folder) => {
    const store = openMemoryStore();
    await folder.write("c_20250101.json", lines(rows(IDS)));
    await folder.write("c_20250201.json", lines(without(FIRST, SECOND)));
    await drain(folder, store);
    assert.equal(
      [FIRST, SECOND, THIRD].map((id) => lived(store, id)),
      ["[2024-01-01,2025-02-01)", "[2024-01-01,2025-02-01)", ALIVE],
    );
    assert.is(aliveIn(store), 38);
    assert.equal([folder.entry("c_20250201.json").state, folder.entry("c_20250201.json").rows], ["committed", 38]);
  }));

test("a snapshot without a date in its name speaks for the day on which it came", () =>
  inLandingFolder(async (folder) => {
    const store = openMemoryStore();
    await folder.write("a.json", lines(rows(IDS)));
    await folder.write("b.json", lines(without(FIRST)));
    await drain(folder, store);
    assert.is(new Date(START_MS).toISOString().slice(0, 10), "2025-06-15");
    assert.is(lived(store, FIRST), "[2024-01-01,2025-06-15)");
  }));

test("a snapshot that shrank by half is quarantined before any row of it is used", () =>
  inLandingFolder(async (folder) => {
    const store = openMemoryStore();
    await folder.write("c_20250101.json", lines(rows(IDS)));
    const half = IDS.slice(0, 20).map((customer_id) => ({ customer_id, state: "Goa", record_effective_date: "2025-02-01" }));
    await folder.write("c_20250201.json", lines(half));
    await drain(folder, store);
    assert.is(aliveIn(store), 40);
    const refused = [...store.range("quarantine", "")].map(([, bytes]) => decodeQuarantine(bytes));
    assert.equal(
      refused.map(({ reason }) => reason),
      ["snapshot_shrunk"],
    );
    assert.match(refused[0]?.error ?? "", /^the snapshot lacks 20 of 40 keys: nothing of it is used/);
    assert.ok(
      Buffer.from(refused[0]?.bytes ?? [])
        .toString()
        .includes("Goa"),
      "what came is kept",
    );
    assert.equal([folder.entry("c_20250201.json").state, folder.entry("c_20250201.json").error], ["quarantined", "snapshot_shrunk"]);
  }));

for (const [gone, alive] of [
  [9, 31],
  [10, 40],
] as const) {
  test(`${gone} of 40 keys absent leave ${alive}: a share of them counts from ten on`, () =>
    inLandingFolder(async (folder) => {
      const store = openMemoryStore();
      await folder.write("c_20250101.json", lines(rows(IDS)));
      await folder.write("c_20250201.json", lines(rows(IDS.slice(gone))));
      await drain(folder, store);
      assert.is(aliveIn(store), alive);
    }));
}

test("a row that cannot be read may be of any key: nothing ends because of such a file", () =>
  inLandingFolder(async (folder) => {
    const store = openMemoryStore();
    await folder.write("c_20250101.json", lines(rows(IDS)));
    await folder.write("c_20250201.json", lines([...without(FIRST, SECOND), "{"]));
    await drain(folder, store);
    assert.is(aliveIn(store), 40);
    assert.equal(
      [...store.range("quarantine", "")].map(([, bytes]) => decodeQuarantine(bytes).reason),
      ["bad_json"],
    );
  }));

test("keys that begin later, and those that have ended before, are not absent, however many they are", () =>
  inLandingFolder(async (folder) => {
    const store = openMemoryStore();
    const later = Array.from({ length: 20 }, (_, n) => ({ customer_id: `CUST-0001${n + 10}`, record_effective_date: "2025-03-01" }));
    const ended = Array.from({ length: 20 }, (_, n) => ({ customer_id: `CUST-0002${n + 10}`, record_end_date: "2024-06-01" }));
    await folder.write("c_20250101.json", lines([...rows(IDS), ...later, ...ended]));
    await folder.write("c_20250201.json", lines(without(FIRST)));
    await drain(folder, store);
    assert.is(folder.entry("c_20250201.json").state, "committed");
    assert.is(lived(store, FIRST), "[2024-01-01,2025-02-01)");
    assert.equal([lived(store, "CUST-000110"), lived(store, "CUST-000210")], ["[2025-03-01,∞)", "[2024-01-01,2024-06-01)"]);
  }));

test("a key that is back in a later snapshot begins again on its day, under its old date too", () =>
  inLandingFolder(async (folder) => {
    const store = openMemoryStore();
    await folder.write("c_20250101.json", lines(rows(IDS)));
    await folder.write("c_20250201.json", lines(without(FIRST)));
    await folder.write("c_20250301.json", lines(rows(IDS)));
    await drain(folder, store);
    assert.is(lived(store, FIRST), "[2024-01-01,2025-02-01) [2025-03-01,∞)");
  }));

test("a snapshot that is replaced by a complete one has missed nobody", () =>
  inLandingFolder(async (folder) => {
    const store = openMemoryStore();
    await folder.write("c_20250101.json", lines(rows(IDS)));
    await folder.write("c_20250201.json", lines(without(FIRST)));
    await drain(folder, store);
    assert.is(lived(store, FIRST), "[2024-01-01,2025-02-01)");
    await folder.write("c_20250201.json", lines(without(FIRST)) + lines(rows([FIRST]))); // As if it had grown.
    await drain(folder, store);
    assert.is(lived(store, FIRST), ALIVE);
    assert.is(folder.entry("c_20250201.json").generation, 1);
  }));

test("a source that reads ahead waits until all before is stored, and only then looks at what is held", () =>
  inLandingFolder(async (folder) => {
    let looks = 0;
    const absentees = () => ({
      add: () => {},
      *gone() {
        looks += 1;
        yield;
        return [];
      },
    });
    await folder.write("c.json", lines(rows(IDS)));
    const source = landingZone(folder.zone({ absentees }));
    const batches = source.read(folder.positions, new AbortController().signal)[Symbol.asyncIterator]();
    const seen = [await batches.next(), await batches.next()];
    const next = batches.next();
    for (let n = 0; n < 50; n += 1) await setImmediate();
    assert.is(looks, 0);
    for (const { value } of seen) source.stored?.(value.resumeAt);
    await next;
    assert.is(looks, 1);
    await batches.return?.();
  }));

test("stopped anywhere and started again, the same keys have ended", async () => {
  for (let batches = 1; batches < 48; batches += 3) {
    await inLandingFolder(async (folder) => {
      const store = openMemoryStore();
      await folder.write("c_20250101.json", lines(rows(IDS)));
      await folder.write("c_20250201.json", lines(without(FIRST, SECOND, THIRD)));
      await drain(folder, store, batches);
      await drain(folder, store);
      assert.is(aliveIn(store), 37, `after ${batches} batches`);
      assert.is(lived(store, THIRD), "[2024-01-01,2025-02-01)");
    });
  }
});
