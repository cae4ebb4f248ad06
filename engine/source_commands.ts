import { type Carried, type Command, type CommandHandler, CommandRefused, type Desk } from "./command.ts";
import type { ChangedRow } from "./commit.ts";
import { PartsDraft } from "./journal.ts";
import { LogDraft } from "./log_draft.ts";

/** Between the names of partitions, none of which has a space. */
const BETWEEN = " ";

/** The arguments of `accept-gap`. */
export function acceptGapArgs(source: string, partitions: readonly string[]): Command["args"] {
  return { source, partitions: partitions.join(BETWEEN) };
}

/** The partitions that a command `accept-gap` is about. */
export function acceptedPartitions({ args }: Pick<Command, "args">): readonly string[] {
  return String(args["partitions"]).split(BETWEEN);
}

/** Partitions of a source go on behind the gaps at which they have stopped: `source`, `partitions`. Kept until they do, also over a kill. */
export const carryOutAcceptGap: CommandHandler = (command, { world, sources }) => {
  const source = String(command.args["source"]);
  const rows: ChangedRow[] = [];
  const open = acceptedPartitions(command).filter((partition) => !world.gaps.isAccepted(source, partition));
  for (const partition of open) world.gaps.accept(source, partition, rows);
  sources.find(({ intake }) => intake.source === source)?.source.goOn?.();
  const log = new LogDraft();
  log.clear(world.nextSequence);
  return { commit: { parts: new PartsDraft(), log, rows }, result: open.length > 0 ? "done" : "unchanged", detail: null };
};

/** A partition that was given up is read again: `source`, `partition`. The refusal stands no more; if it is refused again, another one does. */
export const carryOutRetryPartition: CommandHandler = ({ args }, { turn, sources }: Desk): Carried => {
  const [name, partition] = [String(args["source"]), String(args["partition"])];
  const wired = sources.find(({ intake }) => intake.source === name);
  if (wired === undefined) throw new CommandRefused(`no source ${name}`, true);
  const batch = wired.source.again?.(partition) ?? null;
  if (batch === null) throw new CommandRefused(`${partition} was not given up`);
  return { commit: turn.run(wired.intake, batch), result: "done", detail: null };
};
