import type { Carried, Command, CommandHandler, Desk } from "./command.ts";
import { CommandRefused } from "./command.ts";
import type { ChangedRow } from "./commit.ts";
import { acknowledge, type Episode, type EpisodeStep, resolve, shelve } from "./episode.ts";
import { type ActorId, actorIdFrom } from "./ids.ts";
import { PartsDraft } from "./journal.ts";
import { LogDraft } from "./log_draft.ts";
import { Cause, Root } from "./root.ts";
import { encodeHead } from "./row_codec.ts";
import type { Rule } from "./rule.ts";
import { TimerChanges } from "./timers.ts";
import { utcDate } from "./utc_date.ts";
import type { World } from "./world.ts";

/** What the answer to a command about an alert is made of: the number of its event in the log; null: nothing was to be changed. */
export interface AlertDetail {
  readonly sequence: number | null;
}

/** Somebody has seen an alert: `alertId`, `actor`, `rule`; with `resolve` it is over, the only end of a latched one. */
export const carryOutAck: CommandHandler = (command, desk) =>
  moveAlert(command, desk, (episode) => {
    if (command.args["resolve"] === true) return resolve(episode, desk.atMs);
    if (episode.state === "suppressed" || episode.state === "shelved")
      throw new CommandRefused(`the alert is ${episode.state}: it can be acknowledged once it is open again`);
    return acknowledge(episode, desk.atMs);
  });

/** An alert is not to be looked at for `forMs` from now: `alertId`, `actor`, `rule`. */
export const carryOutShelve: CommandHandler = (command, desk) => {
  const untilMs = desk.atMs + Number(command.args["forMs"]);
  return moveAlert(command, desk, (episode) => {
    if (episode.state === "suppressed") throw new CommandRefused("the alert is suppressed: its parent's alert can be shelved");
    return shelve(episode, untilMs, desk.atMs);
  });
};

type Move = (episode: Episode, rule: Rule) => EpisodeStep;

/** A root of its own, whose cause is the command. */
function moveAlert({ args }: Command, desk: Desk, move: Move): Carried {
  const { world } = desk;
  const actor = actorIdFrom(String(args["actor"]));
  const rule = String(args["rule"]);
  const episode = openEpisode(world, actor, rule, String(args["alertId"]));
  const log = new LogDraft();
  log.clear(world.nextSequence);
  const rows: ChangedRow[] = [];
  const timers = new TimerChanges();
  const root = new Root(world);
  root.begin(causeOf(desk, timerFeed(world, actor, rule)));
  root.touch(actor);
  const step = move(episode, world.rules.rule(rule)); // Throws, if it does, before anything has changed.
  root.moveEpisode(rule, () => step);
  root.settleTells();
  root.finish({ log, rows, timers });
  timers.take(rows);
  const parts = new PartsDraft();
  world.population.takeChanges(parts);
  world.nextSequence = log.next;
  const isDone = step.changes.length > 0;
  const detail: AlertDetail = { sequence: isDone ? log.first : null };
  return { commit: { parts, log, rows }, result: isDone ? "done" : "unchanged", detail };
}

function openEpisode({ population }: World, actor: ActorId, rule: string, alertId: string): Episode {
  if (!population.has(actor)) throw new CommandRefused(`no actor ${actor}`, true);
  const { kind, slot } = population.place(actor, () => {});
  const episode = kind.peekWarm(slot)?.episodes.get(rule);
  if (episode?.alertId !== alertId || episode.state === "cleared" || episode.state === "retracted")
    throw new CommandRefused(`${alertId} is over`);
  return episode;
}

/** Event time passes by the clock of one feed: that of the episode's own timer, or else of the first that the actor lives by. */
function timerFeed({ population, feeds, clocks }: World, actor: ActorId, rule: string): string {
  const { kind, slot } = population.place(actor, () => {});
  const own = kind.peekWarm(slot)?.timers.get(`alert:${rule}`)?.feed ?? kind.behaviour.clocks[0];
  if (own !== undefined) return own;
  const timed = [...clocks.values()].filter(({ feed }) => feeds.get(feed)?.refusesFuture === true);
  return timed.reduce((latest, one) => (one.latestMs() > latest.latestMs() ? one : latest), timed[0] as (typeof timed)[0]).feed;
}

function causeOf({ number, atMs }: Desk, feed: string): Cause {
  const position = `command:${number}`;
  const cause = new Cause(feed, encodeHead(null, "command", position), "live", null, position);
  cause.key = position;
  cause.date = utcDate(atMs);
  cause.arrivedAtMs = atMs;
  return cause;
}
