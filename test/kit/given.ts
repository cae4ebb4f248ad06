import * as assert from "uvu/assert";
import { type CommandArgs, carryOut } from "../../engine/command.ts";
import { COMMANDS } from "../../engine/commands.ts";
import { stateDigest } from "../../engine/digest.ts";
import type { AlertEvent, CellValue, CuratedRow, Emission } from "../../engine/emission.ts";
import { emissionDecoder } from "../../engine/emission_codec.ts";
import { type ActorId, Position, SourceId } from "../../engine/ids.ts";
import { DEFAULT_LIMITS, type Limits } from "../../engine/limits.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import { decodeQuarantine, type QuarantineRow } from "../../engine/quarantine.ts";
import type { Rule } from "../../engine/rule.ts";
import { type RuleSetting, RuleTable } from "../../engine/rule_table.ts";
import type { Batch, SourceRecord } from "../../engine/source.ts";
import type { Store } from "../../engine/store.ts";
import { type Intake, Turn } from "../../engine/turn.ts";
import { type Count, clockOf, countOf } from "../../engine/vitals.ts";
import { encodeOwn, splitWarm } from "../../engine/warm_codec.ts";
import { aim, type Domain, World } from "../../engine/world.ts";
import { checkRebuilt } from "./rebuilt.ts";

/** In a script: the process ends here. A new world is made on what the store holds, and the script goes on. */
export const CRASH = Symbol("crash");

/** A record and how it came. Left out: source and file are named after the feed, the mode is `delta`, and it arrived long after it happened. */
export interface Arrival {
  readonly feed: string;
  readonly record: object | string;
  readonly source?: string;
  readonly partition?: string;
  readonly path?: string;
  readonly arrivedAtMs?: number;
  readonly mode?: Intake["mode"];
}

/** The source of a feed has nothing more to read at present. */
export interface Quiet {
  readonly quiet: string;
  readonly source?: string;
  readonly partition?: string;
}

/** Records of a feed are lost, and that is accepted; its source goes on at some position. */
export interface Lost {
  readonly lost: string;
  readonly source?: string;
  readonly partition?: string;
}

/** An operator's command about the alert of a rule that an actor holds, or about the one with this id; `args` go with it. */
export interface Operate {
  readonly operate: string;
  readonly actor: ActorId;
  readonly rule: string;
  readonly alertId?: string;
  readonly args?: CommandArgs;
  readonly key?: string;
  readonly arrivedAtMs?: number;
  /** What the refusal says; `perhaps`: it may be refused or not. Left out, it must not be. */
  readonly refused?: RegExp | "perhaps";
}

export type Script = readonly (Arrival | Quiet | Lost | Operate | typeof CRASH)[];

/** An alert event as most tests want it. */
export interface SeenAlert {
  readonly rule: string;
  readonly change: string;
  readonly atMs: number;
}

/** An actor as a new world reads it from the store. */
export interface SeenActor {
  readonly status: string | null;
  readonly attributes: Readonly<Record<string, CellValue>>;
  readonly latest: Readonly<Record<string, CellValue>> | null;
  readonly rolling: Readonly<Record<string, CellValue>> | null;
  readonly links: Readonly<Record<string, ActorId>>;
  count(name: Count): number;
  /** Epoch ms, or null before the first record on time. */
  clock(feed: string): number | null;
}

/** What a script has led to. Emissions are those of `when`; everything else stands at its end. */
export interface Seen {
  readonly alerts: readonly SeenAlert[];
  readonly events: readonly AlertEvent[];
  readonly log: readonly Emission[];
  readonly digest: string;
  readonly quarantine: readonly QuarantineRow[];
  readonly store: Store;
  /** The rows of a curated table. */
  rows(table: string): readonly CuratedRow[];
  /** The counters of a group (`feed smart_meter`, `note smart_meter`), by name. */
  counters(group: string): Readonly<Record<string, number>>;
  has(id: ActorId): boolean;
  actor(id: ActorId): SeenActor;
}

