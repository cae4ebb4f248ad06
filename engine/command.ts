import type { ChangedRow, Commit } from "./commit.ts";
import { hours } from "./duration.ts";
import { longHash } from "./ids.ts";
import { PartsDraft } from "./journal.ts";
import { LogDraft } from "./log_draft.ts";
import type { Source } from "./source.ts";
import type { Store } from "./store.ts";
import type { Intake, Turn } from "./turn.ts";
import type { World } from "./world.ts";

/**
 * What an operator asks of a running engine: an input like a record. It is kept whole, with its place among the records, so that whoever gives the
 * engine the same records and commands in the same order gets the same states.
 */
export interface Command {
  readonly verb: string;
  /** What exactly is meant: ids are whole. */
  readonly args: CommandArgs;
  /** Name of the token, or the user of the operating system. */
  readonly by: string;
  readonly reason: string | null;
  /** Of two commands of one author with the same key within 24 h only the first is carried out. Null: none was given. */
  readonly key: string | null;
  readonly arrivedAtMs: number;
}

export type CommandArgs = Readonly<Record<string, string | true>>;

/** A carried out command as it is kept (table `audit`), in the same commit as its effect. */
export interface AuditRow extends Command {
  /** Counts commands from 1. */
  readonly number: number;
  /** The engine's clock; null: it held no event. */
  readonly clockMs: number | null;
  /** `unchanged`: it was so before. */
  readonly result: "done" | "unchanged";
  /** What the verb's answer is made of: a JSON value. */
  readonly detail: unknown;
  /** What came before it. */
  readonly after: Readonly<Record<string, Progress>>;
}

/** How far a feed was: records taken, and where its clock stood (null: nowhere). */
export interface Progress {
  readonly records: number;
  readonly clockMs: number | null;
}

/** What became of a command. `isRepeat`: it had been carried out before, under the same key. */
export interface CommandOutcome {
  readonly row: AuditRow;
  readonly isRepeat: boolean;
}

/** What a handler works with. No turn runs meanwhile. */
export interface Desk {
  readonly world: World;
  readonly turn: Turn;
  readonly store: Store;
  /** The sources that run; none in a replay. */
  readonly sources: readonly CommandedSource[];
  /** Number of the command; its position is `command:<number>`. */
  readonly number: number;
  /** The command's event time: the engine's clock, or its arrival while there is none. */
  readonly atMs: number;
}

/** A source, and where its batches come in. */
export interface CommandedSource {
  readonly source: Source;
  readonly intake: Intake;
}

/** The commit that carries a command out. The row of the audit is added to it. */
export interface Carried {
  readonly commit: Commit;
  readonly result: AuditRow["result"];
  readonly detail: unknown;
  /**
   * What remains to be done once the commit is stored, in commits of its own; resolves to the detail that the row then gets. Done again after a crash
   * it finishes what was interrupted.
   */
  readonly finish?: () => Promise<unknown>;
}

/** Carries out the commands of one verb. Throws `CommandRefused` before anything has changed; any other error ends the process. */
export type CommandHandler = (command: Command, desk: Desk) => Carried | Promise<Carried>;

/** A command cannot be carried out; the message says why, in words for people. `isUnknown`: what it is about does not exist. */
export class CommandRefused extends Error {
  readonly isUnknown: boolean;
  constructor(message: string, isUnknown = false) {
    super(message);
    this.name = "CommandRefused";
    this.isUnknown = isUnknown;
  }
}

const KEY_HELD_MS = hours(24);

/** Carries a command out and stores it with its effect. Under a key that was used before it answers what it answered then. */
export async function carryOut(command: Command, handler: CommandHandler, desk: Omit<Desk, "number" | "atMs">): Promise<CommandOutcome> {
  const { world, store } = desk;
  const earlier = heldRow(store, command);
  if (earlier !== null) return { row: earlier, isRepeat: true };
  const number = (world.counters.group("audit")["rows"] ?? 0) + 1;
  const clockMs = engineClockMs(world);
  const after = progressOf(world);
  const { commit, result, detail, finish } = await handler(command, { ...desk, number, atMs: clockMs ?? command.arrivedAtMs });
  const row: AuditRow = { ...command, number, clockMs, result, detail, after };
  world.counters.add("audit", "rows", 1);
  const rows: ChangedRow[] = [...commit.rows, auditRow(row), ...keyRows(store, row)];
  world.counters.takeChanges(rows);
  await store.commit({ ...commit, rows });
  return { row: finish === undefined ? row : await finished(row, finish, desk), isRepeat: false };
}

