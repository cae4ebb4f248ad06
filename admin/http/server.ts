import { createServer as createPlainServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { userInfo } from "node:os";
import { type Clock, wallClock } from "../../engine/clock.ts";
import { seconds } from "../../engine/duration.ts";
import type { Asker } from "../asker.ts";
import type { HttpConfig } from "../config_types.ts";
import { type Console, nextIn, openConsole, type PageReply, seeOther } from "../console/console.ts";
import { CommandError } from "../errors.ts";
import { EXPORT_FORMS } from "../export.ts";
import type { Exporter } from "../exporter.ts";
import type { Health } from "../health.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { nearest } from "../suggest.ts";
import { type Parameter, type Query, textOf } from "../verb.ts";
import { VERBS, WRITE_VERBS } from "../verbs.ts";
import type { Writer } from "../writer.ts";
import { type Access, access, type Caller, requireRole, type Token } from "./access.ts";
import { type AlertStreams, isList, listAlerts, STREAMS_MAX, streamAlerts } from "./alert_stream.ts";
import { allowedHosts, changes, type Hosts, isLoopback, requireHost, requireJson, requireOrigin } from "./guard.ts";
import { asRefusal, Refusal } from "./refusal.ts";
import { parsedSearch, type RoutedWrite, routed, routedWrite, writeQuery } from "./route.ts";
import { type Session, type Sessions, sessions } from "./sessions.ts";
import { bindSocket } from "./socket_file.ts";
import { type Tickets, tickets } from "./tickets.ts";
import { written } from "./written.ts";

/** What the API is made of. */
export interface AdminOptions {
  readonly stateDir: string;
  /** Null: the socket only. */
  readonly http: HttpConfig | null;
  /** Those of the configuration, or else the one that is made. */
  readonly tokens: readonly Token[];
  readonly asker: Asker;
  /** The pieces of a question that is answered over a time. Left out: such questions are answered at their end. */
  readonly streamed?: (verb: string, query: Query, signal: AbortSignal) => AsyncIterable<unknown>;
  readonly writer: Writer;
  /** Left out: no tables are exported. */
  readonly exporter?: Exporter;
  readonly streams: AlertStreams;
  readonly health: Health;
  readonly metrics: Metrics;
  /** The configuration for eyes: no secret in it. */
  readonly shownConfig: unknown;
  /** Key path of the configuration -> where its value comes from. */
  readonly origins: Readonly<Record<string, string>>;
  readonly version: string;
  /** The text of `asyncapi.yaml`. */
  readonly asyncApi: string;
  readonly log: Pick<Log, "error">;
}

/** The API, open. */
export interface Admin {
  /** `http://127.0.0.1:7400`, or null: the socket only. */
  readonly url: string | null;
  readonly socket: string;
  /** Ends all streams and connections. */
  close(): Promise<void>;
}

/** 512, and the streams. */
const CONNECTIONS_MAX = 512 + STREAMS_MAX;
const BODY_BYTES_MAX = 1_048_576;
const HEADER_BYTES_MAX = 16_384;
const SERVER_OPTIONS = {
  maxHeaderSize: HEADER_BYTES_MAX,
  headersTimeout: seconds(10),
  requestTimeout: seconds(30),
  keepAliveTimeout: seconds(5),
};
/** What only a page of ours can send along with its cookie: others would have to ask before, and are refused. */
const OWN_HEADER = "x-gridactor-console";
const STREAM = "/v1/alerts/stream";
const TICKETS = "/v1/ticket";
const EXPORTS = "/v1/export/";
const EXPORT_KEYS: readonly Parameter[] = [
  { name: "format", takes: EXPORT_FORMS, about: "form of the rows" },
  { name: "asOf", takes: "time", about: "the versions in force then" },
  { name: "knownAt", takes: "time", about: "as they were known then" },
];
const SAFE_HEADERS = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Cache-Control": "no-store",
};

