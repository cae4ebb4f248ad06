import { GRID } from "../../actors/registry.ts";
import { RULES } from "../../actors/rules.ts";
import { versionProblems } from "../../admin/verify.ts";
import type { Commit } from "../../engine/commit.ts";
import { stateDigest } from "../../engine/digest.ts";
import { minutes } from "../../engine/duration.ts";
import type { Emission } from "../../engine/emission.ts";
import { emissionDecoder } from "../../engine/emission_codec.ts";
import { Engine } from "../../engine/engine.ts";
import { actorIdFrom } from "../../engine/ids.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import type { LogEntry } from "../../engine/log_entry.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import { RowReviser } from "../../engine/row_reviser.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import type { Stream } from "../../engine/sink.ts";
import type { Store } from "../../engine/store.ts";
import { Turn } from "../../engine/turn.ts";
import { type Domain, World, type WorldOptions } from "../../engine/world.ts";
import type { Seeded } from "../kit/seeded.ts";
import { batchOf, type Cut, endOf, laneSource } from "./lane_source.ts";
import { Life, Planned } from "./life.ts";
import { mortalStore } from "./mortal_store.ts";
import { type Lane, scriptOf } from "./script.ts";
import { drawsFor, type Swarm, swarmOf } from "./swarm.ts";
import { virtualClock } from "./virtual_clock.ts";
import { type Delivered, deliveredAs, newOutside, type Outside, sinksOf } from "./world_of_sinks.ts";

/** A bug put into the engine that is tried, to see that a trial finds it. Each is built from what the engine is given, so that its code stays as it is. */
export interface Plant {
  readonly domain?: (domain: Domain) => Domain;
  readonly disk?: (disk: Store, life: Life) => Store;
  readonly decode?: (decode: Decode) => Decode;
  readonly sourceRepeats?: boolean;
  readonly settlesEarly?: boolean;
}

export type Decode = (stream: Stream, entry: LogEntry) => Emission;

export interface TrialOptions {
  readonly seed: number;
  readonly records: number;
  readonly plant?: Plant;
}

/** What a trial went through. */
export interface Trial {
  readonly lives: number;
  readonly commits: number;
  readonly alerts: number;
}

/** A promise was broken. The message says which, in which commit, and what happened before. */
export class Broken extends Error {}

const FIRST_LIFE_MS = Date.UTC(2026, 0, 1);
/** With no trouble left, everything is consumed and handed over within this time. */
const CATCH_UP_MS = minutes(10);
const EVENTS_TOLD = 20;

/**
 * One trial: the engine lives and dies over scripted input until all of it is applied, then an engine without troubles does the same work in the
 * order of the first one's commits, and both must agree. Everything that chance decides follows from the seed. Throws `Broken`.
 */
export async function runTrial(options: TrialOptions): Promise<Trial> {
  const trial = new Trying(options);
  try {
    return await trial.run();
  } catch (error) {
    const why = error instanceof Broken ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new Broken(
      `seed ${options.seed}, commit ${trial.journal.length}: ${why}\nthe last events:\n${trial.events.slice(-EVENTS_TOLD).join("\n")}`,
    );
  }
}

class Trying {
  readonly journal: Cut[] = [];
  readonly events: string[] = [];
  readonly #seed: number;
  readonly #plant: Plant;
  readonly #swarm: Swarm;
  readonly #lanes: readonly Lane[];
  readonly #disk = openMemoryStore();
  readonly #outside: Outside = newOutside();
  readonly #chance: Seeded;
  #nowMs = FIRST_LIFE_MS;
  #lives = 0;

  constructor({ seed, records, plant = {} }: TrialOptions) {
    this.#seed = seed;
    this.#plant = plant;
    this.#swarm = swarmOf(seed);
    this.#lanes = scriptOf(seed, this.#swarm, records);
    this.#chance = drawsFor(seed, "troubles");
  }

