import { type AuditRow, type CommandHandler, CommandRefused, type Desk, finished, lastCommand } from "./command.ts";
import { PartsDraft } from "./journal.ts";
import { LogDraft } from "./log_draft.ts";
import { parseTypeName } from "./schema.ts";
import { beginChange, type SchemaChange, SchemaChangeRefused, type SchemaChangeResult, settleChange } from "./schema_change.ts";

/** What the answer to a decision on a column is made of. `isSettled` false: records still wait, as the process ended before they were settled. */
export interface SchemaDetail extends SchemaChangeResult {
  readonly isSettled: boolean;
}

/**
 * A decision on a column that a feed does not declare: `feed`, `column`, and with `schema approve` its `type`. The new schema is in force, and in the
 * audit, before the records that waited for it are settled; a start finishes that if it was interrupted.
 */
export const carryOutSchema: CommandHandler = (command, desk) => {
  const change = changeOf(command);
  const { world, store, number } = desk;
  const begun = begunChange(change, desk, { source: "command", position: `command:${number}`, arrivedAtMs: command.arrivedAtMs });
  const { version, isNew } = begun;
  const log = new LogDraft();
  log.clear(world.nextSequence);
  return {
    commit: begun.commit ?? { parts: new PartsDraft(), log, rows: [] },
    result: isNew ? "done" : "unchanged",
    detail: { version, isNew, amended: 0, left: 0, gone: 0, isSettled: false } satisfies SchemaDetail,
    finish: async () => ({ version, isNew, ...(await settleChange(world, store, change)), isSettled: true }) satisfies SchemaDetail,
  };
};

/** Settles what the last decision left behind, if the process ended in the midst of it. No turn may run meanwhile. */
export async function finishSchemaCommand(desk: Pick<Desk, "world" | "store">): Promise<void> {
  const { world, store } = desk;
  const row = lastCommand(world, store);
  if (row === null || !VERBS.includes(row.verb)) return;
  const detail = row.detail as SchemaDetail;
  if (!detail.isSettled)
    await finished(row, async () => ({ ...detail, ...(await settleChange(world, store, changeOf(row))), isSettled: true }), desk);
}

const VERBS: readonly string[] = ["schema approve", "schema ignore"];

/** Throws `CommandRefused`. */
function changeOf({ args }: Pick<AuditRow, "args">): SchemaChange {
  const type = args["type"] === undefined ? null : parseTypeName(String(args["type"]));
  if (args["type"] !== undefined && type === null) throw new CommandRefused(`"${args["type"]}" is no type`);
  return { feed: String(args["feed"]), column: String(args["column"]), type };
}

function begunChange(change: SchemaChange, { world }: Desk, origin: Parameters<typeof beginChange>[2]): ReturnType<typeof beginChange> {
  try {
    return beginChange(world, change, origin);
  } catch (error) {
    throw error instanceof SchemaChangeRefused ? new CommandRefused(error.message) : error;
  }
}
