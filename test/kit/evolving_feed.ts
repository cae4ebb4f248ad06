import { GRID } from "../../actors/registry.ts";
import { RULES } from "../../actors/rules.ts";
import { stateDigest } from "../../engine/digest.ts";
import type { CellValue, CuratedRow } from "../../engine/emission.ts";
import { emissionDecoder } from "../../engine/emission_codec.ts";
import { SourceId } from "../../engine/ids.ts";
import { DEFAULT_LIMITS, type Limits } from "../../engine/limits.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import { decodeQuarantine } from "../../engine/quarantine.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import type { FeedSchema, SchemaSettings } from "../../engine/schema.ts";
import { changeSchema, type SchemaChange, type SchemaChangeResult } from "../../engine/schema_change.ts";
import { readVersions, type SchemaVersion } from "../../engine/schema_version.ts";
import type { Batch, Outlook, SourceRecord } from "../../engine/source.ts";
import type { Store } from "../../engine/store.ts";
import { ignoredColumn, ignoredGroup } from "../../engine/strays.ts";
import { Turn } from "../../engine/turn.ts";
import { World } from "../../engine/world.ts";

/** A file as a format hands it over: JSON objects or texts (lines), or values that the format took apart. */
export interface GivenFile {
  readonly path: string;
  readonly records: readonly (object | string | Pick<SourceRecord, "fields" | "cells">)[];
}

/** A row as it stands now: of several with one id the last. */
export interface CurrentRow {
  readonly cells: Readonly<Record<string, CellValue>>;
  readonly rescued: unknown;
  readonly schemaVersion: number;
}

export const ARRIVED_AT_MS = Date.UTC(2025, 6, 1);

/** A feed of the grid, fed by turns on a store in memory under settings of its own. */
export class EvolvingFeed {
  readonly feed: string;
  readonly table: string;
  readonly store: Store;
  readonly #settings: SchemaSettings;
  readonly #limits: Limits;
  readonly #batchOf: number;
  world: World;
  #turns: Turn;

  constructor(feed: string, settings: SchemaSettings, { batchOf = 1_000, limits = {}, store = openMemoryStore() }: Options = {}) {
    this.feed = feed;
    this.table = GRID.feeds.find(({ name }) => name === feed)?.table ?? "";
    this.#settings = settings;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#batchOf = batchOf;
    this.store = store;
    this.world = this.#world();
    this.#turns = new Turn(this.world);
  }

  /** The process ends here, and another begins on what is stored. */
  restart(): void {
    this.world = this.#world();
    this.#turns = new Turn(this.world);
  }

  /** Files as a landing zone gives them: looked ahead at, known, then read in batches. */
  async files(...files: readonly GivenFile[]): Promise<void> {
    for (const file of files) {
      const records = recordsOf(file);
      const survey = this.world.survey(this.feed);
      for (const record of records) survey.add(record);
      await this.#turn(file.path, [], { at: 0, arrivedAtMs: ARRIVED_AT_MS, sights: survey.sights() });
      await this.#read(file.path, records);
    }
  }

  /** Records as a broker gives them: nothing is known of those that are still to come. */
  async stream(...records: GivenFile["records"]): Promise<void> {
    await this.#read("stream", recordsOf({ path: "stream", records }));
  }

  change(change: Omit<SchemaChange, "feed">): Promise<SchemaChangeResult> {
    const origin = { source: "command", position: "command:schema", arrivedAtMs: ARRIVED_AT_MS };
    return changeSchema(this.world, this.store, { feed: this.feed, ...change }, origin);
  }

  get schema(): FeedSchema {
    return this.world.schema(this.feed);
  }

  /** Columns that the feed does not declare: name -> type. */
  get grown(): Readonly<Record<string, string>> {
    const columns = Object.entries(this.schema.columns).filter(([, { origin }]) => origin !== "declared");
    return Object.fromEntries(columns.map(([name, { type }]) => [name, type]));
  }

  get versions(): readonly SchemaVersion[] {
    return readVersions(this.store, this.feed);
  }

  get digest(): string {
    return stateDigest(this.store);
  }

  get quarantine(): readonly string[] {
    return [...this.store.range("quarantine", "")].map(([, bytes]) => decodeQuarantine(bytes).reason).sort();
  }

  /** Column -> how many of its values were counted only. */
  get ignored(): Readonly<Record<string, number>> {
    const counts = Object.entries(this.world.counters.group(ignoredGroup(this.feed)));
    return Object.fromEntries(counts.map(([counter, count]) => [ignoredColumn(counter), count]));
  }

  /** All rows of a table, in the order of the log, with their numbers. */
  async rows(table: string = this.table): Promise<readonly (CuratedRow & { readonly sequence: number })[]> {
    const decode = emissionDecoder("main", GRID.tables);
    const entries = await this.store.readLog("curated", 1, Number.POSITIVE_INFINITY);
    return entries.flatMap((entry) => {
      const emission = decode("curated", entry);
      return emission.stream === "curated" && emission.row.table === table ? [{ ...emission.row, sequence: entry.sequence }] : [];
    });
  }

  /** The feed's rows as they stand now, by the id of what they tell of. */
  async current(): Promise<Readonly<Record<string, CurrentRow>>> {
    const now = new Map((await this.rows()).map((row) => [row.rowId, row]));
    return Object.fromEntries(
      [...now.values()].map(({ cells, rescued, schemaVersion }) => [
        String(cells["transaction_id"] ?? Object.values(cells)[0]),
        { cells, rescued: rescued === null ? null : (JSON.parse(rescued) as unknown), schemaVersion },
      ]),
    );
  }

  async #read(path: string, records: readonly SourceRecord[]): Promise<void> {
    for (let from = 0; from < records.length; from += this.#batchOf) await this.#turn(path, records.slice(from, from + this.#batchOf));
  }

  async #turn(path: string, records: readonly SourceRecord[], ahead?: Outlook): Promise<void> {
    const batch = { origin: `file:${path}/`, path, generation: 0, records, resumeAt: new Map(), idle: false };
    await this.apply(ahead === undefined ? batch : { ...batch, ahead });
  }

  /** A batch as it is. */
  async apply(batch: Batch): Promise<void> {
    const intake = { source: SourceId(this.feed), feed: this.feed, mode: "delta", origin: "live" } as const;
    await this.store.commit(this.#turns.run(intake, batch));
  }

  #world(): World {
    const schemas = new Map([[this.feed, this.#settings]]);
    return new World({ name: "main", domain: GRID, rules: new RuleTable(RULES), schemas, limits: this.#limits }, this.store);
  }
}

interface Options {
  readonly batchOf?: number;
  readonly limits?: Partial<Limits>;
  readonly store?: Store;
}

function recordsOf({ records }: GivenFile): readonly SourceRecord[] {
  return records.map((given, at) => {
    const record = { at, arrivedAtMs: ARRIVED_AT_MS, bytes: new Uint8Array(0) };
    if (typeof given === "string") return { ...record, bytes: Buffer.from(given) };
    if ("fields" in given) return { ...record, ...given };
    return { ...record, bytes: Buffer.from(JSON.stringify(given)) };
  });
}
