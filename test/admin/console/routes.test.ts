import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { RULES } from "../../../actors/rules.ts";
import type { Asker } from "../../../admin/asker.ts";
import { CommandError } from "../../../admin/errors.ts";
import type { Live } from "../../../admin/live.ts";
import { listQuarantine } from "../../../admin/quarantine.ts";
import type { View } from "../../../admin/reader.ts";
import type { Known } from "../../../admin/verb.ts";
import { verbNamed } from "../../../admin/verbs.ts";
import type { AlertEvent } from "../../../engine/emission.ts";
import { SourceId } from "../../../engine/ids.ts";
import { RuleTable } from "../../../engine/rule_table.ts";
import { type AdminServer, adminServer, ask, opened, TOKEN } from "../../kit/admin_server.ts";
import { customer, given, oil, reading, transformer, viewOf } from "../../kit/grid.ts";
import { ROOT } from "../../kit/grid_folder.ts";
import { at } from "../../kit/puppets.ts";
import { suite } from "../../kit/suite.ts";
import { tinyEngine } from "../../kit/tiny_grid.ts";

const test = suite("what the console asks of the API");

const HEADERS = { Authorization: `Bearer ${TOKEN}` };
const PLACES = ["/", "/grid", "/grid?open=region%2FNORTH", "/alerts", "/alerts?status=open", "/pipeline", "/quarantine", "/about"];
/** Every question that a page asks. */
const ASKED = [
  "alert",
  "alerts",
  "count",
  "explain",
  "files",
  "history",
  "inspect",
  "lag",
  "progress",
  "quarantine ls",
  "quarantine show",
  "readings",
  "regions",
  "schema ls",
  "tree",
];

const SCRIPT = [
  transformer("2024-01-01"),
  customer("2024-01-01", { sanctioned_load_kw: 5, account_status: "ACTIVE" }),
  ...Array.from({ length: 12 }, (_, n) => reading(30 * n, 6 + n / 8)),
  reading(360, 86.412),
  { feed: "smart_meter", record: { event_id: "bad-1", meter_id: "SM-N-00042", timestamp: "soon", reading_kwh: 1 } },
  oil(0, 60),
  oil(10, 99),
];

let view: View;
let places: readonly string[];
test.before(async () => {
  view = viewOf(await given().when(...SCRIPT));
  const { value } = await askerWithout(null, new Set()).ask("alerts", { status: "open" }, new AbortController().signal);
  const alertId = (value as readonly AlertEvent[])[0]?.data.alertId ?? "";
  const [row] = listQuarantine(view, {}, 1).rows;
  places = [...PLACES, "/a/meter/SM-N-00042", `/alerts/${alertId}`, `/quarantine?id=${row?.id}`];
});

/** Answers all questions but one. `asked` takes the names of those that come. */
function askerWithout(broken: string | null, asked: Set<string>): Asker {
  const live: Live = {
    sources: () => [{ source: SourceId("meters"), feed: "smart_meter", state: "up", behind: 12, watermarkMs: at(350) }],
    sinks: () => [],
    sequence: () => 42,
    log: () => null,
    pace: () => ({ from: {}, to: {}, inputPerSecond: 50.5, processedPerSecond: 9_000 }),
    trace: () => () => {},
  };
  const known: Known = { view, rules: RULES.map(({ id }) => id), ruleTable: new RuleTable(RULES), schemas: new Map(), live };
  return {
    async ask(name, query) {
      asked.add(name);
      if (name === broken) throw new CommandError("NOT_FOUND", "nothing is at this address");
      return verbNamed(name).ask(known, query);
    },
  };
}

interface Tour {
  /** Address -> its status and its text, in which no number counts. */
  readonly pages: ReadonlyMap<string, string>;
  /** Addresses of the API that pages name: what they link to, and where forms are sent. */
  readonly links: readonly string[];
  readonly forms: readonly string[];
}

