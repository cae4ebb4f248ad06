import { type Bell, bell } from "./bell.ts";
import type { Clock } from "./clock.ts";
import type { ChangedRow } from "./commit.ts";
import type { CellValue } from "./emission.ts";
import { type ActorId, actorIdFrom } from "./ids.ts";
import { PartsDraft } from "./journal.ts";
import { LogDraft } from "./log_draft.ts";
import { readRow, type StoredRow, writeRevision } from "./row_codec.ts";
import type { Store } from "./store.ts";
import { aim, type World } from "./world.ts";

// Rows that an actor has written may say otherwise once it knows better: a reading that came before its master is linked afterwards. Only the log
// has these rows, and nothing is kept for a reading that comes once. So what an actor asks for is a row of table `revise`, and whoever looks it up
// goes through the log behind the turns, for many actors at once, and writes again what differs, under the same row ids.

const READ_BYTES = 1_048_576;
/** So many actors are served by one pass through the log. */
const ACTORS_A_PASS = 50_000;
/** So many of their rows are held at a time. */
const ROWS_A_WINDOW = 100_000;
const ROWS_A_STEP = 500;
/** Nothing has come for so long: there is time. */
const IDLE_MS = 200;
const SEQUENCE_DIGITS = 16;

/** What an actor asks for: that the rows which it has written to a table be looked at again. `sequence`: number of the next row by then. */
export function revisionRow(actor: ActorId, table: string, sequence: number): ChangedRow {
  return {
    table: "revise",
    key: `${actor}\0${table}\0${String(sequence).padStart(SEQUENCE_DIGITS, "0")}`,
    value: new Uint8Array([1]), // LMDB takes no empty value, and there is nothing to say.
  };
}

export interface RowReviserOptions {
  readonly world: World;
  readonly store: Pick<Store, "range" | "readLog" | "logStart" | "commit">;
  readonly clock: Pick<Clock, "sleep">;
  /** Does the work between two batches. */
  readonly between: (work: () => Promise<void>) => Promise<void>;
  /** Resolves when the log has room for more, or `signal` fires. */
  readonly room: (signal: AbortSignal) => Promise<void>;
  /** So many rows are held at a time, 1 or more. Left out: 100,000. */
  readonly rowsAWindow?: number;
}

/** One way through the log for those who ask, window by window; then what was asked for is crossed out. */
interface Pass {
  /** `<actor> NUL <table>` */
  readonly subjects: ReadonlySet<string>;
  /** The rows of table `revise` that asked. */
  readonly keys: readonly string[];
  /** The log as it was when the pass began. What is written later is written by actors that knew better already. */
  readonly end: number;
  window: Window;
}

/** Rows that are held at a time, in steps: first the log is read to its end, for what has become of them, then they are written. */
interface Window {
  /** The log as it was when the window began: it has what the windows before have written. */
  readonly end: number;
  /** Number to read from; null: all is read. */
  next: number | null;
  /** The numbers of the rows as they stand now, by row id. */
  readonly found: Map<string, number>;
  /** The first row for which there was no room, where the next window begins; null: there was room for all. */
  resumeAt: number | null;
  /** Numbers of the rows that are still to be looked at, the first one last. */
  rows: number[];
}

/**
 * Writes rows again that their actors would write otherwise now. Done twice, or stopped anywhere and begun again, it changes nothing more. Work is done in
 * steps of bounded size, one after each batch, so that the rows and their numbers follow from the batches alone, however long anything takes; when
 * nothing comes for a while, or at the end, the steps follow each other.
 */
export class RowReviser {
  readonly #options: RowReviserOptions;
  readonly #news: Bell = bell();
  #pass: Pass | null = null;
  #mayBeAsked = true; // By a process before this one.
  #batches = 0;

  constructor(options: RowReviserOptions) {
    this.#options = options;
  }

  /** There may be something to do. */
  ring(): void {
    this.#mayBeAsked = true;
    this.#news.ring();
  }

  /** Rows have been amended by somebody else: what was seen of the log no longer stands. */
  beginAnew(): void {
    if (this.#pass === null) return;
    this.#pass = null;
    this.#mayBeAsked = true;
  }

  /** After each batch, before the next one. */
  async afterBatch(): Promise<void> {
    this.#batches += 1;
    await this.#step();
  }

  /** Works whenever no batch has come for a while, until `signal` fires. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", this.#news.ring, { once: true });
    while (!signal.aborted) {
      const news = this.#news.heard();
      for (let seen = -1; this.#hasWork && seen !== this.#batches && !signal.aborted; ) {
        seen = this.#batches;
        await this.#options.clock.sleep(IDLE_MS, signal);
      }
      await this.settle(signal);
      await news;
    }
  }

  /** Resolves when nothing is asked for any more, or `signal` has fired. */
  async settle(signal: AbortSignal): Promise<void> {
    while (this.#hasWork && !signal.aborted) {
      await this.#options.room(signal);
      if (!signal.aborted) await this.#options.between(() => this.#step());
    }
  }

  get #hasWork(): boolean {
    return this.#pass !== null || this.#mayBeAsked;
  }

