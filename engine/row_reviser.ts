import { type Bell, bell } from "./bell.ts";
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
const ROWS_A_COMMIT = 500;
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
  /** Does the work between two batches. */
  readonly between: (work: () => Promise<void>) => Promise<void>;
}

/** Writes rows again that their actors would write otherwise now. Done twice, or stopped anywhere and begun again, it changes nothing more. */
export class RowReviser {
  readonly #options: RowReviserOptions;
  readonly #news: Bell = bell();
  #settled: Promise<void> = Promise.resolve();

  constructor(options: RowReviserOptions) {
    this.#options = options;
  }

  /** There may be something to do. */
  ring(): void {
    this.#news.ring();
  }

  /** Works until `signal` fires. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", this.#news.ring, { once: true });
    while (!signal.aborted) {
      const news = this.#news.heard();
      await this.settle(signal);
      await news;
    }
  }

  /** Resolves when nothing is asked for any more, or `signal` has fired. */
  settle(signal: AbortSignal): Promise<void> {
    this.#settled = this.#settled.then(async () => {
      while (!signal.aborted && (await this.#pass(signal)));
    });
    return this.#settled;
  }

  /** One pass through the log. False: nothing is asked for. */
  async #pass(signal: AbortSignal): Promise<boolean> {
    const asked = this.#asked();
    if (asked.size === 0) return false;
    const { found, left } = await this.#look(asked, signal);
    if (signal.aborted) return false;
    const rows = [...found.values()].sort((a, b) => a - b);
    for (let first = 0; first < rows.length; first += ROWS_A_COMMIT) {
      await this.#options.between(() => this.#revise(rows.slice(first, first + ROWS_A_COMMIT)));
    }
    const done = [...asked].flatMap(([subject, keys]) => (left.has(subject) ? [] : keys));
    await this.#options.between(() =>
      this.#commit(
        this.#draft(),
        done.map((key): ChangedRow => ({ table: "revise", key, value: null })),
      ),
    );
    return true;
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

  /** The numbers of the rows as they stand now, by row id; `left`: whose turn comes with the next pass. */
  async #look(asked: ReadonlyMap<string, unknown>, signal: AbortSignal): Promise<{ found: Map<string, number>; left: Set<string> }> {
    const { store, world } = this.#options;
    const found = new Map<string, number>();
    const taken = new Set<string>();
    const left = new Set<string>();
    let next = store.logStart("curated");
    for (;;) {
      const entries = signal.aborted ? [] : await store.readLog("curated", next, READ_BYTES);
      if (entries.length === 0) return { found, left };
      for (const { sequence, bytes } of entries) {
        const { row } = readRow(world.tables, bytes);
        next = sequence + 1;
        const subject = `${row.actor}\0${row.table}`;
        if (!asked.has(subject)) continue;
        if (!taken.has(subject) && found.size >= ROWS_A_PASS) left.add(subject);
        if (left.has(subject)) continue;
        taken.add(subject);
        found.set(row.rowId, sequence);
      }
    }
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
