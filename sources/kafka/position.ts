import { hash } from "node:crypto";
import { invariant } from "../../engine/fault.ts";
import { Position } from "../../engine/ids.ts";
import type { SourceRecord } from "../../engine/source.ts";

/** Where one partition is read on. */
export interface KafkaPosition {
  /** The next offset: what lies before it is stored. */
  readonly next: number;
  /** Id of the cluster that the offset counts in. */
  readonly cluster: string;
  /** Fingerprint of the record before `next`; null if there was none (the beginning, a control record, a compacted one). */
  readonly mark: string | null;
}

const NO_MARK = "-";

export function positionOf({ next, cluster, mark }: KafkaPosition): Position {
  return Position(`${next} ${cluster} ${mark ?? NO_MARK}`);
}

export function parsePosition(position: Position): KafkaPosition {
  const [next, cluster, mark] = position.split(" ");
  invariant(cluster !== undefined && mark !== undefined, "a Kafka position is an offset, a cluster and a mark");
  return { next: Number(next), cluster, mark: mark === NO_MARK ? null : mark };
}

/** What tells a record from another one that stands at its offset after the topic was made again. */
export function markOf({ at, arrivedAtMs, bytes }: SourceRecord): string {
  const content = hash("sha256", bytes as Buffer, "hex");
  return hash("sha256", `${at} ${arrivedAtMs} ${content}`, "hex").slice(0, 16);
}

/** What a broker has of a partition: `low` is its first offset, `high` the one behind its last. */
export interface Extent {
  readonly low: number;
  readonly high: number;
}

/** Where to read on; or that records are missing, and why. */
export type Placement = { readonly seekTo: number; readonly next: number; readonly mark: string | null } | { readonly gap: string };

/**
 * Where reading goes on behind a position: at the record before it, if it is still there, so that its mark can be compared. The broker's own
 * idea of our offset is never asked for.
 */
export function placeOf({ next, cluster, mark }: KafkaPosition, extent: Extent, actualCluster: string): Placement {
  const { low, high } = extent;
  if (cluster !== actualCluster) return { gap: `the position is of the cluster ${cluster}, and this one is ${actualCluster}` };
  if (next < low) return { gap: `offsets ${next} to ${low - 1} are gone` };
  if (next > high) return { gap: `the position is ${next}, and the topic ends at ${high}` };
  return mark !== null && next > low ? { seekTo: next - 1, next, mark } : { seekTo: next, next, mark: null };
}
