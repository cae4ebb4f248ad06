// timeout: 300 s
import * as assert from "uvu/assert";
import { settableClock } from "../../engine/clock.ts";
import { minutes } from "../../engine/duration.ts";
import { Unavailable } from "../../engine/fault.ts";
import type { Position } from "../../engine/ids.ts";
import type { Batch } from "../../engine/source.ts";
import { hubProblem } from "../../sources/event_hub_reach.ts";
import { type AmqpHub, type AmqpHubOptions, amqpHub } from "../kit/amqp_hub.ts";
import { HubReading, hubEvents, hubSource, Troubles } from "../kit/hub_source.ts";
import { suite } from "../kit/suite.ts";

const test = suite("event hub");

let hub: AmqpHub;
const started: AmqpHub[] = [];
async function start(options: Partial<AmqpHubOptions> = {}): Promise<void> {
  hub = await amqpHub({ partitions: 2, ...options });
  started.push(hub);
}
test.before.each(() => start());
test.after.each(async () => {
  for (const one of started.splice(0)) await one.close();
});

const isIdle = (_: readonly string[], { idle }: Batch): boolean => idle;
const has =
  (...texts: readonly string[]) =>
  (seen: readonly string[]): boolean =>
    texts.every((text) => seen.includes(text));

// Where reading begins ------------------------------------------------------------------------------------------------------------------

test("each partition is read in order, and is idle once it is read to its end", async () => {
  hub.append(0, hubEvents(["a", "b"]));
  hub.append(1, hubEvents(["c"]));
  const reading = new HubReading(hubSource(hub));
  const idle = new Set<string | undefined>();
  await reading.until((_, batch) => batch.idle && idle.add(batch.partition).size === 2);
  assert.equal([...reading.texts()].sort(), ["0:a", "0:b", "1:c"]);
  assert.equal(
    new Set(reading.batches.map(({ origin }) => origin)),
    new Set(["eventhub:127.0.0.1/telemetry/0/", "eventhub:127.0.0.1/telemetry/1/"]),
  );
  await reading.stop();
});

test("a partition is idle only when it was quiet for long enough", async () => {
  const clock = settableClock();
  const reading = new HubReading(hubSource(hub, { idleMs: minutes(5), clock }));
  for (const text of ["a", "b", "c"]) {
    hub.append(0, hubEvents([text]));
    await reading.until(has(`0:${text}`));
    clock.advance(minutes(5) - 1);
  }
  assert.ok(reading.batches.every(({ idle, partition }) => !idle || partition === "1"));
  clock.advance(1);
  await reading.until((_, { idle, partition }) => idle && partition === "0");
  await reading.stop();
});

test("the first start begins at the end if it is told so, and what comes later is not lost, in new partitions either", async () => {
  hub.append(0, hubEvents(["old"]));
  const options = { start: "latest" } as const;
  const first = new HubReading(hubSource(hub, options));
  await first.until(() => true); // Before anything else: a crash here must not bring the past back.
  assert.equal([...first.positions().keys()], ["0", "1"]);
  await first.stop();
  hub.append(0, hubEvents(["new"]));
  hub.append(1, hubEvents(["too"]));
  const again = new HubReading(hubSource(hub, options), first.positions());
  await again.until(has("0:new", "1:too"));
  assert.equal([...again.texts()].sort(), ["0:new", "1:too"]);
  await again.stop();
  const [known] = [...first.positions()];
  const added = new HubReading(hubSource(hub, options), new Map(known === undefined ? [] : [known]));
  await added.until(has("0:new", "1:too"));
  await added.stop();
});

test("a start asks for the offset that is stored, behind it, with its owner level", async () => {
  hub.append(0, hubEvents(["a", "b", "c"]));
  const first = new HubReading(hubSource(hub, { bounds: { records: 2, bytes: 1_000 } }));
  await first.until(has("0:b"));
  await first.stop();
  const again = new HubReading(hubSource(hub, { ownerLevel: 7 }), first.positions());
  await again.until(has("0:c"));
  await again.stop();
  const { filter, level } = hub.attachments.filter(({ partition }) => partition === "0").at(-1) ?? { filter: "", level: 0 };
  assert.equal([filter, level], ["amqp.annotation.x-opt-offset > '64'", 7]);
});

// Gaps ----------------------------------------------------------------------------------------------------------------------------------

