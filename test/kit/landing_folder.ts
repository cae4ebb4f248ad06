import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type SettableClock, settableClock } from "../../engine/clock.ts";
import { minutes, seconds } from "../../engine/duration.ts";
import { Position, SourceId } from "../../engine/ids.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import type { Batch, Source } from "../../engine/source.ts";
import { folderPlace } from "../../sources/folder_place.ts";
import type { Watch } from "../../sources/folder_watch.ts";
import type { Bounds } from "../../sources/format.ts";
import { jsonLines } from "../../sources/formats/json_lines.ts";
import { type LandingZoneOptions, landingZone } from "../../sources/landing_zone.ts";
import type { LedgerEntry } from "../../sources/ledger.ts";
import { positionsBehind, texts } from "./source_reading.ts";
import { newTempFolder, removeFolder } from "./temp_folder.ts";

export const START_MS = Date.UTC(2025, 5, 15, 16);
export const BOUNDS: Bounds = { records: 2, bytes: 1_000_000 };

/** The options of a landing zone over a folder: that of the test, unless it names another. */
export interface FolderZone extends Partial<LandingZoneOptions> {
  readonly location?: string;
  readonly archive?: string;
  readonly watch?: Watch;
}

/** A folder with a landing zone over it, whose store is the positions behind all batches so far. */
export class LandingFolder {
  readonly path: string;
  readonly clock: SettableClock = settableClock(START_MS);
  readonly options: FolderZone;
  #positions: ReadonlyMap<string, Position> = new Map();

  constructor(path: string, options: FolderZone = {}) {
    this.path = path;
    this.options = options;
  }

  async write(path: string, content: string | Buffer): Promise<void> {
    await mkdir(dirname(join(this.path, path)), { recursive: true });
    await writeFile(join(this.path, path), content);
  }

  /** The options of the landing zone: JSON lines in any folder, in drain mode, unless the test says otherwise. */
  zone(more: FolderZone = {}): LandingZoneOptions {
    const { location = this.path, archive = null, watch = null, ...rest } = { ...this.options, ...more };
    return {
      id: SourceId("zone"),
      place: folderPlace({ folder: location, archive, watch }),
      include: ["**/*.json"],
      format: jsonLines(DEFAULT_LIMITS),
      limits: DEFAULT_LIMITS,
      bounds: BOUNDS,
      follow: false,
      settleMs: seconds(2),
      incompleteAfterMs: minutes(10),
      pollMs: seconds(10),
      order: "name",
      onOverwrite: "correction",
      includeExistingFiles: true,
      maxFiles: 1_000,
      maxBytes: 2 ** 30,
      clean: { mode: "off" },
      clock: this.clock,
      ...rest,
    };
  }

  /** Drains the folder, as an engine that stores each batch; returns the texts of the records. */
  async drain(more: FolderZone = {}): Promise<readonly string[]> {
    const source = landingZone(this.zone({ ...more, follow: false }));
    const batches: Batch[] = [];
    for await (const batch of source.read(this.#positions, new AbortController().signal)) {
      batches.push(batch);
      this.store([batch]);
      source.stored?.(batch.resumeAt);
    }
    return texts(batches);
  }

  store(batches: readonly Batch[]): void {
    this.#positions = positionsBehind(batches, this.#positions);
  }

  get positions(): ReadonlyMap<string, Position> {
    return this.#positions;
  }

  entry(path: string): LedgerEntry {
    return JSON.parse(this.#positions.get(path) ?? Position("{}")) as LedgerEntry;
  }
}

/** Does `body` with a new folder, which is removed afterwards. */
export async function inLandingFolder(body: (folder: LandingFolder) => Promise<void>, options?: FolderZone): Promise<void> {
  const path = await newTempFolder();
  try {
    await body(new LandingFolder(path, options));
  } finally {
    await removeFolder(path);
  }
}

/** A landing zone that is followed, in a process of its own as it were. */
export class Follower {
  /** Everything it has handed over. */
  readonly batches: Batch[] = [];
  readonly source: Source;
  readonly #folder: LandingFolder;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;

  constructor(folder: LandingFolder, more: FolderZone = {}) {
    this.#folder = folder;
    this.source = landingZone(folder.zone({ follow: true, ...more }));
    this.#ended = this.#run(this.source);
  }

  async #run(source: Source): Promise<void> {
    for await (const batch of source.read(this.#folder.positions, this.#stop.signal)) {
      this.batches.push(batch);
      this.#folder.store([batch]);
      source.stored?.(batch.resumeAt);
    }
  }

  /** Resolves once it waits for time to pass or for a hint: everything that can be had was handed over. */
  async quiet(): Promise<void> {
    await Promise.race([this.#folder.clock.asleep(), this.#ended]);
  }

  /** Lets time pass, and waits until what there is then was handed over. */
  async after(ms: number): Promise<void> {
    await this.quiet();
    this.#folder.clock.advance(ms);
    await this.quiet();
  }

  get texts(): readonly string[] {
    return texts(this.batches);
  }

  get idles(): number {
    return this.batches.filter(({ idle }) => idle).length;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }
}
