import * as assert from "uvu/assert";
import { liveMessages } from "../../simulators/live.ts";
import { simulate } from "../../simulators/simulate.ts";
import { openTarget, TargetUnavailable } from "../../simulators/target.ts";
import { type AmqpHub, amqpHub } from "../kit/amqp_hub.ts";
import { HubReading, hubSource } from "../kit/hub_source.ts";
import { suite } from "../kit/suite.ts";

const test = suite("simulator of an event hub");

const PARTITIONS = 3;
const START_MS = Date.UTC(2025, 5, 16);
const OPTIONS = { profile: "substations", rate: 3, seed: 42, scale: 1 } as const;

let hub: AmqpHub;
test.before.each(async () => {
  hub = await amqpHub({ partitions: PARTITIONS });
  process.env["EVENTHUB_CONNECTION_STRING"] = hub.connectionString;
});
test.after.each(async () => {
  delete process.env["EVENTHUB_CONNECTION_STRING"];
  await hub.close();
});

test("30 seconds at 3 a second are 90 events, which the source reads as they were, each substation's in its order and partition", async () => {
  let nowMs = START_MS;
  const wait = async (ms: number): Promise<void> => {
    nowMs += Math.ceil(ms);
  };
  const signal = new AbortController().signal;
  assert.equal(await simulate({ ...OPTIONS, seconds: 30, to: `eventhub:${hub.hub}`, signal, clock: { nowMs: () => nowMs, wait } }), {
    sent: 90,
  });

  const reading = new HubReading(hubSource(hub));
  await reading.until((texts) => texts.length === 90);
  await reading.stop();
  const seen = reading.texts().map((text) => ({ partition: text.slice(0, 1), json: text.slice(2) }));
  const stream = liveMessages({ ...OPTIONS, startAtMs: START_MS });
  const messages = Array.from({ length: 90 }, () => stream.next().value);
  for (const key of new Set(messages.map((message) => message.key))) {
    const expected = messages.filter((message) => message.key === key).map(({ json }) => json);
    const found = seen.filter(({ json }) => expected.includes(json));
    assert.equal(
      found.map(({ json }) => json),
      expected,
    );
    assert.is(new Set(found.map(({ partition }) => partition)).size, 1, key);
  }
  assert.ok(new Set(seen.map(({ partition }) => partition)).size > 1);
});

test("a hub that refuses the credentials is unavailable", async () => {
  hub.refusesTokens = true;
  const error = await openTarget(`eventhub:${hub.hub}`, "substations").catch((reason: unknown) => reason);
  assert.instance(error, TargetUnavailable);
});