/** Opens the API on the socket of the state directory, and on the configured address. Rejects with `CommandError` if it cannot be had. */
export async function openAdmin(given: AdminOptions): Promise<Admin> {
  const stop = new AbortController();
  const options = {
    ...given,
    console: openConsole({ ...given, nowMs: () => wallClock.now() }),
    sessions: sessions(() => performance.now()),
    tickets: tickets(() => performance.now()),
  };
  const unguarded = listener(options, { hosts: null, access: null }, stop.signal);
  const socket = await bindSocket(createPlainServer(SERVER_OPTIONS, unguarded), options.stateDir);
  const servers: Server[] = [socket.server];
  let url: string | null = null;
  try {
    if (options.http !== null) {
      const door = await bindAddress(options.http, options, stop.signal);
      servers.push(door.server);
      url = door.url;
    }
  } catch (error) {
    await closed(socket.server);
    throw error;
  }
  for (const server of servers) server.maxConnections = CONNECTIONS_MAX;
  return {
    url,
    socket: socket.path,
    async close() {
      stop.abort();
      await Promise.all(servers.map(closed));
    },
  };
}

/** What requests are answered with. */
interface Served extends AdminOptions {
  readonly console: Console;
  readonly sessions: Sessions;
  readonly tickets: Tickets;
}

/** Null: whoever can open the socket may do everything. */
interface Guards {
  readonly hosts: Hosts | null;
  readonly access: Access | null;
}

async function bindAddress(
  http: HttpConfig,
  options: Served,
  signal: AbortSignal,
): Promise<{ readonly server: Server; readonly url: string }> {
  const { host, tls, hosts, reads } = http;
  const guards = {
    hosts: new Set<string>(),
    access: access({ tokens: options.tokens, isOpen: reads === "open" && isLoopback(host), nowMs: () => performance.now() }),
  };
  const answer = listener(options, guards, signal);
  const server = tls === null ? createPlainServer(SERVER_OPTIONS, answer) : tlsServer(tls, answer);
  const port = await listening(server, http);
  for (const name of allowedHosts(host, port, hosts)) guards.hosts.add(name);
  return { server, url: `${tls === null ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${port}` };
}

/** Throws CONFIG for a certificate or key that is none. */
function tlsServer({ cert, key }: NonNullable<HttpConfig["tls"]>, answer: RequestListener): Server {
  try {
    return createTlsServer({ ...SERVER_OPTIONS, cert: cert.reveal(), key: key.reveal() }, answer);
  } catch (error) {
    throw new CommandError("CONFIG", "admin.http.tls: certificate and key cannot be used", {
      hint: "both in PEM, and of one pair",
      cause: error,
    });
  }
}

/** The port it listens on. */
function listening(server: Server, { host, port }: HttpConfig): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const hint = "set admin.http.port, or admin.http: false";
      reject(
        new CommandError(error.code === "EADDRINUSE" ? "RETRY" : "CONFIG", `cannot listen on ${host}:${port}: ${error.code}`, {
          hint,
          cause: error,
        }),
      );
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

// Requests ------------------------------------------------------------------------------------------------------------------------------

/** One request. `route`: its template, as far as it is known. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  search: string;
  /** Fires when nobody waits for the answer any more. */
  signal: AbortSignal;
  route: string;
}

function listener(options: Served, guards: Guards, stop: AbortSignal): RequestListener {
  return (request, response) => {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const [path = "/", search = ""] = split(request.url ?? "/");
    const exchange: Exchange = { request, response, path, search, signal: AbortSignal.any([stop, gone.signal]), route: "other" };
    const beganMs = performance.now();
    answer(options, guards, exchange)
      .catch((error: unknown) => refuse(options, exchange, error))
      .finally(() => options.metrics.request(exchange.route, response.statusCode, performance.now() - beganMs));
  };
}

