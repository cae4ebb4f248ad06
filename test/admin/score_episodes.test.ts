// timeout: 120 s
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { CleanDays } from "../../admin/clean_days.ts";
import { type EpisodeTruth, readEpisodes } from "../../admin/episode_truth.ts";
import { matchEpisodes, readAlerts, type ScoredAlert } from "../../admin/score_episodes.ts";
import { scoreRanking } from "../../admin/theft_ranking.ts";
import type { CuratedRow } from "../../engine/emission.ts";
import { ActorId, actorIdFrom } from "../../engine/ids.ts";
import { gridOf } from "../../simulators/grid.ts";
import { injectedOf } from "../../simulators/injected.ts";
import { failureOf } from "../kit/failure.ts";
import type { Arrival } from "../kit/given.ts";
import { given, viewOf } from "../kit/grid.ts";
import { suite } from "../kit/suite.ts";
import { inTempFolder } from "../kit/temp_folder.ts";

const test = suite("score of episodes");
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const HOT = ActorId("transformer", "TRF-N-0034");
const RESIDUAL = "transformer.thermal_residual";

function alert(rule: string, onsetHour: number, more: Partial<ScoredAlert> = {}): ScoredAlert {
  const [onsetMs, raisedAtMs] = [onsetHour * HOUR, (onsetHour + 1) * HOUR];
  return { id: `${rule}@${onsetHour}`, rule, actor: HOT, onsetMs, raisedAtMs, severity: "warning", isRetracted: false, ...more };
}

const fault = (fromHour: number, toHour: number): EpisodeTruth => ({
  actor: HOT,
  label: "slow_overheating",
  fromMs: fromHour * HOUR,
  toMs: toHour * HOUR,
});

test("an alert of the family that begins between an hour before and a day after finds what happened; further ones repeat it", () => {
  const one = (onset: number) => matchEpisodes(RESIDUAL, [fault(100, 136)], [alert(RESIDUAL, onset)]);
  assert.equal(
    [98, 99, 100, 160, 161].map((onset) => one(onset).found.length),
    [0, 1, 1, 1, 0],
  );
  assert.equal(
    [98, 99, 161].map((onset) => one(onset).falsely.length),
    [1, 0, 1],
  );
  const two = matchEpisodes(RESIDUAL, [fault(100, 136)], [alert(RESIDUAL, 110), alert("transformer.hot_spot", 104)]);
  assert.equal([two.found.length, two.repeat, two.falsely, two.delays], [1, 1, [], [5 * HOUR]]);
  assert.is(matchEpisodes(RESIDUAL, [fault(100, 136)], [alert("transformer.dga_level", 110)]).missed.length, 1);
  const elsewhere = alert(RESIDUAL, 110, { actor: ActorId("transformer", "TRF-N-0035") });
  assert.equal(matchEpisodes(RESIDUAL, [fault(100, 136)], [elsewhere]).falsely, [elsewhere.id]);
});

test("days with a label, and those that follow one, are not clean; alerts of information are not counted", () => {
  const days = new CleanDays();
  const row = (meter_id: string): CuratedRow => ({ cells: { meter_id, customer_id: null } }) as never;
  for (let day = 0; day < 10; day += 1) days.takeRow(row("A"), day * DAY, day === 4);
  days.takeRow(row("B"), 0, false);
  days.takeTruth([{ actor: HOT, label: null, fromMs: 0, toMs: DAY - 1 }]);
  const at = (key: string, day: number, severity: ScoredAlert["severity"] = "major") =>
    alert("meter.spike", 24 * day, { actor: ActorId("meter", key), severity });
  const { cleanActorDays, falseAlerts, per1000 } = days.score([at("A", 3), at("A", 4), at("A", 5), at("A", 6), at("B", 0, "info")]);
  assert.equal([cleanActorDays, falseAlerts, per1000], [8 + 1 + 1, 2, 200]);
});