  async run(): Promise<Trial> {
    for (let n = 0; n < this.#swarm.lives; n += 1) {
      const end = await this.#live(this.#swarm, 1 + this.#chance.below(this.#swarm.passagesMax));
      if (end === "done") break;
    }
    const sinceMs = this.#nowMs;
    const end = await this.#live(calm(this.#swarm), Number.POSITIVE_INFINITY);
    must(end === "done", `without troubles an engine comes to its end, not: ${end}`);
    must(this.#nowMs - sinceMs <= CATCH_UP_MS, `catching up took ${this.#nowMs - sinceMs} ms`);
    await this.#judge();
    return { lives: this.#lives, commits: this.journal.length, alerts: this.#outside.file.length };
  }

  // One life of a process. ------------------------------------------------------------------------------------------------------------

  async #live(swarm: Swarm, passages: number): Promise<"done" | "died" | "failed"> {
    this.#lives += 1;
    const chance = this.#chance;
    const life = new Life(passages);
    const clock = virtualClock(this.#nowMs);
    const disk = this.#plant.disk?.(this.#disk, life) ?? this.#disk;
    let engine: Engine | null = null;
    const store = mortalStore({
      disk,
      life,
      chance,
      fails: swarm.commitFails,
      lies: swarm.commitLies,
      onStored: (commit) => this.#stored(commit, engine?.world ?? null),
    });
    const { settlesEarly = false } = this.#plant;
    const sinks = sinksOf(this.#outside, { life, store, chance, fails: swarm.sinkFails, lies: swarm.sinkLies, settlesEarly });
    engine = new Engine({
      ...this.#worldOptions(this.#plant.domain?.(GRID) ?? GRID),
      store,
      sources: this.#sources(swarm, chance),
      sinks,
      decode: this.#plant.decode?.(DECODE) ?? DECODE,
      clock,
      random: () => chance.below(1_000) / 1_000,
      onRetry: (source) => void this.events.push(`${source} is tried again`),
      onSinkRetry: (sink) => void this.events.push(`${sink} is tried again`),
      onStage: () => {},
    });
    const ends = Promise.race([
      life.died.then(() => "died" as const),
      engine.run(new AbortController().signal, CATCH_UP_MS).then(
        () => "done" as const,
        (error: unknown) => {
          if (!(error instanceof Planned)) throw error;
          life.kill(); // A failed engine ends its process.
          return "failed" as const;
        },
      ),
    ]);
    const end = await passingTime(clock, ends);
    this.#nowMs = clock.now();
    this.events.push(`life ${this.#lives} ${end}`);
    return end;
  }

  #sources(swarm: Swarm, chance: Seeded) {
    const { batchMax, outage } = swarm;
    const sources = [...new Set(this.#lanes.map(({ intake }) => intake.source))];
    const lanesOf = (source: string): readonly Lane[] => this.#lanes.filter(({ intake }) => intake.source === source);
    return sources.map(lanesOf).map((lanes) => ({
      source: laneSource({ lanes, chance, batchMax, outage, repeats: this.#plant.sourceRepeats === true }),
      intake: (lanes[0] as Lane).intake,
      stage: 1,
      holdsNext: false,
    }));
  }

  #worldOptions(domain: Domain): WorldOptions {
    return { name: "main", domain, rules: new RuleTable(RULES), schemas: new Map(), limits: DEFAULT_LIMITS };
  }

  // What holds after every commit. ----------------------------------------------------------------------------------------------------

  #stored({ rows }: Commit, world: World | null): void {
    for (const { table, key, value } of rows) {
      if (table !== "position") continue;
      const partition = key.slice(key.indexOf("\0") + 1);
      const lane = this.#lanes.find((one) => one.partition === partition) as Lane;
      const from = this.journal.findLast((cut) => cut.lane === lane)?.to ?? 0;
      const to = Number(Buffer.from(value ?? []).toString());
      this.events.push(`${partition} from ${from} to ${to}`);
      must(to > from, `the position of ${partition} went from ${from} to ${to}`);
      this.journal.push({ lane, from, to });
    }
    if (world !== null) this.#conserved(world);
  }

  /** Each record read is accepted, a duplicate or in quarantine. */
  #conserved(world: World): void {
    for (const { intake } of this.#lanes) {
      const { read = 0, accepted = 0, duplicates = 0, quarantined = 0 } = world.counters.group(`feed ${intake.feed}`);
      must(read === accepted + duplicates + quarantined, `${intake.feed}: ${read} read, ${accepted} + ${duplicates} + ${quarantined}`);
    }
  }

  // What holds at the end. ------------------------------------------------------------------------------------------------------------

  async #judge(): Promise<void> {
    for (const lane of this.#lanes) {
      const to = this.journal.findLast((cut) => cut.lane === lane)?.to ?? 0;
      must(to === lane.items.length, `${to} of ${lane.items.length} items of ${lane.partition} were applied`);
    }
    const oracle = await this.#oracle();
    must(stateDigest(this.#disk) === stateDigest(oracle.store), "the digest differs from that of a run without troubles");
    const log = { alerts: await logOf(this.#disk, "alerts"), curated: await logOf(this.#disk, "curated") };
    sameEmissions(log.curated.map(rowOf), (await logOf(oracle.store, "curated")).map(rowOf));
    sameEmissions(log.alerts.map(eventOf), (await logOf(oracle.store, "alerts")).map(eventOf));
    const all = [...log.alerts, ...log.curated].map(({ sequence }) => sequence).sort((a, b) => a - b);
    must(all.every((sequence, n) => sequence === n + 1) && all.length === this.#disk.nextSequence - 1, "the log has a hole");
    this.#delivered({
      alerts: log.alerts.map((entry) => deliveredAs(DECODE("alerts", entry))),
      curated: log.curated.map((entry) => deliveredAs(DECODE("curated", entry))),
    });
    historiesHold(oracle.world, this.#disk);
  }

  /** The same work in the same order, cut otherwise, in one life without troubles. */
  async #oracle(): Promise<{ readonly store: Store; readonly world: World }> {
    const chance = drawsFor(this.#seed, "oracle");
    const store = openMemoryStore();
    const world = new World(this.#worldOptions(GRID), store);
    const turn = new Turn(world);
    for (const { lane, from, to } of this.journal) {
      for (let at = from; at < to; ) {
        const end = Math.min(to, endOf(lane.items, at, 1 + chance.below(50)));
        const commit = turn.run(lane.intake, batchOf({ lane, from: at, to: end }));
        await store.commit(commit);
        turn.reuse(commit);
        world.trim();
        at = end;
      }
    }
    await new RowReviser({ world, store, clock: virtualClock(this.#nowMs), between: (work) => work(), room: async () => {} }).settle(
      new AbortController().signal,
    );
    return { store, world };
  }

  #delivered(log: Readonly<Record<Stream, readonly Delivered[]>>): void {
    const { file, extents, calls } = this.#outside;
    same(file, log.alerts, "the file");
    const rows = [...extents.values()].flat().sort((a, b) => a.sequence - b.sequence);
    same(rows, log.curated, "the extents");
    const once = [...new Map(calls.map((call) => [call.id, call])).values()];
    same(once, log.alerts, "the calls, each counted once by its id,");
  }
}

const DECODE: Decode = emissionDecoder("main", GRID.tables);

function calm(swarm: Swarm): Swarm {
  return { ...swarm, outage: 0, commitFails: 0, commitLies: 0, sinkFails: 0, sinkLies: 0 };
}

/** Lets time pass whenever nothing else happens, until `end`. */
async function passingTime<T>(clock: { skip(): boolean }, end: Promise<T>): Promise<T> {
  let isOver = false;
  const over = end.finally(() => {
    isOver = true;
  });
  over.catch(() => {}); // Awaited below.
  for (let still = 0; !isOver; ) {
    await new Promise((resolve) => setImmediate(resolve));
    if (isOver) break;
    still = clock.skip() ? 0 : still + 1;
    if (still > 100) throw new Broken("nothing happens any more, and nobody waits for time to pass");
  }
  return over;
}

async function logOf(store: Store, stream: Stream): Promise<readonly LogEntry[]> {
  return store.readLog(stream, 1, Number.POSITIVE_INFINITY);
}

function historiesHold(world: World, store: Store): void {
  for (const id of new Set([...store.range("fact", "")].map(([key]) => actorIdFrom(key.slice(0, key.indexOf("\0")))))) {
    const history = GRID.behaviours.find(({ kind }) => id.startsWith(`${kind}/`))?.history;
    must(history !== undefined, `${id}, which has facts, has a history`);
    const [problem] = versionProblems(id, world.history(id, history).versions, history);
    must(problem === undefined, `the history of ${id}: ${JSON.stringify(problem)}`);
  }
}

function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Broken(what);
}

/** A row without its number in the log; rows that are written again come when there is time for it, so that numbers differ between two runs. */
function rowOf(entry: LogEntry): Said {
  const emission = DECODE("curated", entry);
  must(emission.stream === "curated", "the stream of rows has rows");
  const { rowId, amends, ...row } = emission.row;
  return { id: rowId, isFirst: amends === null, text: JSON.stringify(row) };
}

function eventOf(entry: LogEntry): Said {
  const emission = DECODE("alerts", entry);
  must(emission.stream === "alerts", "the stream of alerts has alerts");
  const { sequence: _, ...event } = emission.event;
  return { id: event.id, isFirst: true, text: JSON.stringify(event) };
}

interface Said {
  readonly id: string;
  readonly isFirst: boolean;
  readonly text: string;
}

/** Both say the same for the first time in the same order, and in the end. */
function sameEmissions(actual: readonly Said[], expected: readonly Said[]): void {
  const firsts = (said: readonly Said[]): readonly Said[] => said.filter(({ isFirst }) => isFirst);
  const lasts = (said: readonly Said[]): readonly Said[] =>
    [...new Map(said.map((one) => [one.id, one])).values()]
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map((one) => ({ ...one, isFirst: true }));
  same(firsts(actual), firsts(expected), "the log");
  same(lasts(actual), lasts(expected), "the log, at its end,");
}

function same(actual: readonly object[], expected: readonly object[], what: string): void {
  const at = expected.findIndex((one, n) => JSON.stringify(one) !== JSON.stringify(actual[n]));
  if (at < 0 && actual.length === expected.length) return;
  const n = at < 0 ? expected.length : at;
  throw new Broken(`${what} differs at ${n} of ${expected.length}: ${JSON.stringify(actual[n])}, expected ${JSON.stringify(expected[n])}`);
}
