import { decode } from "../engine/decode.ts";
import { seconds } from "../engine/duration.ts";
import { longHash } from "../engine/ids.ts";
import type { Batch, SourceRecord } from "../engine/source.ts";
import type { Intake } from "../engine/turn.ts";
import type { World } from "../engine/world.ts";
import { type BatchChunk, type ChunkBatch, shardOf } from "./chunk.ts";

/** A chunk, and the shard it is for. */
export interface Addressed {
  readonly shard: number;
  readonly chunk: BatchChunk;
}

export interface RouterOptions {
  /** Feeds, their schemas and limits are read of it; it holds no actor. */
  readonly world: World;
  readonly shards: number;
  /** Milliseconds, of any beginning. */
  readonly nowMs: () => number;
}

const CHUNK_BYTES = 524_288;
const MARK_EVERY_MS = seconds(1);

/**
 * Takes the batches of sources apart, by the shard that the actor of each record lives in. A record that cannot be read goes where its partition goes
 * by its name, and is quarantined there. What concerns all shards, and once a second where a partition stands, goes to all.
 */
export class Router {
  readonly #options: RouterOptions;
  /** By source and partition. */
  readonly #reached = new Map<string, { latestMs: number; markedAtMs: number }>();

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  route(intake: Intake, batch: Batch): readonly Addressed[] {
    const { source } = intake;
    const part = partOf(batch);
    const key = `${source}\0${batch.partition ?? ""}`;
    const reached = this.#reached.get(key) ?? { latestMs: Number.NEGATIVE_INFINITY, markedAtMs: Number.NEGATIVE_INFINITY };
    this.#reached.set(key, reached);
    const { resumeAt: _, told: __, records, ...about } = batch;
    const isWord = batch.ahead !== undefined || batch.settles !== undefined;
    const words: BatchChunk[] = isWord ? [{ kind: "batch", source, part, batch: { ...about, records: [], idle: false } }] : [];
    const parts = this.#split(intake, batch, reached);
    const chunks: Addressed[] = [];
    for (const word of words) chunks.push(...this.#toAll(word));
    for (const [shard, own] of parts) {
      for (const piece of pieces(own)) {
        const meta: ChunkBatch = { ...withoutWords(about), records: piece, idle: false };
        chunks.push({ shard, chunk: { kind: "batch", source, part, batch: meta } });
      }
    }
    if (batch.idle || this.#isMarkDue(reached)) {
      reached.markedAtMs = this.#options.nowMs();
      const told = Number.isFinite(reached.latestMs) ? { reachedMs: reached.latestMs } : {};
      chunks.push(
        ...this.#toAll({ kind: "batch", source, part, batch: { ...withoutWords(about), ...told, records: [], idle: batch.idle } }),
      );
    }
    return chunks;
  }

  #isMarkDue({ latestMs, markedAtMs }: { readonly latestMs: number; readonly markedAtMs: number }): boolean {
    return Number.isFinite(latestMs) && this.#options.nowMs() - markedAtMs >= MARK_EVERY_MS;
  }

  #split({ feed: name, source }: Intake, batch: Batch, reached: { latestMs: number }): ReadonlyMap<number, readonly SourceRecord[]> {
    const { world, shards } = this.#options;
    const feed = world.feed(name);
    const schema = world.schema(name);
    const parts = new Map<number, SourceRecord[]>();
    for (const record of batch.records) {
      const decoded = decode(feed, record, schema, world.limits);
      const row = "code" in decoded ? null : decoded.row;
      const [actor] = row === null ? [] : feed.actors(row);
      const shard = shardOf(actor ?? `${source}/${batch.partition ?? ""}`, shards);
      const own = parts.get(shard);
      if (own === undefined) parts.set(shard, [record]);
      else own.push(record);
      if (row === null) continue;
      const atMs = feed.eventTimeMs(row);
      if (feed.refusesFuture && atMs - record.arrivedAtMs > world.limits.futureMs) continue;
      if (atMs > reached.latestMs) reached.latestMs = atMs;
    }
    return parts;
  }

  #toAll(chunk: BatchChunk): readonly Addressed[] {
    return Array.from({ length: this.#options.shards }, (_, shard) => ({ shard, chunk }));
  }
}

/** What numbers the records of a batch. Paths may be long. */
function partOf({ partition, path, generation, origin }: Batch): string {
  if (partition !== undefined) return partition;
  return path === null ? "" : longHash([path, generation, origin]);
}

function withoutWords<T extends Partial<ChunkBatch>>({
  ahead: _,
  settles: __,
  gap: ___,
  ...rest
}: T): Omit<T, "ahead" | "settles" | "gap"> {
  return rest;
}

function* pieces(records: readonly SourceRecord[]): Generator<readonly SourceRecord[], void> {
  let piece: SourceRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    if (piece.length > 0 && bytes + record.bytes.length > CHUNK_BYTES) {
      yield piece;
      piece = [];
      bytes = 0;
    }
    piece.push(record);
    bytes += record.bytes.length + 32;
  }
  if (piece.length > 0) yield piece;
}