test("truth of episodes that is not understood ends with code 4; where there is none nothing happened", async () => {
  const line = { actor: HOT, label: "slow_overheating", from: "2025-06-15T00:00:00Z", to: "2025-06-16T00:00:00Z" };
  const faults = [
    "[]",
    "{",
    { ...line, label: "slow" },
    { ...line, actor: "TRF" },
    { ...line, from: "today" },
    { ...line, to: "2025-06-14T00:00:00Z" },
    { ...line, clean: [line.from, line.to] },
    { actor: HOT },
    { ...line, note: 1 },
  ];
  await inTempFolder(async (folder) => {
    assert.equal(await readEpisodes(folder), []);
    await mkdir(folder, { recursive: true });
    const write = (lines: readonly (object | string)[]) =>
      writeFile(join(folder, "episodes.jsonl"), lines.map((one) => `${typeof one === "string" ? one : JSON.stringify(one)}\n`).join(""));
    await write([line, { actor: HOT, clean: [line.from, line.to] }]);
    assert.equal(
      (await readEpisodes(folder)).map(({ label }) => label),
      ["slow_overheating", null],
    );
    for (const one of faults) {
      await write([line, one]);
      assert.is((await failureOf(readEpisodes(folder))).exit, 4, JSON.stringify(one));
    }
  });
});

// Injected stories, through the engine. -------------------------------------------------------------------------------------------------

function parsedTruth(story: "theft" | "overheating", days: number): readonly EpisodeTruth[] {
  const injected = injectedOf(gridOf(77, 1), { stories: [story], days });
  return [...injected.episodes()].map((one) =>
    "clean" in one
      ? { actor: actorIdFrom(one.actor), label: null, fromMs: Date.parse(one.clean[0]), toMs: Date.parse(one.clean[1]) }
      : { actor: actorIdFrom(one.actor), label: one.label, fromMs: Date.parse(one.from), toMs: Date.parse(one.to) },
  );
}

test("oil that grows slowly hotter is found within a day at injected transformers", async () => {
  const injected = injectedOf(gridOf(77, 1), { stories: ["overheating"], days: 44 });
  const some = ["TRF-N-0101", "TRF-N-0102", "TRF-N-0103"];
  const arrivals: Arrival[] = [...injected.telemetry()].flatMap(({ row }) =>
    some.includes(row.transformer_id) ? [{ feed: "substation_telemetry", record: row }] : [],
  );
  const seen = await given().when(...arrivals);
  const alerts = await readAlerts(viewOf(seen));
  const truth = parsedTruth("overheating", 44).filter(({ actor }) => some.some((key) => actor.endsWith(key)));
  const { found, missed, falsely, delays } = matchEpisodes(RESIDUAL, truth, alerts);
  assert.equal([found.length, missed.length, falsely.length], [3, 0, 0]);
  assert.ok(Math.max(...delays) <= 24 * HOUR, `${Math.max(...delays) / HOUR} h`);
});

test("a transformer above two thieves ranks them first, by what its state keeps", async () => {
  const injected = injectedOf(gridOf(77, 1), { stories: ["theft"], days: 40 });
  const truth = parsedTruth("theft", 40);
  const meters = new Set(
    truth.flatMap(({ actor, label }) => (label === "theft_under_report" ? [actor] : [])).filter((actor) => actor.startsWith("meter/")),
  );
  const street = [...injected.customers()].slice(0, 14).map(({ row }) => row);
  const isOfStreet = new Set(street.map(({ meter_id }) => meter_id));
  const [site] = [...injected.transformers()].map(({ row }) => row);
  const readings = [...injected.readings()].flatMap(({ row }) => (isOfStreet.has(row.meter_id) ? [row] : []));
  const telemetry = [...injected.telemetry()].flatMap(({ row }) => (row.transformer_id === site?.transformer_id ? [row] : []));
  const merged = [
    ...readings.map((record) => ({ feed: "smart_meter", record, at: record.timestamp })),
    ...telemetry.map((record) => ({ feed: "substation_telemetry", record, at: record.timestamp })),
  ]
    .filter(({ at }) => at < "2025-07-16") // Nine days of theft are enough.
    .sort((a, b) => (a.at < b.at ? -1 : 1));
  const seen = await given(
    { feed: "transformer_master", record: site as object },
    ...street.map((record): Arrival => ({ feed: "customer_master", record })),
  ).when(...merged.map(({ feed, record }): Arrival => ({ feed, record })));
  assert.is(meters.size, 2);
  const ranking = scoreRanking(viewOf(seen), truth);
  assert.equal([ranking?.areas, ranking?.auc, ranking?.ap], [{ theft_under_report: 1 }, 1, 1]);
  assert.is(scoreRanking(viewOf(seen), []), null);
});
