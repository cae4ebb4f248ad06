import type { Description, Out } from "../engine/behaviour.ts";
import type { Emission, Table } from "../engine/emission.ts";
import type { Feed } from "../engine/feed.ts";
import type { HistoryOptions } from "../engine/history.ts";
import type { ActorId, Mark, Position } from "../engine/ids.ts";
import type { Rule as EngineRule } from "../engine/rule.ts";
import type { Extents } from "../engine/sink.ts";
import type { Batch } from "../engine/source.ts";

/**
 * A kind of actor. `receive` is synchronous and deterministic: no clock, chance, I/O, log. It may change its state in place (no reference to it
 * outlives the call) and gives everything else to `out`; time is in the message. If it throws, the record is quarantined and nothing of it is
 * left. The state is a plain object of objects, lists, text, numbers, booleans, null and bytes. `M`: what it is told; a kind that sets timers is
 * also told `Woken`.
 */
export interface Behaviour<State extends object, M extends { readonly type: string }> {
  readonly kind: string;
  /** Version of the state's shape: raise it with each change that an older state does not fit. */
  readonly version: number;
  /** Feeds whose clock it keeps. Default: all feeds that come with it. */
  readonly clocks?: readonly string[];
  /** Set: it may `remember` facts, and `history` shows them as versions. */
  readonly history?: HistoryOptions;
  initial(id: ActorId): State;
  receive(state: State, message: M, out: Out<M>): void;
  /** What `inspect` shows. Default: the members of the state that are text, numbers, booleans or null. */
  describe?(state: State, id: ActorId): Description;
  /** Kind -> the actor it is linked to now. Default: none. */
  links?(state: State, id: ActorId): Readonly<Record<string, ActorId>>;
}

/** A behaviour, whatever its state and its messages are. */
export type AnyBehaviour = Behaviour<object, { readonly type: string }>;

/** What a rule is. Its limits can be set in the configuration, and its id is never used again for something else. */
export type Rule = Omit<EngineRule, "summary"> & {
  /** One line for people: what is seen when it speaks. Default: its id. */
  readonly summary?: string;
};

/** A transport: it turns a library into batches, and does nothing else (no decode, retry, routing, counting). */
export interface Source {
  /** For logs of its own. Positions are kept under the name that the configuration gives it. */
  readonly id: string;
  /**
   * Reads on after the stored positions (partition -> position; empty at the first start): all it remembers comes in here. Ends when `signal`
   * fires (within 2 s), or when there will never be more. Throws `Unavailable` if it cannot be read now: it is tried again.
   */
  read(after: ReadonlyMap<string, Position>, signal: AbortSignal): AsyncIterable<Batch>;
  /** Told of the positions of a batch once they are stored. It neither waits nor throws. */
  stored?(positions: ReadonlyMap<string, Position>): void;
}

/** A consumer of the log. */
export interface Sink {
  /** For logs of its own. Its place is kept under the name that the configuration gives it. */
  readonly name: string;
  /** Set: it is given ranges of the log that are the same before and after a crash. */
  readonly extents?: Extents;
  /**
   * Takes emissions in sequence. Resolving means durable, and the mark is what it needs to go on. It may be called again with exactly the same
   * emissions, and must then leave the same result as once. Throws `Unavailable`: it is tried again.
   */
  write(emissions: readonly Emission[]): Promise<Mark>;
  close(): Promise<void>;
}

/** Where a sink goes on: the mark that it gave last (null: it begins), and the id of the state whose log it takes. */
export interface Resume {
  readonly mark: Mark | null;
  readonly storeId: string;
}

/** Makes a source of what the configuration says beside `type`, `feed`, `stage`, `origin` and `mode`: its options, placeholders replaced. */
export type SourceMaker = (options: never) => Source;

/** A sink, or what makes one of the options that the configuration gives. */
export type SinkMaker = Sink | ((options: never, resume: Resume) => Sink | Promise<Sink>);

/** What a program adds to the shipped grid. Kinds, feeds, tables and rules must have names that the grid does not use. */
export interface Extension {
  readonly actors?: readonly AnyBehaviour[];
  readonly feeds?: readonly Feed[];
  readonly rules?: readonly Rule[];
  /** Curated tables beside those of the feeds; one that names the table of a feed adds columns to it. */
  readonly tables?: readonly Table[];
  /** By the `type` that the configuration gives them. */
  readonly sources?: Readonly<Record<string, SourceMaker>>;
  readonly sinks?: Readonly<Record<string, SinkMaker>>;
}
