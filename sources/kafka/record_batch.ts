import { BadBatch } from "./bad_batch.ts";
import { crc32c } from "./crc32c.ts";

/** What the head of a record batch (format 2) says. Offsets and times are whole numbers; `bytes` is the batch from its first offset to its end. */
export interface BatchHead {
  readonly bytes: Buffer;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly codec: number;
  readonly isControl: boolean;
  readonly isTransactional: boolean;
  readonly producerId: string;
}

/** One record of a batch. `value` null: it has none. */
export interface BatchRecord {
  readonly offset: number;
  /** Epoch ms: when the broker appended it, or what its producer says, as the topic is configured. */
  readonly timestampMs: number;
  readonly value: Buffer | null;
}

export const HEAD_BYTES = 61;
const AT = { length: 8, crc: 17, attributes: 21, lastOffsetDelta: 23, firstTimestamp: 27, maxTimestamp: 35, producerId: 43, count: 57 };
const LOG_APPEND_TIME = 0x08;

/** Reads the head of the batch that these bytes are, `HEAD_BYTES` or more. */
export function batchHead(bytes: Buffer): BatchHead {
  const attributes = bytes.readInt16BE(AT.attributes);
  const baseOffset = whole(bytes, 0);
  return {
    bytes,
    baseOffset,
    lastOffset: baseOffset + Math.max(0, bytes.readInt32BE(AT.lastOffsetDelta)),
    codec: attributes & 0x07,
    isControl: (attributes & 0x20) !== 0,
    isTransactional: (attributes & 0x10) !== 0,
    producerId: bytes.readBigInt64BE(AT.producerId).toString(),
  };
}

/** Whether the batch is as it was written. */
export function isSound({ bytes }: BatchHead): boolean {
  return crc32c(bytes.subarray(AT.attributes)) === bytes.readUInt32BE(AT.crc);
}

/** The part of the batch that may be compressed. */
export function packedRecords({ bytes }: BatchHead): Buffer {
  return bytes.subarray(HEAD_BYTES);
}

/** How many records the batch says that it has. */
export function recordCount({ bytes }: BatchHead): number {
  return bytes.readInt32BE(AT.count);
}

/** The records of a batch, once they are decompressed. Keys and headers are passed over. Throws `BadBatch`. */
export function* batchRecords(head: BatchHead, records: Buffer): Generator<BatchRecord, void> {
  const { bytes, baseOffset } = head;
  const isAppendTime = (bytes.readInt16BE(AT.attributes) & LOG_APPEND_TIME) !== 0;
  const firstMs = whole(bytes, AT.firstTimestamp);
  const appendedMs = whole(bytes, AT.maxTimestamp);
  const count = recordCount(head);
  const reader = new Varints(records);
  for (let n = 0; n < count; n += 1) {
    const end = reader.lengthed();
    reader.skip(1); // Attributes of a record: unused by the format.
    const timestampMs = firstMs + reader.next();
    const offset = baseOffset + reader.next();
    reader.skip(Math.max(0, reader.next()));
    const valueBytes = reader.next();
    const value = valueBytes < 0 ? null : reader.bytes(valueBytes, end);
    reader.at = end;
    yield { offset, timestampMs: isAppendTime ? appendedMs : timestampMs, value };
  }
  if (reader.at !== records.length) throw new BadBatch("there are bytes behind the last record");
}

/** The key of a control batch's record, which tells whether a transaction was committed or aborted. Empty if it has none. */
export function controlKey(head: BatchHead): Buffer {
  const packed = packedRecords(head);
  if (packed.length === 0) return packed;
  const reader = new Varints(packed);
  const end = reader.lengthed();
  reader.skip(1);
  reader.next();
  reader.next();
  return reader.bytes(Math.max(0, reader.next()), end);
}

/** An integer of eight bytes, which in practice a number holds. */
function whole(bytes: Buffer, at: number): number {
  return Number(bytes.readBigInt64BE(at));
}

/** Reads zigzag varints, and never beyond the end. */
export class Varints {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  next(): number {
    let value = 0;
    let factor = 1;
    for (let n = 0; n < 10; n += 1) {
      const byte = this.#bytes[this.at];
      if (byte === undefined) throw cutOff();
      this.at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      factor *= 128;
    }
    throw cutOff();
  }

  /** Reads a length; returns where what is so long ends. */
  lengthed(): number {
    const length = this.next();
    const end = this.at + length;
    if (length < 0 || end > this.#bytes.length) throw cutOff();
    return end;
  }

  skip(count: number): void {
    this.at += count;
  }

  bytes(count: number, end: number): Buffer {
    if (this.at + count > end) throw cutOff();
    this.at += count;
    return this.#bytes.subarray(this.at - count, this.at);
  }
}

function cutOff(): BadBatch {
  return new BadBatch("a record is cut off");
}
