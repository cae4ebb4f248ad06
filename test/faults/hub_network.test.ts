// timeout: 300 s
import * as assert from "uvu/assert";
import { wallClock } from "../../engine/clock.ts";
import type { Source } from "../../engine/source.ts";
import { type AmqpHub, amqpHub } from "../kit/amqp_hub.ts";
import { hubEvents, hubSource } from "../kit/hub_source.ts";
import { SourceFollower } from "../kit/source_follower.ts";
import { measured, suite } from "../kit/suite.ts";
import { type TcpProxy, tcpProxy } from "../kit/tcp_proxy.ts";

const test = suite("a bad network between an event hub and us");

const ROUNDS = Number(process.env["NETWORK_ROUNDS"] ?? 1);
const PARTITIONS = 2;
const PART = 300;
const SLOW_BYTES_A_SECOND = 20_000;

const open: { close(): Promise<void> }[] = [];
test.after(async () => {
  for (const one of open) await one.close();
});

interface Strike {
  readonly network: TcpProxy;
}

type Fault = (given: Strike) => Promise<void>;

const FAULTS: Readonly<Record<string, Fault>> = {
  cut: async ({ network }) => network.end("cut"),
  reset: async ({ network }) => network.end("reset"),
  slow: ({ network }) => during(network, SLOW_BYTES_A_SECOND, 2_000),
  stall: ({ network }) => during(network, "stall", 3_000),
  ...(process.env["NETWORK_ROUNDS"] === undefined ? {} : { "a connection that is forgotten": async ({ network }) => network.forget() }),
  "answers that do not come, and then a cut": async ({ network }) => {
    await during(network, "stall answers", 1_000);
    network.end("cut");
  },
};

async function during(network: TcpProxy, weather: "stall" | "stall answers" | number, forMs: number): Promise<void> {
  network.weather = weather;
  await wallClock.sleep(forMs, new AbortController().signal); // The fault itself: it lasts so long.
  network.weather = "pass";
}

for (const [fault, strike] of Object.entries(FAULTS)) {
  test(`each event of the hub comes once and in order: ${fault}`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) assert.equal(await readThrough(strike, (source) => source), []);
  });
}

test("control: a reader that does not keep its place has events twice after a cut", async () => {
  const forgetful = (source: Source): Source => ({ id: source.id, read: (_after, signal) => source.read(new Map(), signal) });
  const [first = ""] = await readThrough(async ({ network }) => network.end("cut"), forgetful);
  assert.match(first, /more than was sent/);
});

/** Reads a hub through the network, strikes in the middle of it, and says what came that should not have. */
async function readThrough(strike: (given: Strike) => Promise<void>, change: (source: Source) => Source): Promise<readonly string[]> {
  const hub = await amqpHub({ partitions: PARTITIONS });
  const network = await tcpProxy();
  open.push(network, hub);
  network.leadTo(Number(/:(\d+);/.exec(hub.connectionString)?.[1]));
  const connectionString = hub.connectionString.replace(/:\d+;/, `:${network.port};`);
  const follower = new SourceFollower(change(hubSource(hub, { access: { connectionString }, idleMs: 60_000 })), new Map(), true);
  append(hub, 0);
  await follower.until(() => follower.count >= PARTITIONS * PART);
  const struck = strike({ network });
  append(hub, 1);
  await struck;
  const healedAtMs = performance.now();
  await follower.until(() => follower.count >= 2 * PARTITIONS * PART);
  measured(`hub: all read ${Math.round(performance.now() - healedAtMs)} ms after the network was good again`);
  append(hub, 2);
  await follower.until(() => unexpected(follower).length > 0 || follower.count === 3 * PARTITIONS * PART);
  await follower.stop();
  return unexpected(follower);
}

function append(hub: AmqpHub, part: number): void {
  for (let partition = 0; partition < PARTITIONS; partition += 1) hub.append(partition, hubEvents(textsOf(partition, part)));
}

function textsOf(partition: number, part: number): readonly string[] {
  return Array.from({ length: PART }, (_, n) => `{"partition":${partition},"n":${part * PART + n}}`);
}

function unexpected(follower: SourceFollower): readonly string[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => {
    const came = follower.order[String(partition)] ?? [];
    const sent = [0, 1, 2].flatMap((part) => textsOf(partition, part));
    if (came.length > sent.length) return `partition ${partition} has ${came.length - sent.length} more than was sent`;
    const at = came.findIndex((text, n) => text !== sent[n]);
    return at < 0 ? "" : `partition ${partition} has ${came[at]} more than was sent before ${sent[at]}`;
  }).filter((text) => text !== "");
}
