import * as assert from "uvu/assert";
import { type Advice, lint, lintText } from "../../admin/lint.ts";
import { failure } from "../kit/failure.ts";
import type { Arrival, Script } from "../kit/given.ts";
import { customer, given, transformer, viewOf } from "../kit/grid.ts";
import { suite } from "../kit/suite.ts";

const test = suite("lint");

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2025, 5, 1);
const day = (n: number): string => new Date(Date.UTC(2024, 0, 1 + n)).toISOString().slice(0, 10);

async function advised(...script: Script): Promise<readonly Omit<Advice, "advice" | "feed">[]> {
  return lint(viewOf(await given().when(...script)), "transformer_master").map(({ advice: _, feed: __, ...rest }) => rest);
}

/** So many transformers, each with so many changes of the health index alone, all of them one file. */
function noise(transformers: number, changes: number, arrivedAtMs = NOW): readonly Arrival[] {
  const numbers = Array.from({ length: transformers * (changes + 1) }, (_, n) => n);
  return numbers.map((n) => {
    const id = `TRF-N-${1_000 + (n % transformers)}`;
    const turn = Math.floor(n / transformers);
    return { ...transformer(day(turn), { transformer_id: id, health_index_score: turn }), arrivedAtMs };
  });
}

test("sound histories get no advice", async () => {
  assert.equal(await advised(transformer("2024-01-01"), transformer("2025-01-01", { status: "DECOMMISSIONED" })), []);
  assert.is(lintText([], null), "nothing to advise\n");
});

test("a column that alone makes a hundred versions and a fifth of them all is noise", async () => {
  assert.equal(await advised(...noise(2, 50)), [{ column: "health_index_score", code: "noisy_column", count: 100 }]);
  assert.equal(await advised(...noise(2, 49)), []);
  const calm = Array.from({ length: 401 }, (_, n) => ({
    ...transformer("2024-01-01", { transformer_id: `TRF-S-${1_000 + n}` }),
    arrivedAtMs: NOW,
  }));
  assert.equal(await advised(...noise(2, 50), ...calm), [], "100 of 503 versions are less than a fifth");
});

test("noise that ended more than 30 days ago is forgiven", async () => {
  const later = { ...transformer("2025-01-01", { transformer_id: "TRF-S-0001" }), arrivedAtMs: NOW + 31 * DAY_MS };
  assert.equal(await advised(...noise(2, 50), later), []);
});

test("a value that becomes null and then what it was before is told by column", async () => {
  const scores = [78.4, null, 78.4, null, 61.2];
  const script = scores.map((score, n) => transformer(day(n), { health_index_score: score }));
  assert.equal(await advised(...script), [{ column: "health_index_score", code: "sparse_null", count: 1 }]);
});

test("records that only the hash of their content puts in order are counted", async () => {
  const script = ["ACTIVE", "UNDER_MAINTENANCE", "DECOMMISSIONED"].map((status) => transformer("2024-01-01", { status }));
  assert.equal(await advised(...script), [{ column: null, code: "sequence_tie", count: 2 }]);
});

test("changes that became known after later ones are counted, those of one moment are not", async () => {
  const [first, second] = [transformer("2024-01-01"), transformer("2024-02-01", { status: "DECOMMISSIONED" })];
  const known = (arrival: Arrival, n: number) => ({ ...arrival, arrivedAtMs: NOW + n });
  assert.equal(await advised(known(second, 0), known(first, 1)), [{ column: null, code: "backward_jump", count: 1 }]);
  assert.equal(await advised(known(second, 0), known(first, 0)), []);
  assert.equal(await advised(known(first, 0), known(second, 1)), []);
});

test("effective dates that always are the day of arrival are told, one other date is enough for silence", async () => {
  const onArrival = Array.from({ length: 10 }, (_, n) => ({
    ...transformer(day(n), { health_index_score: n, status: n % 2 === 0 ? "ACTIVE" : "DECOMMISSIONED" }),
    arrivedAtMs: Date.UTC(2024, 0, 1 + n, 12),
  }));
  assert.equal(await advised(...onArrival), [{ column: null, code: "arrival_as_date", count: 10 }]);
  const other = { ...transformer("2023-01-01", { transformer_id: "TRF-N-0099" }), arrivedAtMs: NOW };
  assert.equal(await advised(...onArrival, other), []);
});

test("all feeds with a history are looked at, or the one that is asked for", async () => {
  const script = [customer("2024-01-01", { state: "Delhi" }), customer("2024-01-01", { state: "Punjab" }), ...noise(2, 50)];
  const view = viewOf(await given().when(...script));
  const all = lint(view);
  assert.equal(
    all.map(({ feed, code }) => `${feed} ${code}`),
    ["transformer_master noisy_column", "customer_master sequence_tie"],
  );
  assert.match(lintText(all, { widthMax: 80, color: false }), /^transformer_master {2}noisy_column {2}health_index_score/m);
  const wrong = failure(() => lint(view, "smart_meter"));
  assert.equal([wrong.exit, wrong.hint?.includes("billing")], [2, true]);
});