async function answer(options: Served, { hosts, access: door }: Guards, exchange: Exchange): Promise<void> {
  const { request, response, path } = exchange;
  for (const [name, value] of Object.entries(SAFE_HEADERS)) response.setHeader(name, value);
  const { host, origin, "sec-fetch-site": fetchSite } = request.headers;
  if (hosts !== null) {
    requireHost(host, hosts);
    requireOrigin(origin, hosts, fetchSite?.toString());
  }
  if (request.method === "POST" && (path === "/login" || path === "/logout")) return answerForm(options, exchange, door);
  if (request.method === "POST" && path === TICKETS) return answerTicket(options, exchange, door);
  const write = routedWrite(path);
  if (changes(request.method, write !== null) && write !== null) return answerWrite(options, exchange, write, door);
  if (path.startsWith("/v1/")) {
    const session = sessionOf(options, request);
    if (session === null && !hasTicket(options, exchange)) callerOf(door, request.headers.authorization);
    if (session !== null) exchange.signal = AbortSignal.any([exchange.signal, session.signal]); // A stream ends with its session.
    return answerQuestion(options, exchange);
  }
  const page = await pageAt(options, exchange, door);
  return page === null ? answerProbe(options, exchange) : sendPage(exchange, page);
}

/** Who asks, by its token. Over the socket: whoever owns the state directory. Throws 401 and 429. */
function callerOf(door: Access | null, authorization: string | undefined): Caller {
  return door === null ? { name: userInfo().username, role: "admin" } : door.caller(authorization);
}

/** A ticket opens a stream for whoever has got it: by header, or by cookie from a page of ours. */
async function answerTicket(options: Served, exchange: Exchange, door: Access | null): Promise<void> {
  const { request, response, path } = exchange;
  exchange.route = path;
  const session = sessionOf(options, request);
  if (session !== null && request.headers[OWN_HEADER] === undefined)
    throw new Refusal(403, "REFUSED", "only pages of the console may ask for a ticket by cookie");
  const caller = session?.caller ?? callerOf(door, request.headers.authorization);
  sendJson(response, options.tickets.issue({ caller, signal: session?.signal ?? null }));
}

/** Takes the ticket from the query of a stream. False: there is none, and who asks has to say otherwise who that is. Throws 401. */
function hasTicket({ tickets: open }: Served, exchange: Exchange): boolean {
  if (exchange.path !== STREAM) return false;
  const query = new URLSearchParams(exchange.search);
  const ticket = query.get("ticket");
  if (ticket === null) return false;
  const holder = open.redeem(ticket);
  if (holder === null)
    throw new Refusal(401, "REFUSED", "this ticket is not good, or not any more", { hint: `POST ${TICKETS} for another one` });
  if (holder.signal !== null) exchange.signal = AbortSignal.any([exchange.signal, holder.signal]); // It ends with the session that asked for it.
  exchange.search = exchange.search.replace(/([?&])ticket=[^&]*&?/, "$1").replace(/[?&]$/, "");
  return true;
}

/** A token that is sent goes before a cookie. */
function sessionOf({ sessions: open }: Served, { headers, socket }: IncomingMessage): Session | null {
  return headers.authorization === undefined ? open.find(headers.cookie, socket.localPort ?? 0) : null;
}

/** A page or a file of the console; null: none is at this address. Who may not see pages is asked for a token. */
async function pageAt(options: Served, { request, path, search, signal }: Exchange, door: Access | null): Promise<PageReply | null> {
  const { console: pages } = options;
  if (path.startsWith("/assets/")) return pages.asset(path, /\bgzip\b/.test(request.headers["accept-encoding"]?.toString() ?? ""));
  if (path === "/login") return pages.login(search);
  if (!pages.has(path)) return null;
  try {
    const caller = sessionOf(options, request)?.caller ?? callerOf(door, request.headers.authorization);
    return await pages.page({ path, search, caller, signal, parts: request.headers["x-gridactor-parts"]?.toString() });
  } catch (error) {
    const isUnknown = error instanceof Refusal && error.status === 401 && request.headers.authorization === undefined;
    if (isUnknown) return seeOther(`/login?next=${encodeURIComponent(path + search)}`, path);
    throw error;
  }
}

