import type { CommandArgs } from "../engine/command.ts";
import { readGaps } from "../engine/gaps.ts";
import { acceptedPartitions, acceptGapArgs } from "../engine/source_commands.ts";
import { CommandError } from "./errors.ts";
import { type Column, formatRows, type Screen } from "./format.ts";
import type { View } from "./reader.ts";
import type { Stop } from "./stop.ts";
import { type AskOther, type Query, textOf } from "./verb.ts";

/** A hole in what a source brought. `stopped`: it waits for `accept-gap`; `broken`: it cannot go on; `accepted`: it has gone on, and has a number in its feed. */
export interface GapItem {
  readonly source: string;
  readonly partition: string;
  readonly state: "stopped" | "broken" | "accepted";
  readonly reason: string;
  readonly feed: string | null;
  readonly number: number | null;
  /** Where the source went on. */
  readonly position: string | null;
  /** The feed's clock when it was accepted. */
  readonly time: string | null;
}

/** What stands still now, then the gaps of all feeds, oldest first. */
export function listGaps({ store, domain }: View, stops: readonly Stop[]): readonly GapItem[] {
  const standing = stops.map(
    ({ source, partition, reason, isGap }): GapItem => ({
      source,
      partition,
      state: isGap ? "stopped" : "broken",
      reason,
      feed: null,
      number: null,
      position: null,
      time: null,
    }),
  );
  const accepted = domain.feeds.flatMap(({ name: feed }) =>
    readGaps(store, feed).map(
      ({ source, partition, reason, number, position, clockMs }): GapItem => ({
        source,
        partition,
        state: "accepted",
        reason,
        feed,
        number,
        position,
        time: clockMs === null ? null : new Date(clockMs).toISOString(),
      }),
    ),
  );
  return [...standing, ...accepted];
}

/** The answer for people. */
export function gapsText(items: readonly GapItem[], screen: Screen | null): string {
  return items.length === 0 ? "no partition has stopped, and nothing was lost\n" : formatRows(items, COLUMNS, "table", screen);
}

/** What `accept-gap` means: the partitions of the source that stand still at a gap. Throws REFUSED. */
export async function gapArgs(query: Query, ask: AskOther): Promise<CommandArgs> {
  const source = textOf(query, "source") ?? "";
  const stopped = ((await ask("gaps", {})) as readonly GapItem[]).filter(({ state }) => state === "stopped");
  const partitions = stopped.flatMap((item) => (item.source === source ? [item.partition] : []));
  if (partitions.length > 0) return acceptGapArgs(source, partitions);
  const candidates = [...new Set(stopped.map((item) => item.source))];
  throw new CommandError("REFUSED", `no partition of ${source} has stopped at a gap`, { hint: "gridactor gaps", candidates });
}

/** What was accepted. */
export interface AcceptedGap {
  readonly source: string;
  readonly partitions: readonly string[];
}

/** The answer to `accept-gap`. */
export function acceptedGap(row: { readonly args: CommandArgs }): AcceptedGap {
  return { source: String(row.args["source"]), partitions: acceptedPartitions(row) };
}

const COLUMNS: readonly Column<GapItem>[] = [
  { name: "source", of: (item) => item.source, isWhole: true },
  { name: "partition", of: (item) => item.partition, isWhole: true },
  { name: "state", of: (item) => item.state, isWhole: true },
  { name: "feed", of: (item) => item.feed ?? "-" },
  { name: "number", of: (item) => item.number },
  { name: "time", of: (item) => item.time ?? "-" },
  { name: "reason", of: (item) => item.reason },
];
