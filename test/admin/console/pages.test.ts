import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { readAssets } from "../../../admin/console/assets.ts";
import { SHAPES } from "../../../admin/console/severity_mark.ts";
import { CommandError } from "../../../admin/errors.ts";
import { type AdminServer, type AskOptions, adminServer, ask, type Reply, TOKEN } from "../../kit/admin_server.ts";
import { suite } from "../../kit/suite.ts";
import { tinyEngine } from "../../kit/tiny_grid.ts";

const test = suite("console pages");

const HOSTILE = "<img onerror=alert(1) src=x>";
const READING = { event_id: "e1", meter_id: "SM-N-00042", timestamp: "2025-06-15T16:00:00Z", reading_kwh: 60 };
const POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'";
const PAGES = ["/", "/grid", "/alerts", "/pipeline", "/quarantine", "/about", "/a/SM-N-00042", "/a/meter/SM-N-00042"];

let open: AdminServer;
let locked: AdminServer;
test.before(async () => {
  const engine = tinyEngine();
  await engine.take("smart_meter", [
    READING,
    { ...READING, event_id: "e2", meter_id: HOSTILE, reading_kwh: 70 },
    { ...READING, event_id: "e3", reading_kwh: "</pre><script>alert(1)</script>\u001b[2J" },
    "{",
  ]);
  open = await adminServer(engine);
  locked = await adminServer(engine, {
    http: { reads: "token" },
    tokens: [
      { name: "admin", value: TOKEN, role: "admin" },
      { name: "desk", value: "a-token-of-the-desk-0123456789", role: "read" },
    ],
  });
});
test.after(async () => {
  await open.close();
  await locked.close();
});

