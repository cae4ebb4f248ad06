import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as assert from "uvu/assert";
import { settableClock, wallClock } from "../../engine/clock.ts";
import { drain } from "../../engine/drain.ts";
import { hours, minutes, seconds } from "../../engine/duration.ts";
import { BrokenInvariant, Unavailable } from "../../engine/fault.ts";
import { type DeadLetter, deadLetter, deadLetterRow } from "../../sinks/dead_letter.ts";
import { addressProblem } from "../../sinks/webhook/address.ts";
import { type WebhookOptions, webhook } from "../../sinks/webhook.ts";
import { sinkContract } from "../contract/sink.ts";
import { alertEmission, rowEmission } from "../kit/emissions.ts";
import { scriptedLog } from "../kit/scripted_log.ts";
import { suite } from "../kit/suite.ts";

interface Call {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What the endpoint does with a call: a status, with headers or without, or anything else. */
type Reply =
  | number
  | { readonly status: number; readonly headers: Readonly<Record<string, string>> }
  | ((response: ServerResponse) => void);

/** An endpoint on this machine. Its replies are used one after the other; then it takes everything. */
async function endpoint(...replies: readonly Reply[]) {
  const left = [...replies];
  const calls: Call[] = [];
  const server: Server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    calls.push({ headers: request.headers, body });
    const reply = left.shift() ?? 204;
    if (typeof reply === "function") return reply(response);
    const { status, headers } = typeof reply === "number" ? { status: reply, headers: {} } : reply;
    response.writeHead(status, headers).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/grid`,
    port,
    calls,
    ids: () => calls.map(({ headers }) => headers["webhook-id"]),
    close: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(closed));
    },
  };
}

async function withEndpoint(
  replies: readonly Reply[],
  body: (place: Awaited<ReturnType<typeof endpoint>>) => Promise<void>,
): Promise<void> {
  const place = await endpoint(...replies);
  try {
    await body(place);
  } finally {
    await place.close();
  }
}

const letters: DeadLetter[] = [];
const hook = (url: string, changes: Partial<WebhookOptions> = {}) =>
  webhook({
    name: "oncall",
    url,
    secrets: ["a secret"],
    severities: ["major", "critical"],
    origins: ["live", "late"],
    allowHosts: ["127.0.0.1"],
    clock: settableClock(1_750_000_000_999),
    nextSequence: () => 1_000,
    onDeadLetter: async (letter) => void letters.push(letter),
    ...changes,
  });
const idOf = (sequence: number): string => alertEmission(sequence).event.id;

sinkContract("webhook, to a receiver that honours ids", async () => {
  const place = await endpoint();
  return {
    name: "oncall",
    stream: "alerts",
    emission: alertEmission,
    open: async (_, passing) => hook(place.url, { passing }),
    seen: async () => [...new Set(place.ids())].map((id) => Number(id?.toString().split("/")[1])),
    remove: async () => void (await place.close()),
  };
});

const test = suite("webhook");

test("the whole event is posted, signed with every secret as Standard Webhooks says", () =>
  withEndpoint([], async ({ url, calls }) => {
    const encoded = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    await hook(url, { secrets: [encoded, "another"] }).write([alertEmission(7)]);
    const [call] = calls;
    assert.equal(JSON.parse(call?.body ?? ""), alertEmission(7).event);
    assert.is(call?.headers["content-type"], "application/cloudevents+json");
    assert.is(call?.headers["webhook-id"], idOf(7));
    assert.is(call?.headers["webhook-timestamp"], "1750000000");
    const signed = `${idOf(7)}.1750000000.${call?.body}`;
    const keys = [Buffer.from("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "base64"), Buffer.from("another")];
    const expected = keys.map((key) => `v1,${createHmac("sha256", key).update(signed).digest("base64")}`).join(" ");
    assert.is(call?.headers["webhook-signature"], expected);
  }));

test("severities and origins that are not asked for are passed over", () =>
  withEndpoint([], async ({ url, ids }) => {
    const emissions = [
      alertEmission(1, { severity: "info" }),
      alertEmission(2, { origin: "backfill" }),
      alertEmission(3, { severity: "critical", origin: "late" }),
      alertEmission(4, { origin: "replay" }),
    ];
    await hook(url).write(emissions);
    assert.equal(ids(), [idOf(3)]);
  }));

test("after a failure the same extent goes on with the event that failed", () =>
  withEndpoint([204, 503], async ({ url, ids }) => {
    const sink = hook(url);
    const extent = [alertEmission(1), alertEmission(2), alertEmission(3)];
    assert.instance(await sink.write(extent).catch(thrown), Unavailable);
    await sink.write(extent);
    assert.equal(ids(), [idOf(1), idOf(2), idOf(2), idOf(3)]);
  }));

test("the pause that the endpoint asks for is kept, an hour at most; after five failures a probe goes every 30 s", () =>
  withEndpoint(
    [{ status: 429, headers: { "retry-after": "90" } }, { status: 503, headers: { "retry-after": "90000" } }, 500, 302, 408, 425, 200, 500],
    async ({ url }) => {
      const sink = hook(url);
      const waits: number[] = [];
      for (let n = 0; n < 6; n += 1) waits.push(((await sink.write([alertEmission(1)]).catch(thrown)) as Unavailable).waitMs);
      await sink.write([alertEmission(1)]);
      waits.push(((await sink.write([alertEmission(2)]).catch(thrown)) as Unavailable).waitMs);
      assert.equal(waits, [seconds(90), hours(1), 0, 0, seconds(30), seconds(30), 0]);
    },
  ));

test("an event that is refused becomes a dead letter, and the next one goes", () =>
  withEndpoint([400, 200], async ({ url, ids }) => {
    letters.length = 0;
    await hook(url).write([alertEmission(1), alertEmission(2)]);
    assert.equal(ids(), [idOf(1), idOf(2)]);
    assert.equal(
      letters.map(({ sequence, reason, sink }) => [sequence, reason, sink]),
      [[1, "it answers 400", "oncall"]],
    );
  }));

test("a dead letter is a row of the quarantine, the same one when it comes again", async () => {
  const { event, json } = alertEmission(5);
  const letter = deadLetter(alertEmission(5), { sink: "oncall", json, reason: "it answers 400", atMs: 1 });
  const row = deadLetterRow(letter);
  assert.equal(
    [row.reason, row.source, row.position, row.actor, row.error],
    ["dead_letter", "oncall", "log:5", event.subject, letter.reason],
  );
  assert.equal(JSON.parse(Buffer.from(row.bytes).toString()), event);
  assert.is(deadLetterRow({ ...letter, atMs: 2 }).id, row.id);
});

/** A receiver as Standard Webhooks has it: what is signed for a time more than five minutes from its own is refused. Its own clock is right. */
function strict(rightMs: number, isTaken: (id: string) => void) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const [id, at, signature] = ["id", "timestamp", "signature"].map((name) => String(request.headers[`webhook-${name}`]));
    const expected = `v1,${createHmac("sha256", "a secret").update(`${id}.${at}.${body}`).digest("base64")}`;
    const isFair = signature === expected && Math.abs(Number(at) * 1_000 - rightMs) <= minutes(5);
    if (isFair) isTaken(String(id));
    response.writeHead(isFair ? 204 : 400).end();
  };
}

test("what a receiver refuses because our clock is wrong is kept, and taken when it is sent again by a clock that is right", async () => {
  letters.length = 0;
  const rightMs = 1_750_000_000_000;
  const taken: string[] = [];
  const server = createServer(strict(rightMs, (id) => void taken.push(id))).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const offsetsMs = [0, -hours(1), hours(24), minutes(4)];
    let offsetMs = 0;
    const clock = { ...settableClock(), now: () => rightMs + offsetMs };
    const sink = hook(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { clock });
    for (const [n, wrongByMs] of offsetsMs.entries()) {
      offsetMs = wrongByMs;
      await sink.write([alertEmission(n + 1)]); // It goes on: one that is refused holds nothing up.
    }
    assert.equal(taken, [1, 4].map(idOf));
    assert.equal(
      letters.map(({ sequence }) => sequence),
      [2, 3],
    );
    offsetMs = 0;
    for (const letter of letters) await sink.resend?.({ sequence: letter.sequence, bytes: deadLetterRow(letter).bytes });
    assert.equal(taken, [1, 4, 2, 3].map(idOf));
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("a clock that goes back while an endpoint is away gives nothing up, and each attempt is signed with the time of its own", () =>
  withEndpoint([500, 500, 500], async ({ url, calls }) => {
    letters.length = 0;
    let nowMs = 1_750_000_000_000;
    const sink = hook(url, { clock: { ...settableClock(), now: () => nowMs } });
    for (const backMs of [0, hours(1), hours(24 * 30)]) {
      nowMs -= backMs;
      assert.instance(await sink.write([alertEmission(1)]).catch(thrown), Unavailable);
    }
    await sink.write([alertEmission(1)]);
    assert.equal(letters, []);
    assert.equal(
      calls.map(({ headers }) => Number(headers["webhook-timestamp"])),
      [1_750_000_000, 1_749_996_400, 1_747_404_400, 1_747_404_400],
    );
  }));

test("what has waited for a day at a dead endpoint becomes dead letters, all of it at once; what came later does not yet", () =>
  withEndpoint([500, 500, 500, 500, 200], async ({ url, ids }) => {
    letters.length = 0;
    const clock = settableClock();
    let next = 3;
    const sink = hook(url, { clock, nextSequence: () => next });
    const extent = [alertEmission(1), alertEmission(2), alertEmission(3)];
    assert.instance(await sink.write(extent).catch(thrown), Unavailable);
    next = 4; // The third came an hour later.
    clock.advance(hours(1));
    assert.instance(await sink.write(extent).catch(thrown), Unavailable);
    clock.advance(hours(23) - 1);
    assert.instance(await sink.write(extent).catch(thrown), Unavailable);
    assert.is(letters.length, 0);
    clock.advance(1);
    assert.instance(await sink.write(extent).catch(thrown), Unavailable);
    assert.equal(
      letters.map(({ sequence }) => sequence),
      [1, 2],
    );
    await sink.write(extent);
    assert.equal(
      ids(),
      [1, 1, 1, 3, 3].map((n) => idOf(n)),
    );
    assert.is(letters.length, 2);
  }));

test("an endpoint that is gone is called no more until the next start, and what waits for it a day becomes dead letters", () =>
  withEndpoint([410], async ({ url, ids }) => {
    letters.length = 0;
    const clock = settableClock();
    const sink = hook(url, { clock, nextSequence: () => 2 });
    const extent = [alertEmission(1), alertEmission(2)];
    assert.is(((await sink.write(extent).catch(thrown)) as Unavailable).waitMs, minutes(15));
    assert.instance(await sink.write(extent).catch(thrown), Unavailable);
    assert.equal([ids(), letters.length], [[idOf(1)], 0]);
    clock.advance(hours(24));
    assert.instance(await sink.write(extent).catch(thrown), Unavailable);
    assert.equal([ids(), letters.map(({ sequence }) => sequence)], [[idOf(1)], [1]]);
    await hook(url).write(extent);
    assert.is(ids().length, 3);
  }));

test("what is surrendered is put aside without a call, but for what was delivered and what is not asked for", () =>
  withEndpoint([204, 503], async ({ url, ids }) => {
    letters.length = 0;
    const sink = hook(url);
    const extent = [alertEmission(1), alertEmission(2), alertEmission(3, { severity: "info" }), alertEmission(4)];
    assert.instance(await sink.write(extent).catch(thrown), Unavailable);
    await sink.surrender?.(extent);
    assert.equal(ids(), [idOf(1), idOf(2)]);
    assert.equal(
      letters.map(({ sequence }) => sequence),
      [2, 4],
    );
  }));

test("a dead letter is sent again as it was, out of order; if it is refused once more that is said", () =>
  withEndpoint([204, 400], async ({ url, calls, ids }) => {
    const { json, event } = alertEmission(5);
    const sink = hook(url);
    await sink.resend?.({ sequence: 5, bytes: json });
    assert.equal([ids(), JSON.parse(calls[0]?.body ?? "")], [[idOf(5)], event]);
    const refused = await sink.resend?.({ sequence: 5, bytes: json }).catch(thrown);
    assert.match(String(refused), "400");
  }));

test("a redirect is not followed", () =>
  withEndpoint([], (other) =>
    withEndpoint([{ status: 307, headers: { location: other.url } }], async ({ url }) => {
      assert.instance(
        await hook(url)
          .write([alertEmission(1)])
          .catch(thrown),
        Unavailable,
      );
      assert.equal(other.calls, []);
    }),
  ));

test("an endpoint that hangs, before or within its answer, is given up after 10 s", () =>
  withEndpoint([() => {}, (response) => void response.writeHead(200).write("a")], async ({ url, calls }) => {
    for (const heard of [1, 2]) {
      const clock = settableClock();
      const written = hook(url, { clock })
        .write([alertEmission(1)])
        .catch(thrown);
      while (calls.length < heard) await new Promise((resolve) => setImmediate(resolve));
      clock.advance(seconds(10) - 1);
      clock.advance(1);
      assert.instance(await written, Unavailable);
    }
  }));

test("an endpoint that answers with another protocol is an outage", () => {
  const upgrade = (response: ServerResponse): void => {
    response.socket?.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n");
  };
  return withEndpoint([upgrade], async ({ url }) => {
    assert.instance(
      await hook(url)
        .write([alertEmission(1)])
        .catch(thrown),
      Unavailable,
    );
  });
});

test("an answer of more than 64 KiB is cut off", () =>
  withEndpoint([(response) => void response.writeHead(200).end("x".repeat(70_000))], async ({ url }) => {
    assert.instance(
      await hook(url)
        .write([alertEmission(1)])
        .catch(thrown),
      Unavailable,
    );
  }));

test("private addresses are called for listed hosts only, addresses that tell secrets for none", () => {
  for (const address of [
    "127.0.0.1",
    "10.1.2.3",
    "192.168.0.1",
    "172.16.5.5",
    "100.64.0.1",
    "::1",
    "[::1]",
    "fe80::1%eth0",
    "fd00::1",
    "::ffff:10.0.0.1",
    "::ffff:a00:1",
    "0.0.0.0",
  ]) {
    assert.ok(addressProblem(address, false) !== null, address);
    assert.is(addressProblem(address, true), null, address);
  }
  for (const address of ["169.254.169.254", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "fd00:ec2::254", "168.63.129.16"]) {
    assert.ok(addressProblem(address, true) !== null, address);
  }
  for (const address of ["64:ff9b::10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::8.8.8.8", "2002:a00:1::1", "::10.0.0.1"]) {
    assert.ok(addressProblem(address, false) !== null, address);
  }
  for (const address of ["64:ff9b::a9fe:a9fe", "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::1", "::a9fe:a9fe"]) {
    assert.ok(addressProblem(address, true) !== null, address);
  }
  for (const address of ["8.8.8.8", "2606:4700::1111", "64:ff9b::8.8.8.8"]) assert.is(addressProblem(address, false), null, address);
});

test("a name that leads to a private address is not called, nor one with an address of each kind", () =>
  withEndpoint([], async ({ port, calls }) => {
    const lookup: NonNullable<WebhookOptions["lookup"]> = (_, __, callback) =>
      callback(null, [
        { address: "127.0.0.1", family: 4 },
        { address: "8.8.8.8", family: 4 },
      ]);
    const url = `http://hooks.example.org:${port}/`;
    const refused = await hook(url, { allowHosts: [], lookup })
      .write([alertEmission(1)])
      .catch(thrown);
    assert.instance(refused, Unavailable);
    assert.equal(calls, []);
    await hook(url, { allowHosts: ["hooks.example.org"], lookup }).write([alertEmission(1)]);
    assert.is(calls.length, 1);
  }));