test("events that are gone before they were read stop that partition, and no other", async () => {
  const positions = await readAll(["a", "b"], ["x"]);
  hub.append(0, hubEvents(["c", "d", "e"]));
  hub.append(1, hubEvents(["y"]));
  hub.expire(0, 4);
  const trouble = new Troubles();
  const reading = new HubReading(hubSource(hub, { onTrouble: trouble.onTrouble }), positions);
  await reading.until(has("1:y"));
  assert.equal(trouble.seen, ["0 stopped"]);
  assert.equal(reading.texts(), ["1:y"]);
  await reading.stop();
});

test("events that are gone are passed over and told of if that was accepted, once", async () => {
  const positions = await readAll(["a", "b"], []);
  hub.append(0, hubEvents(["c", "d", "e"]));
  hub.expire(0, 4);
  const trouble = new Troubles();
  const reading = new HubReading(hubSource(hub, { onTrouble: trouble.onTrouble, onGap: "accept" }), positions);
  await reading.until(has("0:e"));
  assert.equal(trouble.seen, ["0 goes on"]);
  assert.equal(reading.texts(), ["0:e"]);
  await reading.stop();
});

test("a partition that stopped at a gap goes on where it stopped once that is accepted, and says what was lost", async () => {
  const positions = await readAll(["a"], []);
  hub.append(0, hubEvents(["b", "c", "d"]));
  hub.expire(0, 3);
  const trouble = new Troubles();
  const accepted = new Set<string>();
  const source = hubSource(hub, { onTrouble: trouble.onTrouble, isAccepted: (id) => accepted.has(id) });
  const reading = new HubReading(source, positions);
  await trouble.until(1, reading);
  source.goOn?.();
  hub.append(1, hubEvents(["x"]));
  await reading.until(has("1:x"));
  assert.equal([trouble.seen, reading.texts()], [["0 stopped"], ["1:x"]], "nobody has accepted it");
  accepted.add("0");
  source.goOn?.();
  await reading.until(has("0:d"));
  assert.equal(trouble.seen, ["0 stopped", "0 goes on"]);
  assert.equal(
    reading.batches.flatMap(({ gap, partition, records, resumeAt }) =>
      gap === undefined ? [] : [[partition, gap, records.length, resumeAt.get("0")?.split(" ")[0]]],
    ),
    [["0", "2 events behind number 0 are gone", 1, "3"]],
  );
  await reading.stop();
});

test("all events gone, and none there yet, is a gap as well", async () => {
  const positions = await readAll(["a"], []);
  hub.append(0, hubEvents(["b", "c"]));
  hub.expire(0, 3);
  const trouble = new Troubles();
  const reading = new HubReading(hubSource(hub, { onTrouble: trouble.onTrouble }), positions);
  await trouble.until(1, reading);
  assert.equal(trouble.seen, ["0 stopped"]);
  await reading.stop();
});

test("a hole while reading is a gap if retention made it", async () => {
  hub.append(0, hubEvents(["a"]));
  const trouble = new Troubles();
  const reading = new HubReading(hubSource(hub, { onTrouble: trouble.onTrouble }));
  await reading.until(has("0:a"));
  hub.isSilent = true;
  hub.append(0, hubEvents(["b", "c"]));
  hub.expire(0, 2);
  hub.isSilent = false;
  hub.append(0, hubEvents(["d"]));
  await trouble.until(1, reading);
  assert.equal(trouble.seen, ["0 stopped"]);
  await reading.stop();
  assert.equal(reading.texts(), ["0:a"]);
});

test("events that come again are dropped", async () => {
  hub.append(0, hubEvents(["a", "b", "c"]));
  const trouble = new Troubles();
  const reading = new HubReading(hubSource(hub, { onTrouble: trouble.onTrouble }));
  await reading.until(has("0:c"));
  hub.rewind(0, 1);
  hub.append(0, hubEvents(["d"]));
  await reading.until(has("0:d"));
  assert.equal([reading.texts(), trouble.seen], [["0:a", "0:b", "0:c", "0:d"], []]);
  await reading.stop();
});

test("what was gone before the very first start is not missed", async () => {
  hub.append(0, hubEvents(["a", "b", "c"]));
  hub.expire(0, 2);
  const trouble = new Troubles();
  const reading = new HubReading(hubSource(hub, { onTrouble: trouble.onTrouble }));
  await reading.until(has("0:c"));
  assert.equal(trouble.seen, []);
  await reading.stop();
});