/** Logging in and out: the only changes that a plain form makes, which need no script. */
async function answerForm(options: Served, exchange: Exchange, door: Access | null): Promise<void> {
  const { request, path } = exchange;
  const { console: pages } = options;
  const port = request.socket.localPort ?? 0;
  if (path === "/logout") {
    exchange.response.setHeader("Set-Cookie", options.sessions.end(request.headers.cookie, port));
    return sendPage(exchange, seeOther("/", path));
  }
  const form = new URLSearchParams(await bodyText(request));
  const next = nextIn(form.toString());
  try {
    const caller = callerOf(door, `Bearer ${form.get("token") ?? ""}`);
    exchange.response.setHeader("Set-Cookie", options.sessions.begin(caller, port, "encrypted" in request.socket));
    return sendPage(exchange, seeOther(next, path));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return sendPage(exchange, { ...pages.login(`?next=${encodeURIComponent(next)}`, error.message), status: error.status });
  }
}

function sendPage(exchange: Exchange, { status, headers, body, route }: PageReply): void {
  const { response } = exchange;
  exchange.route = route;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.statusCode = status;
  response.end(body);
}

/** Who changes something: by token, or by the cookie of a browser with what only our pages send. Throws 401 and 403. */
function writerOf(options: Served, request: IncomingMessage, door: Access | null, needed: RoutedWrite["verb"]["role"]): string {
  const session = sessionOf(options, request);
  if (session === null) return door === null ? userInfo().username : requireRole(door.caller(request.headers.authorization), needed);
  if (request.headers[OWN_HEADER] === undefined)
    throw new Refusal(403, "REFUSED", "only pages of the console may change something by cookie");
  return requireRole(session.caller, needed);
}

async function answerWrite(options: Served, exchange: Exchange, write: RoutedWrite, door: Access | null): Promise<void> {
  const { request, response, signal } = exchange;
  const { verb } = write;
  exchange.route = verb.route;
  const { "content-type": contentType, "idempotency-key": key } = request.headers;
  const by = writerOf(options, request, door, verb.role);
  requireJson(contentType);
  const query = writeQuery(write, await bodyOf(request));
  const { value } = await options.writer.write(verb.name, query, { by, key: key?.toString() ?? null }, signal);
  sendJson(response, value);
}

