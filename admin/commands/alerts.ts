import { InvalidArgumentError } from "commander";
import { alertLine } from "../../engine/alert_line.ts";
import { wallClock } from "../../engine/clock.ts";
import type { AlertEvent } from "../../engine/emission.ts";
import { AlertFollower, type AlertQuery, alertEvents, alertFilter, alertsText, type Gap, gapAt, newestAlerts } from "../alerts.ts";
import { CommandError } from "../errors.ts";
import { socketPath } from "../http/socket_file.ts";
import type { View } from "../reader.ts";
import { NoDaemon } from "../socket_asker.ts";
import { socketLines } from "../socket_lines.ts";
import { isRunning } from "../state_asker.ts";
import type { Known } from "../verb.ts";
import { ALERT_FILTERS } from "../verbs.ts";
import { type CommandLine, untilStopped } from "./command_line.ts";

interface AlertsQuery extends AlertQuery {
  readonly follow?: boolean;
  readonly from?: number;
}

/** An event with its number in the log. */
interface Numbered {
  readonly event: AlertEvent;
  readonly sequence: number;
}

/** How often a log is looked at that a process without an open socket writes. */
const FOLLOW_EVERY_MS = 250;

/** `alerts`: the newest event of each alert, or events as they come. */
export function alertsCommand(line: CommandLine): void {
  line.program
    .command("alerts")
    .description("the newest event of each alert; with --from or --follow, events as they come")
    .option("--follow", "open alerts, then what comes")
    .option("--from <sequence>", "every event from this number on", wholeNumber)
    .option("--since <time>", "event time, at or after")
    .option("--severity <level>", "major: exactly; major+: and worse")
    .option("--under <id>", "an actor and all below it")
    .option("--rule <pattern>", "rule id, * allowed")
    .option("--kind <kind>", "kind of actor")
    .option(
      "--status <status>",
      "open: all that are not over (neither cleared nor retracted); or exactly acknowledged, shelved, suppressed, cleared, retracted",
    )
    .option("--origin <origin>", "live, late, backfill, replay")
    .action((query: AlertsQuery) => (query.follow === true ? follow(line, query) : list(line, query)));
}

function list(line: CommandLine, query: AlertsQuery): Promise<void> {
  return line.reading(async (view, { rules }) => {
    const filter = alertFilter(view, query, rules);
    if (query.from !== undefined) {
      const gap = gapAt(view, query.from);
      if (gap !== null) tellGap(line, gap);
      for await (const alert of alertEvents(view, filter, gap?.firstAvailable ?? query.from)) tell(line, alert);
      return;
    }
    const { alerts, found } = await newestAlerts(view, filter, line.limit());
    line.answer(
      alerts.map(({ event }) => event),
      () => alertsText(alerts, line.isColored()),
    );
    line.cutHint(alerts.length, found);
  });
}

/** Events without end: of the daemon where one runs, else of the log; Ctrl-C ends them, and says how to go on. */
async function follow(line: CommandLine, query: AlertsQuery): Promise<void> {
  const signal = untilStopped();
  const config = await line.config();
  const reached = { from: query.from ?? null };
  if (isRunning(config)) await followDaemon(line, socketPath(config.stateDir), query, reached, signal);
  if (!signal.aborted) await line.reading((view, known) => followLog(line, { view, known, query }, reached, signal));
  const given = process.argv.slice(2).filter((word, n, words) => word !== "--from" && words[n - 1] !== "--from");
  line.say(`resume: gridactor ${given.join(" ")} --from ${reached.from ?? 1}`);
}

/** Returns when the daemon has ended, or none listens: the log goes on from `reached.from`. */
async function followDaemon(
  line: CommandLine,
  socket: string,
  query: AlertsQuery,
  reached: { from: number | null },
  signal: AbortSignal,
): Promise<void> {
  const filters = [...ALERT_FILTERS.map(({ name }) => name), "since"].flatMap((name) => {
    const value = query[name as keyof AlertQuery];
    return value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`];
  });
  const begin = reached.from === null ? "snapshot=open" : `from=${reached.from}`;
  try {
    for await (const text of socketLines(socket, `/v1/alerts/stream?${[begin, ...filters].join("&")}`, signal)) {
      const told = JSON.parse(text) as AlertEvent | { readonly gap: Gap } | { readonly heartbeat: number };
      if ("heartbeat" in told) reached.from = Math.max(reached.from ?? 1, told.heartbeat + 1);
      else if ("gap" in told) tellGap(line, told.gap);
      else {
        const sequence = Number(told.sequence);
        reached.from = Math.max(reached.from ?? 1, sequence + 1);
        tell(line, { event: told, sequence });
      }
    }
  } catch (error) {
    if (!(error instanceof NoDaemon)) throw error;
  }
}

async function followLog(
  line: CommandLine,
  { view, known, query }: { readonly view: View; readonly known: Known; readonly query: AlertsQuery },
  reached: { from: number | null },
  signal: AbortSignal,
): Promise<void> {
  const follower = new AlertFollower(view, {
    filter: alertFilter(view, query, known.rules),
    from: reached.from,
    waitForMore: (ended) => wallClock.sleep(FOLLOW_EVERY_MS, ended),
    onGap: (gap) => tellGap(line, gap),
  });
  for await (const alert of follower.events(signal)) tell(line, alert);
  reached.from = follower.resumeFrom;
}

/** Events that are no longer kept: a line of the stream for programs; people are told beside it. */
function tellGap(line: CommandLine, gap: Gap): void {
  if (line.form() !== "table") return line.print(`${JSON.stringify({ gap })}\n`);
  const { requested, firstAvailable } = gap;
  const why = requested < firstAvailable ? "are no longer kept" : "are not written yet: was it another state?";
  process.stderr.write(`events from ${requested} on ${why}; going on at ${firstAvailable}, where the log begins\n`);
}

/** One event of a stream: a line for people, or of JSON. */
function tell(line: CommandLine, { event, sequence }: Numbered): void {
  const form = line.form();
  if (form === "json" || form === "jsonl") return line.print(`${JSON.stringify(event)}\n`);
  if (form !== "table") throw new CommandError("USAGE", `a stream of alerts has no form ${form}`, { hint: "--format jsonl" });
  line.print(`${alertLine(event, sequence, line.isColored(), true)}\n`);
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("a whole number is wanted");
  return Number(text);
}
