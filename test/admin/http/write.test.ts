import * as assert from "uvu/assert";
import { CommandError } from "../../../admin/errors.ts";
import type { Token } from "../../../admin/http/access.ts";
import { socketWriter } from "../../../admin/socket_asker.ts";
import type { Query } from "../../../admin/verb.ts";
import { type Author, liveWriter } from "../../../admin/writer.ts";
import { type AuditRow, CommandRefused } from "../../../engine/command.ts";
import { RuleTable } from "../../../engine/rule_table.ts";
import { type AdminServer, type AskOptions, adminServer, ask, TOKEN } from "../../kit/admin_server.ts";
import { failureOf } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";
import { tinyEngine } from "../../kit/tiny_grid.ts";

const test = suite("changes over HTTP");

interface Written {
  readonly verb: string;
  readonly query: Query;
  readonly author: Author;
}

const TOKENS: readonly Token[] = [
  { name: "boss", value: TOKEN, role: "admin" },
  { name: "desk", value: "desk-token-0123456789", role: "operate" },
  { name: "eyes", value: "eyes-token-0123456789", role: "read" },
];

let server: AdminServer;
let written: Written[] = [];
test.before(async () => {
  const writer = {
    write: async (verb: string, query: Query, author: Author) => {
      written.push({ verb, query, author });
      if (query["alertId"] === "ALR-OVER") throw new CommandError("REFUSED", "it is over");
      return { value: { done: verb } };
    },
  };
  server = await adminServer(tinyEngine(), { tokens: TOKENS, writer });
});
test.before.each(() => {
  written = [];
});
test.after(() => server.close());

const ACK = "/v1/alerts/ALR-1/ack";

function post(path: string, body: unknown, changes: AskOptions["headers"] = {}) {
  const headers = { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json", ...changes };
  return ask(server, path, { method: "POST", headers, body: typeof body === "string" ? body : JSON.stringify(body) });
}

test("a change carries what the path and the body say, who asks, and the idempotency key", async () => {
  const { status, text } = await post(ACK, { reason: "seen", resolve: true }, { "Idempotency-Key": "k1" });
  assert.equal([status, JSON.parse(text)], [200, { done: "ack" }]);
  const query = { alertId: "ALR-1", resolve: true, reasonText: "seen" };
  assert.equal(written, [{ verb: "ack", query, author: { by: "boss", key: "k1" } }]);
});

test("a body may be empty, and what is null or false in it is not said", async () => {
  await post(ACK, "");
  await post("/v1/alerts/ALR-1/shelve", { for: "2h", reason: null, force: false });
  assert.equal(
    written.map(({ query }) => query),
    [{ alertId: "ALR-1" }, { alertId: "ALR-1", for: "2h" }],
  );
});

test("the role operate may acknowledge, the role read may not, and nobody in particular never, though reads are open", async () => {
  assert.is((await post(ACK, {}, { Authorization: "Bearer desk-token-0123456789" })).status, 200);
  assert.is((await post(ACK, {}, { Authorization: "Bearer eyes-token-0123456789" })).status, 403);
  assert.is((await post(ACK, {}, { Authorization: "Bearer wrong-token-0123456789" })).status, 401);
  const { status, headers } = await ask(server, ACK, { method: "POST", headers: { "Content-Type": "application/json" } });
  assert.equal([status, headers["www-authenticate"]?.startsWith("Bearer")], [401, true]);
  assert.equal(
    written.map(({ author }) => author.by),
    ["desk"],
  );
});

test("only POST changes, only where something is to be changed, and only JSON", async () => {
  assert.equal([(await ask(server, ACK)).status, (await ask(server, ACK, { method: "PUT" })).status], [405, 405]);
  assert.is((await post("/v1/count", {})).status, 405);
  assert.is((await post(ACK, "reason=x", { "Content-Type": "application/x-www-form-urlencoded" })).status, 415);
  assert.is((await post(ACK, {}, { Origin: "https://elsewhere.example" })).status, 403);
  assert.equal(written, []);
});

test("a body that is too large, no JSON, no object, or knows too much is refused", async () => {
  assert.is((await post(ACK, "{")).status, 400);
  assert.is((await post(ACK, [])).status, 400);
  const { status, text } = await post(ACK, { reasn: "x" });
  assert.equal([status, text.includes('"reason"')], [400, true], text);
  assert.is((await post(ACK, { resolve: "yes" })).status, 400);
  assert.is((await post(ACK, { reason: "x".repeat(1_100_000) })).status, 413);
  assert.equal(written, []);
});

test("what is refused says so, and the socket's writer hands it on as it was", async () => {
  assert.is((await post("/v1/alerts/ALR-OVER/ack", {})).status, 403);
  const writer = socketWriter(server.socket);
  const never = new AbortController().signal;
  const answer = await writer.write("shelve", { alertId: "ALR-2", for: "1h", yes: true, reasonText: "why" }, { by: "", key: "k2" }, never);
  assert.equal(answer, { value: { done: "shelve" } });
  assert.equal(written.at(-1)?.query, { alertId: "ALR-2", for: "1h", reasonText: "why" });
  assert.is(written.at(-1)?.author.key, "k2");
  const error = await failureOf(writer.write("ack", { alertId: "ALR-OVER" }, { by: "", key: null }, never));
  assert.equal([error.code, error.exit, error.message], ["REFUSED", 1, "it is over"]);
  const gone = await failureOf(socketWriter(`${server.socket}.none`).write("ack", { alertId: "ALR-1" }, { by: "", key: null }, never));
  assert.equal([gone.code, gone.exit], ["UNREACHABLE", 69]);
});

test("every change, a refused one too, is a line of the log", async () => {
  const lines: (readonly [string, unknown])[] = [];
  const command = { verb: "ack", args: { alertId: "ALR-1" }, by: "desk", reason: null, key: null, arrivedAtMs: 1 };
  const row: AuditRow = { ...command, number: 7, clockMs: null, result: "done", detail: { sequence: null }, after: {} };
  const event = { data: { alertId: "ALR-1", actor: "meter/a", rule: "r" } };
  const writer = liveWriter({
    carryOut: async ({ reason }) => {
      if (reason === "no") throw new CommandRefused("it is over");
      return { row, isRepeat: reason === "again" };
    },
    asker: { ask: async () => ({ value: [event] }) },
    known: { view: tinyEngine(), rules: [], ruleTable: new RuleTable([]), schemas: new Map() },
    nowMs: () => 1,
    log: { info: (name, _, fields) => void lines.push([name, fields?.["result"]]) },
  });
  const write = (reasonText: string) =>
    writer.write("ack", { alertId: "ALR-1", reasonText }, { by: "desk", key: null }, new AbortController().signal);
  assert.equal(await write("yes"), { value: event });
  await write("again");
  assert.is((await failureOf(write("no"))).code, "REFUSED");
  assert.is((await failureOf(write("x".repeat(1_001)))).code, "USAGE");
  assert.equal(lines, [
    ["admin.write", "done"],
    ["admin.write", "repeated"],
    ["admin.write", "refused"],
    ["admin.write", "refused"],
  ]);
});
