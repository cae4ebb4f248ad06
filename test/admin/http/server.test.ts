import { statSync } from "node:fs";
import * as assert from "uvu/assert";
import { CommandError } from "../../../admin/errors.ts";
import { type AdminServer, type AskOptions, adminServer, ask, TOKEN } from "../../kit/admin_server.ts";
import { suite } from "../../kit/suite.ts";
import { tinyEngine } from "../../kit/tiny_grid.ts";

const test = suite("HTTP API");

const READING = { event_id: "e1", meter_id: "SM-N-00042", timestamp: "2025-06-15T16:00:00Z", reading_kwh: 60 };

let open: AdminServer;
let locked: AdminServer;
test.before(async () => {
  const engine = tinyEngine();
  await engine.take("smart_meter", [READING, { ...READING, event_id: "e2", meter_id: "SM-N-00043", reading_kwh: 5 }, "{"]);
  open = await adminServer(engine);
  locked = await adminServer(engine, { http: { reads: "token", hosts: ["grid.example.org"] } });
});
test.after(async () => {
  await open.close();
  await locked.close();
});

const get = (path: string, options?: AskOptions) => ask(open, path, options);
const json = async (path: string): Promise<unknown> => JSON.parse((await get(path)).text);
const code = (text: string): unknown => (JSON.parse(text) as { error: { code: string } }).error.code;

test("an actor is asked by its key, by its id in one segment or in two, in any case", async () => {
  for (const id of ["SM-N-00042", "sm-n-00042", "meter%2FSM-N-00042", "meter/SM-N-00042"]) {
    const { id: key, kind } = (await json(`/v1/actors/${id}`)) as { id: string; kind: string };
    assert.equal([key, kind], ["SM-N-00042", "meter"], id);
    assert.equal(await json(`/v1/actors/${id}/history`), [], id);
  }
});

test("each question has its route", async () => {
  assert.is(((await json("/v1/count")) as { meter: number }).meter, 2);
  assert.equal(
    ((await json("/v1/actors?kind=meter&where=openAlerts%20%3E%200")) as { id: string }[]).map(({ id }) => id),
    ["SM-N-00042"],
  );
  assert.equal(
    ((await json("/v1/top?kind=meter&limit=1")) as { id: string }[]).map(({ id }) => id),
    ["SM-N-00042"],
  );
  assert.is(((await json("/v1/alerts?severity=major+")) as unknown[]).length, 1);
  assert.is(((await json("/v1/quarantine")) as unknown[]).length, 1);
  assert.match(String(await json("/v1/digest")), /^[0-9a-f]{32}$/);
  assert.is(((await json("/v1/schema")) as unknown[]).length, 4);
  assert.equal(await json("/v1/config"), { version: 1 });
  const [alert] = (await json("/v1/alerts")) as { data: { alertId: string } }[];
  assert.is(((await json(`/v1/alerts/${alert?.data.alertId}`)) as unknown[]).length, 1);
});

test("an answer that is cut says how many there are", async () => {
  const { headers, text } = await get("/v1/actors?kind=meter&limit=1");
  assert.equal([headers["x-found"], (JSON.parse(text) as unknown[]).length], ["2", 1]);
});

test("what is wrong with a question is said, with what may be meant", async () => {
  const cases = [
    ["/v1/actors/SM-N-0042", 404, "NOT_FOUND", "SM-N-00042"],
    ["/v1/count?bye=kind", 400, "USAGE", "by"],
    ["/v1/actors/SM-N-00042?as-of=2025-01-01", 400, "USAGE", "asOf"],
    ["/v1/counts", 404, "NOT_FOUND", "/v1/count"],
    ["/v1/actors", 400, "USAGE", undefined],
    ["/v1/count?by=kind&by=kind", 400, "USAGE", undefined],
    ["/v1/actors?kind=meter&limit=10001", 400, "USAGE", undefined],
    ["/v1/actors/%ff", 400, "USAGE", undefined],
    ["/v1/alerts?severity=mayor", 400, "USAGE", undefined],
  ] as const;
  for (const [path, status, errorCode, candidate] of cases) {
    const reply = await get(path);
    assert.equal([reply.status, code(reply.text)], [status, errorCode], path);
    assert.is((JSON.parse(reply.text) as { error: { candidates: string[] } }).error.candidates[0], candidate, path);
  }
});

test("path tricks find nothing, and hostile ids come back as JSON text", async () => {
  for (const path of ["/v1/../../etc/passwd", "/v1/actors/..%2f..%2fetc%2fpasswd", "//v1/count", "/v1/actors/__proto__", "/v1/count/"]) {
    assert.is((await get(path)).status, 404, path);
  }
  const { headers, text } = await get("/v1/actors/%3Cimg%20onerror%3D%22x%22%3E");
  assert.match(String(headers["content-type"]), /^application\/json/);
  assert.equal([headers["x-content-type-options"], code(text)], ["nosniff", "NOT_FOUND"]);
});

