import type { CellValue, Severity, VersionInForce } from "./emission.ts";
import type { Fault } from "./fault.ts";
import type { Fact, HistoryChange, HistoryOptions, Remembered, Version } from "./history.ts";
import type { ActorId, SourceId } from "./ids.ts";
import type { Layout, WarmOf } from "./layout.ts";
import type { NoteCode } from "./note.ts";
import type { Observation, Rule, RuleLimits } from "./rule.ts";

/** What the engine itself tells an actor: a timer it set has come due. */
export interface Woken {
  readonly type: "woken";
  readonly name: string;
  /** The time the timer was set to. */
  readonly dueMs: number;
  /** The feed clock that made it fire: `clockMs - dueMs` is how late it is. */
  readonly clockMs: number;
  /** How far the clock moved in this step. Longer than the lateness: the whole feed was quiet. */
  readonly steppedMs: number;
}

/** Everything a behaviour may do beside changing its own state. Valid during the call only. */
export interface Out<M> {
  readonly self: ActorId;
  /** The record was older than the actor's clock minus the lateness: record rules run, rolling statistics do not learn. */
  readonly late: boolean;
  /** Same actor and time as an earlier record, another payload: curated, not learnt from. */
  readonly conflict: boolean;
  /** Runs before the next record, in order; bounded by hops and number per record. */
  tell(id: ActorId, message: M): void;
  observe(rule: string, observation: Observation): void;
  /** Whether the actor has an episode of the rule that is not over: without one, only an abnormal observation means anything, and no other need be made. */
  hasEpisode(rule: string): boolean;
  /** Appends a row. A table of the record's own feed begins with the record's columns; `columns` adds to them. `amends` is left to the engine. */
  curate(table: string, columns: Readonly<Record<string, CellValue>>): void;
  /** Sets, moves (same name) or cancels (null) a timer, in event time of the feed whose record is being processed. */
  wakeAt(name: string, atMs: number | null): void;
  /** The limits in force for this actor: default, then the configuration's, the narrowest override last. */
  limits(rule: string): RuleLimits;
  /** Counts a data-quality note, with an example. */
  note(code: NoteCode, detail?: string): void;
  /** The record repeats one that this actor already holds: counted as duplicate. */
  duplicate(): void;
  /** Adds a fact to the actor's own history and says what it changed. */
  remember(change: HistoryChange): Remembered;
  /** The versions believed now, oldest first. */
  versions(): readonly Version[];
  /** The actor's latest published alert of a rule, also if it is over; null: there was none. */
  alertOf(rule: string): HeldAlert | null;
  /** Late or corrected facts say otherwise of what raised that alert: `holds` true: it stands, with this value; else nothing is left of it. */
  amend(rule: string, observation: Observation): void;
  /** A parent's alert covers the open alerts of these rules from now on; `coveredBy` of the behaviour covers those to come. */
  cover(by: string, covers: (rule: Rule, severity: Severity) => boolean, atMs: number): void;
  /** That alert of a parent's is over: what it covered stands by itself again. */
  uncover(by: string, atMs: number): void;
  /** The actor has been linked to what describes it, or is not any more: said when that changes, by a kind with a master. */
  linked(isLinked: boolean): void;
  /** Rows that the actor has written to this table may say otherwise now: those that are still in the log are looked at again (`revise`). */
  reviseRows(table: string): void;
  /** The facts of the actor's history whose `from` begins with this text, by `from`. */
  facts(prefix: string): readonly Fact[];
  /** The record that is being processed, to be kept in the state while it is open whether it is good. Not of a timer. */
  held(): HeldRecord;
  /** A record that was held turns out bad: it goes to quarantine as if it had been refused when it came, and counts no longer as accepted. */
  reject(record: HeldRecord, fault: Fault): void;
}

/** An alert as its actor sees it. */
export interface HeldAlert {
  readonly alertId: string;
  readonly isOpen: boolean;
  readonly onsetMs: number;
  readonly endsAtMs: number | null;
  /** When it was abnormal last. */
  readonly lastHitMs: number;
  readonly value: CellValue;
  readonly limit: number | null;
}

