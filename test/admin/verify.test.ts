import * as assert from "uvu/assert";
import { logProblems, verificationText, verify, versionProblems } from "../../admin/verify.ts";
import { decodeFact, encodeFact } from "../../engine/fact_codec.ts";
import { History, type HistoryChange, type Version } from "../../engine/history.ts";
import { ActorId } from "../../engine/ids.ts";
import type { Stream } from "../../engine/sink.ts";
import { changes } from "../contract/store.ts";
import { failure } from "../kit/failure.ts";
import { suite } from "../kit/suite.ts";
import { tinyEngine } from "../kit/tiny_grid.ts";

const test = suite("verify");

const ROW = { transformer_id: "TRF-N-0034", status: "ACTIVE", region: "NORTH", record_effective_date: "2024-01-01" };
const KEY = ActorId("transformer", "TRF-N-0034");
const OPTIONS = { untracked: ["balance"], ignored: [], ignoreNulls: [] };
const rank = { publication: 0, precedence: 0, generation: 0 };
const upsert = (from: string, a: number): HistoryChange => ({
  from,
  kind: "upsert",
  rank,
  values: { a, balance: a },
  authored: null,
  atMs: null,
});

function versionsOf(...changes: readonly HistoryChange[]): readonly Version[] {
  return changes.reduce((history, change, n) => history.add(change, n).history, new History(KEY, [], OPTIONS)).versions;
}

const codes = (versions: readonly Version[]) => versionProblems(KEY, versions, OPTIONS).map(({ code, at }) => `${code} ${at}`);

/** Three versions with one field of one of them changed. */
function broken(n: number, change: Partial<Version>): readonly string[] {
  return codes(
    versionsOf(upsert("10", 1), upsert("20", 2), upsert("30", 3)).map((version, at) => (at === n ? { ...version, ...change } : version)),
  );
}

test("a history that is sound has no problem, gaps and all", () => {
  const closed: HistoryChange = { ...upsert("15", 0), kind: "close", values: {} };
  assert.equal(codes(versionsOf(upsert("10", 1), closed, upsert("20", 2), upsert("30", 3))), []);
});

test("each thing that must not be is told by its name and place", () => {
  assert.equal(broken(0, { to: "25" }), ["overlap TRF-N-0034 10"]);
  assert.equal(broken(2, { to: "30" }), ["overlap TRF-N-0034 30"]);
  assert.equal(broken(1, { to: null }), ["open_twice TRF-N-0034 20"]);
  assert.equal(broken(0, { to: "15" }), ["unexplained_gap TRF-N-0034 10"]);
  assert.equal(broken(0, { to: "15", endedBy: "delete" }), []);
  assert.equal(broken(1, { values: { a: 1, balance: 9 } }), ["no_difference TRF-N-0034 10"]);
  assert.equal(broken(2, { scdVersion: 4 }), ["numbering TRF-N-0034 30"]);
});

test("one actor is verified, or all that have a history", async () => {
  const engine = tinyEngine();
  const moved = { ...ROW, status: "DECOMMISSIONED", record_effective_date: "2025-01-01" };
  await engine.take("transformer_master", [ROW, moved, { ...ROW, transformer_id: "TRF-N-0035" }]);
  await engine.take("smart_meter", [{ event_id: "e", meter_id: "SM-N-00042", timestamp: "2025-06-15T16:00:00Z", reading_kwh: 1 }]);
  assert.equal(verify(engine, "trf-n-0034"), { ok: true, checked: 1, problems: [] });
  assert.equal(verify(engine), { ok: true, checked: 2, problems: [] });
  assert.equal(verify(engine, "SM-N-00042"), { ok: true, checked: 0, problems: [] });
  assert.is(failure(() => verify(engine, "TRF-N-0099")).exit, 4);
});

test("a stored fact that is not what it was is found, and so is a state that does not follow", async () => {
  const engine = tinyEngine();
  await engine.take("transformer_master", [ROW]);
  const [[key, bytes] = ["", new Uint8Array()]] = [...engine.store.range("fact", "")];
  const fact = decodeFact(key, bytes);
  const forged = encodeFact({ ...fact, values: { ...fact.values, status: "DECOMMISSIONED" } });
  await engine.store.commit(changes({ rows: [{ table: "fact", key, value: forged }] }));
  const { ok, problems } = verify(engine, "TRF-N-0034");
  assert.equal([ok, problems.map(({ code }) => code)], [false, ["fact_id", "state_differs"]]);
  assert.match(
    verificationText({ ok, checked: 1, problems }),
    /^fact_id {2}TRF-N-0034 2024-01-01 {2}.*\nstate_differs .* status\n1 checked, 2 problems\n$/,
  );
});

test("a log with a hole is found, wherever it is, and one that begins later or is shared by two streams is sound", async () => {
  const log = (alerts: readonly number[], curated: readonly number[], nextSequence: number, start = 1) => {
    const kept = { alerts, curated };
    const entry = (sequence: number) => ({ sequence, bytes: new Uint8Array() });
    const rest = { load: () => null, get: () => null, range: () => [], actors: () => [], logStart: () => start };
    const readLog = async (stream: Stream, from: number) =>
      kept[stream]
        .filter((n) => n >= from)
        .slice(0, 2)
        .map(entry);
    return logProblems({ store: { ...rest, nextSequence, readLog } });
  };
  assert.equal(await log([2, 5], [1, 2, 3, 4, 5, 6], 7), []);
  assert.equal(await log([], [], 1), []);
  assert.equal(await log([], [4, 5], 6, 4), []);
  assert.equal(await log([1], [2, 3, 4], 3), [], "what came while it was read does not count");
  const holes = async (...given: Parameters<typeof log>) => (await log(...given)).map(({ code, detail }) => `${code} ${detail.slice(-6)}`);
  assert.equal(await holes([2], [1, 4, 5], 8), ["log_gap 3 to 3", "log_gap 6 to 7"]);
  assert.equal(await holes([], [3], 4), ["log_gap 1 to 2"]);
});
