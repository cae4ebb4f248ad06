import * as assert from "uvu/assert";
import { GRID } from "../../actors/registry.ts";
import { RULES } from "../../actors/rules.ts";
import { readingLine } from "../../bench/readings.ts";
import { deal } from "../../cluster/assigner.ts";
import { BadChunk, decodeChunk, encodeChunk, shardOf } from "../../cluster/chunk.ts";
import { Router } from "../../cluster/router.ts";
import { allSettled } from "../../cluster/settled.ts";
import { newerOwner, type ShardStatus, statusKey } from "../../cluster/shard_status.ts";
import { Position, SourceId } from "../../engine/ids.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import type { Batch } from "../../engine/source.ts";
import { World } from "../../engine/world.ts";
import { suite } from "../kit/suite.ts";

const test = suite("parts of a cluster");

test("shards are dealt out evenly, and stay where their states are, with whoever is furthest", () => {
  const shards = Array.from({ length: 10 }, (_, n) => n);
  const first = deal(shards, [member("a"), member("b"), member("c")]);
  assert.equal([...first.values()].map(({ length }) => length).sort(), [3, 3, 4]);
  assert.equal([...first.values()].flat().sort(byNumber), shards);
  const held = (id: string) => member(id, new Map((first.get(id) ?? []).map((shard) => [shard, 5])));
  assert.equal(deal(shards, [held("c"), held("a"), held("b")]), first);
  const without = deal(shards, [held("a"), held("c")]);
  for (const id of ["a", "c"]) for (const shard of first.get(id) ?? []) assert.ok(without.get(id)?.includes(shard), `${id} keeps ${shard}`);
  assert.equal(
    deal(
      [0, 1],
      [
        member(
          "a",
          new Map([
            [0, 7],
            [1, 7],
          ]),
        ),
        member("b", new Map([[1, 9]])),
      ],
    ),
    new Map([
      ["a", [0]],
      ["b", [1]],
    ]),
  );
  assert.equal(
    deal([0], [member("a"), member("b")]),
    new Map([
      ["a", [0]],
      ["b", []],
    ]),
  );
});

test("a chunk comes back as it was, and what is none of ours is refused", () => {
  const fields = { n: 2n ** 60n, at: new Date(5), text: "a\0b", nothing: null };
  const record = { at: 7, arrivedAtMs: 9, bytes: Buffer.from("{}"), fields, cells: true };
  const batch = { origin: "file:1/", path: "a.csv", generation: 2, records: [record], idle: false, reachedMs: 5 };
  const chunk = { kind: "batch", source: "meters", part: "p", batch } as const;
  assert.equal(decodeChunk(encodeChunk(chunk)), chunk);
  for (const bytes of [Buffer.from("{}"), Buffer.alloc(0), Buffer.from([0xc1]), Buffer.from([0x92, 9, 0xc0])]) {
    assert.throws(
      () => decodeChunk(bytes),
      (error: unknown) => error instanceof BadChunk,
    );
  }
});

test("records go to the shards of their actors, in order; what cannot be read to one shard; a mark to all, once a second", () => {
  let nowMs = 0;
  const options = { name: "t", domain: GRID, rules: new RuleTable(RULES, new Map()), schemas: new Map(), limits: DEFAULT_LIMITS };
  const router = new Router({ world: new World(options, openMemoryStore()), shards: 3, nowMs: () => nowMs });
  const intake = { source: SourceId("meters"), feed: "smart_meter", mode: "delta", origin: "live" } as const;
  const lines = [...Array.from({ length: 30 }, (_, n) => readingLine(n, 30)), "no json", "nor this"];
  const records = lines.map((line, at) => ({ at, arrivedAtMs: Date.UTC(2025, 5, 2), bytes: Buffer.from(line) }));
  const batch: Batch = { origin: "file:1/", path: "a", generation: 0, records, resumeAt: new Map([["a", Position("1")]]), idle: false };
  const first = router.route(intake, batch);
  const marks = first.filter(({ chunk }) => chunk.batch.records.length === 0);
  assert.equal(
    marks.map(({ shard, chunk }) => [shard, chunk.batch.reachedMs]),
    [0, 1, 2].map((shard) => [shard, Date.parse(JSON.parse(readingLine(29, 30)).timestamp)]),
  );
  const sent = first.flatMap(({ shard, chunk }) => chunk.batch.records.map(({ at }) => ({ shard, at })));
  assert.is(sent.length, lines.length);
  for (const { shard, at } of sent.filter((one) => one.at < 30)) {
    assert.is(shard, shardOf(`meter/${JSON.parse(lines[at] ?? "").meter_id}`, 3));
  }
  for (const shard of [0, 1, 2]) {
    const own = sent.filter((one) => one.shard === shard).map(({ at }) => at);
    assert.equal(own, [...own].sort(byNumber));
  }
  assert.is(new Set(sent.filter(({ at }) => at >= 30).map(({ shard }) => shard)).size, 1);
  nowMs = 999;
  assert.ok(
    router.route(intake, batch).every(({ chunk }) => chunk.batch.records.length > 0),
    "a second has not passed",
  );
  nowMs = 1_000;
  assert.is(router.route(intake, batch).filter(({ chunk }) => chunk.batch.records.length === 0).length, 3);
  const idle = router.route(intake, { ...batch, records: [], idle: true });
  assert.equal(
    idle.map(({ chunk }) => chunk.batch.idle),
    [true, true, true],
  );
});

test("a stage has ended when all shards are behind its end with their tells handed over, and a round has brought no more tells", async () => {
  const statuses = new Map<string, ShardStatus>();
  const say = (shard: number, next: number, told: number, handedOver: number): void => {
    const about = { node: "n", address: null, generation: 1, atMs: 0, snapshot: null };
    statuses.set(statusKey(shard), { ...about, shard, next, told, handedOver });
  };
  let rounds = 0;
  const steps: (() => void)[] = [
    () => say(0, 5, 0, 0), // Not behind it yet.
    () => say(0, 11, 3, 2), // Behind it, and a tell is on its way.
    () => say(1, 11, 0, 0),
    () => say(0, 12, 3, 3), // The first round is over.
    () => say(0, 21, 3, 3),
    () => say(1, 21, 4, 4), // The tells of the first have led to others.
    () => say(0, 31, 3, 3),
    () => say(1, 31, 4, 4),
  ];
  const book = {
    get: (key: string) => statuses.get(key),
    changed: async () => {
      const step = steps.shift();
      assert.ok(step !== undefined, "it waits for nothing that comes no more");
      step();
    },
  };
  const writer = {
    send: async () => {
      rounds += 1;
      return new Map([0, 1].map((shard) => [shard, 10 * rounds]));
    },
  };
  await allSettled(writer, book, 2, new AbortController().signal);
  assert.is(rounds, 3);
  assert.is(steps.length, 0);
});

test("an earlier owner's word does not count any more", () => {
  const status = (generation: number) => ({ generation }) as ShardStatus;
  assert.equal([newerOwner(status(2), status(1)), newerOwner(status(2), status(2)), newerOwner(status(2), status(3))], [false, true, true]);
});

function member(id: string, held: ReadonlyMap<number, number> = new Map()) {
  return { id, held };
}

function byNumber(a: number, b: number): number {
  return a - b;
}
