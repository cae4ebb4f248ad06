import * as assert from "uvu/assert";
import { type Command, type CommandedSource, CommandRefused, carryOut } from "../../engine/command.ts";
import { COMMANDS } from "../../engine/commands.ts";
import { lostBefore, readGaps } from "../../engine/gaps.ts";
import { Position, SourceId } from "../../engine/ids.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import { decodeQuarantine } from "../../engine/quarantine.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import type { Batch, Source } from "../../engine/source.ts";
import { acceptGapArgs } from "../../engine/source_commands.ts";
import type { Store } from "../../engine/store.ts";
import { Turn } from "../../engine/turn.ts";
import { World } from "../../engine/world.ts";
import { PUPPETS } from "../kit/puppets.ts";
import { suite } from "../kit/suite.ts";

const test = suite("commands to sources");
const METERS = SourceId("meters");
const INTAKE = { source: METERS, feed: "ticks", mode: "delta", origin: "live" } as const;

/** An engine's memory on a store, as it is after a start. */
class Bench {
  readonly store: Store;
  readonly world: World;
  readonly turn: Turn;
  constructor(store: Store = openMemoryStore()) {
    this.store = store;
    this.world = new World({ name: "main", domain: PUPPETS, rules: new RuleTable([]), schemas: new Map(), limits: DEFAULT_LIMITS }, store);
    this.turn = new Turn(this.world);
  }

  async take(batch: Partial<Batch>): Promise<void> {
    const whole = { origin: "o/", path: null, generation: 0, records: [], resumeAt: new Map(), idle: false, ...batch };
    await this.store.commit(this.turn.run(INTAKE, whole));
  }

  async command(verb: string, args: Command["args"], sources: readonly CommandedSource[] = []) {
    const handler = COMMANDS[verb];
    if (handler === undefined) throw new Error(`nobody carries out ${verb}`);
    const command = { verb, args, by: "tester", reason: null, key: null, arrivedAtMs: 0 };
    return (await carryOut(command, handler, { ...this, sources })).row;
  }
}

function wired(more: Partial<Source>): CommandedSource {
  return {
    source: {
      id: METERS,
      read: async function* () {
        yield* [];
      },
      ...more,
    },
    intake: INTAKE,
  };
}

test("an accepted gap is kept over a kill until the partition goes on, and is one gap then", async () => {
  const bench = new Bench();
  const told: string[] = [];
  const row = await bench.command("accept-gap", acceptGapArgs("meters", ["t/0", "t/1"]), [wired({ goOn: () => void told.push("go on") })]);
  assert.equal([row.result, told], ["done", ["go on"]]);
  const again = new Bench(bench.store);
  assert.equal(
    ["t/0", "t/1", "t/2"].map((name) => again.world.gaps.isAccepted("meters", name)),
    [true, true, false],
  );
  assert.is((await again.command("accept-gap", acceptGapArgs("meters", ["t/0"]))).result, "unchanged");
  await again.take({ partition: "t/0", gap: "some are gone", resumeAt: new Map([["t/0", Position("7")]]) });
  const later = new Bench(bench.store);
  assert.equal(
    ["t/0", "t/1"].map((name) => later.world.gaps.isAccepted("meters", name)),
    [false, true],
  );
  assert.equal(readGaps(bench.store, "ticks"), [
    { number: 1, source: "meters", partition: "t/0", position: "7", reason: "some are gone", clockMs: null, before: null },
  ]);
  assert.is(lostBefore(bench.store, "ticks"), later.world.gaps.lostBefore("ticks"));
  assert.equal(later.world.counters.group("note ticks"), { source_gap: 1 });
});

test("a partition that is read again stands where its source says, and its refusal is settled", async () => {
  const bench = new Bench();
  const fault = { code: "bad_parquet", field: null, error: "no footer" } as const;
  await bench.take({
    records: [{ at: 0, arrivedAtMs: 1, bytes: Buffer.from("x"), fault }],
    resumeAt: new Map([["a", Position("given up")]]),
  });
  const batch: Batch = {
    origin: "",
    path: "a",
    generation: 0,
    records: [],
    settles: [{ position: "o/0", reason: "bad_parquet" }],
    resumeAt: new Map([["a", Position("open")]]),
    idle: false,
  };
  const sources = [wired({ again: (name) => (name === "a" ? batch : null) })];
  await bench.command("files retry", { source: "meters", partition: "a" }, sources);
  assert.is(Buffer.from(bench.store.get("position", "meters\0a") ?? []).toString(), "open");
  assert.equal(
    [...bench.store.range("quarantine", "")].map(([, bytes]) => decodeQuarantine(bytes).status),
    ["retried"],
  );
  for (const [source, partition] of [
    ["meters", "b"],
    ["others", "a"],
  ] as const) {
    const refused = await bench.command("files retry", { source, partition }, sources).catch((error: unknown) => error);
    assert.instance(refused, CommandRefused);
  }
});
