import { chmod } from "node:fs/promises";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { AlertTail } from "../../admin/alert_tail.ts";
import { alertFilter, newestAlerts } from "../../admin/alerts.ts";
import type { HttpConfig } from "../../admin/config_types.ts";
import type { Health } from "../../admin/health.ts";
import { type Admin, type AdminOptions, openAdmin } from "../../admin/http/server.ts";
import type { Metrics } from "../../admin/metrics.ts";
import type { Known } from "../../admin/verb.ts";
import { verbNamed } from "../../admin/verbs.ts";
import { type Clock, wallClock } from "../../engine/clock.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import { newTempFolder, removeFolder } from "./temp_folder.ts";
import { TINY_RULES, type TinyEngine } from "./tiny_grid.ts";

/** The token of such a server that allows everything. */
export const TOKEN = "a-token-for-tests-0123456789";

/** What to change in a server. */
export interface ServerChanges {
  readonly http?: Partial<HttpConfig> | null;
  readonly clock?: Clock;
  readonly firstSequence?: number;
  readonly asker?: AdminOptions["asker"];
  readonly writer?: AdminOptions["writer"];
  readonly exporter?: NonNullable<AdminOptions["exporter"]>;
  readonly health?: Partial<Health>;
  readonly tokens?: AdminOptions["tokens"];
}

/** The API over a tiny engine, on a free port of loopback and a socket. */
export interface AdminServer extends Admin {
  readonly tail: AlertTail;
  readonly subscribers: () => number;
  /** What was logged as an error. */
  readonly errors: string[];
}

/** Opens it; closing removes its folder. */
export async function adminServer(engine: TinyEngine, changes: ServerChanges = {}): Promise<AdminServer> {
  const stateDir = await newTempFolder();
  await chmod(stateDir, 0o700);
  const known: Known = { view: engine, rules: TINY_RULES, ruleTable: new RuleTable([]), schemas: new Map() };
  const tail = new AlertTail({ store: engine.store, decode: engine.decode, firstSequence: () => changes.firstSequence ?? 1 });
  let subscribers = 0;
  const errors: string[] = [];
  const metrics: Metrics = {
    type: "text/plain",
    text: async () => "gridactor_build_info 1\n",
    batch: () => {},
    request: () => {},
    loopDelay: () => {},
    subscribers: (change) => {
      subscribers += change;
    },
  };
  const http: HttpConfig = { host: "127.0.0.1", port: 0, hosts: [], reads: "open", tls: null, tokens: {} };
  const admin = await openAdmin({
    stateDir,
    http: changes.http === null ? null : { ...http, ...changes.http },
    tokens: changes.tokens ?? [{ name: "admin", value: TOKEN, role: "admin" }],
    asker: changes.asker ?? { ask: async (verb, query) => verbNamed(verb).ask(known, query) },
    writer: changes.writer ?? { write: (verb) => Promise.reject(new Error(`nobody carries out ${verb}`)) },
    ...(changes.exporter === undefined ? {} : { exporter: changes.exporter }),
    streams: {
      tail,
      clock: changes.clock ?? wallClock,
      filter: async (query) => alertFilter(engine, query, TINY_RULES),
      open: async ({ severity }) => {
        const query = { status: "open", ...(typeof severity === "string" ? { severity } : {}) };
        const { alerts } = await newestAlerts(engine, alertFilter(engine, query, TINY_RULES), 1_000);
        return alerts.map(({ event }) => event);
      },
    },
    health: { live: () => true, ready: async () => [{ part: "running", ok: true }], phase: () => "running", ...changes.health },
    metrics,
    shownConfig: { version: 1 },
    origins: { version: "gridactor.yaml:2" },
    version: "0.1.0",
    asyncApi: "asyncapi: 3.0.0\n",
    log: { error: (_, msg) => void errors.push(msg) },
  });
  return {
    ...admin,
    tail,
    subscribers: () => subscribers,
    errors,
    async close() {
      await admin.close();
      await removeFolder(stateDir);
    },
  };
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One request, as it is given: nothing is encoded or followed. */
export async function ask({ url, socket }: Pick<Admin, "url" | "socket">, path: string, options: AskOptions = {}): Promise<Reply> {
  const { response } = await opened({ url, socket }, path, options);
  let text = "";
  for await (const piece of response.setEncoding("utf8")) text += piece;
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}

/** A request whose answer has begun. Without a URL it goes to the socket. */
export function opened(
  { url, socket }: Pick<Admin, "url" | "socket">,
  path: string,
  { method = "GET", headers = {}, body }: AskOptions = {},
): Promise<{ readonly sent: ClientRequest; readonly response: IncomingMessage }> {
  const where = url === null ? { socketPath: socket } : { host: new URL(url).hostname, port: new URL(url).port };
  return new Promise((resolve, reject) => {
    const sent = request({ ...where, path, method, headers, agent: false }, (response) => resolve({ sent, response }));
    sent.once("error", reject).end(body);
  });
}
