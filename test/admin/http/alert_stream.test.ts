import type { IncomingMessage } from "node:http";
import * as assert from "uvu/assert";
import { type SettableClock, settableClock } from "../../../engine/clock.ts";
import type { AlertEvent } from "../../../engine/emission.ts";
import { type AdminServer, type AskOptions, adminServer, ask, opened, type ServerChanges } from "../../kit/admin_server.ts";
import { suite } from "../../kit/suite.ts";
import { type TinyEngine, tinyEngine } from "../../kit/tiny_grid.ts";

const test = suite("alert streams over HTTP");

const NDJSON: AskOptions = { headers: { Accept: "application/x-ndjson" } };
let events = 0;

interface Scene {
  readonly engine: TinyEngine;
  readonly server: AdminServer;
  readonly clock: SettableClock;
  /** A reading above the limit, each of a meter of its own unless one is named: one alert event. */
  spike(meter?: string, kwh?: number): Promise<void>;
}

async function inScene(body: (scene: Scene) => Promise<void>, changes: ServerChanges = {}): Promise<void> {
  const engine = tinyEngine();
  const clock = settableClock();
  const server = await adminServer(engine, { clock, ...changes });
  const spike = async (meter = `SM-N-${String(events).padStart(5, "0")}`, kwh = 60): Promise<void> => {
    events += 1;
    await engine.take("smart_meter", [{ event_id: `e${events}`, meter_id: meter, timestamp: "2025-06-15T16:00:00Z", reading_kwh: kwh }]);
    server.tail.ring();
  };
  try {
    await body({ engine, server, clock, spike });
  } finally {
    await server.close();
  }
}

/** Reads pieces that end as the form's do, one after another. */
class Pieces {
  readonly response: IncomingMessage;
  readonly #end: string;
  readonly #pieces: AsyncIterator<string>;
  #text = "";

  constructor(response: IncomingMessage, end: string) {
    this.response = response.setEncoding("utf8");
    this.#end = end;
    this.#pieces = response[Symbol.asyncIterator]();
  }

  async next(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf(this.#end);
      if (end >= 0) {
        const piece = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + this.#end.length);
        return piece;
      }
      const { value, done } = await this.#pieces.next();
      if (done === true) return "END";
      this.#text += value;
    }
  }

  async take(count: number): Promise<readonly string[]> {
    const pieces: string[] = [];
    for (let n = 0; n < count; n += 1) pieces.push(await this.next());
    return pieces;
  }
}

async function lines(server: AdminServer, path: string, options = NDJSON): Promise<Pieces> {
  return new Pieces((await opened(server, path, options)).response, "\n");
}

