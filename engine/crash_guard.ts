import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fault } from "./fault.ts";
import type { SourceId } from "./ids.ts";
import type { Batch, SourceRecord } from "./source.ts";

/** Knows, in the next life of the process, which record was being taken when this one ended. */
export interface CrashGuard {
  /** Notes that the batch is being taken. Returns what to take: records that have killed the process too often are faults in it. */
  enter(source: SourceId, batch: Batch): Batch;
  /** The batch is computed: what ends the process from here on was none of its records. */
  leave(): void;
  close(): void;
}

/** What the last life died of, for people. `isAside`: the record is known, and goes to quarantine now. */
export interface Death {
  readonly source: string;
  readonly position: string;
  readonly deaths: number;
  readonly isAside: boolean;
}

/** So many records close together have killed the process: the cause is none of them. */
export class CrashLoop extends Error {
  constructor(position: string) {
    super(`${ASIDE_MAX} records near ${position} have killed the process, one after another: the cause is something else`);
    this.name = "CrashLoop";
  }
}

/** A record that was being taken in so many lives at their end is set aside. */
const DEATHS_MAX = 3;
/** Of one place, while nothing behind them is stored. */
const ASIDE_MAX = 10;
/** More places are not remembered: the oldest is forgotten. */
const PLACES_MAX = 64;
const GUARD_FILE = "at_work";
const TAKING = "+";
const NOT_TAKING = "-";

/** Records of one origin that are under suspicion: some of `first` to `last` has ended `deaths` lives, and those of `aside` too many. */
interface Place {
  readonly source: string;
  readonly origin: string;
  readonly first: number;
  readonly last: number;
  readonly deaths: number;
  readonly aside: readonly number[];
}

interface Note {
  readonly places: readonly Place[];
  readonly taking: Pick<Place, "source" | "origin" | "first" | "last"> | null;
}

/**
 * Opens the guard of a state directory that is locked by us, and counts the death of the process before, if it died while it computed a batch. Batches of
 * a place where two have died are taken with a note of each record, so that the third death tells which one it is. A note is one write to a file
 * that is never synced: it outlives the process, not the machine, whose end is no record's doing. Throws `CrashLoop`, and forgets what it knew.
 */
export function openCrashGuard(dir: string, onDeath: (death: Death) => void): CrashGuard {
  const path = join(dir, GUARD_FILE);
  closeSync(openSync(path, "a", 0o600)); // Made, if it is not there.
  const { isTaking, note } = read(path);
  const handle = openSync(path, "r+");
  const write = (flag: string, next: Note): void => void writeSync(handle, `${flag}${JSON.stringify(next)}\n`, 0);

  let places = note.places;
  if (isTaking && note.taking !== null) {
    const dead = afterDeath(places, note.taking);
    const { source, origin, last, deaths } = dead;
    if (dead.aside.length > ASIDE_MAX) {
      write(NOT_TAKING, NOTHING);
      throw new CrashLoop(`${origin}${last}`);
    }
    onDeath({ source, position: `${origin}${last}`, deaths, isAside: dead.aside.includes(last) });
    places = [...places.filter((place) => !isSame(place, dead)), dead].slice(-PLACES_MAX);
  }
  write(NOT_TAKING, { places, taking: null });

  return {
    enter(source, batch) {
      const [head] = batch.records;
      const tail = batch.records.at(-1);
      if (head === undefined || tail === undefined) return batch;
      const taking = { source, origin: batch.origin, first: head.at, last: tail.at };
      const known = places.find((place) => isSame(place, taking));
      if (known === undefined || Math.max(known.last, ...known.aside) < head.at) {
        if (known !== undefined) places = places.filter((place) => place !== known); // All that is read is stored, so it lies behind us.
        write(TAKING, { places, taking });
        return batch;
      }
      write(TAKING, { places, taking });
      const records = batch.records.map((record) => (known.aside.includes(record.at) ? setAside(record) : record));
      if (known.deaths < DEATHS_MAX - 1) return { ...batch, records };
      const noted = announced(records, ({ at }) => write(TAKING, { places, taking: { ...taking, first: at, last: at } }));
      return { ...batch, records: noted };
    },
    leave() {
      writeSync(handle, NOT_TAKING, 0);
    },
    close() {
      closeSync(handle);
    },
  };
}

const NOTHING: Note = { places: [], taking: null };

/** What is known of the place where a life has ended. */
function afterDeath(places: readonly Place[], taking: NonNullable<Note["taking"]>): Place {
  const { source, origin } = taking;
  const { first = 0, last = -1, deaths = 0, aside = [] } = places.find((place) => isSame(place, taking)) ?? {};
  const isOverlap = deaths > 0 && taking.first <= last && first <= taking.last;
  const from = isOverlap ? Math.max(first, taking.first) : taking.first;
  const to = isOverlap ? Math.min(last, taking.last) : taking.last;
  const died = isOverlap ? deaths + 1 : 1;
  const isFound = from === to && died >= DEATHS_MAX;
  // Found, it is suspected no more: what kills the process next is another one.
  if (isFound) return { source, origin, first: from, last: to, deaths: 0, aside: [...aside, to] };
  return { source, origin, first: from, last: to, deaths: died, aside };
}

function isSame(one: Pick<Place, "source" | "origin">, other: Pick<Place, "source" | "origin">): boolean {
  return one.source === other.source && one.origin === other.origin;
}

function setAside({ at, arrivedAtMs, bytes }: SourceRecord): SourceRecord {
  return { at, arrivedAtMs, bytes, fault: fault("crash_loop", `the process has died ${DEATHS_MAX} times while it took this record`) };
}

/** The same records; each is announced before it is handed out. */
function announced(records: readonly SourceRecord[], announce: (record: SourceRecord) => void): readonly SourceRecord[] {
  const copy = [...records];
  copy[Symbol.iterator] = function* (): Generator<SourceRecord, undefined> {
    for (const record of records) {
      announce(record);
      yield record;
    }
  };
  return copy;
}

/** What does not read as a note was not finished when the machine stopped: then nothing is known. */
function read(path: string): { readonly isTaking: boolean; readonly note: Note } {
  const [line = ""] = readFileSync(path, "utf8").split("\n", 1);
  try {
    const note = JSON.parse(line.slice(1)) as Partial<Note> | null;
    if (Array.isArray(note?.places) && note.taking !== undefined)
      return { isTaking: line.startsWith(TAKING), note: { places: note.places, taking: note.taking } };
  } catch {
    // As below.
  }
  return { isTaking: false, note: NOTHING };
}
