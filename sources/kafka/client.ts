import Module, { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type * as KafkaJs from "kafkajs";
import { invariant } from "../../engine/fault.ts";
import { decompress } from "./codecs.ts";
import { type BatchHead, batchHead, controlKey, HEAD_BYTES, isSound } from "./record_batch.ts";

/** How to reach a cluster. Texts of certificates are PEM. */
export interface KafkaConnection {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Null: no encryption. `isUnchecked`: any certificate will do, for development. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly isUnchecked?: boolean } | null;
  readonly sasl:
    | { readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512"; readonly username: string; readonly password: string }
    | { readonly mechanism: "oauthbearer"; readonly token: string }
    | null;
}

/**
 * A whole record batch, in the place of its messages: we look into it ourselves, batch by batch and as far as there is room. `damage` says why it
 * cannot be looked into.
 */
export interface PackedMessage {
  readonly packed: BatchHead;
  readonly damage: string | null;
}

export function isPacked(message: object): message is PackedMessage {
  return "packed" in message;
}

/** A client of the cluster, of the library with our guards in it. */
export function kafkaClient({ brokers, clientId, tls, sasl }: KafkaConnection): KafkaJs.Kafka {
  const { Kafka, logLevel } = guarded();
  const ssl = tls === null ? {} : { ssl: { ...tls, rejectUnauthorized: tls.isUnchecked !== true } };
  const login =
    sasl?.mechanism === "oauthbearer"
      ? { sasl: { mechanism: sasl.mechanism, oauthBearerProvider: async () => ({ value: sasl.token }) } }
      : sasl === null
        ? {}
        : { sasl: sasl as KafkaJs.SASLOptions };
  return new Kafka({
    brokers: [...brokers],
    clientId,
    ...ssl,
    ...login,
    connectionTimeout: 3_000,
    authenticationTimeout: 5_000,
    requestTimeout: 15_000,
    logLevel: logLevel.NOTHING, // Its errors come to us as errors.
    retry: { initialRetryTime: 200, maxRetryTime: 5_000, retries: 5, restartOnFailure: async () => false }, // The pump begins again.
  });
}

const require = createRequire(import.meta.url);
let library: typeof KafkaJs | null = null;

/**
 * The library, with three parts replaced. Its decoder of record batches checks no checksum, inflates without bound, and a batch that it cannot read
 * stops all partitions; ours leaves the batch packed. Its filter of aborted transactions lets records through when an earlier transaction was
 * compacted away. And the codecs of old message sets are ours, bounded.
 */
function guarded(): typeof KafkaJs {
  if (library !== null) return library;
  const root = join(dirname(require.resolve("kafkajs/package.json")), "src");
  replace(join(root, "protocol/recordBatch/v0/decoder.js"), packedBatch);
  replace(join(root, "consumer/filterAbortedMessages.js"), withoutAborted);
  library = require("kafkajs") as typeof KafkaJs;
  for (const codec of [1, 2, 3, 4] as const) {
    library.CompressionCodecs[codec] = () => ({ decompress: (bytes: Buffer) => decompress(codec, bytes), compress: noCompression });
  }
  return library;
}

/** Puts a module of ours in the place of one of the library's, before anything of it is loaded. */
function replace(path: string, exports: unknown): void {
  invariant(require.cache[path] === undefined, "kafkajs is loaded by the source before it reads for anybody else");
  const module = new Module(path);
  module.exports = exports;
  module.loaded = true;
  require.cache[path] = module;
}

function noCompression(): never {
  throw new Error("what the source reads with does not write");
}

// In the place of modules of the library. -------------------------------------------------------------------------------------------------

interface Decoder {
  readonly buffer: Buffer;
  offset: number;
}

/** A message as the library's own filters see it. */
interface FilteredMessage extends PackedMessage {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
}

const LENGTH_AT = 8;
const PREFIX_BYTES = 12;

/** One message for the whole batch, at its last offset, which the library then goes on behind. */
async function packedBatch(decoder: Decoder): Promise<{ readonly records: readonly FilteredMessage[] }> {
  const { buffer, offset } = decoder;
  const end = offset + PREFIX_BYTES + buffer.readInt32BE(offset + LENGTH_AT);
  // The library's word for the beginning of a batch that did not fit into the answer.
  if (end > buffer.length) throw Object.assign(new Error("a part of a batch"), { name: "KafkaJSPartialMessageError" });
  const isWhole = end >= offset + HEAD_BYTES;
  decoder.offset = isWhole ? end : buffer.length;
  return { records: [isWhole ? messageOf(batchHead(buffer.subarray(offset, end))) : fragment(buffer.subarray(offset))] };
}

/** What a damaged batch says of transactions is not believed: it comes through, so that it is seen. */
function messageOf(head: BatchHead): FilteredMessage {
  if (!isSound(head)) return message(head, "its checksum is wrong", null, false, "", false);
  const { isControl, isTransactional, producerId } = head;
  return message(head, null, isControl ? controlKey(head) : null, isControl, producerId, isTransactional);
}

function fragment(bytes: Buffer): FilteredMessage {
  const head = { baseOffset: -1, lastOffset: Number.MAX_SAFE_INTEGER, codec: 0, isControl: false, isTransactional: false, producerId: "" };
  return message({ ...head, bytes }, "its length is none", null, false, "", false);
}

function message(
  packed: BatchHead,
  damage: string | null,
  key: Buffer | null,
  isControlRecord: boolean,
  producerId: string,
  inTransaction: boolean,
): FilteredMessage {
  return { packed, damage, key, isControlRecord, offset: String(packed.lastOffset), batchContext: { producerId, inTransaction } };
}

interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

const ABORT_KEY = Buffer.alloc(4);

/** Leaves out what belongs to a transaction that was aborted: from its first offset to the producer's next abort marker. */
function withoutAborted<Message extends FilteredMessage>({
  messages,
  abortedTransactions,
}: {
  readonly messages: readonly Message[];
  readonly abortedTransactions?: readonly AbortedTransaction[];
}): readonly Message[] {
  const waiting = [...(abortedTransactions ?? [])].sort((a, b) => Number(a.firstOffset) - Number(b.firstOffset));
  const aborted = new Set<string>();
  return messages.filter(({ offset, key, isControlRecord, batchContext }) => {
    for (let next = waiting[0]; next !== undefined && Number(next.firstOffset) <= Number(offset); next = waiting[0]) {
      aborted.add(next.producerId);
      waiting.shift();
    }
    if (isControlRecord && key !== null && key.equals(ABORT_KEY)) aborted.delete(batchContext.producerId);
    return !(batchContext.inTransaction && !isControlRecord && aborted.has(batchContext.producerId));
  });
}
