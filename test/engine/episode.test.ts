import * as assert from "uvu/assert";
import { assign, createMachine, initialTransition, transition } from "xstate";
import { ByteReader, ByteWriter } from "../../engine/byte_writer.ts";
import { minutes } from "../../engine/duration.ts";
import type { Origin } from "../../engine/emission.ts";
import {
  acknowledge,
  amend,
  type Episode,
  type EpisodeChange,
  type EpisodeStep,
  isOpen,
  observe,
  release,
  resolve,
  retract,
  shelve,
  statusOf,
  suppress,
  wake,
} from "../../engine/episode.ts";
import { readEpisode, writeEpisode } from "../../engine/episode_codec.ts";
import { BrokenInvariant } from "../../engine/fault.ts";
import { ActorId, alertId } from "../../engine/ids.ts";
import { compile, type LifeEvent, type LifeState, lifeCycle, next } from "../../engine/life_cycle.ts";
import type { Observation, Rule } from "../../engine/rule.ts";
import { type Seeded, seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

const SEED = Number(process.env["SEED"] ?? 20_250_615);

const chart = suite("life cycle");

chart("the table equals XState on 200,000 random events", () => {
  const random = seeded(SEED);
  const events = lifeCycle.events as readonly LifeEvent[];
  let [snapshot] = initialTransition(lifeCycle);
  for (let n = 0; n < 200_000; n += 1) {
    if (n % 20 === 0) [snapshot] = initialTransition(lifeCycle);
    const before = snapshot.value as LifeState;
    const type = random.pick(events);
    [snapshot] = transition(lifeCycle, snapshot, { type });
    if (next(before, type) !== snapshot.value) assert.unreachable(`SEED=${SEED}: ${before} on ${type} is ${next(before, type)}`);
  }
});

chart("every state is reached, and no event leads out of the chart", () => {
  const table = compile(lifeCycle);
  assert.equal(Object.keys(table).sort(), Object.keys(lifeCycle.states).sort());
  for (const row of Object.values(table)) assert.ok(Object.values(row).every((state) => state in table));
  assert.equal(new Set(Object.values(table["retracted"] ?? {})), new Set(["retracted"]));
  assert.equal(new Set(Object.values(table["cleared"] ?? {})), new Set(["cleared", "retracted"]));
});

const dependent: Readonly<Record<string, Parameters<typeof createMachine>[0]>> = {
  "a guard": { initial: "a", states: { a: { on: { go: { target: "b", guard: () => true } } }, b: {} } },
  "a guarded way on": { initial: "a", states: { a: { always: { target: "b", guard: () => false } }, b: {} } },
  "a context": { context: { hits: 0 }, initial: "a", states: { a: {} } },
  "an assignment": { initial: "a", states: { a: { on: { go: { target: "b", actions: assign({ hits: 1 }) } } }, b: {} } },
  "an action": { initial: "a", states: { a: { on: { go: { target: "b", actions: () => {} } } }, b: {} } },
  "an action at the beginning": { initial: "a", states: { a: { entry: () => {} } } },
  "a timer": { initial: "a", states: { a: { after: { 1000: "b" } }, b: {} } },
  "a state inside a state": { initial: "a", states: { a: { initial: "b", states: { b: {} } } } },
};
for (const [what, config] of Object.entries(dependent)) {
  chart(`a chart with ${what} is refused`, () => {
    assert.throws(
      () => compile(createMachine(config)),
      (error: unknown) => error instanceof BrokenInvariant,
    );
  });
}

// Given

const METER = ActorId("meter", "SM-N-00042");
const BASE: Rule = { id: "meter.test", version: 1, family: "energy", severity: "warning", metric: "x", unit: "K", limits: {}, summary: "" };
const PULSE: Rule = { ...BASE, pulseMs: minutes(60) };
const TAMPERED: Rule = { ...PULSE, latched: true };
const HOT: Rule = { ...BASE, severity: "major", offCount: 2 }; // Raised at 60 K, cleared by two samples below 55 K.
const LOAD: Rule = { ...BASE, onDelayMs: minutes(15), offDelayMs: minutes(30) };

type Step = (episode: Episode | null, rule: Rule) => EpisodeStep;

/** Steps at a minute. */
const oil = (atMin: number, value: number): Step => see({ holds: value >= 60, atMs: minutes(atMin), value, limit: 60, clear: 55 });
const hit = (atMin: number, more: Partial<Observation> = {}): Step => see({ holds: true, atMs: minutes(atMin), value: atMin, ...more });
const fine = (atMin: number): Step => see({ holds: false, atMs: minutes(atMin), value: 0 });
const unsure = (atMin: number): Step => see({ holds: null, atMs: minutes(atMin), value: null, reason: "cold" });
const late = (atMin: number, more: Partial<Observation> = {}): Step => see({ holds: true, atMs: minutes(atMin), value: 0, ...more }, true);
const due = (atMin: number): Step => on((episode, rule) => wake(episode, rule, minutes(atMin)));
const on =
  (step: (episode: Episode, rule: Rule) => EpisodeStep): Step =>
  (episode, rule) =>
    step(begun(episode), rule);

/** In every third quarter of an hour a parent's alert covers what is raised; only random lives last that long. */
function coveredAt(_: Episode, atMs: number): string | null {
  return atMs > minutes(300) && Math.floor(atMs / minutes(15)) % 3 === 0 ? "ALR-PARENT" : null;
}

function see(observation: Observation, isLate = false): Step {
  const origin: Origin = isLate ? "late" : "live";
  return (episode, rule) => observe(episode, rule, observation, { actor: METER, late: isLate, origin, coveredBy: coveredAt });
}

function begun(episode: Episode | null): Episode {
  if (episode === null) throw new Error("there is no episode");
  return episode;
}

/** What the steps publish, and where they end. `wakeMin`: what the timer stands at, in minutes. */
function told(rule: Rule, ...steps: readonly Step[]) {
  const changes: EpisodeChange[] = [];
  let episode: Episode | null = null;
  let wakeMin: number | null = null;
  for (const step of steps) {
    const { episode: after, changes: more, wakeAtMs } = step(episode, rule);
    episode = after;
    changes.push(...more);
    if (wakeAtMs !== undefined) wakeMin = wakeAtMs === null ? null : wakeAtMs / minutes(1);
  }
  const lines = changes.map((each) => `${each.atMs / minutes(1)} ${each.change} ${statusOf(each.episode)} x${each.episode.count}`);
  return { lines, changes, episode, wakeMin };
}

const test = suite("episode");

function storedAndRead(episode: Episode): Episode {
  const writer = new ByteWriter(256);
  writer.begin();
  writeEpisode(writer, episode);
  return readEpisode(new ByteReader(writer.end()));
}

test("hot oil is raised once, and cleared by the second sample in a row below the clear limit", () => {
  const { lines, episode } = told(HOT, oil(0, 58), oil(5, 61), oil(10, 70), oil(15, 54), oil(20, 57), oil(25, 54), oil(30, 50));
  assert.equal(lines, ["5 raised open x1", "30 cleared cleared x2"]);
  assert.is(episode?.endsAtMs, minutes(30));
  assert.is(episode?.value, 50);
});

test("a value between the clear limit and the limit is neither normal nor abnormal, whichever side is the bad one", () => {
  const volt = (atMin: number, value: number) => see({ holds: value < 207, atMs: minutes(atMin), value, limit: 207, clear: 212 });
  assert.equal(told(HOT, volt(0, 200), volt(5, 209), volt(10, 210)).lines, ["0 raised open x1"]);
  assert.equal(told(HOT, volt(0, 200), volt(5, 213), volt(10, 214)).lines, ["0 raised open x1", "10 cleared cleared x1"]);
  assert.equal(told(HOT, oil(0, 60), oil(5, 55), oil(10, 55)).lines, ["0 raised open x1"]);
});

test("without a clear limit every normal observation counts", () => {
  assert.equal(told(BASE, hit(0), fine(5)).lines, ["0 raised open x1", "5 cleared cleared x1"]);
  const volt = (atMin: number, value: number) => see({ holds: value < 207, atMs: minutes(atMin), value, limit: 207, clear: 207 });
  assert.equal(told(BASE, volt(0, 200), volt(5, 208)).lines, ["0 raised open x1", "5 cleared cleared x1"]);
  const load = (atMin: number, value: number) => see({ holds: value > 100, atMs: minutes(atMin), value, limit: 100, clear: 100 });
  assert.equal(told(BASE, load(0, 101), load(5, 99)).lines, ["0 raised open x1", "5 cleared cleared x1"]);
});

test("a repeat counts and publishes nothing", () => {
  const { lines, episode, wakeMin } = told(HOT, oil(0, 60), oil(5, 61), oil(10, 62));
  assert.equal(lines, ["0 raised open x1"]);
  assert.is(episode?.count, 3);
  assert.is(episode?.value, 62);
  assert.is(wakeMin, null);
});

test("ids come from actor, rule and onset; revisions count what is published", () => {
  const { changes } = told(HOT, oil(5, 61), oil(10, 70), oil(15, 50), oil(20, 50), oil(25, 60));
  assert.equal(
    changes.map(({ episode }) => `${episode.alertId}/${episode.revision}`),
    [5, 5, 25].map((atMin, n) => `${alertId(METER, HOT.id, minutes(atMin))}/${[1, 2, 1][n]}`),
  );
});

test("what was indeterminate neither advances nor resets", () => {
  assert.equal(told(HOT, oil(0, 60), oil(5, 50), unsure(6), oil(10, 50)).lines, ["0 raised open x1", "10 cleared cleared x1"]);
  assert.is(told(HOT, unsure(0)).episode, null);
});

test("a suspicion is raised once it has held for the on-delay, and begins at its first observation", () => {
  const { changes } = told(LOAD, hit(0), hit(10), hit(15));
  assert.equal(
    changes.map(({ change, atMs, episode }) => [change, atMs, episode.onsetMs, episode.count]),
    [["raised", minutes(15), 0, 3]],
  );
});

test("a suspicion is raised once it was seen often enough; a normal observation begins the count anew", () => {
  const twice: Rule = { ...BASE, onCount: 2 };
  assert.equal(told(twice, hit(0)).lines, []);
  assert.equal(told(twice, hit(0), unsure(5), hit(10)).lines, ["10 raised open x2"]);
  assert.equal(told(twice, hit(0), fine(5), hit(10)).lines, []);
  assert.equal(told(twice, fine(0), late(-90), late(-80)).lines, []);
  assert.equal(told({ ...twice, onDelayMs: minutes(15) }, hit(0), hit(10), hit(15)).lines, ["15 raised open x3"]);
});

test("a suspicion that passes publishes nothing and leaves nothing", () => {
  const { lines, episode } = told(LOAD, hit(0), hit(10), fine(12));
  assert.equal(lines, []);
  assert.is(episode, null);
});

test("a suspicion that passes leaves what was before it known", () => {
  const { lines, episode } = told(LOAD, hit(0), hit(15), fine(20), fine(50), hit(60), fine(61), hit(5), late(14));
  assert.equal(lines, ["15 raised open x2", "50 cleared cleared x2"]);
  assert.not(isOpen(begun(episode)));
  assert.equal(told(LOAD, hit(0), hit(15), fine(20), fine(50), hit(60), fine(61), hit(70)).episode?.past, [[0, minutes(50)]]);
});

test("the off-delay counts the time between normal observations, and a hit begins it anew", () => {
  const raised = [hit(0), hit(15)];
  assert.equal(told(LOAD, ...raised, fine(20), fine(49)).lines.length, 1);
  assert.equal(told(LOAD, ...raised, fine(20), hit(30), fine(35), fine(50), fine(65)).lines, [
    "15 raised open x2",
    "65 cleared cleared x3",
  ]);
});

test("normal observations from before the last hit mean nothing, and an older hit does not undo those after it", () => {
  assert.equal(told(HOT, oil(10, 60), oil(5, 50), oil(10, 50), oil(10, 49)).lines, ["10 raised open x1"]);
  assert.equal(told(HOT, oil(10, 60), oil(20, 50), oil(15, 61), oil(25, 50)).lines, ["10 raised open x1", "25 cleared cleared x2"]);
  assert.is(told(HOT, oil(10, 60), oil(5, 70)).episode?.value, 60);
});

test("severity that rises is told, and is never taken down", () => {
  const { lines, episode } = told(
    HOT,
    hit(0),
    hit(5, { severity: "critical" }),
    hit(10, { severity: "warning" }),
    hit(15, { severity: "critical" }),
  );
  assert.equal(lines, ["0 raised open x1", "5 updated open x2"]);
  assert.is(episode?.severity, "critical");
});

test("a pulse is raised at once and cleared an hour after its last hit", () => {
  const { lines, episode, wakeMin } = told(PULSE, hit(0), fine(5), hit(20), due(80));
  assert.equal(lines, ["0 raised open x1", "80 cleared cleared x2"]);
  assert.is(episode?.endsAtMs, minutes(80));
  assert.is(wakeMin, null);
  assert.is(told(PULSE, hit(0), hit(20)).wakeMin, 80);
  assert.equal(told({ ...PULSE, onDelayMs: minutes(5) }, hit(0)).lines, ["0 raised open x1"]);
});

test("a pulse whose timer fires early is left and sets it again; one whose timer fires late ends at its time", () => {
  const early = told(PULSE, hit(0), hit(20), due(60));
  assert.equal([early.lines.length, early.wakeMin], [1, 80]);
  assert.equal(told(PULSE, hit(0), due(500)).lines, ["0 raised open x1", "60 cleared cleared x1"]);
});

test("a hit after a pulse has ended begins the next one, also when the timer is still to come", () => {
  const { lines, episode, wakeMin } = told(PULSE, hit(0), hit(65));
  assert.equal(lines, ["0 raised open x1", "60 cleared cleared x1", "65 raised open x1"]);
  assert.is(episode?.alertId, alertId(METER, PULSE.id, minutes(65)));
  assert.is(wakeMin, 125);
});

test("a latched pulse has no timer and ends by resolution only", () => {
  const { lines, episode, wakeMin } = told(
    TAMPERED,
    hit(0),
    due(60),
    hit(200),
    on((each) => resolve(each, minutes(300))),
  );
  assert.equal(lines, ["0 raised open x1", "300 cleared cleared x2"]);
  assert.equal(episode?.flags, ["latched"]);
  assert.is(wakeMin, null);
  assert.equal(told({ ...HOT, latched: true }, oil(0, 60), oil(5, 50), oil(10, 50), oil(15, 50)).lines, ["0 raised open x1"]);
});

test("a single hit latches its episode, whatever its rule says: no timer and no normal observation ends it", () => {
  const gas = (atMin: number): Step => hit(atMin, { latched: true });
  const pulse = told(PULSE, gas(0), due(60), fine(70), hit(300), due(400));
  assert.equal(pulse.lines, ["0 raised open x1"]);
  assert.is(pulse.wakeMin, null);
  assert.equal(pulse.episode?.flags, ["latched"]);
  assert.is(pulse.episode?.count, 2);
  assert.equal(told(HOT, gas(0), fine(5), fine(10), fine(15)).lines, ["0 raised open x1"]);
  const resolved = told(
    PULSE,
    gas(0),
    on((episode) => resolve(episode, minutes(90))),
    hit(100),
  );
  assert.equal(resolved.lines, ["0 raised open x1", "90 cleared cleared x1", "100 raised open x1"]);
  assert.equal(resolved.episode?.flags, []);
  assert.is(resolved.wakeMin, 160);
});

test("a hit that latches a running pulse stops its timer and says so once", () => {
  const { lines, episode, wakeMin } = told(PULSE, hit(0), hit(30, { latched: true }), hit(40, { latched: true }), hit(50), due(60));
  assert.equal(lines, ["0 raised open x1", "30 updated open x2"]);
  assert.equal(episode?.flags, ["latched"]);
  assert.is(wakeMin, null);
});

test("a latched episode that comes off its shelf is raised again, and stays", () => {
  const shelved = on((episode) => shelve(episode, minutes(100), minutes(10)));
  assert.equal(told(PULSE, hit(0, { latched: true }), shelved, due(100), due(200)).lines, [
    "0 raised open x1",
    "10 shelved shelved x1",
    "100 updated open x1",
  ]);
});

test("resolution ends a pulse's timer, too", () => {
  assert.is(told(TAMPERED, hit(0)).wakeMin, null);
  assert.is(
    told(
      PULSE,
      hit(0),
      on((each) => resolve(each, minutes(5))),
    ).wakeMin,
    null,
  );
});

test("a late hit inside an open episode only counts", () => {
  const { lines, episode, wakeMin } = told(PULSE, hit(100), late(50), late(130, { severity: "critical" }));
  assert.equal(lines, ["100 raised open x1"]);
  assert.equal([episode?.count, episode?.lastHitMs, episode?.severity, wakeMin], [3, minutes(100), "warning", 160]);
});

test("a late hit with no episode is raised with origin late, and cleared", () => {
  const { lines, changes } = told(PULSE, late(10), due(70));
  assert.equal(lines, ["10 raised open x1", "70 cleared cleared x1"]);
  assert.is(changes[0]?.episode.origin, "late");
});

test("a late hit begins no suspicion, and late normals end nothing", () => {
  assert.is(told(LOAD, late(0)).episode, null);
  const lateFine = see({ holds: false, atMs: minutes(20), value: 0 }, true);
  assert.equal(told(BASE, hit(0), lateFine).lines, ["0 raised open x1"]);
});

test("a hit from the time of an earlier episode raises nothing again", () => {
  const { lines } = told(PULSE, hit(0), due(60), late(0), late(30), hit(100), due(160), late(0), late(59), hit(101));
  assert.equal(lines, ["0 raised open x1", "60 cleared cleared x1", "100 raised open x1", "160 cleared cleared x1"]);
  assert.equal(told(PULSE, hit(0), due(60), late(60)).lines.length, 3); // At its end it is over.
});

test("a hit from an earlier episode's time ends a pulse that is over all the same", () => {
  const { lines, wakeMin } = told(PULSE, hit(600), due(660), late(510), hit(610));
  assert.equal(lines, ["600 raised open x1", "660 cleared cleared x1", "510 raised open x1", "570 cleared cleared x1"]);
  assert.is(wakeMin, null);
});

test("only the latest few episodes are remembered", () => {
  const pulses = Array.from({ length: 20 }, (_, n) => [hit(n * 100), due(n * 100 + 60)]).flat();
  assert.equal(
    told(PULSE, ...pulses).episode?.past.map(([onsetMs]) => onsetMs / minutes(1)),
    [1_500, 1_600, 1_700, 1_800],
  );
});

test("an episode that ends unacknowledged says so", () => {
  const ack = on((episode) => acknowledge(episode, minutes(1)));
  assert.equal(told(PULSE, hit(0), due(60)).episode?.flags, ["unseen"]);
  const { lines, episode } = told(PULSE, hit(0), ack, ack, due(60));
  assert.equal(lines, ["0 raised open x1", "1 acknowledged acknowledged x1", "60 cleared cleared x1"]);
  assert.equal(episode?.flags, []);
});

test("shelving ends in raised if the condition still holds, else in cleared", () => {
  const shelf = on((episode) => shelve(episode, minutes(100), minutes(1)));
  const still = told(HOT, oil(0, 60), shelf, oil(50, 61), due(100));
  assert.equal(still.lines, ["0 raised open x1", "1 shelved shelved x1", "100 updated open x2"]);
  assert.equal(told(HOT, oil(0, 60), shelf, oil(50, 50), oil(60, 50), due(100)).lines.at(-1), "100 cleared cleared x1");
  assert.equal(told(PULSE, hit(0), shelf, due(60)).wakeMin, 100);
  assert.equal(told(PULSE, hit(0), shelf, due(60), due(100)).lines.at(-1), "100 cleared cleared x1");
  assert.equal(told(PULSE, hit(0), shelf, hit(50), due(100)).wakeMin, 110);
});

test("a suppressed episode goes on, and returns when its parent ends while it still holds", () => {
  const parent = on((episode) => suppress(episode, "maintenance", minutes(1)));
  const end = (atMin: number) => on((episode, rule) => release(episode, rule, minutes(atMin)));
  const held = told(HOT, oil(0, 60), parent, oil(5, 61), end(10), end(11));
  assert.equal(held.lines, ["0 raised open x1", "1 suppressed suppressed x1", "10 updated open x2"]);
  assert.equal(
    held.changes.map(({ episode }) => episode.suppressedBy),
    [null, "maintenance", null],
  );
  assert.equal(told(HOT, oil(0, 60), parent, oil(5, 50), end(10)).lines.at(-1), "10 updated open x1", "one normal of two");
  const since = on((episode) => suppress(episode, "maintenance", minutes(16)));
  assert.equal(told(LOAD, hit(0), hit(15), since, fine(20), end(60)).lines.at(-1), "60 cleared cleared x2");
  const pulse = told(PULSE, hit(0), parent, hit(50), end(100), due(110));
  assert.equal(pulse.lines.slice(2), ["100 updated open x2", "110 cleared cleared x2"]);
});

test("a suppressed episode that ends meanwhile is cleared, marked with its parent's alert, and not as unseen", () => {
  const parent = on((episode) => suppress(episode, "ALR-PARENT", minutes(1)));
  const ended = told(HOT, oil(0, 60), parent, oil(5, 50), oil(6, 50));
  assert.equal(ended.lines.at(-1), "6 cleared cleared x1");
  assert.equal([ended.episode?.suppressedBy, ended.episode?.flags], ["ALR-PARENT", []]);
  const pulse = told(PULSE, hit(0), parent, due(60));
  assert.equal([pulse.lines.at(-1), pulse.episode?.suppressedBy], ["60 cleared cleared x1", "ALR-PARENT"]);
});

test("what a parent covers already is raised suppressed, in one event, and stands by itself when the parent is over", () => {
  const covered: Step = (episode, rule) =>
    observe(
      episode,
      rule,
      { holds: true, atMs: 0, value: 60, limit: 60, clear: 55 },
      { actor: METER, late: false, origin: "live", coveredBy: () => "ALR-PARENT" },
    );
  const { changes, lines } = told(
    HOT,
    covered,
    oil(5, 61),
    on((episode, rule) => release(episode, rule, minutes(10))),
  );
  assert.equal(lines, ["0 raised suppressed x1", "10 updated open x2"]);
  assert.equal(
    changes.map(({ episode }) => [episode.suppressedBy, episode.revision]),
    [
      ["ALR-PARENT", 1],
      [null, 2],
    ],
  );
});

test("what another parent covers, too, goes from one to the other", () => {
  const parent = on((episode) => suppress(episode, "ALR-ONE", minutes(1)));
  const next = on((episode, rule) => release(episode, rule, minutes(5), "ALR-TWO"));
  const { changes, lines } = told(HOT, oil(0, 60), parent, next);
  assert.equal(lines.at(-1), "5 suppressed suppressed x1");
  assert.is(changes.at(-1)?.episode.suppressedBy, "ALR-TWO");
  assert.equal(told(HOT, oil(0, 60), parent, oil(2, 50), oil(3, 50), next).lines.length, 3, "what is over stays over");
});

test("corrected facts amend an alert, take it back, or say nothing new; a suspicion just goes", () => {
  const corrected = (more: Partial<Observation>) => on((episode) => amend(episode, { holds: true, atMs: minutes(9), value: 0, ...more }));
  const other = told(HOT, oil(0, 60), corrected({ value: 64 }));
  assert.equal([other.lines.at(-1), other.episode?.value], ["9 amended open x1", 64]);
  assert.equal(told(HOT, oil(0, 60), corrected({ value: 60 })).lines.length, 1);
  const gone = told(HOT, oil(0, 60), corrected({ holds: false, value: 50 }), corrected({ holds: false }));
  assert.equal([gone.lines, gone.episode?.value], [["0 raised open x1", "9 amended retracted x1"], 50]);
  const afterwards = told(PULSE, hit(0), due(60), corrected({ holds: false }));
  assert.equal(afterwards.lines.at(-1), "60 amended retracted x1", "an alert's events do not go back in time");
  assert.is(told(LOAD, hit(0), corrected({ holds: false })).episode, null);
});

test("the fourth episode within an hour chatters: its end takes twice as long, and it is calm after a day without one", () => {
  const flap: Rule = { ...BASE, offDelayMs: minutes(4) };
  const pair = (atMin: number): readonly Step[] => [hit(atMin), fine(atMin + 1), fine(atMin + 5)];
  const { episode } = told(flap, ...pair(0), ...pair(10), ...pair(20), hit(30));
  assert.equal(episode?.flags, ["chattering"]);
  assert.equal(told(flap, ...pair(0), ...pair(10), ...pair(20), ...pair(30)).lines.at(-1), "30 raised open x1");
  assert.equal(told(flap, ...pair(0), ...pair(10), ...pair(20), ...pair(30), fine(39)).lines.at(-1), "39 cleared cleared x1");
  const flags = (atMin: number) => told(flap, ...pair(0), ...pair(10), ...pair(20), ...pair(30), fine(39), hit(atMin)).episode?.flags;
  assert.equal([flags(24 * 60), flags(25 * 60)], [["chattering"], []]);
  assert.equal(told(flap, ...pair(0), ...pair(40), ...pair(80), hit(120)).episode?.flags, []);
});

test("a retracted alert keeps its id, and hits from its time do not raise it again", () => {
  const { changes, episode } = told(
    PULSE,
    hit(0),
    due(60),
    on((each) => retract(each, minutes(90))),
    late(0),
    late(30),
  );
  assert.equal(changes.map((each) => [each.change, statusOf(each.episode), each.episode.revision]).at(-1), ["amended", "retracted", 3]);
  assert.is(episode?.endsAtMs, minutes(60));
});

test("what changes nothing gives the same object", () => {
  const { episode } = told(HOT, oil(0, 60));
  const [pulse, tampered] = [PULSE, TAMPERED].map((rule) => told(rule, hit(0)).episode ?? null);
  assert.is(fine(1)(pulse ?? null, PULSE).episode, pulse);
  assert.is(fine(1)(tampered ?? null, TAMPERED).episode, tampered);
  const gas = { ...HOT, latched: true };
  const raised = told(gas, hit(0)).episode;
  assert.is(fine(1)(raised, gas).episode, raised);
  for (const step of [unsure(1), oil(2, 57), late(3, { holds: false }), oil(-1, 50)]) assert.is(step(episode, HOT).episode, episode);
});

// Properties, over random lives.

const RULES: readonly Rule[] = [BASE, PULSE, TAMPERED, HOT, LOAD];

function randomStep(random: Seeded, atMin: number, mayCommand: boolean): Step {
  const at = atMin - random.below(2) * random.below(60); // Not from before the episodes that are remembered.
  const commands: readonly Step[] = [
    on((episode) => acknowledge(episode, minutes(at))),
    on((episode) => shelve(episode, minutes(at + 50), minutes(at))),
    on((episode) => suppress(episode, "maintenance", minutes(at))),
    on((episode, rule) => release(episode, rule, minutes(at))),
    on((episode) => resolve(episode, minutes(at))),
    on((episode) => retract(episode, minutes(at))),
    on((episode, rule) => release(episode, rule, minutes(at), "ALR-OTHER")),
    on((episode) => amend(episode, { holds: random.chance(50), atMs: minutes(at), value: at })),
  ];
  const severity = random.pick(["info", "warning", "major", "critical"] as const);
  const kinds = [
    hit(at),
    hit(at, { severity }),
    hit(at, { latched: random.chance(5) }),
    fine(at),
    oil(at, 50),
    oil(at, 57),
    unsure(at),
    late(at),
  ];
  if (!mayCommand || random.chance(60)) return random.pick(kinds);
  return random.chance(60) ? due(atMin) : random.pick(commands);
}

test("over random lives: ids are never published twice, an episode is raised before all else, its bytes give it back", () => {
  for (let n = 0; n < 3_000; n += 1) {
    const seed = SEED + n;
    const random = seeded(seed);
    const rule = random.pick(RULES);
    const seen = new Set<string>();
    let episode: Episode | null = null;
    try {
      for (let atMin = 0; atMin < 40 * 25; atMin += random.below(50)) {
        const before: Episode | null = episode;
        const result: EpisodeStep = randomStep(random, atMin, before !== null)(before, rule);
        episode = result.episode;
        for (const change of result.changes) {
          const id = `${change.episode.alertId}/${change.episode.revision}`;
          assert.not(seen.has(id), id);
          seen.add(id);
          assert.is(change.change === "raised", change.episode.revision === 1);
          assert.is(change.episode.endsAtMs === null, isOpen(change.episode));
          assert.is.not(change.episode.state, "suspected");
          if (change.episode.state !== "cleared") assert.is(change.episode.suppressedBy !== null, change.episode.state === "suppressed");
        }
        if (episode === null) continue;
        assert.equal(storedAndRead(episode), episode);
        if (result.episode !== before) assert.ok(episode.past.length <= 4);
      }
    } catch (error) {
      throw new Error(`SEED=${seed}`, { cause: error });
    }
  }
});
