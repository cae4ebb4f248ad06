import { crc32c } from "../../sources/kafka/crc32c.ts";

/** A record as a producer may write it. Left out: no key, no value, no headers. */
export interface ForgedRecord {
  readonly offset: number;
  readonly key?: Buffer;
  readonly value?: Buffer;
  readonly timestampMs?: number;
  readonly headers?: readonly (readonly [key: string, value: Buffer])[];
}

export interface ForgedBatch {
  readonly records: readonly ForgedRecord[];
  /** Number in the attributes; `compress` makes what it stands for. */
  readonly codec?: number;
  readonly compress?: (records: Buffer) => Buffer;
  readonly isControl?: boolean;
  readonly isTransactional?: boolean;
  readonly producerId?: number;
  /** The offset behind which the batch ends, if it is greater than that of its last record: what stood there was compacted away. */
  readonly lastOffset?: number;
  readonly crc?: number;
}

const FIRST_MS = 1_750_000_000_000;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const HEAD_BYTES = 61;

/** A record batch (format 2), byte by byte, so that it can be one that no producer writes. */
export function forgedBatch({
  records,
  codec = 0,
  compress = (same) => same,
  isControl = false,
  isTransactional = false,
  producerId = -1,
  lastOffset = records.at(-1)?.offset ?? 0,
  crc,
}: ForgedBatch): Buffer {
  const base = records[0]?.offset ?? lastOffset;
  const body = compress(Buffer.concat(records.map((record) => recordBytes(record, base))));
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeBigInt64BE(BigInt(base), 0);
  head.writeInt32BE(HEAD_BYTES - 12 + body.length, 8);
  head.writeInt8(2, 16);
  head.writeInt16BE(codec | (isTransactional ? 0x10 : 0) | (isControl ? 0x20 : 0), ATTRIBUTES_AT);
  head.writeInt32BE(lastOffset - base, 23);
  head.writeBigInt64BE(BigInt(FIRST_MS), 27);
  head.writeBigInt64BE(BigInt(FIRST_MS), 35);
  head.writeBigInt64BE(BigInt(producerId), 43);
  head.writeInt32BE(records.length, 57);
  const batch = Buffer.concat([head, body]);
  batch.writeUInt32BE(crc ?? crc32c(batch.subarray(ATTRIBUTES_AT)), CRC_AT);
  return batch;
}

/** A message of format 1, uncompressed, as brokers kept them before record batches. */
export function forgedMessage(offset: number, value: string): Buffer {
  const text = Buffer.from(value);
  const message = Buffer.alloc(26 + text.length);
  message.writeInt8(1, 4);
  message.writeBigInt64BE(BigInt(FIRST_MS), 6);
  message.writeInt32BE(-1, 14);
  message.writeInt32BE(text.length, 18);
  text.copy(message, 22);
  const head = Buffer.alloc(12);
  head.writeBigInt64BE(BigInt(offset), 0);
  head.writeInt32BE(22 + text.length, 8);
  return Buffer.concat([head, message.subarray(0, 22 + text.length)]);
}

function recordBytes({ offset, key, value, timestampMs = FIRST_MS, headers = [] }: ForgedRecord, base: number): Buffer {
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(timestampMs - FIRST_MS),
    varint(offset - base),
    lengthed(key),
    lengthed(value),
    varint(headers.length),
    ...headers.flatMap(([name, content]) => [lengthed(Buffer.from(name)), lengthed(content)]),
  ]);
  return Buffer.concat([varint(body.length), body]);
}

function lengthed(bytes: Buffer | undefined): Buffer {
  return bytes === undefined ? varint(-1) : Buffer.concat([varint(bytes.length), bytes]);
}

/** Zigzag. */
function varint(value: number): Buffer {
  let rest = (BigInt(value) << 1n) ^ (BigInt(value) >> 63n);
  const bytes: number[] = [];
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}