const page = (path: string, options?: AskOptions): Promise<Reply> => ask(open, path, options);
const form = (server: AdminServer, path: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> =>
  ask(server, path, { method: "POST", body, headers: { "Content-Type": "application/x-www-form-urlencoded", ...headers } });

async function loggedIn(token: string): Promise<string> {
  const { status, headers } = await form(locked, "/login", `token=${encodeURIComponent(token)}&next=%2Fgrid`);
  assert.equal([status, headers.location], [303, "/grid"]);
  return headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
}

test("each page is whole without scripts, under a policy that allows ours only", async () => {
  const [alert] = JSON.parse((await page("/v1/alerts")).text) as { data: { alertId: string } }[];
  for (const path of [...PAGES, `/alerts/${alert?.data.alertId}`, "/login"]) {
    const { status, headers, text } = await page(path);
    assert.equal([path, status, headers["content-type"]], [path, 200, "text/html; charset=utf-8"]);
    assert.is(headers["content-security-policy"], POLICY);
    assert.equal([headers["x-content-type-options"], headers["referrer-policy"]], ["nosniff", "no-referrer"]);
    assert.match(text, /<h1[ >]/);
    assert.not.match(text, /\sstyle=|<style|\son\w+\s*=\s*["']|javascript:/i, path);
    for (const [, attributes, body] of text.matchAll(/<script([^>]*)>([^<]*)/g))
      assert.match(`${attributes}|${body}`, /^ type="module" src="[^"]+"\|$/);
    for (const [, address = ""] of text.matchAll(/(?:src|href|action)="([^"]*)"/g)) assert.match(address, /^[/#](?!\/)/, path);
  }
});

test("scripts, styles and the chart library have at most 60 kB together, compressed", () => {
  const { all } = readAssets();
  const sent = [...all].map(([name, { gzipped }]) => [name, gzipped.length] as const);
  const total = sent.reduce((sum, [, bytes]) => sum + bytes, 0);
  assert.ok(total <= 60_000, `${total}: ${JSON.stringify(sent)}`);
  assert.ok(total > 25_000, "the chart library is among them");
});

test("a script or style is served under an address that changes with it, compressed for who takes that", async () => {
  const [, address = ""] = /href="(\/assets\/[0-9a-f]{16}\/console\.css)"/.exec((await page("/")).text) ?? [];
  const plain = await page(address);
  assert.equal([plain.status, plain.headers["content-type"]], [200, "text/css; charset=utf-8"]);
  assert.match(String(plain.headers["cache-control"]), /immutable/);
  assert.is((await page(address, { headers: { "Accept-Encoding": "gzip" } })).headers["content-encoding"], "gzip");
  for (const path of ["/assets/0000000000000000/console.css", "/assets/../console.ts", "/assets/", address.replace(".css", ".ts")]) {
    assert.is((await page(path)).status, 404, path);
  }
});

test("every file of the console's folder is served", () => {
  const folder = join(import.meta.dirname, "../../../admin/console/assets");
  const { all } = readAssets();
  assert.equal(
    readdirSync(folder).filter((name) => !all.has(name)),
    [],
  );
  assert.ok(existsSync(folder));
});

test("the script draws the shapes of severities as the pages do", async () => {
  const { all } = readAssets();
  const script = Buffer.from(all.get("feed.js")?.bytes ?? []).toString();
  for (const [severity, path] of Object.entries(SHAPES)) assert.ok(script.includes(`${severity}: "${path}"`), severity);
});

test("an actor called <img onerror> is shown, not run", async () => {
  const { status, text } = await page(`/a/meter/${encodeURIComponent(HOSTILE)}`);
  assert.is(status, 200);
  assert.ok(text.includes("&lt;img onerror=alert(1) src=x&gt;"));
  for (const path of [
    "/",
    "/alerts",
    "/grid?open=region%2FNORTH",
    `/a/meter/${encodeURIComponent(HOSTILE)}`,
    `/a/${encodeURIComponent("<img onerror=x>")}`,
  ]) {
    assert.not.match((await page(path)).text, /<img/i, path);
  }
});

test("what a record says is shown as text, with its control characters as escapes and the failing field marked", async () => {
  const list = (await page("/quarantine")).text;
  const [, id = ""] = /id=(Q-[0-9A-Z]+)">[^<]*<\/a><\/td><td>smart_meter<\/td><td>bad_type/.exec(list) ?? [];
  const { text } = await page(`/quarantine?id=${id}`);
  assert.match(text, /<mark> {2}&quot;reading_kwh&quot;: &quot;&lt;\/pre&gt;&lt;script&gt;alert\(1\)/);
  assert.not.match(text, /alert\(1\)<\/script>/);
  assert.not.ok(text.includes("\u001b"));
});

test("what does not exist is said on a page, with what may be meant", async () => {
  const { status, text } = await page("/a/SM-N-0042");
  assert.is(status, 404);
  assert.match(text, /href="\/a\/SM-N-00042"/);
  for (const [path, expected] of [
    ["/a/%ff", 400],
    ["/alerts?severity=mayor", 400],
    ["/alerts/ALR-0000000000000000", 404],
    ["/grid?open", 200],
    ["/pipelines", 404],
    ["/a/../../etc/passwd", 404],
  ] as const)
    assert.equal([path, (await page(path)).status], [path, expected]);
});

test("an id leads to its page", async () => {
  for (const [id, location] of [
    ["sm-n-00042", "/a/meter/SM-N-00042"],
    ["alr-7k", "/alerts/alr-7k"],
    ["Q-1", "/quarantine?id=Q-1&all=true"],
    ["", "/"],
  ] as const) {
    const { status, headers } = await page(`/find?id=${id}`);
    assert.equal([id, status, headers.location], [id, 303, location]);
  }
});

test("a page that cannot be made in time asks again by itself", async () => {
  const busy = await adminServer(tinyEngine(), {
    asker: { ask: () => Promise.reject(new CommandError("RETRY", "too many questions wait")) },
  });
  const { status, headers, text } = await ask(busy, "/alerts");
  await busy.close();
  assert.equal([status, headers["refresh"], headers["retry-after"]], [503, "2", "1"]);
  assert.match(text, /too many questions wait/);
});

test("a page that breaks says no more than that it did", async () => {
  const broken = await adminServer(tinyEngine(), { asker: { ask: () => Promise.reject(new Error("secret of the inside")) } });
  const { status, text } = await ask(broken, "/alerts");
  await broken.close();
  assert.is(status, 500);
  assert.not.match(text, /secret of the inside/);
});

test("another host's name and another origin get no page, and no login", async () => {
  for (const path of [...PAGES, "/login", "/assets/0000000000000000/console.css"]) {
    assert.is((await page(path, { headers: { Host: "evil.example" } })).status, 421, path);
    assert.is((await page(path, { headers: { Origin: "http://evil.example" } })).status, 403, path);
  }
  for (const origin of ["http://evil.example", "null"]) {
    assert.is((await form(locked, "/login", `token=${TOKEN}`, { Origin: origin })).status, 403, origin);
    assert.is((await form(locked, "/login", `token=${TOKEN}`, { Origin: origin, "Sec-Fetch-Site": "cross-site" })).status, 403, origin);
  }
  assert.is((await form(locked, "/login", `token=${TOKEN}`, { Origin: "null", "Sec-Fetch-Site": "same-origin" })).status, 303);
});

test("who may not read is asked for a token first, and comes back to the page", async () => {
  const { status, headers } = await ask(locked, "/alerts?status=open");
  assert.equal([status, headers.location], [303, "/login?next=%2Falerts%3Fstatus%3Dopen"]);
  const cookie = await loggedIn("a-token-of-the-desk-0123456789");
  assert.is((await ask(locked, "/alerts", { headers: { Cookie: cookie } })).status, 200);
  assert.is((await ask(locked, "/v1/count", { headers: { Cookie: cookie } })).status, 200);
  assert.is((await ask(locked, "/v1/count")).status, 401);
  assert.is((await ask(locked, "/v1/count", { headers: { Cookie: `${cookie}x` } })).status, 401);
});

test("the cookie is for the server alone, and a wrong token has none", async () => {
  const { headers } = await form(locked, "/login", `token=${TOKEN}`);
  assert.match(String(headers["set-cookie"]), /^gridactor_\d+=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
  const wrong = await form(locked, "/login", "token=no&next=%2Fgrid");
  assert.equal([wrong.status, wrong.headers["set-cookie"]], [401, undefined]);
  assert.match(wrong.text, /the token is wrong/);
  assert.not.match(wrong.text, /value="no"/);
});

test("a login leads to a page of ours only", async () => {
  for (const next of ["//evil.example", "https://evil.example", "/\\evil.example", "/%0d%0aSet-Cookie: x", "javascript:alert(1)", ""]) {
    const { headers } = await form(locked, "/login", `token=${TOKEN}&next=${encodeURIComponent(decodeURIComponent(next))}`);
    assert.equal([next, headers.location], [next, "/"]);
  }
});

test("a cookie changes nothing without what only our pages send, and not more than its token allows", async () => {
  const json = { "Content-Type": "application/json" };
  const own = { ...json, "X-Gridactor-Console": "1" };
  const ack = (headers: Readonly<Record<string, string>>): Promise<Reply> =>
    ask(locked, "/v1/alerts/ALR-0/ack", { method: "POST", body: "{}", headers });
  const admin = await loggedIn(TOKEN);
  const desk = await loggedIn("a-token-of-the-desk-0123456789");
  assert.is((await ack({ ...json, Cookie: admin })).status, 403);
  assert.is((await ack({ ...own, Cookie: desk })).status, 403);
  assert.is((await ack(own)).status, 401);
  const allowed = await ack({ ...own, Cookie: admin });
  assert.is(allowed.status, 500); // This server has nobody to carry it out: it was let through.
  assert.equal(locked.errors, ["nobody carries out ack"]);
});

test("who logs out is nobody, and streams of the session end", async () => {
  const cookie = await loggedIn(TOKEN);
  const stream = ask(locked, "/v1/alerts/stream", { headers: { Cookie: cookie } });
  while (locked.subscribers() === 0) await new Promise((resolve) => setImmediate(resolve));
  const { headers } = await form(locked, "/logout", "", { Cookie: cookie });
  assert.match(String(headers["set-cookie"]), /=; Path=\/; Max-Age=0/);
  await stream;
  assert.is((await ask(locked, "/v1/count", { headers: { Cookie: cookie } })).status, 401);
});

test("acting on an alert is offered to who may, and said to who may not", async () => {
  const cookie = await loggedIn(TOKEN);
  const desk = await loggedIn("a-token-of-the-desk-0123456789");
  const [alert] = JSON.parse((await page("/v1/alerts")).text) as { data: { alertId: string } }[];
  const path = `/alerts/${alert?.data.alertId}`;
  assert.match((await ask(locked, path, { headers: { Cookie: cookie } })).text, /data-write="\/v1\/alerts\/ALR-[0-9A-Z]+\/ack"/);
  const refused = (await ask(locked, path, { headers: { Cookie: desk } })).text;
  assert.not.match(refused, /data-write/);
  assert.match(refused, /the token|The token <em>desk<\/em> has the role read/);
});

test("filters are what the address says", async () => {
  const { text } = await page("/alerts?severity=major%2B&rule=meter.*");
  assert.match(text, /<option value="major\+" selected>major and worse/);
  assert.match(text, /name="rule" value="meter\.\*"/);
  assert.match(text, /gridactor alerts --severity major\+ --rule &#39;meter\.\*&#39;/);
});