export interface StageOptions {
  readonly limits?: Partial<Limits>;
  readonly settings?: ReadonlyMap<string, RuleSetting>;
  /** Consecutive records of one file are one batch, of at most this many. Default: all. */
  readonly batchOf?: number | (() => number);
  readonly origin?: Intake["origin"];
}

export interface Scene {
  when(...script: Script): Promise<Seen>;
}

export type GivenScript = (...script: Script) => Scene;

/** Makes `given` for a domain: real turns on a store in memory, one batch after another. */
export function stage(domain: Domain, rules: readonly Rule[], options: StageOptions = {}): GivenScript {
  return (...before) => ({
    async when(...script) {
      const player = new Player(domain, rules, options);
      await player.play(before);
      const from = player.store.nextSequence;
      await player.play(script);
      return player.seen(from);
    },
  });
}

const ARRIVED_AT_MS = Date.UTC(2026, 0, 1);
const ALL_BYTES = Number.POSITIVE_INFINITY;

class Player {
  readonly store = openMemoryStore();
  readonly #domain: Domain;
  readonly #rules: readonly Rule[];
  readonly #options: StageOptions;
  readonly #taken = new Map<string, number>();
  #memory: World;
  #turn: Turn;

  constructor(domain: Domain, rules: readonly Rule[], options: StageOptions) {
    this.#domain = domain;
    this.#rules = rules;
    this.#options = options;
    this.#memory = this.#world();
    this.#turn = new Turn(this.#memory);
  }

