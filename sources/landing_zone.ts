import { stat } from "node:fs/promises";
import { byteOrder } from "../engine/byte_order.ts";
import type { Clock } from "../engine/clock.ts";
import { orUnavailable } from "../engine/fault.ts";
import type { Position, SourceId } from "../engine/ids.ts";
import type { Batch, Source, SourceRecord } from "../engine/source.ts";
import { excerptOfRest, type FormatLimits } from "./excerpt.ts";
import type { Bounds, Format, Place, Slice } from "./format.ts";
import { type Glob, glob } from "./glob.ts";
import { Ledger, type LedgerEntry, positionOf } from "./ledger.ts";
import { listing, type Seen } from "./listing.ts";
import { type OpenFile, openFile } from "./open_file.ts";
import { type OnOverwrite, verdictOn } from "./revision.ts";

export interface LandingZoneOptions {
  readonly id: SourceId;
  /** The folder. */
  readonly location: string;
  /** Globs, relative to the folder. */
  readonly include: readonly string[];
  readonly format: Format;
  readonly limits: FormatLimits;
  readonly bounds: Bounds;
  /** False: what is there now is read, without waiting for anything, and that is all. */
  readonly follow: boolean;
  /** A file is taken once size and time are equal in two looks this far apart. */
  readonly settleMs: number;
  /** An unfinished tail is given up if the file has not changed for so long. */
  readonly incompleteAfterMs: number;
  /** Time between two listings. */
  readonly pollMs: number;
  readonly order: "name" | "modified" | "none";
  readonly onOverwrite: OnOverwrite;
  /** False: files that are there at the very first start are taken as read. */
  readonly includeExistingFiles: boolean;
  readonly clock: Clock;
}

/** Files that appear in a folder. Partition: path; position: ledger entry. One file at a time, each content once, whatever its name. */
export function landingZone(options: LandingZoneOptions): Source {
  const globs = options.include.map(glob);
  return { id: options.id, read: (after, signal) => new Zone(options, globs, after, signal).batches() };
}

class Zone {
  readonly #options: LandingZoneOptions;
  readonly #globs: readonly Glob[];
  readonly #signal: AbortSignal;
  readonly #ledger: Ledger;

  constructor(options: LandingZoneOptions, globs: readonly Glob[], after: ReadonlyMap<string, Position>, signal: AbortSignal) {
    this.#options = options;
    this.#globs = globs;
    this.#signal = signal;
    this.#ledger = new Ledger(after);
  }

  async *batches(): AsyncGenerator<Batch, void> {
    const { location } = this.#options;
    const { dev } = await orUnavailable(location, stat(location));
    const seen = await orUnavailable(location, listing(location, this.#globs));
    try {
      for (const { path } of inOrder(seen, this.#options.order)) yield* this.#take(path, dev);
    } catch (error) {
      if (!this.#signal.aborted) throw error;
    }
    yield IDLE;
  }

  async *#take(path: string, device: number): AsyncGenerator<Batch, void> {
    const file = await openFile(this.#options.location, path, device);
    if (file === null) return;
    try {
      const known = this.#ledger.get(path);
      const { sizeBytes, modifiedMs } = file;
      const prefixBytes = known !== undefined && known.sizeBytes <= sizeBytes ? known.sizeBytes : null;
      const identity = await file.identity(prefixBytes, this.#signal);
      const found = { path, sizeBytes, modifiedMs, ...identity, foundAtMs: this.#options.clock.now() };
      const rules = { grows: this.#options.format.grows, onOverwrite: this.#options.onOverwrite };
      const { entry, fault } = verdictOn(found, known, this.#ledger.twinOf(path, identity.sha256), rules);
      if (fault !== null) {
        const head = await excerptOfRest(file, 0, this.#options.limits, this.#signal);
        yield this.#batch(entry, [head.record(0, entry.discoveredAtMs, fault.code, fault.error)]);
      } else if (entry !== known) yield this.#batch(entry, []);
      if (entry.state === "discovered" || entry.state === "processing") yield* this.#read(file, entry);
    } finally {
      await file.close();
    }
  }

  async *#read(file: OpenFile, entry: LedgerEntry): AsyncGenerator<Batch, void> {
    const { bounds, clock, format } = this.#options;
    const startedAtMs = entry.startedAtMs ?? clock.now();
    let now: LedgerEntry = { ...entry, state: "processing", startedAtMs };
    const slices = format.records(file, { from: entry, bounds, arrivedAtMs: entry.discoveredAtMs, signal: this.#signal });
    let held: Slice | null = null;
    for (;;) {
      const { done, value } = await slices.next();
      if (done !== true) {
        if (held !== null) {
          now = withRecords(now, held.records, held.end);
          yield this.#batch(now, held.records);
        }
        held = value;
        continue;
      }
      const records = [...(held?.records ?? []), ...(value.type === "complete" ? [] : [value.rest])];
      now = {
        ...withRecords(now, records, value.at),
        state: value.type === "refused" ? "quarantined" : "committed",
        committedAtMs: clock.now(),
        tailGivenUp: value.type === "incomplete",
      };
      yield this.#batch(now, records);
      return;
    }
  }

  #batch(entry: LedgerEntry, records: readonly SourceRecord[]): Batch {
    this.#ledger.set(entry);
    const { path, generation, sha256 } = entry;
    return { origin: `file:${sha256}/`, path, generation, records, resumeAt: new Map([[path, positionOf(entry)]]), idle: false };
  }
}

const IDLE: Batch = { origin: "", path: null, generation: 0, records: [], resumeAt: new Map(), idle: true };

function withRecords(entry: LedgerEntry, records: readonly SourceRecord[], place: Place): LedgerEntry {
  const faults = records.filter((record) => record.fault !== undefined).length;
  return { ...entry, ...place, rows: entry.rows + records.length, faults: entry.faults + faults };
}

function inOrder(seen: readonly Seen[], order: LandingZoneOptions["order"]): readonly Seen[] {
  const byName = [...seen].sort((a, b) => byteOrder(a.path, b.path));
  return order === "modified" ? byName.sort((a, b) => a.modifiedMs - b.modifiedMs) : byName;
}
