import { actorIdFrom } from "../engine/ids.ts";
import type { Store } from "../engine/store.ts";
import { decodeTold } from "../engine/told.ts";
import { shardOf, type TellChunk } from "./chunk.ts";

/** Tells that a shard keeps for others, by whom they are for. */
export interface Outgoing {
  readonly chunks: readonly { readonly shard: number; readonly chunk: TellChunk }[];
  /** The number of the last of them; that of `after`, if there is none. */
  readonly last: number;
}

const CHUNK_TELLS = 1_000;

/** All that a store keeps for other shards behind a number, in order. */
export function outgoing(store: Pick<Store, "range">, shard: number, shards: number, after: number): Outgoing {
  const chunks: { shard: number; chunk: TellChunk & { readonly tells: [number, Uint8Array][] } }[] = [];
  const open = new Map<number, [number, Uint8Array][]>();
  let last = after;
  for (const [key, told] of store.range("tell", "")) {
    const number = Number(key);
    if (number <= after) continue;
    last = number;
    const to = shardOf(actorIdFrom(decodeTold(told).id), shards);
    const tells = open.get(to);
    if (tells !== undefined && tells.length < CHUNK_TELLS) tells.push([number, told]);
    else {
      const begun: [number, Uint8Array][] = [[number, told]];
      open.set(to, begun);
      chunks.push({ shard: to, chunk: { kind: "tells", shard, tells: begun } });
    }
  }
  return { chunks, last };
}