  async #step(): Promise<void> {
    this.#pass ??= this.#begun();
    const pass = this.#pass;
    if (pass === null) return;
    const { next, rows, resumeAt } = pass.window;
    if (next !== null) return this.#look(pass, next);
    if (rows.length > 0) return this.#revise(rows.splice(-ROWS_A_STEP).reverse());
    if (resumeAt !== null) {
      pass.window = this.#windowFrom(resumeAt);
      return this.#look(pass, resumeAt);
    }
    this.#pass = null;
    this.#mayBeAsked = true; // Meanwhile, or for more actors than one pass takes.
    await this.#commit(
      this.#draft(),
      pass.keys.map((key): ChangedRow => ({ table: "revise", key, value: null })),
    );
  }

  #begun(): Pass | null {
    if (!this.#mayBeAsked) return null;
    this.#mayBeAsked = false;
    const subjects = new Set<string>();
    const keys: string[] = [];
    for (const [key] of this.#options.store.range("revise", "")) {
      const subject = key.slice(0, key.lastIndexOf("\0"));
      if (subjects.size === ACTORS_A_PASS && !subjects.has(subject)) break;
      subjects.add(subject);
      keys.push(key);
    }
    if (keys.length === 0) return null;
    return { subjects, keys, end: this.#options.world.nextSequence, window: this.#windowFrom(this.#options.store.logStart("curated")) };
  }

  #windowFrom(next: number): Window {
    return { end: this.#options.world.nextSequence, next, found: new Map(), resumeAt: null, rows: [] };
  }

  async #look({ subjects, end, window }: Pass, from: number): Promise<void> {
    const { store, world, rowsAWindow = ROWS_A_WINDOW } = this.#options;
    const { found } = window;
    const entries = await store.readLog("curated", from, READ_BYTES);
    window.next = null;
    for (const { sequence, bytes } of entries) {
      if (sequence >= window.end) break;
      window.next = sequence + 1;
      const { row } = readRow(world.tables, bytes);
      if (!subjects.has(`${row.actor}\0${row.table}`)) continue;
      const { rowId } = row;
      if (found.has(rowId) || (found.size < rowsAWindow && sequence < end)) found.set(rowId, sequence);
      else if (sequence < end) window.resumeAt ??= sequence;
    }
    if (window.next !== null) return;
    window.rows = [...found.values()].sort((a, b) => b - a);
    found.clear();
  }

  async #revise(sequences: readonly number[]): Promise<void> {
    const { store, world } = this.#options;
    const stored: { readonly sequence: number; readonly bytes: Uint8Array }[] = [];
    for (const sequence of sequences) {
      const [entry] = await store.readLog("curated", sequence, 1);
      if (entry?.sequence === sequence) stored.push(entry); // Else it has been cut meanwhile.
    }
    const log = this.#draft();
    for (const { sequence, bytes } of stored) {
      const revised = this.#revised(readRow(world.tables, bytes));
      if (revised === null) continue;
      writeRevision(log.open("curated"), bytes, { amends: sequence, ...revised });
      log.close("curated");
      world.counters.add("table", revised.table.name, 1);
    }
    if (log.next !== log.first) await this.#commit(log, []);
  }

  /** The row's cells as its actor would give them now; null: they are the same. */
  #revised({ row, table, cells }: StoredRow): Pick<StoredRow, "table" | "cells"> | null {
    const { population } = this.#options.world;
    const place = population.place(actorIdFrom(row.actor ?? ""), () => {});
    aim(place);
    const { behaviour } = place.kind;
    const named = Object.fromEntries(table.columns.map(([name], n) => [name, cells[n] ?? null]));
    const now: Readonly<Record<string, CellValue>> = behaviour.revise?.(place.kind.look(place.slot), table.name, named) ?? {};
    if (Object.keys(now).every((name) => now[name] === named[name])) return null;
    return { table, cells: table.columns.map(([name]) => (Object.hasOwn(now, name) ? now[name] : named[name]) ?? null) };
  }

  #draft(): LogDraft {
    const log = new LogDraft();
    log.clear(this.#options.world.nextSequence);
    return log;
  }

  async #commit(log: LogDraft, rows: readonly ChangedRow[]): Promise<void> {
    const { store, world } = this.#options;
    const changed = [...rows];
    world.counters.takeChanges(changed);
    world.nextSequence = log.next;
    await store.commit({ parts: new PartsDraft(), log, rows: changed });
  }
}
