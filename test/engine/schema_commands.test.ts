import * as assert from "uvu/assert";
import { auditRows, type Command, CommandRefused, carryOut } from "../../engine/command.ts";
import { COMMANDS } from "../../engine/commands.ts";
import { invariant } from "../../engine/fault.ts";
import { finishSchemaCommand } from "../../engine/schema_commands.ts";
import { Turn } from "../../engine/turn.ts";
import { ARRIVED_AT_MS, EvolvingFeed } from "../kit/evolving_feed.ts";
import { suite } from "../kit/suite.ts";

const test = suite("decisions on columns as commands");

const APPROVE = { verb: "schema approve", args: { feed: "renewable", column: "gust", type: "double" } };

function carried(feed: EvolvingFeed, asked: Pick<Command, "verb" | "args"> & Partial<Command>) {
  const { world, store } = feed;
  const handler = COMMANDS[asked.verb];
  invariant(handler !== undefined, "somebody carries it out");
  const command = { by: "boss", reason: "new plants", key: null, arrivedAtMs: ARRIVED_AT_MS, ...asked };
  return carryOut(command, handler, { world, store, turn: new Turn(world), sources: [] });
}

async function rescuing(records: number): Promise<EvolvingFeed> {
  const feed = new EvolvingFeed("renewable", { mode: "rescue", inferColumnTypes: true, hints: {} });
  const timestamp = (n: number) => new Date(Date.UTC(2025, 5, 15, 6, n)).toISOString();
  const reading = (n: number) => ({ reading_id: `r${n}`, plant_id: "REN-SOLAR-001", timestamp: timestamp(n), production_mw: 10, gust: n });
  await feed.stream(...Array.from({ length: records }, (_, n) => reading(n)));
  return feed;
}

async function rejection(work: Promise<unknown>): Promise<Error> {
  const [ended] = await Promise.allSettled([work]);
  if (ended?.status === "rejected" && ended.reason instanceof Error) return ended.reason;
  throw new Error("it did not fail");
}

const audit = ({ store }: EvolvingFeed) => [...auditRows(store)].map(({ verb, by, result, detail }) => ({ verb, by, result, detail }));
const withGust = async (feed: EvolvingFeed) =>
  Object.values(await feed.current()).filter(({ cells }) => cells["gust"] !== undefined).length;

test("a decision is in the audit with what came of it, and names itself as the origin of the version", async () => {
  const feed = await rescuing(3);
  await carried(feed, APPROVE);
  await carried(feed, { verb: "schema ignore", args: { feed: "renewable", column: "noise" } });
  await carried(feed, APPROVE);
  const counts = { left: 0, gone: 0, isSettled: true };
  assert.equal(audit(feed), [
    { verb: "schema approve", by: "boss", result: "done", detail: { version: 2, isNew: true, amended: 3, ...counts } },
    { verb: "schema ignore", by: "boss", result: "done", detail: { version: 2, isNew: true, amended: 0, ...counts } },
    { verb: "schema approve", by: "boss", result: "unchanged", detail: { version: 2, isNew: false, amended: 0, ...counts } },
  ]);
  assert.equal(
    feed.versions.map(({ version, source, position }) => [version, source, position]),
    [[2, "command", "command:1"]],
  );
  assert.is(await withGust(feed), 3);
});

test("under a key that was used before it answers what it answered then", async () => {
  const feed = await rescuing(2);
  const first = await carried(feed, { ...APPROVE, key: "k" });
  const again = await carried(feed, { ...APPROVE, key: "k" });
  assert.equal([again.isRepeat, again.row.detail, audit(feed).length], [true, first.row.detail, 1]);
});

test("what is refused is not in the audit, and changes nothing", async () => {
  const feed = await rescuing(1);
  const { digest } = feed;
  const error = await rejection(
    carried(feed, { verb: "schema approve", args: { feed: "renewable", column: "capacity_mw", type: "string" } }),
  );
  assert.instance(error, CommandRefused);
  assert.match(error.message, /keeps its type/);
  assert.equal([audit(feed), feed.digest, feed.schema.version], [[], digest, 1]);
});

test("a decision that a crash has cut off is in force and in the audit, and the next start settles what it left", async () => {
  const feed = await rescuing(1_100);
  const { commit } = feed.store;
  let commits = 0;
  feed.store.commit = (one) => {
    commits += 1;
    return commits > 2 ? Promise.reject(new Error("the process ends here")) : commit(one);
  };
  assert.match((await rejection(carried(feed, APPROVE))).message, /ends here/);
  feed.store.commit = commit;
  feed.restart();
  assert.equal([feed.schema.version, await withGust(feed)], [2, 500]);
  assert.equal(
    audit(feed).map(({ detail }) => (detail as { isSettled: boolean }).isSettled),
    [false],
  );
  for (let start = 0; start < 2; start += 1) {
    await finishSchemaCommand(feed);
    assert.is(await withGust(feed), 1_100);
    assert.equal(audit(feed)[0]?.detail, { version: 2, isNew: true, amended: 600, left: 0, gone: 0, isSettled: true });
    feed.restart();
  }
});
