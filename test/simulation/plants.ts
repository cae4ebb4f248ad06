import type { Feed } from "../../engine/feed.ts";
import { PartsDraft } from "../../engine/journal.ts";
import { LogDraft } from "../../engine/log_draft.ts";
import type { Store } from "../../engine/store.ts";
import type { Domain } from "../../engine/world.ts";
import type { Life } from "./life.ts";
import type { Decode, Plant } from "./trial.ts";

/** Bugs that engines of this kind have had, by what they do. A simulation that does not find them is worth nothing. */
export const PLANTS: Readonly<Record<string, () => Plant>> = {
  "positions are stored before the state that goes with them": () => ({ disk: positionsFirst }),
  "state is stored before the positions that go with it": () => ({ disk: positionsLast }),
  "a record that comes twice counts twice": () => ({ domain: blindToRepeats }),
  "a sink's cursor is stored before its write is done": () => ({ settlesEarly: true }),
  "a timer is not stored": () => ({ disk: withoutTimers }),
  "a batch is applied again though its commit was stored": () => ({ sourceRepeats: true }),
  "ids come from a counter": () => ({ decode: countedIds }),
};

function positionsFirst(disk: Store, life: Life): Store {
  return withCommit(disk, async (commit) => {
    await disk.commit({ ...nothing(disk), rows: commit.rows.filter(({ table }) => table === "position") });
    await life.pass();
    await disk.commit(commit);
  });
}

function positionsLast(disk: Store, life: Life): Store {
  return withCommit(disk, async (commit) => {
    await disk.commit({ ...commit, rows: commit.rows.filter(({ table }) => table !== "position") });
    await life.pass();
    await disk.commit({ ...nothing(disk), rows: commit.rows.filter(({ table }) => table === "position") });
  });
}

function withoutTimers(disk: Store): Store {
  return withCommit(disk, (commit) => disk.commit({ ...commit, rows: commit.rows.filter(({ table }) => table !== "timer") }));
}

function withCommit(disk: Store, commit: Store["commit"]): Store {
  return {
    ...disk,
    get nextSequence() {
      return disk.nextSequence;
    },
    commit,
  };
}

function nothing(disk: Store): { readonly parts: PartsDraft; readonly log: LogDraft } {
  const log = new LogDraft();
  log.clear(disk.nextSequence);
  return { parts: new PartsDraft(), log };
}

function blindToRepeats(domain: Domain): Domain {
  let records = 0;
  const blind = (feed: Feed): Feed => ({ ...feed, dedupKey: (row) => `${feed.dedupKey(row)} ${records++}` });
  return { ...domain, feeds: domain.feeds.map((feed) => (feed.name === "smart_meter" ? blind(feed) : feed)) };
}

function countedIds(decode: Decode): Decode {
  let decoded = 0;
  return (stream, entry) => {
    const emission = decode(stream, entry);
    decoded += 1;
    return emission.stream === "alerts" ? { ...emission, event: { ...emission.event, id: `event ${decoded}` } } : emission;
  };
}
