import * as assert from "uvu/assert";
import type { Emission } from "../../engine/emission.ts";
import { ActorId } from "../../engine/ids.ts";
import { type Arrival, CRASH, type Script, type Seen, type StageOptions, stage } from "../kit/given.ts";
import { at, type Order, PUPPET_RULES, PUPPETS, tick } from "../kit/puppets.ts";
import { type Seeded, seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

const SEED = Number(process.env["SEED"] ?? 20_250_615);
const A = ActorId("puppet", "a");
const B = ActorId("puppet", "b");
const DOLL = ActorId("doll", "d");

const given = staged();

function staged(options: StageOptions = {}) {
  return stage(PUPPETS, PUPPET_RULES, options);
}

const learnt = (seen: Seen, id = A): unknown => seen.actor(id).rolling?.["learnt"];
const woken = (seen: Seen, id = A): unknown => JSON.parse(String(seen.actor(id).attributes["woken"]));
const acts = (seen: Seen): readonly unknown[] => seen.rows("acts").map(({ cells }) => cells["text"]);

// Repeats -------------------------------------------------------------------------------------------------------------------------------

const dedup = suite("dedup window");

dedup("an id that comes again is a duplicate, whatever else it says", async () => {
  const seen = await given(tick(0, { id: "x" })).when(tick(0, { id: "x" }), tick(1, { id: "x", value: 5 }));
  assert.is(seen.actor(A).count("duplicates"), 2);
  assert.is(seen.actor(A).count("accepted"), 1);
  assert.is(learnt(seen), 1);
  assert.is(seen.actor(A).clock("ticks"), at(0));
  assert.equal(seen.log, []);
  assert.is(seen.counters("feed ticks")["duplicates"], 2);
  assert.is(seen.counters("note ticks")["duplicate"], 2);
});

dedup("another id at the same time is a duplicate if it says the same", async () => {
  const seen = await given(tick(0)).when(tick(0));
  assert.is(seen.actor(A).count("duplicates"), 1);
  assert.is(learnt(seen), 1);
});

dedup("another id at the same time that says something else is a conflict: processed, but not learnt from", async () => {
  const seen = await given(tick(0, { value: 1 })).when(tick(0, { value: 2, orders: [["row", "seen"]] }));
  assert.is(seen.actor(A).count("conflicts"), 1);
  assert.is(seen.actor(A).count("accepted"), 2);
  assert.is(learnt(seen), 1);
  assert.equal(acts(seen), ["seen"]);
  assert.is(seen.counters("note ticks")["conflict"], 1);
});

dedup("of two conflicting records each is known when it comes again under another id", async () => {
  const [one, two] = [{ value: 1 }, { value: 2 }];
  for (const again of [one, two]) {
    const seen = await given(tick(0, one), tick(0, two)).when(tick(0, again));
    assert.is(seen.actor(A).count("conflicts"), 1);
    assert.is(seen.actor(A).count("duplicates"), 1);
  }
});

dedup("what no longer fits the ring is remembered while it is inside the window", async () => {
  const many = Array.from({ length: 40 }, (_, n) => tick(n / 10, { id: `x${n}`, value: n }));
  const seen = await given(...many).when(...many.slice(0, 36), tick(0, { value: 0 }), tick(0.2, { value: 7 }));
  assert.is(seen.actor(A).count("duplicates"), 37);
  assert.is(seen.actor(A).count("conflicts"), 1);
  assert.is(seen.actor(A).count("accepted"), 41);
  assert.is(seen.actor(A).count("overflowed"), 37);
});

dedup("the window forgets what has left it, but never the last four", async () => {
  const seen = await given(tick(0, { id: "x" }), tick(1), tick(2), tick(3), tick(4), tick(5), tick(30), tick(31)).when();
  assert.is(seen.actor(A).count("overflowed"), 0);
  const still = await given(tick(0, { id: "x" }), tick(60), tick(61), tick(62)).when(tick(0, { id: "x" }));
  assert.is(still.actor(A).count("duplicates"), 1);
  assert.is(still.actor(A).count("late"), 0);
});

dedup("a repeat from beyond the window takes the late lane, and its row has the id of the first", async () => {
  const later = [tick(60), tick(61), tick(62), tick(63)];
  const repeated = tick(0, { id: "x", orders: [["row", "seen"]] });
  const first = await given().when(repeated);
  const seen = await given(repeated, ...later).when(repeated);
  assert.is(seen.actor(A).count("late"), 1);
  assert.is(seen.actor(A).count("duplicates"), 0);
  assert.is(learnt(seen), 5);
  assert.is(seen.rows("acts").length, 1);
  assert.is(seen.rows("acts")[0]?.rowId, first.rows("acts")[0]?.rowId);
});

dedup("a window that is full forgets its oldest entry and says so", async () => {
  const many = Array.from({ length: 12 }, (_, n) => tick(n / 10, { id: `x${n}`, value: n }));
  const seen = await staged({ limits: { dedupEntriesMax: 5 } })(...many).when(tick(0, { id: "x0" }));
  assert.is(seen.actor(A).count("overflowed"), 5);
  assert.is(seen.actor(A).count("duplicates"), 0);
  assert.ok((seen.counters("note ticks")["dedup_overflow"] ?? 0) > 0);
});

dedup("each actor has a window of its own", async () => {
  const seen = await given(tick(0, { id: "x", actor: "a" })).when(tick(0, { id: "x", actor: "b" }));
  assert.is(seen.actor(B).count("accepted"), 1);
  assert.is(seen.actor(B).count("duplicates"), 0);
});

dedup("an actor may recognise repeats by itself", async () => {
  const seen = await given().when(tick(0, { feed: "other", orders: [["duplicate"]] }));
  assert.is(seen.actor(A).count("duplicates"), 1);
  assert.is(seen.actor(A).count("accepted"), 0);
  assert.is(seen.counters("feed other")["duplicates"], 1);
  assert.is(seen.counters("feed other")["accepted"], undefined);
});

// Late ----------------------------------------------------------------------------------------------------------------------------------

const late = suite("late lane");

late("out of order within the lateness is normal", async () => {
  const seen = await given(tick(10)).when(tick(0));
  assert.is(seen.actor(A).count("late"), 0);
  assert.is(learnt(seen), 2);
  assert.is(seen.actor(A).clock("ticks"), at(10));
});

late("a late record runs the record rules and is curated as late, but teaches nothing and moves no clock", async () => {
  const orders: readonly Order[] = [
    ["observe", "puppet.hit", 10],
    ["row", "seen"],
  ];
  const seen = await given(tick(10.001)).when(tick(0, { orders }));
  assert.is(seen.actor(A).count("late"), 1);
  assert.is(learnt(seen), 1);
  assert.is(seen.actor(A).clock("ticks"), at(10.001));
  assert.equal(
    seen.events.map(({ data }) => [data.rule, data.origin]),
    [["puppet.hit", "late"]],
  );
  assert.equal(
    seen.rows("acts").map((row) => [row.late, row.date]),
    [[true, "2025-06-15"]],
  );
  assert.is(seen.counters("feed ticks")["late"], 1);
});

late("the origin of an alert on time is that of its source", async () => {
  const backfill = staged({ origin: "backfill" });
  const seen = await backfill().when(tick(0, { orders: [["observe", "puppet.hit", 10]] }));
  assert.equal(
    seen.events.map(({ data }) => data.origin),
    ["backfill"],
  );
});

late("a record that is 26 hours old for one actor and on time for another is late for the first only (P-7)", async () => {
  const seen = await given(tick(26 * 60, { actor: "a" })).when(tick(0, { actor: "a" }), tick(0, { actor: "b" }));
  assert.is(seen.actor(A).count("late"), 1);
  assert.is(seen.actor(B).count("late"), 0);
});

late("an event more than five minutes ahead of its arrival is quarantined and moves no clock", async () => {
  const early = { ...tick(5.0001, { id: "y" }), arrivedAtMs: at(0) };
  const seen = await given(tick(0)).when({ ...tick(5), arrivedAtMs: at(0) }, early);
  assert.is(seen.actor(A).clock("ticks"), at(5));
  assert.equal(
    seen.quarantine.map((row) => [row.reason, row.eventTimeMs, Buffer.from(row.bytes).toString()]),
    [["future_event", at(5.0001), JSON.stringify(early.record)]],
  );
  assert.is(seen.actor(A).count("quarantined"), 0); // It is not said to be the actor's.
});

// Timers --------------------------------------------------------------------------------------------------------------------------------

const timers = suite("timers of a turn");

timers("a timer fires before the message that moves the clock to it, and knows how late it is", async () => {
  const seen = await given(tick(0, { orders: [["wake", "w", 5]] })).when(
    tick(4.9, { orders: [["row", "before"]] }),
    tick(7, { orders: [["row", "after"]] }),
  );
  assert.equal(acts(seen), ["before", "woken w", "after"]);
  assert.equal(woken(seen), [["w", 5, 7, 2.1]]);
});

timers("timers fire in the order of due time, actor and name", async () => {
  const wake = (name: string, minute: number): Order => ["wake", name, minute];
  const seen = await given(
    tick(0, { actor: "b", orders: [wake("y", 2), wake("x", 2), wake("z", 1)] }),
    tick(0, { actor: "a", orders: [wake("q", 2), wake("p", 3)] }),
  ).when(tick(9, { actor: "c" }));
  assert.equal(acts(seen), ["woken z", "woken q", "woken x", "woken y", "woken p"]);
});

timers("a timer that was moved, to later or to earlier, fires once, at its last time and in its place", async () => {
  const seen = await given(
    tick(0, { orders: [["wake", "later", 1]] }),
    tick(0.1, { orders: [["wake", "later", 3]] }),
    tick(0.2, { orders: [["wake", "earlier", 8]] }),
    tick(0.3, { orders: [["wake", "earlier", 2]] }),
  ).when(tick(9), tick(12));
  assert.equal(woken(seen), [
    ["earlier", 2, 9, 8.7],
    ["later", 3, 9, 8.7],
  ]);
});

timers("a timer that was cancelled does not fire, also if it was moved before", async () => {
  const seen = await given(
    tick(0, { orders: [["wake", "w", 1]] }),
    tick(0.1, { orders: [["wake", "w", 3]] }),
    tick(0.2, { orders: [["wake", "w", null]] }),
  ).when(tick(9));
  assert.equal(woken(seen), []);
  assert.equal([...seen.store.range("timer", "")], []);
});

timers("a timer that sets itself again into the past waits for the next sweep", async () => {
  const again: readonly Order[] = [["wake", "w", 1.5]];
  const seen = await given(
    tick(0, {
      orders: [
        ["on", "w", again],
        ["wake", "w", 1],
      ],
    }),
  ).when(tick(9), tick(10), tick(11));
  assert.equal(woken(seen), [
    ["w", 1, 9, 9],
    ["w", 1.5, 10, 1],
    ["w", 1.5, 11, 1],
  ]);
});

timers("a step of three days fires a timer of every minute once (P-9)", async () => {
  const again: readonly Order[] = [["wake", "w", 2]];
  const seen = await given(
    tick(0, {
      orders: [
        ["on", "w", again],
        ["wake", "w", 1],
      ],
    }),
  ).when(tick(3 * 24 * 60));
  assert.equal(woken(seen), [["w", 1, 4320, 4320]]);
});

timers("a timer is due on the clock of the feed that set it, which may run behind its events", async () => {
  const seen = await given(tick(0, { feed: "slow", orders: [["wake", "w", 1]] })).when(tick(60), tick(5.9, { feed: "slow", actor: "b" }));
  assert.equal(woken(seen), []);
  const due = await given(tick(0, { feed: "slow", orders: [["wake", "w", 1]] })).when(tick(6, { feed: "slow", actor: "b" }));
  assert.equal(woken(due), [["w", 1, 1, 6]]);
});

timers("the slowest source holds the clock, until it has nothing more to read; back again, it does not pull the clock back", async () => {
  const start: Script = [tick(0, { source: "one", orders: [["wake", "w", 5]] }), tick(0, { source: "two", actor: "b" })];
  const held = await given(...start).when(tick(9, { source: "one", actor: "c" }));
  assert.equal(woken(held), []);
  const seen = await given(...start).when(
    tick(9, { source: "one", actor: "c" }),
    { quiet: "ticks", source: "two" },
    tick(1, { source: "two", actor: "b", orders: [["wake", "w", 2]] }),
  );
  assert.equal(woken(seen), [["w", 5, 9, 9]]);
  assert.equal(woken(seen, B), []);
  assert.is(seen.actor(B).count("late"), 0);
});

timers("so does the slowest partition of a source, also after a restart", async () => {
  const start: Script = [tick(0, { partition: "t/0", orders: [["wake", "w", 5]] }), tick(0, { partition: "t/1", actor: "b" }), CRASH];
  const held = await given(...start).when(tick(9, { partition: "t/0", actor: "c" }));
  assert.equal(woken(held), []);
  const seen = await given(...start).when(tick(9, { partition: "t/0", actor: "c" }), { quiet: "ticks", partition: "t/1" });
  assert.equal(woken(seen), [["w", 5, 9, 9]]);
});

timers("a source that stops for a day wakes nobody (P-8)", async () => {
  const seen = await given(tick(0, { orders: [["wake", "silence", 5]] })).when({ quiet: "ticks" }, { quiet: "ticks" }, tick(0.5));
  assert.equal(woken(seen), []);
});

timers("a pulse ends by its timer, an hour after the last hit", async () => {
  const hit: readonly Order[] = [["observe", "puppet.hit", 10]];
  const seen = await given(tick(0, { orders: hit })).when(tick(30, { orders: hit }), tick(89, { actor: "b" }), tick(95, { actor: "b" }));
  assert.equal(seen.alerts, [{ rule: "puppet.hit", change: "cleared", atMs: at(90) }]);
  assert.is(seen.actor(A).count("openEpisodes"), 0);
  assert.is(seen.actor(A).count("alerts"), 1);
});

timers("an actor may hold so many timers and no more", async () => {
  const orders = [1, 2, 3].map((n): Order => ["wake", `w${n}`, n]);
  const seen = await staged({ limits: { timersPerActorMax: 2 } })(tick(0, { orders })).when(tick(9));
  assert.equal(acts(seen), ["woken w1", "woken w2"]);
});

// Failures ------------------------------------------------------------------------------------------------------------------------------

const failures = suite("a record that fails");

const effects: readonly Order[] = [
  ["keep", "spoilt"],
  ["wake", "w", 5],
  ["observe", "puppet.hit", 10],
  ["row", "never"],
  ["note", "orphan"],
  ["tell", B, [["keep", "told"]]],
  ["tell", DOLL, [["keep", "told"]]],
];

const failing: Readonly<
  Record<string, { readonly orders: readonly Order[]; readonly reason: string; readonly limits?: StageOptions["limits"] }>
> = {
  "its actor throws": { orders: [...effects, ["throw"]], reason: "handler_error" },
  "an actor it tells throws": { orders: [...effects, ["tell", DOLL, [["throw"]]]], reason: "handler_error" },
  "its actor's state cannot be encoded": { orders: [...effects, ["spoil"]], reason: "handler_error" },
  "the state of an actor it tells cannot be encoded": { orders: [...effects, ["tell", DOLL, [["spoil"]]]], reason: "handler_error" },
  "its actor's state is too large": { orders: [...effects, ["grow", 5_000]], reason: "handler_error", limits: { warmBytesMax: 4_096 } },
  "it tells too many": {
    orders: [...effects, ...Array.from({ length: 9 }, (): Order => ["tell", DOLL, []])],
    reason: "hop_limit",
    limits: { tellsMax: 10 },
  },
  "it would make an actor with a name too long": { orders: [...effects, ["tell", ActorId("doll", "é".repeat(62)), []]], reason: "bad_id" },
  "it would make one actor too many": {
    orders: [...effects, ["tell", ActorId("doll", "e"), []]],
    reason: "actor_limit",
    limits: { actors: 3 },
  },
};

for (const [title, { orders, reason, limits = {} }] of Object.entries(failing)) {
  failures(`${title}: quarantined with its bytes, and the rest of the batch is as if it had not been there`, async () => {
    const bad = tick(1, { id: "bad", orders });
    const before = [tick(0, { id: "first", orders: [["keep", "sound"]] })];
    const after = [tick(2, { id: "next", orders: [["row", "after"]] }), tick(6, { id: "last" })];
    const stagedHere = staged({ limits });
    const seen = await stagedHere(...before).when(bad, ...after);
    const calm = await stagedHere(...before).when(...after);
    assert.equal(
      seen.quarantine.map((row) => [row.reason, row.actor, row.eventTimeMs, Buffer.from(row.bytes).toString()]),
      [[reason, A, at(1), JSON.stringify(bad.record)]],
    );
    assert.is(seen.actor(A).count("quarantined"), 1);
    assert.equal(facts(seen), facts(calm));
    assert.equal(seen.has(B), false);
    assert.equal(seen.has(DOLL), false);
    assert.equal([...seen.store.range("timer", "")], []);
    assert.equal(seen.counters("actor"), { puppet: 1 });
    assert.is(seen.counters("note ticks")["orphan"], undefined);
    assert.is(seen.counters("feed ticks")["quarantined"], 1);
    assert.is(seen.rows("quarantine").length, 1);
  });
}

failures("takes an actor's birth back, and the next record makes it again", async () => {
  const seen = await given().when(tick(0, { orders: [["throw"]] }), tick(1));
  assert.is(seen.actor(A).count("quarantined"), 0); // It happened to nobody.
  assert.is(seen.actor(A).count("accepted"), 1);
  assert.equal(seen.counters("actor"), { puppet: 1 });
});

failures("tells beyond the hop limit fail the record, tells up to it do not", async () => {
  const chain = (hops: number): readonly Order[] => (hops === 0 ? [["keep", "end"]] : [["tell", DOLL, chain(hops - 1)]]);
  const seen = await given().when(tick(0, { actor: "a", orders: chain(8) }), tick(0, { actor: "b", orders: chain(9) }));
  assert.is(seen.actor(DOLL).attributes["kept"], "end");
  assert.equal(
    seen.quarantine.map(({ reason }) => reason),
    ["hop_limit"],
  );
  assert.is(seen.has(B), false);
});

failures("does not use up its id: the same record, mended, is new", async () => {
  const seen = await given(tick(0)).when(tick(1, { id: "x", orders: [["throw"]] }), tick(1, { id: "x" }));
  assert.is(seen.actor(A).count("duplicates"), 0);
  assert.is(learnt(seen), 2);
});

failures("leaves the feed's clock where it moved it", async () => {
  const seen = await given(tick(0, { orders: [["wake", "w", 5]] })).when(tick(6, { actor: "b", orders: [["throw"]] }));
  assert.equal(woken(seen), [["w", 5, 6, 6]]);
});

failures("a message that cannot be made is quarantined, counted with its actor, also after a crash", async () => {
  const sound = tick(0, { id: "first" });
  const bad: Arrival = { feed: "ticks", record: { ...(tick(1, { id: "bad" }).record as object), orders: "no JSON" } };
  const calm = await given(sound).when(bad);
  const seen = await given(sound, CRASH).when(bad);
  assert.is(calm.actor(A).count("quarantined"), 1);
  assert.equal(seen.digest, calm.digest);
});

failures("a timer whose actor throws is gone, stands in quarantine, and the message that moved the clock goes on", async () => {
  const seen = await given(
    tick(0, {
      orders: [
        ["on", "w", [["row", "never"], ["throw"]]],
        ["wake", "w", 1],
      ],
    }),
  ).when(tick(2), tick(3));
  assert.equal(woken(seen), []);
  assert.equal(acts(seen), []);
  assert.is(learnt(seen), 3);
  assert.equal(
    seen.quarantine.map((row) => [row.reason, row.actor, row.position, row.eventTimeMs]),
    [["handler_error", A, `timer:${A}/w/${at(1)}`, at(1)]],
  );
  assert.equal([...seen.store.range("timer", "")], []);
});

failures("a record of which more bytes came than are kept keeps its beginning", async () => {
  const text = `{"event_id":"${"x".repeat(500)}"`;
  const seen = await staged({ limits: { quarantineBytesKept: 100, quarantineHeadBytes: 10 } })().when({ feed: "ticks", record: text });
  assert.equal(
    seen.quarantine.map((row) => [row.reason, row.sizeBytes, Buffer.from(row.bytes).toString()]),
    [["bad_json", text.length, text.slice(0, 10)]],
  );
});

// Promises ------------------------------------------------------------------------------------------------------------------------------

const promises = suite("promises of a turn");

promises("cut into batches in any way, the same input gives the same states, emissions and ids (P-5)", async () => {
  for (let run = 0; run < 12; run += 1) {
    const script = anything(seeded(SEED + run), 150);
    const whole = await staged({ limits: { dedupEntriesMax: 6 } })().when(...script);
    for (const batchOf of [1, 7, cuts(SEED + run)]) {
      const cut = await staged({ limits: { dedupEntriesMax: 6 }, batchOf })().when(...script);
      same(cut, whole, `SEED=${SEED + run}`);
    }
  }
});

promises("a crash anywhere changes nothing", async () => {
  for (let run = 0; run < 12; run += 1) {
    const random = seeded(SEED + run);
    const script = anything(random, 120);
    const calm = await given().when(...script);
    const seen = await given().when(...script.flatMap((item): Script => (random.chance(15) ? [CRASH, item] : [item])));
    same(seen, calm, `SEED=${SEED + run}`);
  }
});

promises("a source of which nothing was readable yet holds the clock, also after a crash", async () => {
  const bad: Arrival = { feed: "ticks", source: "two", record: "{}" };
  const script: Script = [tick(0, { source: "one", orders: [["wake", "w", 5]] }), bad];
  const calm = await given(...script).when(tick(9, { source: "one" }));
  const seen = await given(...script, CRASH).when(tick(9, { source: "one" }));
  assert.equal(woken(calm), []);
  assert.equal(woken(seen), woken(calm));
});

promises("every record delivered twice within the window changes the counts of duplicates only (P-6)", async () => {
  for (let run = 0; run < 8; run += 1) {
    const random = seeded(SEED + run);
    const script = anything(random, 120)
      .filter(isTick)
      .filter((item) => !throws(item));
    const once = await given().when(...script);
    const twice = await given().when(
      ...script.flatMap((item, n) => [item, ...(n > 0 && random.chance(50) ? [script[n - 1] as Arrival] : []), item]),
    );
    assert.equal(facts(twice), facts(once), `SEED=${SEED + run}`);
    assert.ok((twice.counters("feed ticks")["duplicates"] ?? 0) >= script.length);
  }
});

promises("positions are stored with the batch", async () => {
  const seen = await staged({ batchOf: 2 })().when(tick(0), tick(1), tick(2));
  assert.equal(
    [...seen.store.range("position", "ticks\0")].map(([key, value]) => [key, Buffer.from(value).toString()]),
    [["ticks\0ticks.json", "3"]],
  );
});

promises("counts of the feed and of its actors add up", async () => {
  const script = anything(seeded(SEED), 300).filter(isTick);
  const seen = await given().when(...script);
  const { read = 0, accepted = 0, duplicates = 0, quarantined = 0 } = seen.counters("feed ticks");
  assert.is(read, script.length);
  assert.is(accepted + duplicates + quarantined, read);
  const ofActors = ACTORS.map((key) => seen.actor(ActorId("puppet", key)));
  assert.is(sum(ofActors.map((actor) => actor.count("accepted"))), accepted);
  assert.is(sum(ofActors.map((actor) => actor.count("duplicates"))), duplicates);
});

const ACTORS = ["a", "b", "c", "d"] as const;

/** Records of every kind: on time, late, repeated, in conflict, with timers, tells, alerts and failures; from two sources and three feeds. */
function anything(random: Seeded, length: number): Script {
  const script: Script[number][] = [];
  const recent: Arrival[] = [];
  let minute = 0;
  for (let n = 0; n < length; n += 1) {
    minute += random.below(40) / 20;
    if (random.chance(3)) script.push({ quiet: "ticks", source: random.pick(["ticks", "two"]) });
    if (random.chance(2)) minute += 100;
    if (random.chance(10) && recent.length > 0) {
      script.push(random.pick(recent.slice(-8)));
      continue;
    }
    const when = Math.max(0, minute - (random.chance(30) ? random.below(300) / 10 : 0));
    const orders = Array.from({ length: random.below(3) }, () => anOrder(random, minute, 2));
    const record = tick(Math.round(when * 4) / 4, {
      actor: random.pick(ACTORS),
      value: random.below(4),
      ...(orders.length === 0 ? {} : { orders }),
      feed: random.pick(["ticks", "ticks", "ticks", "slow", "other"]),
    });
    const from = record.feed === "ticks" && random.chance(20) ? { ...record, source: "two" } : record;
    recent.push(from);
    script.push(random.chance(2) ? { ...from, record: "{" } : from);
  }
  return script;
}

function anOrder(random: Seeded, minute: number, depth: number): Order {
  const name = random.pick(["v", "w"]);
  const more = (): readonly Order[] => (depth === 0 ? [] : [anOrder(random, minute, depth - 1)]);
  switch (random.below(10)) {
    case 0:
    case 1:
      return ["wake", name, random.chance(20) ? null : Math.round(minute + random.below(20) - 3)];
    case 2:
      return ["on", name, more()];
    case 3:
    case 4:
      return ["tell", random.pick([A, B, DOLL, ActorId("doll", "e")]), more()];
    case 5:
      return ["observe", random.pick(["puppet.hit", "puppet.high"]), random.pick([5, 9, 12])];
    case 6:
      return ["keep", String(random.below(100))];
    case 7:
      return random.chance(40) ? ["throw"] : ["note", "orphan"];
    default:
      return ["row", String(random.below(100))];
  }
}

function isTick(item: Script[number]): item is Arrival {
  return item !== CRASH && "feed" in item && item.feed === "ticks";
}

function throws({ record }: Arrival): boolean {
  return typeof record === "string" || JSON.stringify(record).includes("throw");
}

function cuts(seed: number): () => number {
  const random = seeded(seed);
  return () => 1 + random.below(12);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Everything is equal: states, emissions with their numbers and positions, quarantine, counters. */
function same(seen: Seen, wanted: Seen, why: string): void {
  assert.equal(seen.log, wanted.log, why);
  assert.is(seen.digest, wanted.digest, why);
  assert.equal(seen.quarantine, wanted.quarantine, why);
  for (const table of ["count", "timer", "partition", "feed"] as const) {
    assert.equal([...seen.store.range(table, "")], [...wanted.store.range(table, "")], `${why}: ${table}`);
  }
}

/** What a script has led to, but for where records stood and how many were repeats or refused. */
function facts(seen: Seen): unknown {
  return {
    emissions: seen.log.filter((one) => !isOf(one, "quarantine")).map(placeless),
    timers: [...seen.store.range("timer", "")].map(([key]) => key),
    actors: [...seen.store.actors()].map(([id]) => {
      const { attributes, rolling, clock, count } = seen.actor(id);
      const counts = (["accepted", "late", "conflicts", "alerts", "openEpisodes", "overflowed"] as const).map((name) => count(name));
      return [id, attributes, rolling, clock("ticks"), clock("slow"), counts];
    }),
  };
}

function isOf(emission: Emission, table: string): boolean {
  return emission.stream === "curated" && emission.row.table === table;
}

function placeless(emission: Emission): unknown {
  const text = JSON.stringify(emission.stream === "alerts" ? { ...emission.event, sequence: 0 } : { ...emission.row, position: "" });
  return text.replaceAll(/"(?:evidence_)?position":"[^"]*"/g, "");
}
