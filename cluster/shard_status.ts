/** What the topic of shards says of one: who has it, and how far it is. */
export interface ShardStatus {
  readonly shard: number;
  readonly node: string;
  /** Where the node is reached; null: nowhere. */
  readonly address: string | null;
  /** Counts the owners of the shard: what an earlier one says does not count any more. */
  readonly generation: number;
  /** The offset of the mailbox that it takes next. */
  readonly next: number;
  /** Tells to other shards so far, and how many of them are in the mailbox. */
  readonly told: number;
  readonly handedOver: number;
  readonly atMs: number;
  /** The newest snapshot: behind which offset, and when it was made; null: none. */
  readonly snapshot: { readonly next: number; readonly atMs: number } | null;
}

/** The key of a shard's status in the topic. */
export function statusKey(shard: number): string {
  return `shard ${shard}`;
}

/** Whether what is said later is of the same owner, or of a later one. */
export function newerOwner(before: ShardStatus, next: ShardStatus): boolean {
  return next.generation >= before.generation;
}
