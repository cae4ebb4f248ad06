import * as assert from "uvu/assert";
import { type AuditRow, auditRows, carryOut, isNext } from "../../engine/command.ts";
import { COMMANDS } from "../../engine/commands.ts";
import { stateDigest } from "../../engine/digest.ts";
import { hours, minutes } from "../../engine/duration.ts";
import { ActorId, SourceId } from "../../engine/ids.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import type { Store } from "../../engine/store.ts";
import { Turn } from "../../engine/turn.ts";
import { World } from "../../engine/world.ts";
import { type Arrival, CRASH, type Operate, type Script, type Seen, stage } from "../kit/given.ts";
import { at, PUPPET_RULES, PUPPETS, tick } from "../kit/puppets.ts";
import { seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

const test = suite("commands of operators");

const given = stage(PUPPETS, PUPPET_RULES);
const A = ActorId("puppet", "a");
const ARRIVED_AT_MS = Date.UTC(2026, 0, 1);

/** A value of 10 or more makes `puppet.high` abnormal, below 8 it is normal again. `puppet.hit` is a pulse of an hour. */
const high = (minute: number, value: number) => tick(minute, { value: 0, orders: [["observe", "puppet.high", value]] });
const hit = (minute: number) => tick(minute, { value: 0, orders: [["observe", "puppet.hit", 10]] });
const ack = (changes: Partial<Operate> = {}): Operate => ({ operate: "ack", actor: A, rule: "puppet.high", ...changes });
const shelve = (forMs: number, changes: Partial<Operate> = {}): Operate => ({
  operate: "shelve",
  actor: A,
  rule: "puppet.high",
  args: { forMs: String(forMs) },
  ...changes,
});
const audit = ({ store }: Seen): readonly AuditRow[] => [...auditRows(store)];
const changes = ({ alerts }: Seen) => alerts.map(({ change }) => change);

test("an acknowledged alert is published once, at the engine's clock, with the command as its evidence", async () => {
  const seen = await given(high(0, 12), tick(3, { actor: "b" })).when(ack(), ack());
  assert.equal(seen.alerts, [{ rule: "puppet.high", change: "acknowledged", atMs: at(3) }]);
  assert.equal(seen.events[0]?.data.evidence, [{ feed: null, source: null, position: "command:1", eventId: null }]);
  assert.equal(
    audit(seen).map(({ number, result, detail }) => [number, result, detail]),
    [
      [1, "done", { sequence: Number(seen.events[0]?.sequence) }],
      [2, "unchanged", { sequence: null }],
    ],
  );
});

test("an acknowledged alert ends by itself, and counts as seen", async () => {
  const seen = await given(high(0, 12), ack()).when(high(1, 5));
  assert.equal(changes(seen), ["cleared"]);
  assert.equal(seen.events[0]?.data.flags, []);
});

test("a shelved alert is raised again at the end of its time if it still holds, and is cleared if not", async () => {
  const stillHigh = await given(high(0, 12)).when(shelve(minutes(30)), high(10, 15), high(29, 14), tick(40));
  assert.equal(stillHigh.alerts, [
    { rule: "puppet.high", change: "shelved", atMs: at(0) },
    { rule: "puppet.high", change: "updated", atMs: at(30) },
  ]);
  assert.is(stillHigh.events[1]?.data.status, "open");
  const normal = await given(high(0, 12)).when(shelve(minutes(30)), high(10, 5), tick(40));
  assert.equal(changes(normal), ["shelved", "cleared"]);
});

test("the shelf of a pulse ends by the shelf, not by the pulse", async () => {
  const seen = await given(hit(0)).when(shelve(hours(2), { rule: "puppet.hit" }), tick(70), tick(119), tick(121));
  assert.equal(seen.alerts, [
    { rule: "puppet.hit", change: "shelved", atMs: at(0) },
    { rule: "puppet.hit", change: "cleared", atMs: at(120) },
  ]);
});

test("an alert that is over is not changed, nor one whose place another has taken", async () => {
  const first = (await given().when(high(0, 12))).events[0]?.data.alertId ?? "";
  const seen = await given(high(0, 12), high(1, 5)).when(
    ack({ refused: /is over/ }),
    high(2, 12),
    ack({ alertId: first, refused: /is over/ }),
    ack({ actor: ActorId("puppet", "nobody"), refused: /no actor puppet\/nobody/ }),
  );
  assert.equal(changes(seen), ["raised"]);
});

test("a refused command changes nothing: no row of the audit, no state", async () => {
  const scene = given(high(0, 12), high(1, 5));
  const refused = await scene.when(ack({ refused: /is over/ }), shelve(minutes(1), { refused: /is over/ }));
  assert.equal([refused.digest, audit(refused)], [(await scene.when()).digest, []]);
});

test("of two commands with one key the first is carried out, also after a crash; another command with it is refused", async () => {
  const once = ack({ key: "k1", arrivedAtMs: at(0) });
  const seen = await given(high(0, 12)).when(once, CRASH, { ...once, arrivedAtMs: at(60) });
  assert.equal([changes(seen), audit(seen).length], [["acknowledged"], 1]);
  const other = shelve(minutes(5), { key: "k1", arrivedAtMs: at(1), refused: /idempotency key/ });
  assert.equal(changes(await given(high(0, 12)).when(once, other)), ["acknowledged"]);
});

test("a key holds for 24 h, and is then forgotten", async () => {
  const once = ack({ key: "k1", arrivedAtMs: at(0) });
  const seen = await given(high(0, 12)).when(
    once,
    { ...once, arrivedAtMs: at(0) + hours(24) },
    { ...ack(), arrivedAtMs: at(0) + hours(72) },
  );
  assert.is(audit(seen).length, 3);
  assert.equal([...seen.store.range("audit", "key ")], []);
});

test("records and commands in one order lead to one digest, one log and one audit, whatever the batches and wherever it is killed", async () => {
  for (let seed = 1; seed <= 15; seed += 1) {
    const script = story(seed);
    const plain = await given().when(...script);
    for (const batchOf of [1, 7]) {
      const crashing = seeded(seed + batchOf);
      const cut = script.flatMap((item): Script => (crashing.chance(10) ? [CRASH, item] : [item]));
      const other = await stage(PUPPETS, PUPPET_RULES, { batchOf })().when(...cut);
      assert.equal(other.digest, plain.digest, `seed ${seed}, batches of ${batchOf}`);
      assert.equal(other.events, plain.events, `seed ${seed}`);
      assert.equal(audit(other), audit(plain), `seed ${seed}`);
    }
  }
});

test("records and the audit alone say where each command came: carried out there again, they lead to the same digest and the same audit", async () => {
  for (let seed = 1; seed <= 10; seed += 1) {
    const script = story(seed);
    const first = await given().when(...script);
    const records = script.flatMap((item) => (typeof item === "object" && "record" in item ? [item] : []));
    const again = await replayed(records, audit(first), 1 + (seed % 5));
    assert.equal(stateDigest(again), first.digest, `seed ${seed}`);
    assert.equal([...auditRows(again)], audit(first), `seed ${seed}`);
  }
});

/** Takes records in batches of so many at most, cut where a command of the audit came. */
async function replayed(records: readonly Arrival[], rows: readonly AuditRow[], batchOf: number): Promise<Store> {
  const store = openMemoryStore();
  const options = { name: "main", domain: PUPPETS, rules: new RuleTable(PUPPET_RULES), schemas: new Map(), limits: DEFAULT_LIMITS };
  const world = new World(options, store);
  const turn = new Turn(world);
  const waiting = [...rows];
  const carryOutDue = async (): Promise<void> => {
    for (let row = waiting[0]; row !== undefined && isNext(row, world); row = waiting[0]) {
      waiting.shift();
      const handler = COMMANDS[row.verb];
      if (handler === undefined) throw new Error(`nobody carries out ${row.verb}`);
      const { verb, args, by, reason, key, arrivedAtMs } = row;
      await carryOut({ verb, args, by, reason, key, arrivedAtMs }, handler, { world, turn, store, sources: [] });
    }
  };
  for (let n = 0; n < records.length; ) {
    await carryOutDue();
    const next = waiting[0]?.after["ticks"]?.records ?? records.length;
    const end = Math.min(n + batchOf, records.length, next > n ? next : records.length);
    const taken = records
      .slice(n, end)
      .map(({ record }, at) => ({ at: n + at, arrivedAtMs: ARRIVED_AT_MS, bytes: Buffer.from(JSON.stringify(record)) }));
    const batch = { origin: "file:ticks/ticks.json/", path: "ticks.json", generation: 0, records: taken, resumeAt: new Map(), idle: false };
    await store.commit(turn.run({ source: SourceId("ticks"), feed: "ticks", mode: "delta", origin: "live" }, batch));
    n = end;
  }
  await carryOutDue();
  return store;
}

/** Two puppets that go up and down, and an operator who acknowledges, resolves and shelves what is open. */
function story(seed: number): Script {
  const draw = seeded(seed);
  const script: Script[number][] = [];
  for (let minute = 0; minute < 60; minute += 1) {
    const actor = draw.pick(["a", "b"]);
    const isHigh = draw.chance(50);
    const id = `s${seed}-${minute}`;
    script.push(tick(minute, { id, actor, value: 0, orders: [["observe", "puppet.high", isHigh ? 12 : 5]] }));
    if (!isHigh || draw.chance(40)) continue;
    const about = { actor: ActorId("puppet", actor), rule: "puppet.high" };
    const forMs = String(minutes(1 + draw.below(9)));
    const commands: readonly Operate[] = [
      { operate: "ack", ...about },
      { operate: "ack", ...about, args: { resolve: true } },
      { operate: "shelve", ...about, args: { forMs } },
    ];
    script.push({ ...draw.pick(commands), refused: "perhaps" });
  }
  return script;
}
