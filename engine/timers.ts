import type { ChangedRow } from "./commit.ts";
import { type ActorId, actorIdFrom } from "./ids.ts";

/** A stored timer row. It may stand earlier than the actor's true due time; then the engine moves it when it comes up. */
export interface TimerRow {
  readonly feed: string;
  readonly dueMs: number;
  readonly actor: ActorId;
  readonly name: string;
}

/** Key of a row in table `timer`: byte order is (feed, due, actor, name). */
export function timerKey({ feed, dueMs, actor, name }: TimerRow): string {
  return `${feed}\0${String(Math.max(0, Math.ceil(dueMs))).padStart(15, "0")}\0${actor}\0${name}`;
}

export function parseTimerKey(key: string): TimerRow {
  const [feed = "", dueMs = "", actor = "", name = ""] = key.split("\0");
  return { feed, dueMs: Number(dueMs), actor: actorIdFrom(actor), name };
}

/** Timer rows that a batch puts and deletes. A row that comes and goes within the batch is never stored, and hardly ever gets a key. */
export class TimerChanges {
  readonly #put = new Set<TimerRow>();
  readonly #deleted: TimerRow[] = [];

  put(row: TimerRow): void {
    this.#put.add(row);
  }

  delete(row: TimerRow): void {
    if (!this.#put.delete(row)) this.#deleted.push(row);
  }

  /** A row is put only where there is none, and deleted only where there is one: so two changes of a row undo each other. */
  take(into: ChangedRow[]): void {
    const changes = new Map<string, boolean>();
    const change = (key: string, isPut: boolean): void => {
      if (!changes.delete(key)) changes.set(key, isPut);
    };
    for (const row of this.#deleted) change(timerKey(row), false);
    for (const row of this.#put) change(timerKey(row), true);
    for (const [key, isPut] of changes) into.push({ table: "timer", key, value: isPut ? EMPTY : null });
  }
}

const EMPTY = new Uint8Array(0);

/** The rows of one feed in (due, actor, name) order: a binary heap. Stale rows stay until they come up. */
export class TimerQueue {
  readonly #rows: TimerRow[] = [];

  get nextDueMs(): number {
    return this.#rows[0]?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  push(row: TimerRow): void {
    const rows = this.#rows;
    let at = rows.length;
    rows.push(row);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = rows[parent] as TimerRow;
      if (!before(row, above)) break;
      rows[at] = above;
      at = parent;
    }
    rows[at] = row;
  }

  pop(): TimerRow | undefined {
    const rows = this.#rows;
    const first = rows[0];
    const last = rows.pop();
    if (last === undefined || rows.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= rows.length) break;
      if (child + 1 < rows.length && before(rows[child + 1] as TimerRow, rows[child] as TimerRow)) child += 1;
      const below = rows[child] as TimerRow;
      if (!before(below, last)) break;
      rows[at] = below;
      at = child;
    }
    rows[at] = last;
    return first;
  }
}

function before(a: TimerRow, b: TimerRow): boolean {
  if (a.dueMs !== b.dueMs) return a.dueMs < b.dueMs;
  if (a.actor !== b.actor) return a.actor < b.actor;
  return a.name < b.name;
}
