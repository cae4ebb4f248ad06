import * as assert from "uvu/assert";
import { type Command, type CommandedSource, CommandRefused, carryOut } from "../../engine/command.ts";
import { COMMANDS } from "../../engine/commands.ts";
import { minutes } from "../../engine/duration.ts";
import { SourceId } from "../../engine/ids.ts";
import { DEFAULT_LIMITS, type Limits } from "../../engine/limits.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import { decodeQuarantine, encodeQuarantine, type QuarantineRow } from "../../engine/quarantine.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import type { SourceRecord } from "../../engine/source.ts";
import type { Store } from "../../engine/store.ts";
import { Turn } from "../../engine/turn.ts";
import { World } from "../../engine/world.ts";
import { changes } from "../contract/store.ts";
import { at, PUPPETS, tick } from "../kit/puppets.ts";
import { suite } from "../kit/suite.ts";

const test = suite("commands on quarantined records");
const INTAKE = { source: SourceId("meters"), feed: "ticks", mode: "delta", origin: "live" } as const;
const WIRED: CommandedSource = {
  source: {
    id: INTAKE.source,
    read: async function* () {
      yield* [];
    },
  },
  intake: INTAKE,
};

/** An engine's memory on a store, as it is after a start. */
class Bench {
  readonly store: Store;
  readonly world: World;
  readonly turn: Turn;
  constructor(store: Store = openMemoryStore(), limits: Partial<Limits> = {}) {
    this.store = store;
    const all = { ...DEFAULT_LIMITS, ...limits };
    this.world = new World({ name: "main", domain: PUPPETS, rules: new RuleTable([]), schemas: new Map(), limits: all }, store);
    this.turn = new Turn(this.world);
  }

  /** Takes a record of a file, and gives back its row in quarantine. */
  async taken(record: Partial<SourceRecord> & { readonly bytes: Uint8Array }): Promise<QuarantineRow> {
    const records = [{ at: 5, arrivedAtMs: at(0), ...record }];
    await this.store.commit(
      this.turn.run(INTAKE, { origin: "file:9f/", path: "a.json", generation: 0, records, resumeAt: new Map(), idle: false }),
    );
    return this.row();
  }

  row(): QuarantineRow {
    const [[, bytes] = ["", new Uint8Array()]] = this.store.range("quarantine", "");
    return decodeQuarantine(bytes);
  }

  async command(verb: "quarantine retry" | "quarantine drop", id: string) {
    const command: Command = { verb, args: { id }, by: "tester", reason: "why", key: null, arrivedAtMs: 0 };
    const handler = COMMANDS[verb];
    if (handler === undefined) throw new Error(`nobody carries out ${verb}`);
    const { row } = await carryOut(command, handler, { ...this, sources: [WIRED] });
    return row;
  }

  refused(verb: "quarantine retry" | "quarantine drop", id: string): Promise<unknown> {
    return this.command(verb, id).catch((error: unknown) => error);
  }
}

/** Ten minutes ahead of its arrival: more than is usual. */
const early = (): Uint8Array => Buffer.from(JSON.stringify(tick(10, { id: "e", actor: "a", orders: [["row", "late but here"]] }).record));

test("a record that is refused again stays open, with one more attempt; one that is taken has its effect, its place and its arrival, and is settled", async () => {
  const bench = new Bench();
  const row = await bench.taken({ bytes: early() });
  assert.equal([row.reason, row.status, row.attempts], ["future_event", "open", 1]);
  assert.equal((await bench.command("quarantine retry", row.id)).detail, { id: row.id, status: "open" });
  assert.equal([bench.row().status, bench.row().attempts], ["open", 2]);

  const tolerant = new Bench(bench.store, { futureMs: minutes(20) });
  const answer = await tolerant.command("quarantine retry", row.id);
  assert.equal([answer.result, answer.detail], ["done", { id: row.id, status: "retried" }]);
  assert.equal([tolerant.row().status, tolerant.row().attempts], ["retried", 2]);
  const counts = tolerant.world.counters.group("feed ticks");
  assert.equal([counts["read"], counts["accepted"], counts["quarantined"]], [3, 1, 2]);
  assert.is(counts["read"], (counts["accepted"] ?? 0) + (counts["duplicates"] ?? 0) + (counts["quarantined"] ?? 0));
  const entries = await tolerant.store.readLog("curated", 1, 1_000_000);
  assert.ok(entries.some(({ bytes }) => Buffer.from(bytes).toString("latin1").includes("late but here")));
  assert.instance(await tolerant.refused("quarantine retry", row.id), CommandRefused);
});

test("a dropped record is settled without effect, once", async () => {
  const bench = new Bench();
  const { id } = await bench.taken({ bytes: early() });
  assert.equal((await bench.command("quarantine drop", id)).detail, { id, status: "dropped" });
  assert.is(bench.row().status, "dropped");
  assert.instance(await bench.refused("quarantine drop", id), CommandRefused);
  assert.instance(await bench.refused("quarantine retry", id), CommandRefused);
  const unknown = await bench.refused("quarantine drop", "Q-0000000000000000");
  assert.ok(unknown instanceof CommandRefused && unknown.isUnknown);
});

test("what is kept in part, as a line without its header, or of a whole file is not taken again, and stays open", async () => {
  const fault = { code: "bad_type", field: "value", error: "no number" } as const;
  const line = new Bench();
  const ofLine = await line.taken({ bytes: Buffer.from("SM-1;x"), fault });
  assert.instance(await line.refused("quarantine retry", ofLine.id), CommandRefused);
  assert.equal([line.row().status, line.row().attempts], ["open", 1]);
  for (const wrong of [{ sizeBytes: 1_000_000 }, { position: "file:9f" }, { source: "others" }]) {
    const bench = new Bench();
    const row = { ...(await bench.taken({ bytes: early() })), ...wrong };
    await bench.store.commit(changes({ rows: [{ table: "quarantine", key: row.id, value: encodeQuarantine(row) }] }));
    assert.instance(await bench.refused("quarantine retry", row.id), CommandRefused, JSON.stringify(wrong));
    assert.is(bench.row().status, "open");
  }
});
