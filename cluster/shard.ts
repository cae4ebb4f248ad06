import { hash } from "node:crypto";
import type { Engine } from "../engine/engine.ts";
import { longHash, Position, SourceId } from "../engine/ids.ts";
import type { Batch, SourceRecord } from "../engine/source.ts";
import type { Store } from "../engine/store.ts";
import { decodeTold, TOLD_GROUP } from "../engine/told.ts";
import { BadChunk, type BatchChunk, type Chunk, type ChunkBatch, decodeChunk, type TellChunk } from "./chunk.ts";
import { Inlet } from "./inlet.ts";
import { lostRecords } from "./topics.ts";

/** The source under which a shard keeps what it has heard of others. */
export const SHARDS = SourceId("shards");
const MAILBOX = "mailbox";
const FROM = "from ";
const PART_LENGTH_MAX = 200;

/** Inlets of a shard: one for each source of the configuration, and one for what other shards tell. */
export function inletsOf(sources: readonly SourceId[]): ReadonlyMap<string, Inlet> {
  return new Map([...sources, SHARDS].map((id) => [id, new Inlet(id)]));
}

/** The offset in the mailbox behind what a store has taken of it; 0: nothing. */
export function storedOffset(store: Pick<Store, "range">): number {
  const offsets = [...store.range("position", "")]
    .filter(([key]) => key.endsWith(`\0${MAILBOX}`))
    .map(([, bytes]) => Number(textOf(bytes)));
  return Math.max(0, ...offsets);
}

/** How far a producer was heard: the highest number, and what tells the last record from another one under its number. */
interface Heard {
  readonly at: number;
  readonly mark: string;
}

/**
 * One partition of the mailbox as an engine takes it. Everything that was sent before is dropped: of each producer only what is numbered higher than
 * all before counts. So its engine's state is the same whoever sends again, and however often.
 */
export class Shard {
  readonly engine: Engine;
  readonly #inlets: ReadonlyMap<string, Inlet>;
  readonly #heard = new Map<string, Heard>();
  #next: number;
  /** Records that had come before. */
  repeats = 0;

  constructor(engine: Engine, store: Store, inlets: ReadonlyMap<string, Inlet>) {
    this.engine = engine;
    this.#inlets = inlets;
    this.#next = storedOffset(store);
    for (const [key, bytes] of store.range("position", "")) {
      const [at = "", mark = ""] = textOf(bytes).split(" ");
      if (key.includes(`\0${FROM}`)) this.#heard.set(key, { at: Number(at), mark });
    }
  }

  /** The offset of the mailbox that comes next. */
  get next(): number {
    return this.#next;
  }

  /** Tells of this shard to others so far, and how many of them are known to be in the mailbox. */
  get tells(): { readonly told: number; readonly handedOver: number } {
    const { counters, handedOver } = this.engine.world;
    return { told: counters.group(TOLD_GROUP)["away"] ?? 0, handedOver };
  }

  /**
   * Takes a record of the mailbox; resolves when what it does is stored. What lies before `next` is passed over, and so is a record without value.
   * Throws `BadChunk`, and `WrongCluster` if records before it are missing: their offsets have no holes, for a mailbox is neither compacted nor
   * written in transactions.
   */
  async take(offset: number, bytes: Uint8Array | null): Promise<void> {
    if (offset < this.#next) return;
    if (offset > this.#next) throw lostRecords(this.#next, offset, this.engine.world.name, "the mailbox");
    if (bytes !== null) await this.#takeChunk(decodeChunk(bytes), offset + 1);
    this.#next = offset + 1;
  }

  async #takeChunk(chunk: Chunk, next: number): Promise<void> {
    if (chunk.kind === "batch") await this.#takeBatch(chunk, next);
    else if (chunk.kind === "tells") await this.#takeTells(chunk, next);
  }

  async #takeBatch({ source, part, batch }: BatchChunk, next: number): Promise<void> {
    const key = producerKey(source, part);
    const heard = this.#heard.get(key);
    const records = batch.records.filter((record) => isNews(record, heard));
    this.repeats += batch.records.length - records.length;
    const last = records.at(-1);
    if (last === undefined && batch.records.length > 0) return;
    const positions: [string, Position][] = [[MAILBOX, Position(String(next))]];
    if (last !== undefined) {
      const now = { at: last.at, mark: markOf(last) };
      this.#heard.set(key, now);
      positions.push([key.slice(source.length + 1), Position(`${now.at} ${now.mark}`)]);
    }
    await this.#put(source, { ...batch, records }, positions);
  }

  async #takeTells({ shard, tells }: TellChunk, next: number): Promise<void> {
    const key = producerKey(SHARDS, String(shard));
    const before = this.#heard.get(key)?.at ?? 0;
    const news = tells.filter(([number]) => number > before);
    this.repeats += tells.length - news.length;
    const [at] = news.at(-1) ?? [null];
    if (at === null) return;
    this.#heard.set(key, { at, mark: "" });
    const positions: [string, Position][] = [
      [MAILBOX, Position(String(next))],
      [key.slice(SHARDS.length + 1), Position(String(at))],
    ];
    const about = { origin: "", path: null, generation: 0, records: [], idle: false };
    await this.#put(SHARDS, { ...about, told: news.map(([, told]) => decodeTold(told)) }, positions);
  }

  async #put(source: string, batch: ChunkBatch & Pick<Batch, "told">, positions: readonly [string, Position][]): Promise<void> {
    const inlet = this.#inlets.get(source);
    if (inlet === undefined) throw new BadChunk(`it is of the source ${source}, which the configuration of this node does not have`);
    await inlet.put({ ...batch, resumeAt: new Map(positions) });
  }
}

/** A file's last row comes again, as another one, when the file has grown. */
function isNews(record: SourceRecord, heard: Heard | undefined): boolean {
  if (heard === undefined || record.at > heard.at) return true;
  return record.at === heard.at && markOf(record) !== heard.mark;
}

function markOf({ bytes, fault }: SourceRecord): string {
  return hash("sha256", Buffer.concat([bytes, Buffer.from(fault?.code ?? "")]), "hex").slice(0, 16);
}

function producerKey(source: string, part: string): string {
  return `${source}\0${FROM}${part.length > PART_LENGTH_MAX ? longHash([part]) : part}`;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
