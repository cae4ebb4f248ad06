import * as assert from "uvu/assert";
import { tickets } from "../../../admin/http/tickets.ts";
import { type AdminServer, adminServer, ask, opened, TOKEN } from "../../kit/admin_server.ts";
import { suite } from "../../kit/suite.ts";
import { tinyEngine } from "../../kit/tiny_grid.ts";

const test = suite("tickets");

const BEARER = { Authorization: `Bearer ${TOKEN}` };
const STREAM = "/v1/alerts/stream";

let server: AdminServer;
test.before(async () => {
  server = await adminServer(tinyEngine(), { http: { reads: "token" } });
});
test.after(() => server.close());

async function ticket(): Promise<string> {
  const { status, text } = await ask(server, "/v1/ticket", { method: "POST", headers: BEARER });
  assert.is(status, 200);
  const issued = JSON.parse(text) as { ticket: string; expiresInSeconds: number };
  assert.is(issued.expiresInSeconds, 30);
  return issued.ticket;
}

async function statusOf(path: string): Promise<number> {
  const { sent, response } = await opened(server, path);
  sent.destroy();
  return response.statusCode ?? 0;
}

test("a stream opens with a ticket in its address, once", async () => {
  const path = `${STREAM}?ticket=${await ticket()}&severity=major%2B`;
  assert.is(await statusOf(path), 200);
  assert.is(await statusOf(path), 401);
});

test("a ticket opens streams only, and is given to nobody without a token", async () => {
  assert.is((await ask(server, `/v1/count?ticket=${await ticket()}`)).status, 401);
  assert.is((await ask(server, "/v1/ticket", { method: "POST" })).status, 401);
  assert.is(await statusOf(`${STREAM}?ticket=made-up`), 401);
  assert.is(await statusOf(STREAM), 401);
});

test("a ticket is good for half a minute, and the oldest ones go first where there are too many", () => {
  let nowMs = 0;
  const box = tickets(() => nowMs);
  const eyes = { caller: { name: "eyes", role: "read" }, signal: null } as const;
  const early = box.issue(eyes).ticket;
  nowMs = 29_999;
  assert.equal(box.redeem(early), eyes);
  const late = box.issue(eyes).ticket;
  nowMs += 30_000;
  assert.is(box.redeem(late), null);
  const first = box.issue(eyes).ticket;
  const others = Array.from({ length: 1_024 }, () => box.issue(eyes).ticket);
  assert.is(box.redeem(first), null);
  assert.equal(box.redeem(others.at(-1) ?? ""), eyes);
});

test("the description of the stream is served to everybody", async () => {
  const { status, headers, text } = await ask(server, "/asyncapi.yaml");
  assert.equal([status, headers["content-type"], text], [200, "application/yaml; charset=utf-8", "asyncapi: 3.0.0\n"]);
});
