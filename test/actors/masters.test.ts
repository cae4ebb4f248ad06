import * as assert from "uvu/assert";
import { history } from "../../admin/history.ts";
import { lint } from "../../admin/lint.ts";
import { readFacts } from "../../admin/reader.ts";
import { ActorId } from "../../engine/ids.ts";
import type { Arrival, Script, Seen } from "../kit/given.ts";
import { customer, given, transformer, viewOf } from "../kit/grid.ts";
import { suite } from "../kit/suite.ts";

// Master files that are well-formed and mean trouble: each has one result in every order, and says so where it had to choose.
const test = suite("troubled masters");

const KEY = "TRF-N-0034";
const DAY_MS = 86_400_000;
const KNOWN_MS = Date.UTC(2025, 5, 1);

const inFile = (arrival: Arrival, path: string, mode: Arrival["mode"] & string): Arrival => ({ ...arrival, path, mode });
const known = (arrivals: readonly Arrival[]) => arrivals.map((arrival, n) => ({ ...arrival, arrivedAtMs: KNOWN_MS + n * DAY_MS }));
const notes = (seen: Seen) => seen.counters("note transformer_master");

/** `[from,to) column`, oldest first. */
function lived(seen: Seen, column: string, key = KEY): readonly string[] {
  return history(viewOf(seen), key).map(({ validFrom, validTo, attributes }) => `[${validFrom},${validTo ?? "∞"}) ${attributes[column]}`);
}

/** What every order of a script leads to, which must be the same. */
async function inAnyOrder(column: string, ...script: Script): Promise<{ readonly lives: readonly string[]; readonly seen: Seen }> {
  const [seen, other] = [await given().when(...script), await given().when(...script.toReversed())];
  assert.equal(lived(other, column), lived(seen, column));
  return { lives: lived(seen, column), seen };
}

test("two rows of one file with the same key and date have one winner in every order; both can be read, and both notes and linter speak", async () => {
  const rows = [transformer("2024-01-01", { status: "ACTIVE" }), transformer("2024-01-01", { status: "DECOMMISSIONED" })];
  const { lives, seen } = await inAnyOrder("status", ...rows);
  assert.is(lives.length, 1);
  assert.is(notes(seen)["sequence_tie"], 1);
  assert.equal(
    readFacts(viewOf(seen), ActorId("transformer", KEY))
      .map(({ values }) => values["status"])
      .sort(),
    ["ACTIVE", "DECOMMISSIONED"],
  );
  assert.equal(
    lint(viewOf(seen)).map(({ code, count }) => [code, count]),
    [["sequence_tie", 1]],
  );
});

test("a sequence made of arrival times is kept as it says, and the linter speaks", async () => {
  const rows = Array.from({ length: 12 }, (_, n) =>
    transformer(new Date(KNOWN_MS + n * DAY_MS).toISOString().slice(0, 10), { health_index_score: n }),
  );
  const seen = await given().when(...known(rows));
  assert.is(lived(seen, "health_index_score").length, 12);
  assert.equal(
    lint(viewOf(seen)).map(({ code, count }) => [code, count]),
    [["arrival_as_date", 12]],
  );
});

test("a change from null and one to null are changes; that a null came and went is told by the linter", async () => {
  const rows = [null, 61.2, null, 61.2].map((health_index_score, n) => transformer(`202${n}-01-01`, { health_index_score }));
  const { lives, seen } = await inAnyOrder("health_index_score", ...rows);
  assert.equal(lives, [
    "[2020-01-01,2021-01-01) null",
    "[2021-01-01,2022-01-01) 61.2",
    "[2022-01-01,2023-01-01) null",
    "[2023-01-01,∞) 61.2",
  ]);
  assert.equal(
    lint(viewOf(seen)).map(({ code, column }) => [code, column]),
    [["sparse_null", "health_index_score"]],
  );
});

test("a column that a file does not have is inherited, one that it has as null is not", async () => {
  const partial = {
    record: { transformer_id: KEY, status: "DECOMMISSIONED", record_effective_date: "2025-01-01" },
    feed: "transformer_master",
  };
  const { lives } = await inAnyOrder("region", transformer("2024-01-01"), partial);
  assert.equal(lives, ["[2024-01-01,2025-01-01) NORTH", "[2025-01-01,∞) NORTH"]);
});

test("noise makes as many versions as changes, deterministically, and the linter names the column", async () => {
  const rows = Array.from({ length: 101 }, (_, n) =>
    transformer(new Date(KNOWN_MS + n * DAY_MS).toISOString().slice(0, 10), { health_index_score: n % 90 }),
  );
  const { lives, seen } = await inAnyOrder("health_index_score", ...rows);
  assert.is(lives.length, 101);
  assert.equal(
    lint(viewOf(seen)).map(({ code, column, count }) => [code, column, count]),
    [["noisy_column", "health_index_score", 100]],
  );
});