  #begin(): void {
    this.#memory = this.#world();
    this.#turn = new Turn(this.#memory);
  }

  async #operate({ refused, ...item }: Operate): Promise<void> {
    const [result] = await Promise.allSettled([this.#carryOut(item)]);
    const why = result?.status === "rejected" ? String(result.reason) : null;
    if (refused === "perhaps") return;
    if (why !== null && refused?.test(why) !== true) throw new Error(`${item.operate}: ${why}`);
    if (why === null && refused !== undefined) throw new Error(`${item.operate} was not refused`);
  }

  async #carryOut({ operate: verb, actor, rule, alertId, args = {}, key, arrivedAtMs = ARRIVED_AT_MS }: Operate): Promise<void> {
    const handler = COMMANDS[verb];
    if (handler === undefined) throw new Error(`nobody carries out ${verb}`);
    const { population } = this.#memory;
    const held = population.has(actor) ? population.place(actor, () => {}) : null;
    const id = alertId ?? held?.kind.peekWarm(held.slot)?.episodes.get(rule)?.alertId ?? "";
    const command = { verb, args: { alertId: id, actor, rule, ...args }, by: "tester", reason: null, key: key ?? null, arrivedAtMs };
    await carryOut(command, handler, { world: this.#memory, turn: this.#turn, store: this.store, sources: [] });
  }

  async play(script: Script): Promise<void> {
    for (let at = 0; at < script.length; ) {
      const item = script[at] as Script[number];
      at += 1;
      if (item === CRASH) this.#begin();
      else if ("operate" in item) await this.#operate(item);
      else if ("quiet" in item) await this.#take({ feed: item.quiet, record: "", ...item }, [], { idle: true });
      else if ("lost" in item) await this.#take({ feed: item.lost, record: "", ...item }, [], { idle: false, gap: "some are gone" });
      else {
        const arrivals = [item];
        for (const most = this.#batchOf(); at < script.length && arrivals.length < most && sameFile(item, script[at]); at += 1) {
          arrivals.push(script[at] as Arrival);
        }
        await this.#take(item, arrivals, { idle: false });
      }
    }
  }

  async seen(from: number): Promise<Seen> {
    const { store } = this;
    const world = this.#world();
    const decode = emissionDecoder("main", this.#domain.tables);
    const log: Emission[] = [];
    for (const stream of ["alerts", "curated"] as const) {
      for (const entry of await store.readLog(stream, from, ALL_BYTES)) log.push(decode(stream, entry));
    }
    log.sort((a, b) => a.sequence - b.sequence);
    const events = log.flatMap((one) => (one.stream === "alerts" ? [one.event] : []));
    for (const event of events) checkRebuilt(event);
    checkStored(world);
    return {
      alerts: events.map(({ type, time, data }) => ({ rule: data.rule, change: type.split(".")[2] ?? "", atMs: Date.parse(time) })),
      events,
      log,
      digest: stateDigest(store),
      quarantine: [...store.range("quarantine", "")].map(([, bytes]) => decodeQuarantine(bytes)),
      store,
      rows: (table) => log.flatMap((one) => (one.stream === "curated" && one.row.table === table ? [one.row] : [])),
      counters: (group) => world.counters.group(group),
      has: (id) => store.load(id) !== null,
      actor: (id) => seenActor(world, id),
    };
  }

  #world(): World {
    const { limits = {}, settings } = this.#options;
    const rules = new RuleTable(this.#rules, settings);
    return new World(
      { name: "main", domain: this.#domain, rules, schemas: new Map(), limits: { ...DEFAULT_LIMITS, ...limits } },
      this.store,
    );
  }

  #batchOf(): number {
    const { batchOf = Number.POSITIVE_INFINITY } = this.#options;
    return typeof batchOf === "number" ? batchOf : batchOf();
  }

  async #take(first: Arrival, arrivals: readonly Arrival[], marks: Pick<Batch, "idle" | "gap">): Promise<void> {
    const { feed, source = feed, partition, path = `${feed}.json`, mode = "delta" } = first;
    const file = `${source}/${path}`;
    const taken = this.#taken.get(file) ?? 0;
    this.#taken.set(file, taken + arrivals.length);
    const batch: Batch = {
      origin: `file:${file}/`,
      path,
      ...(partition === undefined ? {} : { partition }),
      generation: 0,
      records: arrivals.map((arrival, n) => recordOf(arrival, taken + n)),
      resumeAt: new Map([[path, Position(String(taken + arrivals.length))]]),
      ...marks,
    };
    const { origin = "live" } = this.#options;
    await this.store.commit(this.#turn.run({ source: SourceId(source), feed, mode, origin }, batch));
  }
}

/** What is stored of each actor is what it knows: no member that is only encoded when it is replaced was changed in place. */
function checkStored({ population }: World): void {
  for (const kind of population.kinds.values()) {
    for (let slot = 0; slot < kind.size; slot += 1) {
      const { warm } = kind.parts(slot);
      if (warm === null) continue;
      const own = Buffer.from(encodeOwn(kind.peekWarm(slot)?.own, kind.behaviour)).toString("latin1");
      assert.is(own, Buffer.from(splitWarm(warm).own).toString("latin1"), `the stored state of ${kind.id(slot)}`);
    }
  }
}

function sameFile(a: Arrival, b: Script[number] | undefined): boolean {
  if (b === undefined || b === CRASH || "quiet" in b || "operate" in b || "lost" in b) return false;
  return a.feed === b.feed && a.source === b.source && a.partition === b.partition && a.path === b.path && a.mode === b.mode;
}

function recordOf({ record, arrivedAtMs = ARRIVED_AT_MS }: Arrival, at: number): SourceRecord {
  return { at, arrivedAtMs, bytes: Buffer.from(typeof record === "string" ? record : JSON.stringify(record)) };
}

function seenActor(world: World, id: ActorId): SeenActor {
  const place = world.population.place(id, () => {
    throw new Error(`${id} was never born`);
  });
  aim(place);
  const { kind, slot } = place;
  const { toldBy } = kind.behaviour;
  const counts = new Map<Count, number>();
  const clocks = new Map(kind.behaviour.clocks.map((feed) => [feed, clockOf(kind.cursor, kind.at, feed)]));
  for (const name of Object.keys(kind.at.count) as Count[]) counts.set(name, countOf(kind.cursor, kind.at, name));
  return {
    ...kind.behaviour.describe(kind.look(slot), id, toldBy === undefined ? null : world.gaps.lostBefore(toldBy)),
    links: kind.behaviour.links(kind.look(slot), id),
    count: (name) => counts.get(name) ?? 0,
    clock: (feed) => clocks.get(feed) ?? null,
  };
}
