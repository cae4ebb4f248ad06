import { type BatchHead, batchHead, controlKey, HEAD_BYTES, isSound } from "./record_batch.ts";

/**
 * A whole record batch, in the place of its messages: we look into it ourselves, batch by batch and as far as there is room. `damage` says why it
 * cannot be looked into.
 */
export interface PackedMessage {
  readonly packed: BatchHead;
  readonly damage: string | null;
  /** True: its records are not to be seen, but they were passed over. */
  readonly isPassedOver?: boolean;
}

export function isPacked(message: object): message is PackedMessage {
  return "packed" in message;
}

/** The library's reader of an answer. */
export interface Decoder {
  readonly buffer: Buffer;
  offset: number;
}

/** A message as the library's own filters see it. */
export interface FilteredMessage extends PackedMessage {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
}

/** A message of a format before record batches, which the library has taken apart. */
interface OldMessage {
  readonly offset: string;
}

const LENGTH_AT = 8;
const PREFIX_BYTES = 12;

/** One message for the whole batch, at its last offset, which the library then goes on behind. */
export async function packedBatch(decoder: Decoder): Promise<{ readonly records: readonly FilteredMessage[] }> {
  const { buffer, offset } = decoder;
  const hasLength = buffer.length - offset >= PREFIX_BYTES;
  const end = hasLength ? offset + PREFIX_BYTES + buffer.readInt32BE(offset + LENGTH_AT) : Number.POSITIVE_INFINITY;
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

/**
 * Marks control batches, and what belongs to a transaction that was aborted: from its first offset to the producer's next abort marker. They stay
 * in the list, because the library goes on behind a list of nothing without a word, wherever it was fetched from. Messages of a format before
 * record batches know no transactions.
 */
export function markPassedOver<Message extends FilteredMessage | OldMessage>({
  messages,
  abortedTransactions,
}: {
  readonly messages: readonly Message[];
  readonly abortedTransactions?: readonly AbortedTransaction[];
}): readonly Message[] {
  const waiting = [...(abortedTransactions ?? [])].sort((a, b) => Number(a.firstOffset) - Number(b.firstOffset));
  const aborted = new Set<string>();
  return messages.map((message) => {
    if (!("packed" in message)) return message;
    const { offset, key, isControlRecord, batchContext } = message;
    for (let next = waiting[0]; next !== undefined && Number(next.firstOffset) <= Number(offset); next = waiting[0]) {
      aborted.add(next.producerId);
      waiting.shift();
    }
    if (isControlRecord && key?.equals(ABORT_KEY) === true) aborted.delete(batchContext.producerId);
    const isPassedOver = isControlRecord || (batchContext.inTransaction && aborted.has(batchContext.producerId));
    return isPassedOver ? { ...message, isPassedOver, isControlRecord: false } : message;
  });
}