test("a back-dated delta splits the interval that it falls into, and a late C splits the run of A, B, A", async () => {
  const [a1, b, a2] = [transformer("2020-01-01"), transformer("2021-01-01", { status: "UNDER_MAINTENANCE" }), transformer("2022-01-01")];
  const hidden = transformer("2023-01-01"); // Says the same as the one before.
  const late = transformer("2022-06-01", { status: "DECOMMISSIONED" });
  const { lives, seen } = await inAnyOrder("status", ...known([a1, b, a2, hidden, late]));
  assert.equal(lives, [
    "[2020-01-01,2021-01-01) ACTIVE",
    "[2021-01-01,2022-01-01) UNDER_MAINTENANCE",
    "[2022-01-01,2022-06-01) ACTIVE",
    "[2022-06-01,2023-01-01) DECOMMISSIONED",
    "[2023-01-01,∞) ACTIVE",
  ]);
  assert.equal(
    lint(viewOf(seen)).map(({ code }) => code),
    ["backward_jump"],
  );
});

test("known time gives back every belief that a late change ended", async () => {
  const seen = await given().when(
    ...known([
      transformer("2020-01-01"),
      transformer("2022-01-01", { status: "DECOMMISSIONED" }),
      transformer("2021-01-01", { status: "UNDER_MAINTENANCE" }),
    ]),
  );
  const versionsKnown = (n: number) => history(viewOf(seen), KEY, { knownAt: new Date(KNOWN_MS + n * DAY_MS).toISOString() }).length;
  assert.equal([-1, 0, 1, 2].map(versionsKnown), [0, 1, 2, 3]);
});

test("delta before snapshot, files again and again: nothing changes", async () => {
  const snapshot = [1, 2, 3].map((n) =>
    inFile(transformer("2024-01-01", { transformer_id: `TRF-N-000${n}` }), "transformer_master.parquet", "snapshot"),
  );
  const delta = [
    inFile(
      transformer("2025-06-01", { transformer_id: "TRF-N-0002", status: "DECOMMISSIONED" }),
      "transformer_master_delta_20250601.parquet",
      "delta",
    ),
  ];
  const once = await given().when(...snapshot, ...delta);
  assert.equal(lived(once, "status", "TRF-N-0002"), ["[2024-01-01,2025-06-01) ACTIVE", "[2025-06-01,∞) DECOMMISSIONED"]);
  for (const script of [
    [...delta, ...snapshot],
    [...snapshot, ...delta, ...delta, ...snapshot],
    [...delta, ...snapshot, ...snapshot],
  ]) {
    const seen = await given().when(...script);
    for (const n of [1, 2, 3]) assert.equal(lived(seen, "status", `TRF-N-000${n}`), lived(once, "status", `TRF-N-000${n}`));
  }
});

test("a snapshot that has shrunk by half takes nothing away: absence means unknown", async () => {
  const ids = Array.from({ length: 20 }, (_, n) => `CUST-${String(n + 1).padStart(6, "0")}`);
  const file = (date: string, some: readonly string[]) =>
    some.map((customer_id) =>
      inFile(customer("2024-01-01", { customer_id, state: "Delhi" }), `customer_master_${date}.parquet`, "snapshot"),
    );
  const seen = await given().when(...file("20240101", ids), ...file("20240201", ids.slice(0, 10)));
  assert.ok(ids.every((id) => lived(seen, "state", id).join() === "[2024-01-01,∞) Delhi"));
});

test("rows without key or date, with a date that is none, or that end before they begin, are quarantined; those around them are applied", async () => {
  const bad: readonly (readonly [object, string])[] = [
    [{ transformer_id: null }, "missing_field"],
    [{ record_effective_date: null }, "missing_field"],
    [{ record_effective_date: "2024-02-30" }, "bad_time"],
    [{ record_effective_date: "soon" }, "bad_time"],
    [{ record_end_date: "2023-12-31" }, "bad_interval"],
    [{ record_end_date: "2024-01-01" }, "bad_interval"],
  ];
  const seen = await given().when(
    transformer("2024-01-01"),
    ...bad.map(([changes]) => transformer("2024-01-01", { ...changes })),
    transformer("2025-01-01", { status: "DECOMMISSIONED" }),
  );
  assert.equal(
    seen.quarantine.map(({ position, reason }) => [Number(/\d+$/.exec(position)?.[0]), reason]).sort(([a], [b]) => Number(a) - Number(b)),
    bad.map(([, reason], n) => [n + 1, reason]),
  );
  assert.ok(seen.quarantine.every(({ bytes }) => bytes.length > 0));
  assert.equal(lived(seen, "status"), ["[2024-01-01,2025-01-01) ACTIVE", "[2025-01-01,∞) DECOMMISSIONED"]);
  const { read, accepted, duplicates, quarantined } = seen.counters("feed transformer_master");
  assert.equal([read, accepted, duplicates ?? 0, quarantined], [8, 2, 0, 6]);
});
