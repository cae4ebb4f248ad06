import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { liveMessages } from "../../simulators/live.ts";
import { type Pacer, simulate } from "../../simulators/simulate.ts";
import { openTarget, TargetInvalid, TargetUnavailable } from "../../simulators/target.ts";
import { suite } from "../kit/suite.ts";

const test = suite("simulate");

const START_MS = Date.UTC(2025, 5, 16);
let folder = "";
test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), "simulate-"));
});
test.after.each(() => rm(folder, { recursive: true, force: true }));

/** Time passes only while somebody waits. */
function settable(onWait: (nowMs: number) => void = () => {}): Pacer & { readonly waits: number[] } {
  let nowMs = START_MS;
  const waits: number[] = [];
  const wait = async (ms: number): Promise<void> => {
    waits.push(ms);
    nowMs += Math.ceil(ms);
    onWait(nowMs);
  };
  return { nowMs: () => nowMs, wait, waits };
}

const common = { profile: "meters", rate: 3, seed: 42, scale: 1 } as const;
const never = new AbortController().signal;
const expected = (count: number): readonly string[] => {
  const stream = liveMessages({ ...common, startAtMs: START_MS });
  return Array.from({ length: count }, () => stream.next().value.json);
};
const linesOf = async (path: string): Promise<readonly string[]> => (await readFile(path, "utf8")).trimEnd().split("\n");

test("30 seconds at 3 a second are 90 messages, each sent when it is due, and a second run appends", async () => {
  const clock = settable();
  const to = `file:${join(folder, "new", "stream.json")}`;
  assert.equal(await simulate({ ...common, seconds: 30, to, signal: never, clock }), { sent: 90 });
  assert.equal(await linesOf(join(folder, "new", "stream.json")), expected(90));
  assert.is(clock.waits.length, 89); // All but the first, which is due at once.
  assert.ok(clock.waits.every((ms) => ms > 300 && ms < 340));
  await simulate({ ...common, seconds: 1, to, signal: never, clock });
  assert.is((await linesOf(join(folder, "new", "stream.json"))).length, 93);
});

test("without end it goes on until the signal, and sends what was due before it", async () => {
  const stop = new AbortController();
  const clock = settable((nowMs) => {
    if (nowMs >= START_MS + 100_000) stop.abort();
  });
  const path = join(folder, "stream.json");
  assert.equal(await simulate({ ...common, seconds: 0, to: `file:${path}`, signal: stop.signal, clock }), { sent: 300 });
  assert.equal(await linesOf(path), expected(300));
});

test("a clock that has run ahead gets all that is overdue at once, in order", async () => {
  const path = join(folder, "stream.json");
  let reads = 0;
  const clock: Pacer = {
    nowMs: () => (reads++ === 0 ? START_MS : START_MS + 3_600_000),
    wait: () => Promise.reject(new Error("nothing to wait for")),
  };
  assert.equal(await simulate({ ...common, seconds: 600, to: `file:${path}`, signal: never, clock }), { sent: 1_800 });
  assert.equal(await linesOf(path), expected(1_800));
});

test("a folder gets whole files of ten seconds, under names its landing zone knows, in order", async () => {
  assert.equal(await simulate({ ...common, seconds: 25, to: `file:${folder}/`, signal: never, clock: settable() }), { sent: 75 });
  const names = (await readdir(folder)).sort();
  assert.equal(names, [
    "smart_meter_stream_20250616T000000Z_0000000000.json",
    "smart_meter_stream_20250616T000010Z_0000000030.json",
    "smart_meter_stream_20250616T000020Z_0000000060.json",
  ]);
  const lines = (await Promise.all(names.map((name) => linesOf(join(folder, name))))).flat();
  assert.equal(lines, expected(75));
});

test("a folder shows a file only once it is complete", async () => {
  const stream = liveMessages({ ...common, startAtMs: START_MS });
  const target = await openTarget(`file:${folder}/`, "meters");
  const seen: number[] = [];
  for (let n = 0; n < 31; n += 1) {
    await target.send([stream.next().value]);
    seen.push((await readdir(folder)).length);
  }
  await target.close();
  assert.equal(seen, [...Array.from({ length: 30 }, () => 0), 1]);
  assert.is((await readdir(folder)).length, 2);
});

test("an address nobody understands, and a hub without its secret, are invalid", async () => {
  delete process.env["EVENTHUB_CONNECTION_STRING"];
  for (const address of ["", "stderr", "file:", "kafka://127.0.0.1:9092", "kafka://127.0.0.1:9092/a/b", "eventhub:", "eventhub:hub"]) {
    assert.instance(await failureOf(openTarget(address, "meters")), TargetInvalid);
  }
});

test("a broker that cannot be reached is unavailable", async () => {
  const port = await closedPort();
  const to = `kafka://127.0.0.1:${port}/topic`;
  assert.instance(await failureOf(simulate({ ...common, seconds: 1, to, signal: never })), TargetUnavailable);
});

/** What a promise was rejected with; null if it was not. */
function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  );
}

/** A port of this machine that nobody listens on. */
function closedPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (address !== null && typeof address === "object" ? resolve(address.port) : reject(new Error("no port"))));
    });
  });
}