/** Opens every page, as somebody who may change everything. */
async function tour(server: AdminServer): Promise<Tour> {
  const pages = new Map<string, string>();
  const links = new Set<string>();
  const forms = new Set<string>();
  for (const path of places) {
    const { status, text } = await ask(server, path, { headers: HEADERS });
    pages.set(path, `${status} ${text.replaceAll(/\d+(?:[.,]\d+)*/g, "#")}`);
    for (const [, address = ""] of text.matchAll(/href="(\/v1\/[^"]*)"/g)) links.add(address);
    for (const [, address = ""] of text.matchAll(/data-write="([^"]*)"/g)) forms.add(address);
  }
  return { pages, links: [...links], forms: [...forms] };
}

/** Does `body` over a server that answers all questions but one. */
async function without<T>(
  broken: string | null,
  body: (server: AdminServer, seen: { asked: Set<string>; written: string[] }) => Promise<T>,
): Promise<T> {
  const seen = { asked: new Set<string>(), written: [] as string[] };
  const writer = {
    async write(verb: string) {
      seen.written.push(verb);
      return { value: {} };
    },
  };
  const server = await adminServer(tinyEngine(), { asker: askerWithout(broken, seen.asked), writer });
  try {
    return await body(server, seen);
  } finally {
    await server.close();
  }
}

function toured(broken: string | null): Promise<Tour & { readonly asked: readonly string[] }> {
  return without(broken, async (server, { asked }) => ({ ...(await tour(server)), asked: [...asked].sort() }));
}

test("pages ask these questions and no others, and say the same when they are asked again", async () => {
  const first = await toured(null);
  assert.equal(first.asked, ASKED);
  assert.ok([...first.pages.values()].every((text) => text.startsWith("200 ")));
  assert.equal([...(await toured(null)).pages], [...first.pages]);
});

for (const verb of ASKED) {
  test(`without the answer to ${verb} a page shows that it is missing`, async () => {
    const [whole, broken] = [await toured(null), await toured(verb)];
    const changed = [...whole.pages].filter(([path, text]) => broken.pages.get(path) !== text);
    assert.ok(changed.length > 0, `no page has noticed that ${verb} is gone`);
  });
}

test("every address of the API that a page links to is answered, and every form arrives at its verb", async () => {
  const { links, forms } = await toured(null);
  await without(null, async (server, { written }) => {
    for (const address of links) assert.is((await ask(server, address, { headers: HEADERS })).status, 200, address);
    assert.ok(links.includes("/v1/schema") && links.includes("/v1/config"), links.join(" "));
    const body = JSON.stringify({ for: "1h" });
    for (const address of forms) {
      const json = { ...HEADERS, "Content-Type": "application/json" };
      const sent = address.endsWith("/shelve") ? body : "{}";
      assert.is((await ask(server, address, { method: "POST", headers: json, body: sent })).status, 200, address);
    }
    assert.equal([...new Set(written)].sort(), ["ack", "quarantine drop", "quarantine retry", "shelve"]);
    assert.is(
      (await ask(server, "/v1/alerts/ALR-1/acks", { method: "POST", headers: { ...HEADERS, "Content-Type": "application/json" } })).status,
      405,
    );
  });
});

test("every address of the API that a script of the console names is answered", async () => {
  const folder = join(ROOT, "admin/console/assets");
  const scripts = readdirSync(folder).filter((name) => name.endsWith(".js"));
  const named = new Set(
    scripts.flatMap((name) => [...readFileSync(join(folder, name), "utf8").matchAll(/["`](\/v1\/[\w/]+)/g)].map(([, path = ""]) => path)),
  );
  assert.equal([...named].sort(), ["/v1/alerts/stream", "/v1/complete"]);
  await without(null, async (server) => {
    for (const path of named) {
      const { sent, response } = await opened(server, path, { headers: HEADERS });
      assert.is(response.statusCode, 200, path);
      sent.destroy();
    }
  });
});
