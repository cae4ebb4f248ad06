import type { Feed } from "../engine/feed.ts";
import type { Domain } from "../engine/world.ts";
import type { Config, FeedConfig } from "./config_types.ts";

/** Kinds whose history is made from the rows of one feed. */
export const HISTORY_FEED: ReadonlyMap<string, string> = new Map([
  ["transformer", "transformer_master"],
  ["customer", "customer_master"],
  ["bill", "billing"],
]);

/** The domain with what the configuration says of its feeds: lateness, dedup window, classes of history columns, order of captured ones. */
export function configuredDomain(domain: Domain, { feeds }: Pick<Config, "feeds">): Domain {
  const behaviours = domain.behaviours.map((behaviour) => {
    const said = feeds.get(HISTORY_FEED.get(behaviour.kind) ?? "")?.history ?? {};
    return behaviour.history === undefined || Object.keys(said).length === 0
      ? behaviour
      : { ...behaviour, history: { ...behaviour.history, ...said } };
  });
  return { ...domain, behaviours, feeds: domain.feeds.map((feed) => configuredFeed(feed, feeds.get(feed.name))) };
}

function configuredFeed(feed: Feed, said: FeedConfig | undefined): Feed {
  if (said === undefined) return feed;
  const { latenessMs, dedupMs, captureColumns } = said;
  // A clock that is held back by the lateness follows it; one with a delay of its own keeps that.
  const clockDelayMs = feed.clockDelayMs === feed.latenessMs ? latenessMs : feed.clockDelayMs;
  const captured = captureColumns.length === 0 ? feed : (feed.captured?.(captureColumns) ?? feed);
  return { ...captured, latenessMs, dedupMs, clockDelayMs };
}