async function frames(server: AdminServer, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Pieces> {
  return new Pieces((await opened(server, path, { headers })).response, "\n\n");
}

const sequenceOf = (line: string): number => Number((JSON.parse(line) as AlertEvent).sequence);

test("a stream begins at the end of the log, and tells what comes as server-sent events", () =>
  inScene(async ({ server, spike }) => {
    await spike();
    const stream = await frames(server, "/v1/alerts/stream");
    assert.match(String(stream.response.headers["content-type"]), /^text\/event-stream/);
    assert.is(server.subscribers(), 1);
    await spike("SM-N-70000");
    const [id, event, data] = (await stream.next()).split("\n");
    assert.is(event, "event: alert");
    const { sequence, subject } = JSON.parse(String(data?.replace("data: ", ""))) as AlertEvent;
    assert.equal([id, subject], [`id: ${Number(sequence)}`, "meter/SM-N-70000"]);
  }));

test("who comes back with the last id gets what follows it, whatever else is asked for", () =>
  inScene(async ({ server, spike }) => {
    for (let n = 0; n < 5; n += 1) await spike();
    const all = (await (await lines(server, "/v1/alerts/stream?from=1")).take(5)).map(sequenceOf);
    const [, second, third] = all;
    const stream = await frames(server, `/v1/alerts/stream?from=1&snapshot=open`, { "Last-Event-ID": String(second) });
    assert.match(await stream.next(), new RegExp(`^id: ${third}\n`));
    assert.equal((await (await lines(server, `/v1/alerts/stream?after=${second}`)).take(3)).map(sequenceOf), all.slice(2));
  }));

test("a hundred reconnections see each event once, in rising order", () =>
  inScene(async ({ server, spike }) => {
    const seen: number[] = [];
    for (let n = 0; n < 100; n += 1) {
      await spike();
      if (n % 3 === 0) await spike();
      const { sent, response } = await opened(server, `/v1/alerts/stream?after=${seen.at(-1) ?? 0}`, NDJSON);
      seen.push(sequenceOf(await new Pieces(response, "\n").next()));
      sent.destroy();
    }
    const all = (await ask(server, "/v1/alerts?from=1")).text.trimEnd().split("\n").map(sequenceOf);
    assert.is(all.length, 134);
    assert.equal(seen, all.slice(0, 100));
  }));

test("a snapshot has the alerts that are open, then what comes, and nothing twice", () =>
  inScene(async ({ server, engine, spike }) => {
    const at = (n: number, timestamp: string, kwh: number) => ({ event_id: `s${n}`, meter_id: "SM-N-00001", timestamp, reading_kwh: kwh });
    await engine.take("smart_meter", [at(1, "2025-06-15T10:00:00Z", 60), at(2, "2025-06-15T13:00:00Z", 1)]); // Raised, and cleared.
    await spike("SM-N-00002");
    await spike("SM-N-00003");
    const stream = await lines(server, "/v1/alerts/stream?snapshot=open");
    const subjects = async (count: number) => (await stream.take(count)).map((line) => (JSON.parse(line) as AlertEvent).subject);
    assert.equal(await subjects(2), ["meter/SM-N-00002", "meter/SM-N-00003"]);
    await spike("SM-N-00004");
    assert.equal(await subjects(1), ["meter/SM-N-00004"]);
  }));

test("filters are applied where the log is", () =>
  inScene(async ({ server, spike }) => {
    await spike("SM-N-00005", 60);
    await spike("SM-N-00006", 110);
    await spike("SM-N-00007", 0.02);
    for (const [query, subject] of [
      ["severity=critical", "meter/SM-N-00006"],
      ["rule=*.near_*", "meter/SM-N-00007"],
      ["under=SM-N-00007", "meter/SM-N-00007"],
      ["kind=meter&status=open&origin=live&severity=info", "meter/SM-N-00007"],
    ]) {
      const line = await (await lines(server, `/v1/alerts/stream?from=1&${query}`)).next();
      assert.is((JSON.parse(line) as AlertEvent).subject, subject, query);
    }
    assert.is((await ask(server, "/v1/alerts/stream?severity=worst")).status, 400);
    assert.is((await ask(server, "/v1/alerts/stream?under=SM-N-99999")).status, 404);
    assert.is((await ask(server, "/v1/alerts/stream?form=1")).status, 400);
  }));

test("a place that is no longer kept, or belongs to another log, is a gap; the list then says 410", () =>
  inScene(
    async ({ server, spike }) => {
      for (let n = 0; n < 4; n += 1) await spike();
      const stream = await lines(server, "/v1/alerts/stream?from=2");
      assert.equal(JSON.parse(await stream.next()), { gap: { requested: 2, firstAvailable: 5 } });
      assert.ok(sequenceOf(await stream.next()) >= 5);
      const beyond = await frames(server, "/v1/alerts/stream", { "Last-Event-ID": "90210" });
      assert.is(await beyond.next(), 'event: gap\ndata: {"requested":90211,"firstAvailable":5}');
      assert.is((await ask(server, "/v1/alerts?from=2")).status, 410);
    },
    { firstSequence: 5 },
  ));

test("a heartbeat says how far the log was examined, so that a reader who is told nothing moves on, too", () =>
  inScene(async ({ server, spike, clock }) => {
    const stream = await lines(server, "/v1/alerts/stream?severity=critical");
    await clock.asleep();
    await spike();
    await clock.asleep();
    clock.advance(15_000);
    const { heartbeat } = JSON.parse(await stream.next()) as { heartbeat: number };
    assert.is(heartbeat, server.tail.nextSequence - 1);
    const events = await frames(server, `/v1/alerts/stream?severity=critical&after=${heartbeat}`);
    await clock.asleep();
    clock.advance(15_000);
    assert.is(await events.next(), `id: ${heartbeat}\nevent: heartbeat\ndata: {}`);
  }));

test("a reader that takes nothing for ten seconds is cut, and others miss nothing", () =>
  inScene(async ({ server, engine, clock }) => {
    const many = Array.from({ length: 4_000 }, (_, n) => ({
      event_id: `m${n}`,
      meter_id: `SM-N-${n}`,
      timestamp: "2025-06-15T16:00:00Z",
      reading_kwh: 60,
    }));
    const { response: stalled } = await opened(server, "/v1/alerts/stream?from=1", NDJSON); // Never read.
    const cut = new Promise<void>((resolve) => stalled.once("error", () => resolve()));
    for (let n = 0; n < 5; n += 1) {
      await engine.take(
        "smart_meter",
        many.map((record) => ({ ...record, event_id: `${n}${record.event_id}`, meter_id: `${record.meter_id}-${n}` })),
      );
      server.tail.ring();
    }
    const reader = await lines(server, "/v1/alerts/stream?from=1");
    assert.is(new Set((await reader.take(20_000)).map(sequenceOf)).size, 20_000);
    await clock.asleep();
    clock.advance(10_000);
    stalled.resume(); // What was on its way; then the end that is no end.
    await cut;
    reader.response.destroy();
  }));

test("a list is what there is, at most the limit, and says where to go on; it may wait for the first event", () =>
  inScene(async ({ server, spike, clock }) => {
    for (let n = 0; n < 3; n += 1) await spike();
    const first = await ask(server, "/v1/alerts?from=1&limit=2");
    assert.match(String(first.headers["content-type"]), /^application\/x-ndjson/);
    const sequences = first.text.trimEnd().split("\n").map(sequenceOf);
    assert.equal([sequences.length, first.headers["x-next-from"]], [2, String((sequences[1] as number) + 1)]);
    const rest = await ask(server, `/v1/alerts?from=${first.headers["x-next-from"]}`);
    assert.equal([rest.text.trimEnd().split("\n").length, rest.headers["x-next-from"]], [1, String(server.tail.nextSequence)]);
    const waiting = ask(server, `/v1/alerts?from=${rest.headers["x-next-from"]}&wait=30s`);
    await clock.asleep();
    await spike("SM-N-00099");
    assert.is((JSON.parse((await waiting).text) as AlertEvent).subject, "meter/SM-N-00099");
    const inVain = ask(server, `/v1/alerts?from=${server.tail.nextSequence}&wait=30s`);
    await clock.asleep();
    clock.advance(30_000);
    assert.equal([(await inVain).text, (await inVain).headers["x-next-from"]], ["", String(server.tail.nextSequence)]);
    assert.is((await ask(server, "/v1/alerts?wait=2m")).status, 400);
  }));

test("a list whose page cannot be read leaves no listener behind", () =>
  inScene(async ({ server }) => {
    const { tail } = server;
    let listeners = 0;
    tail.onGrown = () => {
      listeners += 1;
      return () => {
        listeners -= 1;
      };
    };
    tail.page = () => Promise.reject(new Error("a piece of the log is gone"));
    assert.is((await ask(server, "/v1/alerts?from=1")).status, 500);
    assert.equal([listeners, server.errors], [0, ["a piece of the log is gone"]]);
  }));

test("closing the API ends the streams", () =>
  inScene(async ({ server }) => {
    const { response } = await opened(server, "/v1/alerts/stream");
    const ended = new Promise((resolve) => response.once("error", resolve).once("end", resolve).resume());
    await server.close();
    await ended;
    assert.is(server.subscribers(), 0);
  }));
