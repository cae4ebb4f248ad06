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
/** So many actors, and about so many of their rows, are looked for in one pass through the log. */
const ACTORS_A_PASS = 50_000;
const ROWS_A_PASS = 100_000;
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
}

/** One way through the log, in steps: first all of it is read up to `end`, then rows are written, then what was asked for is crossed out. */
interface Pass {
  /** `<actor> NUL <table>` -> the keys of what is asked. */
  readonly asked: ReadonlyMap<string, readonly string[]>;
  /** The log as it was when the pass began. What is written later is written by actors that knew better already. */
  readonly end: number;
  /** Number to read from; null: all is read. */
  next: number | null;
  /** The numbers of the rows as they stand now, by row id. */
  readonly found: Map<string, number>;
  readonly taken: Set<string>;
  /** Whose turn comes with the next pass. */
  readonly left: Set<string>;
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
    if (pass.next !== null) return this.#look(pass, pass.next);
    if (pass.rows.length > 0) return this.#revise(pass.rows.splice(-ROWS_A_STEP).reverse());
    this.#pass = null;
    this.#mayBeAsked = true; // Meanwhile, or for more actors than one pass takes.
    const done = [...pass.asked].flatMap(([subject, keys]) => (pass.left.has(subject) ? [] : keys));
    await this.#commit(
      this.#draft(),
      done.map((key): ChangedRow => ({ table: "revise", key, value: null })),
    );
  }

  #begun(): Pass | null {
    if (!this.#mayBeAsked) return null;
    this.#mayBeAsked = false;
    const asked = this.#asked();
    if (asked.size === 0) return null;
    const next = this.#options.store.logStart("curated");
    return { asked, end: this.#options.world.nextSequence, next, found: new Map(), taken: new Set(), left: new Set(), rows: [] };
  }

  /** `<actor> NUL <table>` -> the keys of what is asked. */
  #asked(): ReadonlyMap<string, readonly string[]> {
    const asked = new Map<string, string[]>();
    for (const [key] of this.#options.store.range("revise", "")) {
      const subject = key.slice(0, key.lastIndexOf("\0"));
      const keys = asked.get(subject) ?? [];
      if (keys.length === 0 && asked.size === ACTORS_A_PASS) break;
      keys.push(key);
      asked.set(subject, keys);
    }
    return asked;
  }

  async #look(pass: Pass, from: number): Promise<void> {
    const { store, world } = this.#options;
    const { asked, end, found, taken, left } = pass;
    const entries = await store.readLog("curated", from, READ_BYTES);
    pass.next = null;
    for (const { sequence, bytes } of entries) {
      if (sequence >= end) break;
      pass.next = sequence + 1;
      const { row } = readRow(world.tables, bytes);
      const subject = `${row.actor}\0${row.table}`;
      if (!asked.has(subject)) continue;
      if (!taken.has(subject) && found.size >= ROWS_A_PASS) left.add(subject);
      if (left.has(subject)) continue;
      taken.add(subject);
      found.set(row.rowId, sequence);
    }
    if (pass.next === null) pass.rows = [...found.values()].sort((a, b) => b - a);
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