test("neither the URL nor a secret is in what an outage says", async () => {
  const error = await hook("http://127.0.0.1:1/token-in-path")
    .write([alertEmission(1)])
    .catch(thrown);
  assert.not.match(String(error), /token-in-path|a secret/);
});

test("a curated row is a mistake", async () => {
  assert.instance(
    await hook("http://127.0.0.1:1/")
      .write([rowEmission(1)])
      .catch(thrown),
    BrokenInvariant,
  );
});

test("a dead endpoint holds up itself alone: another drain of the same log ends", () =>
  withEndpoint([], async ({ url, ids }) => {
    const log = scriptedLog();
    log.append(alertEmission(1), alertEmission(2));
    const stop = new AbortController();
    const common = { store: log, stream: "alerts", decode: log.decode, clock: wallClock, random: () => 0.5 } as const;
    const pauses: number[] = [];
    const onRetry = (_: string, __: Error, pauseMs: number): void => void pauses.push(pauseMs);
    const dead = drain({ ...common, onRetry, sink: hook("http://127.0.0.1:1/", { name: "dead" }) });
    const living = drain({ ...common, sink: hook(url) });
    const ended = [dead.run(stop.signal), living.run(stop.signal)];
    assert.ok(await living.flush(10_000));
    assert.equal(ids(), [idOf(1), idOf(2)]);
    stop.abort();
    await Promise.all(ended);
    assert.is(log.cursor("dead").settled, 0);
    assert.is(pauses[0], 500, "half of a webhook's first pause");
  }));

function thrown(error: unknown): unknown {
  return error;
}
