import type { Assigner, Cluster, GroupMember, GroupMemberAssignment, PartitionAssigner } from "kafkajs";

/** What a node says of itself to whoever deals out the shards: how far the states are that it holds. */
export type HeldShards = ReadonlyMap<number, number>;

const NAME = "gridactor-sticky";
const VERSION = 1;

/**
 * A group's way to deal out shards: each node gets as many as the others, or one more, and rather those whose states it holds; among several, whoever
 * is furthest. `held` is asked at each rebalance.
 */
export function stickyAssigner(held: () => HeldShards, protocol: AssignerProtocol): PartitionAssigner {
  return ({ cluster }: { cluster: Cluster }): Assigner => ({
    name: NAME,
    version: VERSION,
    protocol: ({ topics }) => ({
      name: NAME,
      metadata: protocol.MemberMetadata.encode({ version: VERSION, topics, userData: Buffer.from(JSON.stringify([...held()])) }),
    }),
    async assign({ members, topics }): Promise<GroupMemberAssignment[]> {
      const [topic = ""] = topics;
      const shards = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
      const dealt = deal(
        shards,
        members.map((member) => ({ id: member.memberId, held: heldBy(member, protocol) })),
      );
      return [...dealt].map(([memberId, own]) => ({
        memberId,
        memberAssignment: protocol.MemberAssignment.encode({
          version: VERSION,
          assignment: { [topic]: [...own] },
          userData: Buffer.alloc(0),
        }),
      }));
    },
  });
}

/** The library's codec of what members say and get. */
export interface AssignerProtocol {
  readonly MemberMetadata: {
    encode(metadata: { version: number; topics: string[]; userData: Buffer }): Buffer;
    decode(bytes: Buffer): { readonly userData: Buffer } | null;
  };
  readonly MemberAssignment: { encode(assignment: { version: number; assignment: Record<string, number[]>; userData: Buffer }): Buffer };
}

/** Deals shards to members. The same members with the same states get the same shards. */
export function deal(
  shards: readonly number[],
  members: readonly { readonly id: string; readonly held: HeldShards }[],
): ReadonlyMap<string, readonly number[]> {
  const order = [...members].sort((a, b) => (a.id < b.id ? -1 : 1));
  const dealt = new Map<string, number[]>(order.map(({ id }) => [id, []]));
  const least = Math.floor(shards.length / Math.max(1, order.length));
  let larger = shards.length - least * order.length; // So many members get one more.
  const left: number[] = [];
  for (const shard of [...shards].sort((a, b) => a - b)) {
    const holders = order.filter(({ held }) => held.has(shard)).sort((a, b) => (b.held.get(shard) ?? 0) - (a.held.get(shard) ?? 0));
    const holder = holders.find(({ id }) => hasRoom(dealt.get(id)?.length ?? 0));
    if (holder === undefined) left.push(shard);
    else give(holder.id, shard);
  }
  for (const shard of left) {
    const [poorest] = [...dealt].sort(([, a], [, b]) => a.length - b.length);
    if (poorest !== undefined) give(poorest[0], shard);
  }
  return dealt;

  function hasRoom(count: number): boolean {
    return count < least || (count === least && larger > 0);
  }

  function give(id: string, shard: number): void {
    const own = dealt.get(id) ?? [];
    if (own.length === least) larger -= 1;
    own.push(shard);
  }
}

function heldBy({ memberMetadata }: GroupMember, { MemberMetadata }: AssignerProtocol): HeldShards {
  const { userData } = MemberMetadata.decode(memberMetadata) ?? { userData: Buffer.alloc(0) };
  return new Map(userData.length === 0 ? [] : (JSON.parse(userData.toString()) as [number, number][]));
}