/** An alert of an actor that was raised, or is over (cleared, or taken back). */
export interface AlertTurn {
  readonly rule: Rule;
  readonly alertId: string;
  readonly severity: Severity;
  readonly isLatched: boolean;
  readonly isOver: boolean;
  /** A parent's alert covers it. */
  readonly isCovered: boolean;
  readonly atMs: number;
}

/** What quarantine needs of a record that an actor accepts for the time being: plain values, at most about 2 KiB. */
export interface HeldRecord {
  readonly source: SourceId;
  /** Relative path of its file, or null. */
  readonly path: string | null;
  readonly position: string;
  readonly arrivedAtMs: number;
  readonly eventTimeMs: number;
  readonly sizeBytes: number;
  /** What came; of a large record the beginning. */
  readonly text: string;
}

/** What an inspection shows of an actor: the business side of its state. */
export interface Description {
  readonly status: string | null;
  readonly attributes: Readonly<Record<string, CellValue>>;
  readonly latest: Readonly<Record<string, CellValue>> | null;
  readonly rolling: Readonly<Record<string, CellValue>> | null;
}

/**
 * A kind of actor. `receive` is synchronous and deterministic: no clock, chance, I/O, log. It may change its state in place (it holds the only
 * copy while it runs; no reference outlives the call) and gives everything else to `out`. If it throws, the record is quarantined and every
 * part it touched is put back.
 *
 * A kind with very many members declares a `hot` layout: the numbers every record changes live packed in a slab, `state` is then a `Packed`
 * cursor. Without one `state` is a plain object. Warm state is encoded by msgpack: plain objects, arrays, text, numbers, booleans, null, and bytes
 * (`Uint8Array`), which are replaced, never changed in place.
 */
export interface Behaviour<State, M extends { readonly type: string }> {
  readonly kind: string;
  /** Version of the state's shape. */
  readonly version: number;
  /** Feeds whose clock this kind keeps, in the order in which inspection shows them. */
  readonly clocks: readonly string[];
  readonly hot?: Layout;
  /**
   * Members of a plain state that are large and change seldom. One counts as changed when another value is put in its place (a shallow copy will do): it is
   * not looked into otherwise, so that a record costs what it changes.
   */
  readonly large?: readonly string[];
  readonly history?: HistoryOptions;
  /** Feed of captured changes that tells all that is known of such actors: a gap in it makes them suspect. */
  readonly toldBy?: string;
  /** Master data tells of such actors. One that has come into being before them is counted as an orphan until it says that it is linked. */
  readonly hasMaster?: true;
  /** A fresh state (of a packed kind: its warm part). */
  initial(id: ActorId): WarmOf<State>;
  receive(state: State, message: M | Woken, out: Out<M>): void;
  /** `lostBefore`: changes of the feed that tells of it were lost before this place in its log; null: none was. Suspect: attribute `suspect` is true. */
  describe(state: State, id: ActorId, lostBefore: string | null): Description;
  /** `rolling` of its description alone: every alert event asks for it twice. Absent: it has no such statistics. */
  rolling?(state: State, id: ActorId): Description["rolling"];
  /** Master data in force for the actor at a time, as alerts show it. `versions`: of its own history. Asked once for an event. */
  inForce?(state: State, id: ActorId, atMs: number, versions: () => readonly Version[]): readonly VersionInForce[];
  /** An alert of the actor has been raised or is over: tells those who are to know. Changes no state; said once for each, never for a reading. */
  alerted?(state: State, alert: AlertTurn, out: Pick<Out<M>, "self" | "tell">): void;
  /** The parent's alert, or `maintenance`, that covers an alert which is being raised; null: none does. */
  coveredBy?(state: State, alert: Omit<AlertTurn, "alertId" | "isOver" | "isCovered">, versions: () => readonly Version[]): string | null;
  /** Cells of a row of its own, as the actor would give them now: those that it adds to the record's. */
  revise?(state: State, table: string, cells: Readonly<Record<string, CellValue>>): Readonly<Record<string, CellValue>>;
  /** Kind -> the actor it is linked to, for the links that stand open. */
  links(state: State, id: ActorId): Readonly<Record<string, ActorId>>;
}