test("a request to another name, or from a page elsewhere, is refused on every route", async () => {
  const port = new URL(String(open.url)).port;
  for (const path of ["/v1/count", "/v1/alerts/stream", "/livez", "/readyz", "/metrics"]) {
    assert.is((await get(path, { headers: { Host: "evil.example" } })).status, 421, path);
    assert.is((await get(path, { headers: { Host: `127.0.0.1.evil.example:${port}` } })).status, 421, path);
    assert.is((await get(path, { headers: { Origin: "http://evil.example" } })).status, 403, path);
  }
  assert.is((await get("/v1/count", { headers: { Host: `LOCALHOST:${port}`, Origin: `http://localhost:${port}` } })).status, 200);
  assert.is((await ask(locked, "/livez", { headers: { Host: "grid.example.org" } })).status, 200);
});

test("a question needs a token, unless reads are open; a wrong one is refused also then; probes need none", async () => {
  const bearer = (token: string): AskOptions => ({ headers: { Authorization: `Bearer ${token}` } });
  const none = await ask(locked, "/v1/count");
  assert.equal([none.status, code(none.text)], [401, "REFUSED"]);
  assert.match(String(none.headers["www-authenticate"]), /^Bearer/);
  assert.is((await ask(locked, "/v1/count", bearer(TOKEN))).status, 200);
  for (const wrong of [`${TOKEN}x`, TOKEN.slice(1), "", "x".repeat(5_000)]) {
    assert.is((await ask(locked, "/v1/count", bearer(wrong))).status, 401, wrong);
    assert.is((await get("/v1/count", bearer(wrong))).status, 401, wrong);
  }
  assert.is((await ask(locked, `/v1/count?token=${TOKEN}`)).status, 401);
  for (const path of ["/livez", "/readyz", "/startupz", "/metrics"]) assert.is((await ask(locked, path)).status, 200, path);
});

test("after too many wrong tokens the right one is still taken", async () => {
  const statuses = new Set<number>();
  for (let n = 0; n < 25; n += 1) statuses.add((await ask(locked, "/v1/count")).status);
  assert.equal([...statuses], [401, 429]);
  assert.is((await ask(locked, "/v1/count", { headers: { Authorization: `Bearer ${TOKEN}` } })).status, 200);
});

test("nothing but reading is served, and large heads are refused", async () => {
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    const { status, headers } = await get("/v1/count", { method });
    assert.equal([status, headers["allow"]], [405, "GET, HEAD"], method);
  }
  assert.is((await get("/v1/count", { headers: { "X-Long": "x".repeat(20_000) } })).status, 431);
});

test("the socket is its owner's alone, and the file is the credential", async () => {
  assert.is(statSync(locked.socket).mode & 0o777, 0o600);
  assert.is((await ask({ url: null, socket: locked.socket }, "/v1/count", { headers: { Host: "whatever" } })).status, 200);
});

test("health: parts by name, 503 for what is not well", async () => {
  assert.equal([(await get("/livez")).text, (await get("/readyz")).text], ["ok\n", "ok\n"]);
  const ready = async () => [
    { part: "running", ok: true },
    { part: "disk", ok: false },
  ];
  const ill = await adminServer(tinyEngine(), { health: { live: () => false, ready, phase: () => "starting" } });
  try {
    assert.equal(
      [(await ask(ill, "/livez")).status, (await ask(ill, "/startupz")).status, (await ask(ill, "/readyz")).status],
      [503, 503, 503],
    );
    assert.is((await ask(ill, "/readyz?verbose")).text, "ok  running\nNOT disk\n");
  } finally {
    await ill.close();
  }
});

test("an outage is 503 with Retry-After; a bug is 500, says nothing of itself, and is logged", async () => {
  const failing = (error: Error) => adminServer(tinyEngine(), { asker: { ask: () => Promise.reject(error) } });
  const late = await failing(new CommandError("RETRY", "too long"));
  const buggy = await failing(new Error("a secret detail"));
  try {
    const retry = await ask(late, "/v1/count");
    assert.equal([retry.status, retry.headers["retry-after"], code(retry.text)], [503, "1", "RETRY"]);
    const bug = await ask(buggy, "/v1/count");
    assert.equal([bug.status, code(bug.text), bug.text.includes("secret"), buggy.errors], [500, "INTERNAL", false, ["a secret detail"]]);
  } finally {
    await late.close();
    await buggy.close();
  }
});

test("a question that nobody waits for any more is cancelled", async () => {
  let heard = (): void => {};
  const cancelled = new Promise<void>((resolve) => {
    heard = resolve;
  });
  let begun = (): void => {};
  const asked = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const asker = {
    ask: (_verb: string, _query: object, signal: AbortSignal) => {
      signal.addEventListener("abort", () => heard());
      begun();
      return new Promise<never>(() => {});
    },
  };
  const server = await adminServer(tinyEngine(), { asker });
  const stop = new AbortController();
  try {
    const lost = fetch(`${server.url}/v1/count`, { signal: stop.signal }).catch(() => "gone");
    await asked;
    stop.abort();
    assert.is(await lost, "gone");
    await cancelled;
  } finally {
    await server.close();
  }
});
