import type { Clock } from "../../engine/clock.ts";
import type { SourceId } from "../../engine/ids.ts";
import type { Bounds } from "../format.ts";
import type { KafkaConnection } from "./client.ts";

export interface KafkaOptions {
  readonly id: SourceId;
  readonly connection: KafkaConnection;
  readonly topics: readonly string[];
  /** Consumer group. One engine reads a group: its partitions are not shared between states. */
  readonly group: string;
  /** Id of the store that the positions are in; what is committed to the broker carries it. */
  readonly owner: string;
  /** Where a partition begins at the very first start. Partitions that are added later begin at their first record. */
  readonly start: "earliest" | "latest";
  /** When records are missing or unreadable at the broker: stop that partition, or go on behind them. */
  readonly onGap: "stop" | "accept";
  /** Whether somebody has accepted the next gap of this partition, whatever `onGap` says. Left out: nobody has. */
  readonly isAccepted?: (partition: string) => boolean;
  /** Of a batch. */
  readonly bounds: Bounds;
  /** A partition that brings nothing for so long, once it was read to its end, is idle. */
  readonly idleMs: number;
  readonly clock: Clock;
  /** Told when records of a partition are missing or unreadable; `isStopped`: and that it is read no more. */
  readonly onTrouble: (partition: string, reason: string, isStopped: boolean) => void;
}