test("numbers that fell back, and a hub made again under its name, stop whatever is accepted", async () => {
  for (const change of ["reset", "made again"]) {
    await start();
    const positions = await readAll(["a", "b"], []);
    if (change === "reset") hub.reset(0);
    else hub.createdAtMs += 1;
    hub.append(0, hubEvents(["other"]));
    const trouble = new Troubles();
    const reading = new HubReading(hubSource(hub, { onTrouble: trouble.onTrouble, onGap: "accept" }), positions);
    await trouble.until(1, reading);
    assert.equal(trouble.seen[0], "0 stopped", change);
    await reading.stop();
    assert.equal(reading.texts(), [], change);
  }
});

test("corpus 98: an offset that is no number stops, before anything is read", async () => {
  await start({ partitions: 1, offset: (sequence) => `1:${sequence * 64}:${sequence}` });
  hub.append(0, hubEvents(["a"]));
  const trouble = new Troubles();
  const reading = new HubReading(hubSource(hub, { onTrouble: trouble.onTrouble }));
  await trouble.until(1, reading);
  assert.equal(trouble.seen, ["0 stopped"]);
  await reading.stop();
  assert.equal(reading.texts(), []);
});

// Other readers -------------------------------------------------------------------------------------------------------------------------

test("a partition that another reader takes stops, the others go on, and no outage takes it back", async () => {
  const trouble = new Troubles();
  const source = hubSource(hub, { onTrouble: trouble.onTrouble });
  const reading = new HubReading(source);
  hub.append(0, hubEvents(["a"]));
  await reading.until(has("0:a"));
  hub.steal(0, 9);
  await trouble.until(1, reading);
  assert.equal(trouble.seen, ["0 stopped"]);
  hub.append(0, hubEvents(["not ours"]));
  hub.append(1, hubEvents(["x"]));
  await reading.until(has("1:x"));
  await reading.stop();
  const attached = hub.attachments.filter(({ partition }) => partition === "0").length;
  const again = new HubReading(source, reading.positions());
  hub.append(1, hubEvents(["y"]));
  await again.until(has("1:y"));
  await again.stop();
  assert.is(hub.attachments.filter(({ partition }) => partition === "0").length, attached);
  assert.equal(again.texts(), ["1:y"]);
});

test("below the owner level of another reader a partition is not taken, and the higher of two readers wins", async () => {
  hub.append(0, hubEvents(["a"]));
  const lower = new Troubles();
  const higher = new Troubles();
  const first = new HubReading(hubSource(hub, { ownerLevel: 5, onTrouble: lower.onTrouble }));
  await first.until(has("0:a"));
  const robbed = lower.until(2, first);
  const second = new HubReading(hubSource(hub, { ownerLevel: 6, onTrouble: higher.onTrouble }));
  await second.until(has("0:a"));
  await robbed;
  const third = new Troubles();
  const late = new HubReading(hubSource(hub, { ownerLevel: 5, onTrouble: third.onTrouble }));
  await third.until(2, late);
  assert.equal([[...lower.seen].sort(), higher.seen, [...third.seen].sort()], [["0 stopped", "1 stopped"], [], ["0 stopped", "1 stopped"]]);
  for (const reading of [first, second, late]) await reading.stop();
});

// Outages -------------------------------------------------------------------------------------------------------------------------------

test("a cut connection is an outage, after which reading goes on behind the last event", async () => {
  hub.append(0, hubEvents(["a", "b"]));
  const source = hubSource(hub);
  const reading = new HubReading(source);
  await reading.until(has("0:b"));
  hub.disconnect();
  hub.append(0, hubEvents(["c", "d"]));
  const error = await reading.until(() => false).catch((reason: unknown) => reason);
  assert.instance(error, Unavailable);
  const again = new HubReading(source, reading.positions());
  await again.until(has("0:d"));
  assert.equal([...reading.texts(), ...again.texts()], ["0:a", "0:b", "0:c", "0:d"]);
  await again.stop();
});

test("a detached link, a busy hub, refused credentials and a hub that is not there are outages, told in clear words", async () => {
  const outage = async (prepare: () => void, after: () => void): Promise<string> => {
    prepare();
    const reading = new HubReading(hubSource(hub));
    let told = "";
    void hub.until(() => hub.attachments.length > 0).then(after);
    await reading
      .until(() => false)
      .catch((error: unknown) => {
        assert.instance(error, Unavailable);
        told = (error as Error).message;
      });
    hub.attachments.length = 0;
    return told;
  };
  const nothing = (): void => {};
  assert.match(await outage(nothing, () => setImmediate(() => hub.detach(0))), /detached/);
  assert.match(await outage(() => Object.assign(hub, { busyFor: 1 }), nothing), /it is throttled/);
  assert.match(await outage(() => Object.assign(hub, { refusesTokens: true }), nothing), /its credentials are refused/);
  const { connectionString } = hub;
  await hub.close();
  const gone = new HubReading(hubSource(hub, { access: { connectionString } }));
  await gone.until(() => false).catch((error: unknown) => assert.instance(error, Unavailable));
});

