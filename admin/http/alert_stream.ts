import type { ServerResponse } from "node:http";
import { type Bell, bell } from "../../engine/bell.ts";
import type { Clock } from "../../engine/clock.ts";
import { parseSpanMs, seconds } from "../../engine/duration.ts";
import { alertCursor, either, type Told } from "../alert_cursor.ts";
import type { AlertTail } from "../alert_tail.ts";
import type { AlertFilter, AlertQuery, LoggedAlert } from "../alerts.ts";
import { CommandError } from "../errors.ts";
import { type Parameter, type Query, textOf } from "../verb.ts";
import { ALERT_FILTERS, alertQuery } from "../verbs.ts";
import { Refusal } from "./refusal.ts";
import { parsedSearch } from "./route.ts";
import { written } from "./written.ts";

/** What streams of alerts are made of. */
export interface AlertStreams {
  readonly tail: AlertTail;
  readonly clock: Clock;
  /** Makes the filter, between two batches. Rejects with `CommandError`. */
  readonly filter: (query: AlertQuery) => Promise<AlertFilter>;
  /** The newest events of the alerts that are open and fit, in order of the log. */
  readonly open: (query: Query, signal: AbortSignal) => Promise<readonly LoggedAlert["event"][]>;
}

/** Streams of one log at once: questions always find a connection. */
export const STREAMS_MAX = 1_024;
const NDJSON = "application/x-ndjson";
const WAIT_MAX_MS = seconds(60);
/** A list looks through the log for so long; who asks on from `X-Next-From` has the rest. */
const LOOK_MS = seconds(2);
/** Open alerts that are written at once. */
const SNAPSHOT_EVENTS = 64;
const LIST_LIMIT = 500;
const LIST_LIMIT_MAX = 10_000;

const SEQUENCES: readonly Parameter[] = ["from", "after"].map((name) => ({ name, takes: "number", about: "number in the log" }));
const SINCE: Parameter = { name: "since", takes: "time", about: "event time" };
const STREAM_KEYS: readonly Parameter[] = [
  ...ALERT_FILTERS,
  ...SEQUENCES,
  SINCE,
  { name: "snapshot", takes: ["open"], about: "open alerts first" },
];
const LIST_KEYS: readonly Parameter[] = [
  ...ALERT_FILTERS,
  ...SEQUENCES,
  SINCE,
  { name: "limit", takes: "number", about: "events at most" },
  { name: "wait", takes: "text", about: "a span: how long the first event is waited for" },
];

/** Whether a question about alerts is one for events from a number on, and not for the newest of each alert. */
export function isList(search: string): boolean {
  return /[?&](?:from|after|wait)=/.test(search);
}

/** How a stream is asked for. */
interface StreamRequest {
  readonly search: string;
  readonly accept?: string | undefined;
  readonly lastEventId: string | undefined;
}

/** How many streams there are of each log. */
const running = new WeakMap<AlertTail, number>();

/** `GET /v1/alerts/stream`: events without end, as server-sent events, or as lines of JSON for those who accept these. Throws 503 beyond `STREAMS_MAX`. */
export async function streamAlerts(
  streams: AlertStreams,
  request: StreamRequest,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const count = (change: 1 | -1): number => {
    const now = (running.get(streams.tail) ?? 0) + change;
    running.set(streams.tail, now);
    return now;
  };
  try {
    if (count(1) > STREAMS_MAX) throw new Refusal(503, "RETRY", `${STREAMS_MAX} streams are open`, { headers: { "Retry-After": "10" } });
    await stream(streams, request, response, signal);
  } finally {
    count(-1);
  }
}

async function stream(
  streams: AlertStreams,
  { search, accept = "", lastEventId }: StreamRequest,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const { tail, clock } = streams;
  const query = parsedSearch(search, STREAM_KEYS);
  const filter = await streams.filter(alertQuery(query));
  const begin = await beginning(streams, query, lastEventId, signal);
  const form = accept.includes(NDJSON) ? LINES : EVENTS;
  response.writeHead(200, { "Content-Type": form.type, "Cache-Control": "no-store", "X-Accel-Buffering": "no" });
  response.flushHeaders();
  if (response.req.method === "HEAD") return void response.end();
  for (let n = 0; n < begin.open.length; n += SNAPSHOT_EVENTS) {
    const some = begin.open.slice(n, n + SNAPSHOT_EVENTS).map((event) => form.alert(Number(event.sequence), JSON.stringify(event)));
    if (!(await written(response, Buffer.from(some.join("")), clock, signal))) return;
  }
  for await (const told of alertCursor({ tail, clock, filter, from: begin.from }, signal)) {
    if (!(await written(response, bytesOfTold(told, form), clock, signal))) return;
  }
  response.end();
}

/** `GET /v1/alerts?from=`: the events that there are, at most `limit`, waited for if there are none. `X-Next-From`: where to ask on. */
export async function listAlerts(streams: AlertStreams, search: string, response: ServerResponse, signal: AbortSignal): Promise<void> {
  const { tail, clock } = streams;
  const query = parsedSearch(search, LIST_KEYS);
  const limit = Math.min(sequence(query, "limit") ?? LIST_LIMIT, LIST_LIMIT_MAX);
  const lookUntilMs = clock.now() + LOOK_MS;
  const untilMs = clock.now() + waitMs(textOf(query, "wait"));
  const from = asked(query) ?? tail.nextSequence;
  if (from < tail.firstSequence)
    throw new Refusal(410, "NOT_FOUND", `the log begins at ${tail.firstSequence}`, { hint: `from=${tail.firstSequence}` });
  const filter = await streams.filter(alertQuery(query));
  const woken = bell();
  const unhear = tail.onGrown(woken.ring);
  try {
    const { found, next } = await listed(streams, { filter, limit, from, lookUntilMs, untilMs }, woken, signal);
    response.writeHead(200, { "Content-Type": NDJSON, "Cache-Control": "no-store", "X-Next-From": String(next) });
    response.end(found.map(({ json }) => `${Buffer.from(json).toString()}\n`).join(""));
  } finally {
    unhear();
  }
}