/** The JSON value of a body; without one, an empty object. Throws 400 and 413. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const text = await bodyText(request);
  try {
    return text === "" ? {} : JSON.parse(text);
  } catch {
    throw new CommandError("USAGE", "the body is no JSON");
  }
}

async function bodyText(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > BODY_BYTES_MAX)
      throw new Refusal(413, "USAGE", `a body has ${BODY_BYTES_MAX} bytes at most`, { headers: { Connection: "close" } });
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

async function answerQuestion({ asker, exporter, streamed, streams, metrics, shownConfig }: Served, exchange: Exchange): Promise<void> {
  const { request, response, path, search, signal } = exchange;
  if (path === STREAM) {
    exchange.route = path;
    metrics.subscribers(1);
    const lastEventId = request.headers["last-event-id"]?.toString();
    return streamAlerts(streams, { search, accept: request.headers.accept, lastEventId }, response, signal).finally(() =>
      metrics.subscribers(-1),
    );
  }
  if (path === "/v1/alerts" && isList(search)) {
    exchange.route = path;
    return listAlerts(streams, search, response, signal);
  }
  if (path === "/v1/config") {
    exchange.route = path;
    return sendJson(response, shownConfig);
  }
  if (path.startsWith(EXPORTS)) {
    exchange.route = `${EXPORTS}{table}`;
    return sendExport(response, { exporter, clock: streams.clock }, { table: path.slice(EXPORTS.length), search }, signal);
  }
  const question = routed(path, search);
  if (question === null) throw notFound(path);
  exchange.route = question.verb.route;
  const isStream = question.verb.stream !== undefined && (request.headers.accept ?? "").includes(NDJSON);
  if (isStream && streamed !== undefined)
    return sendPieces(response, streamed(question.verb.name, question.query, signal), streams.clock, signal);
  const { value, found } = await asker.ask(question.verb.name, question.query, signal);
  if (found !== undefined) response.setHeader("X-Found", String(found));
  sendJson(response, value);
}

async function sendExport(
  response: ServerResponse,
  { exporter, clock }: { readonly exporter: Exporter | undefined; readonly clock: Clock },
  { table, search }: { readonly table: string; readonly search: string },
  signal: AbortSignal,
): Promise<void> {
  if (exporter === undefined) throw new CommandError("REFUSED", "no tables are exported here");
  const query = parsedSearch(search, EXPORT_KEYS);
  const form = textOf(query, "format") ?? "jsonl";
  if (form !== "jsonl" && form !== "csv")
    throw new CommandError("USAGE", `format: "${form}" is not served`, {
      hint: "jsonl or csv; gridactor export --to FILE.parquet writes Parquet",
    });
  const times = { asOf: textOf(query, "asOf"), knownAt: textOf(query, "knownAt") };
  const pieces = await exporter.pieces({ table, form, times }, signal);
  response.writeHead(200, {
    "Content-Type": form === "csv" ? "text/csv; charset=utf-8" : NDJSON,
    "Content-Disposition": `attachment; filename="${table}.${form}"`, // The table is one that there is: its name is plain.
  });
  for await (const piece of pieces) if (!(await written(response, piece, clock, signal))) return; // The reading process ends with the loop.
  response.end();
}

async function answerProbe({ health, metrics, asyncApi }: Served, exchange: Exchange): Promise<void> {
  const { response, path, search } = exchange;
  switch (path) {
    case "/livez": {
      exchange.route = path;
      return sendText(response, health.live() ? 200 : 503, health.live() ? "ok\n" : "the event loop is late\n");
    }
    case "/readyz": {
      exchange.route = path;
      const parts = await health.ready();
      const isReady = parts.every(({ ok }) => ok);
      const listed = parts.map(({ part, ok }) => `${ok ? "ok " : "NOT"} ${part}\n`).join("");
      return sendText(response, isReady ? 200 : 503, search.includes("verbose") ? listed : isReady ? "ok\n" : "not ready\n");
    }
    case "/startupz": {
      exchange.route = path;
      return sendText(response, health.phase() === "starting" ? 503 : 200, `${health.phase()}\n`);
    }
    case "/metrics": {
      exchange.route = path;
      response.setHeader("Content-Type", metrics.type);
      response.end(await metrics.text());
      return;
    }
    case "/asyncapi.yaml": {
      exchange.route = path;
      response.setHeader("Content-Type", "application/yaml; charset=utf-8");
      response.end(asyncApi);
      return;
    }
  }
  throw notFound(path);
}

function refuse({ log }: Served, { response, signal }: Exchange, error: unknown): void {
  const refusal = asRefusal(error);
  if (refusal.status === 500) log.error("admin.failed", error instanceof Error ? error.message : String(error), { err: error });
  if (response.headersSent || signal.aborted) {
    response.destroy(); // An answer that has begun cannot be taken back: the reader sees that it has no end.
    return;
  }
  const { status, headers, code, message, hint, candidates } = refusal;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.statusCode = status;
  sendJson(response, { error: { code, message, hint, candidates } });
}

const NDJSON = "application/x-ndjson";

/** Lines of JSON, as they come. */
async function sendPieces(response: ServerResponse, pieces: AsyncIterable<unknown>, clock: Clock, signal: AbortSignal): Promise<void> {
  for await (const piece of pieces) {
    if (!response.headersSent) response.writeHead(200, { "Content-Type": NDJSON });
    if (!(await written(response, `${JSON.stringify(piece)}\n`, clock, signal))) return;
  }
  if (!response.headersSent) response.writeHead(200, { "Content-Type": NDJSON });
  response.end();
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.setHeader("Content-Type", "application/json; charset=utf-8");
  response.end(`${JSON.stringify(value)}\n`);
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.end(text);
}

function notFound(path: string): Refusal {
  const routes = [
    ...[...VERBS, ...WRITE_VERBS].map(({ route }) => route),
    "/v1/alerts/stream",
    "/v1/export/{table}",
    "/v1/config",
    "/livez",
    "/readyz",
    "/startupz",
    "/metrics",
  ];
  const near = nearest(path, routes);
  return new Refusal(404, "NOT_FOUND", "nothing is at this address", {
    hint: `routes: ${routes.join(" ")}`,
    candidates: near === null ? [] : [near],
  });
}

function split(url: string): readonly [path: string, search: string] {
  const at = url.indexOf("?");
  return at < 0 ? [url, ""] : [url.slice(0, at), url.slice(at)];
}