test("whether a hub answers can be asked", async () => {
  const address = { access: { connectionString: hub.connectionString }, hub: hub.hub, consumerGroup: "$Default" };
  assert.is(await hubProblem(address), null);
  hub.refusesTokens = true;
  assert.match((await hubProblem(address)) ?? "", /the event hub telemetry does not answer: its credentials are refused/);
  await hub.close();
  assert.match((await hubProblem(address)) ?? "", /the event hub telemetry does not answer/);
});

test("a connection string that is none is told without its words", async () => {
  const reading = new HubReading(hubSource(hub, { access: { connectionString: "canary" } }));
  const error = await reading.next().catch((reason: unknown) => reason);
  assert.ok(error instanceof Error && !error.message.includes("canary"));
});

test("the signal ends a reading of a hub that does not answer any more", async () => {
  const clock = settableClock();
  const reading = new HubReading(hubSource(hub, { clock }));
  await reading.until(isIdle);
  hub.freeze();
  const stopped = reading.stop();
  await clock.asleep();
  clock.advance(1_000);
  await stopped;
});

// Pressure ------------------------------------------------------------------------------------------------------------------------------

test("who takes no more batches is sent no more than was fetched ahead", async () => {
  const events = hubEvents(Array.from({ length: 20_000 }, (_, n) => `${n}`));
  const stuck = hub;
  stuck.append(0, events);
  const reading = new HubReading(hubSource(stuck));
  await reading.until((texts) => texts.length > 0);
  await start();
  hub.append(0, events);
  const other = new HubReading(hubSource(hub)); // Meanwhile as many events come from another hub.
  await other.until((texts) => texts.length === 20_000);
  assert.ok(stuck.sent(0) <= 7_000, `${stuck.sent(0)}`);
  await other.stop();
  await reading.until((texts) => texts.length === 20_000);
  assert.is(stuck.sent(0), 20_000);
  await reading.stop();
});

test("a partition that trickles does not let the hub send ever more at once", async () => {
  const reading = new HubReading(hubSource(hub));
  for (let n = 0; n < 10; n += 1) {
    hub.append(0, hubEvents([`${n}`]));
    await reading.until(has(`0:${n}`));
  }
  assert.ok(hub.credit(0) <= 3_000, `${hub.credit(0)}`);
  await reading.stop();
});

test("batches keep to their bounds, and what an IoT hub says comes with its record", async () => {
  const annotations = { "iothub-connection-device-id": "IOT-1", "iothub-enqueuedtime": new Date(1_750_000_000_100) };
  hub.append(0, [
    ...hubEvents(["1234", "5678", "90"]),
    { body: Buffer.from("{}"), arrivedAtMs: 1, annotations },
    { body: { a: 1 }, arrivedAtMs: 1 },
  ]);
  const columns = new Map([
    ["iothub-connection-device-id", "device"],
    ["iothub-enqueuedtime", "enqueued"],
  ]);
  const reading = new HubReading(hubSource(hub, { columns, bounds: { records: 3, bytes: 8 } }));
  await reading.until((texts) => texts.length === 5);
  const sizes = reading.batches.map((batch) => batch.records.map(({ bytes }) => bytes.length));
  assert.ok(sizes.every((bytes) => bytes.length <= 3 && bytes.reduce((sum, size) => sum + size, 0) <= 8));
  const records = reading.batches.flatMap((batch) => batch.records);
  assert.equal(records[3]?.beside, { device: "IOT-1", enqueued: 1_750_000_000_100 });
  assert.is(records[4]?.fault?.code, "bad_encoding"); // Corpus 97.
  await reading.stop();
});

/** Fills both partitions, reads them to their ends, and gives the positions. */
async function readAll(first: readonly string[], second: readonly string[]): Promise<ReadonlyMap<string, Position>> {
  hub.append(0, hubEvents(first));
  hub.append(1, hubEvents(second));
  const reading = new HubReading(hubSource(hub));
  await reading.until((texts) => texts.length === first.length + second.length);
  await reading.stop();
  return reading.positions();
}