interface Listing {
  readonly filter: AlertFilter;
  readonly limit: number;
  readonly from: number;
  readonly lookUntilMs: number;
  readonly untilMs: number;
}

/** `next`: the place after what was looked at. */
async function listed(
  { tail, clock }: AlertStreams,
  { filter, limit, from, lookUntilMs, untilMs }: Listing,
  woken: Bell,
  signal: AbortSignal,
): Promise<{ readonly found: readonly LoggedAlert[]; readonly next: number }> {
  const found: LoggedAlert[] = [];
  let next = from;
  while (found.length < limit && !signal.aborted) {
    const grown = woken.heard();
    const { alerts, examined } = await tail.page(next);
    for (const alert of alerts) {
      if (found.length === limit) break;
      next = alert.sequence + 1;
      if (filter(alert.event)) found.push(alert);
    }
    if (alerts.length > 0 && clock.now() < lookUntilMs) continue;
    if (alerts.length > 0) break;
    next = examined + 1;
    if (found.length > 0 || clock.now() >= untilMs) break;
    await either(grown, clock, untilMs - clock.now(), signal);
  }
  return { found, next };
}

interface Form {
  readonly type: string;
  readonly alert: (sequence: number, json: string) => string;
  readonly gap: (gap: object) => string;
  readonly heartbeat: (examined: number) => string;
  /** What was made of an event: all readers of a form get the same bytes. */
  readonly made: WeakMap<LoggedAlert, Buffer>;
}

const EVENTS: Form = {
  type: "text/event-stream; charset=utf-8",
  alert: (number, json) => `id: ${number}\nevent: alert\ndata: ${json}\n\n`,
  gap: (gap) => `event: gap\ndata: ${JSON.stringify(gap)}\n\n`,
  heartbeat: (examined) => `id: ${examined}\nevent: heartbeat\ndata: {}\n\n`,
  made: new WeakMap(),
};

const LINES: Form = {
  type: NDJSON,
  alert: (_, json) => `${json}\n`,
  gap: (gap) => `${JSON.stringify({ gap })}\n`,
  heartbeat: (examined) => `${JSON.stringify({ heartbeat: examined })}\n`,
  made: new WeakMap(),
};

function bytesOfTold(told: Told, form: Form): Buffer {
  switch (told.type) {
    case "alerts":
      return joined(told.alerts.map((alert) => bytesOf(alert, form)));
    case "gap":
      return Buffer.from(form.gap({ requested: told.requested, firstAvailable: told.firstAvailable }));
    case "heartbeat":
      return Buffer.from(form.heartbeat(told.examined));
  }
}

function joined(pieces: readonly Buffer[]): Buffer {
  const [first] = pieces;
  return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
}

function bytesOf(alert: LoggedAlert, { made, alert: make }: Form): Buffer {
  const known = made.get(alert);
  if (known !== undefined) return known;
  const bytes = Buffer.from(make(alert.sequence, Buffer.from(alert.json).toString()));
  made.set(alert, bytes);
  return bytes;
}

interface Beginning {
  readonly open: readonly LoggedAlert["event"][];
  readonly from: number;
}

/** Last event seen, over a number, over a time, over the open alerts, over the end of the log. */
async function beginning(
  { tail, open }: AlertStreams,
  query: Query,
  lastEventId: string | undefined,
  signal: AbortSignal,
): Promise<Beginning> {
  const end = tail.nextSequence;
  const from = lastEventId === undefined || lastEventId === "" ? asked(query) : number(lastEventId, "Last-Event-ID") + 1;
  if (from !== null) return { open: [], from };
  if (query["since"] !== undefined) return { open: [], from: tail.firstSequence };
  const snapshot = textOf(query, "snapshot");
  if (snapshot === undefined) return { open: [], from: end };
  if (snapshot !== "open") throw new CommandError("USAGE", `snapshot: "${snapshot}" is not open`);
  const events = await open(query, signal);
  return { open: events.filter((event) => Number(event.sequence) < end), from: end }; // What came meanwhile is read from the log.
}

function asked(query: Query): number | null {
  const after = sequence(query, "after");
  return sequence(query, "from") ?? (after === null ? null : after + 1);
}

function sequence(query: Query, name: string): number | null {
  const text = textOf(query, name);
  return text === undefined ? null : number(text, name);
}

function number(text: string, name: string): number {
  if (/^\d{1,20}$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new CommandError("USAGE", `${name}: "${text}" is no number of the log`);
}

function waitMs(text: string | undefined): number {
  if (text === undefined) return 0;
  const spanMs = parseSpanMs(text);
  if (spanMs === null || spanMs > WAIT_MAX_MS) throw new CommandError("USAGE", `wait: "${text}" is no span of up to 60s`);
  return spanMs;
}
