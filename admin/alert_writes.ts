import type { AlertDetail } from "../engine/alert_commands.ts";
import type { AuditRow, CommandArgs } from "../engine/command.ts";
import { hours, parseSpanMs } from "../engine/duration.ts";
import type { AlertEvent } from "../engine/emission.ts";
import { CommandError } from "./errors.ts";
import { type AskOther, type Known, type Query, textOf } from "./verb.ts";

const SHELF_MAX_MS = hours(8);

/** What `ack` means: which alert of which actor. Throws NOT_FOUND and USAGE. */
export async function ackArgs(query: Query, ask: AskOther): Promise<CommandArgs> {
  return { ...(await alertArgs(query, ask)), ...(query["resolve"] === true ? { resolve: true } : {}) };
}

/** What `shelve` means; `forMs` in event time. Longer than 8 h it has to be forced. */
export async function shelveArgs(query: Query, ask: AskOther): Promise<CommandArgs> {
  const text = textOf(query, "for");
  const forMs = text === undefined ? null : parseSpanMs(text);
  if (forMs === null || forMs <= 0) throw new CommandError("USAGE", "for: how long is missing", { hint: "--for 2h" });
  if (forMs > SHELF_MAX_MS && query["force"] !== true)
    throw new CommandError("USAGE", `for: ${text} is longer than 8 h`, { hint: "--force, if it is meant" });
  return { ...(await alertArgs(query, ask)), forMs: String(forMs) };
}

/** The event that a command has led to, or the newest one of its alert. */
export async function commandedEvent({ args, detail }: AuditRow, ask: AskOther, { view }: Known): Promise<AlertEvent> {
  const { sequence } = detail as AlertDetail;
  if (sequence !== null) {
    const [entry] = await view.store.readLog("alerts", sequence, 1);
    const emission = entry?.sequence === sequence ? view.decode("alerts", entry) : null;
    if (emission?.stream === "alerts") return emission.event;
  }
  return newestOf(await eventsOf(String(args["alertId"]), ask));
}

async function alertArgs(query: Query, ask: AskOther): Promise<CommandArgs> {
  const { alertId, actor, rule } = newestOf(await eventsOf(textOf(query, "alertId") ?? "", ask)).data;
  return { alertId, actor, rule };
}

async function eventsOf(alertId: string, ask: AskOther): Promise<readonly AlertEvent[]> {
  return (await ask("alert", { alertId })) as readonly AlertEvent[];
}

function newestOf(events: readonly AlertEvent[]): AlertEvent {
  const event = events.at(-1);
  if (event === undefined) throw new CommandError("NOT_FOUND", "the log holds no event of the alert any more");
  return event;
}
