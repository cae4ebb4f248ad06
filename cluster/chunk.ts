import { Packr } from "msgpackr";
import { hashText, lanes } from "../engine/hash.ts";
import type { ActorId } from "../engine/ids.ts";
import type { Batch, SourceRecord } from "../engine/source.ts";

/** What one record of the mailbox holds: a part of a source's batch, tells of another shard, or a mark that nothing but its place matters of. */
export type Chunk = BatchChunk | TellChunk | { readonly kind: "pass" };

/** The records of a source's batch that go to one shard, or, without records, what the batch says beside them. */
export interface BatchChunk {
  readonly kind: "batch";
  readonly source: string;
  /** Within it records of the source are numbered (`at`), and rising: a partition of a broker, one content of one file. */
  readonly part: string;
  readonly batch: ChunkBatch;
}

export type ChunkBatch = Omit<Batch, "resumeAt" | "told">;

/** Tells by number and `encodeTold`. Numbers rise, and have gaps: those between went to other shards. */
export interface TellChunk {
  readonly kind: "tells";
  /** Who tells. */
  readonly shard: number;
  readonly tells: readonly (readonly [number: number, told: Uint8Array])[];
}

/** A record of the mailbox cannot be read: another program wrote it, or it is damaged. */
export class BadChunk extends Error {
  constructor(message: string) {
    super(message);
    this.name = "BadChunk";
  }
}

const FORMAT = 1;
const packr = new Packr({ useRecords: true, moreTypes: true, copyBuffers: true });

export function encodeChunk(chunk: Chunk): Buffer {
  const whole = chunk.kind === "batch" ? { ...chunk, batch: { ...chunk.batch, records: chunk.batch.records.map(plainRecord) } } : chunk;
  return packr.pack([FORMAT, whole]);
}

/** Some formats make bytes, or fields, only when they are asked for. */
function plainRecord({ at, arrivedAtMs, bytes, fields, cells, beside, fault }: SourceRecord): SourceRecord {
  return {
    at,
    arrivedAtMs,
    bytes,
    ...(fields === undefined ? {} : { fields: { ...fields } }),
    ...(cells === undefined ? {} : { cells }),
    ...(beside === undefined ? {} : { beside }),
    ...(fault === undefined ? {} : { fault }),
  };
}

/** Reads back what `encodeChunk` made. Throws `BadChunk`. */
export function decodeChunk(bytes: Uint8Array): Chunk {
  let value: unknown;
  try {
    value = packr.unpack(bytes);
  } catch (error) {
    throw new BadChunk(`it is no message pack: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!Array.isArray(value) || value.length !== 2) throw new BadChunk("it is none of ours");
  const [format, chunk] = value as [unknown, Chunk];
  if (format !== FORMAT) throw new BadChunk(`its format is ${String(format)}, and this program reads ${FORMAT}`);
  return chunk;
}

/** Where an actor lives, of so many shards. For ever the same: another number of shards is another cluster. */
export function shardOf(id: ActorId | string, shards: number): number {
  hashText(id);
  return lanes.high % shards;
}
