import type { Book } from "./book.ts";
import { encodeChunk } from "./chunk.ts";
import { type ShardStatus, statusKey } from "./shard_status.ts";
import type { TopicWriter } from "./topic_writer.ts";

type Statuses = Pick<Book<ShardStatus>, "get" | "changed">;

/**
 * Waits until all shards have taken what is in the mailbox now, and have heard what they told each other of it, and so on: a round in which nobody
 * told anything more is the last. Throws `Unavailable`.
 */
export async function allSettled(writer: Pick<TopicWriter, "send">, book: Statuses, shards: number, signal: AbortSignal): Promise<void> {
  for (let before = -1; !signal.aborted; ) {
    const ends = await writer.send(Array.from({ length: shards }, (_, partition) => ({ partition, value: encodeChunk({ kind: "pass" }) })));
    const told = await allBehind(book, ends, signal);
    if (told === before) return;
    before = told;
  }
}

/** How many tells there were when all shards had passed these offsets, with every tell in the mailbox. */
async function allBehind(book: Statuses, ends: ReadonlyMap<number, number>, signal: AbortSignal): Promise<number> {
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  while (!signal.aborted) {
    const changed = book.changed();
    const statuses = [...ends].map(([shard, end]) => ({ end, status: book.get(statusKey(shard)) }));
    const isBehind = statuses.every(({ end, status }) => status !== undefined && status.next > end && status.told === status.handedOver);
    if (isBehind) {
      changed.catch(() => {}); // Nobody waits for it.
      return statuses.reduce((sum, { status }) => sum + (status?.told ?? 0), 0);
    }
    await Promise.race([changed, stopped]);
  }
  return 0;
}