/** Stores what came of a command that was carried out in more than one commit. */
export async function finished(
  row: AuditRow,
  finish: () => Promise<unknown>,
  { world, store }: Pick<Desk, "world" | "store">,
): Promise<AuditRow> {
  const ended = { ...row, detail: await finish() };
  const log = new LogDraft();
  log.clear(world.nextSequence);
  await store.commit({ parts: new PartsDraft(), log, rows: [auditRow(ended)] });
  return ended;
}

/** The command that was carried out last; null: none was. */
export function lastCommand(world: World, store: Pick<Store, "get">): AuditRow | null {
  const bytes = store.get("audit", rowKey(world.counters.group("audit")["rows"] ?? 0));
  return bytes === null ? null : decoded(bytes);
}

/** All commands that were carried out, in order. */
export function* auditRows(store: Pick<Store, "range">): Generator<AuditRow, void> {
  for (const [, bytes] of store.range("audit", ROW)) yield decoded(bytes);
}

/** Whether the engine is where it was when the command came: where a replay carries it out. */
export function isNext({ after }: Pick<AuditRow, "after">, world: World): boolean {
  return JSON.stringify(progressOf(world)) === JSON.stringify(after);
}

const ROW = "row ";
const KEY = "key ";

function auditRow(row: AuditRow): ChangedRow {
  return { table: "audit", key: rowKey(row.number), value: Buffer.from(JSON.stringify(row)) };
}

function rowKey(number: number): string {
  return `${ROW}${String(number).padStart(12, "0")}`;
}

function decoded(bytes: Uint8Array): AuditRow {
  return JSON.parse(Buffer.from(bytes).toString()) as AuditRow;
}

/** Of each feed that has begun, in the order of names. */
function progressOf(world: World): AuditRow["after"] {
  const all = [...world.clocks.values()].map(({ feed, clockMs }): [string, Progress] => {
    const records = world.counters.group(`feed ${feed}`)["read"] ?? 0;
    return [feed, { records, clockMs: Number.isFinite(clockMs) ? clockMs : null }];
  });
  return Object.fromEntries(all.filter(([, { records }]) => records > 0).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The latest event time that any feed has seen; dates of validity, which may lie ahead, do not count. */
function engineClockMs({ clocks, feeds }: World): number | null {
  const times = [...clocks.values()].map((clock) =>
    feeds.get(clock.feed)?.refusesFuture === true ? clock.latestMs() : Number.NEGATIVE_INFINITY,
  );
  const latestMs = Math.max(Number.NEGATIVE_INFINITY, ...times);
  return Number.isFinite(latestMs) ? latestMs : null;
}

// Keys ----------------------------------------------------------------------------------------------------------------------------------

interface HeldKey {
  readonly number: number;
  readonly arrivedAtMs: number;
}

/** What was carried out under the command's key. Throws `CommandRefused` if that was something else. */
function heldRow(store: Store, command: Command): AuditRow | null {
  if (command.key === null) return null;
  const held = store.get("audit", keyOf(command));
  if (held === null) return null;
  const { number, arrivedAtMs } = JSON.parse(Buffer.from(held).toString()) as HeldKey;
  const bytes = store.get("audit", rowKey(number));
  if (bytes === null || command.arrivedAtMs - arrivedAtMs >= KEY_HELD_MS) return null;
  const row = decoded(bytes);
  if (row.verb === command.verb && JSON.stringify(row.args) === JSON.stringify(command.args)) return row;
  throw new CommandRefused("the idempotency key was used for another command");
}

/** The command's key is kept; keys that hold no longer go. */
function keyRows(store: Store, row: AuditRow): readonly ChangedRow[] {
  const { key, number, arrivedAtMs } = row;
  const gone = [...store.range("audit", KEY)].flatMap(([held, bytes]): readonly ChangedRow[] => {
    const { arrivedAtMs: heldSinceMs } = JSON.parse(Buffer.from(bytes).toString()) as HeldKey;
    return arrivedAtMs - heldSinceMs >= KEY_HELD_MS ? [{ table: "audit", key: held, value: null }] : [];
  });
  if (key === null) return gone;
  const value: HeldKey = { number, arrivedAtMs };
  return [...gone, { table: "audit", key: keyOf(row), value: Buffer.from(JSON.stringify(value)) }];
}

/** Authors do not share keys, and a key may be of any length. */
function keyOf({ by, key }: Pick<Command, "by" | "key">): string {
  return `${KEY}${longHash([by, key ?? ""])}`;
}
