import { pino, destination as stderr } from "pino";
import { seconds } from "../engine/duration.ts";
import type { Screen } from "./format.ts";
import { type Color, colored } from "./format.ts";
import { escapedJson, printable } from "./printable.ts";
import { timeOfDayText } from "./time.ts";

/** What happened, for programs: a closed list of stable codes. */
export type LogEvent =
  | "engine.starting"
  | "engine.ready"
  | "engine.stopping"
  | "engine.stopped"
  | "engine.failed"
  | "engine.died"
  | "engine.progress"
  | "source.retry"
  | "source.idle"
  | "source.gap"
  | "source.stopped"
  | "file.refused"
  | "quarantine.row"
  | "sink.retry"
  | "sink.gap"
  | "log.full"
  | "log.room"
  | "sink.dead_letter"
  | "store.flush_failed"
  | "admin.failed"
  | "admin.open"
  | "admin.write"
  | "config.reloaded"
  | "config.refused"
  | "cluster.shard"
  | "cluster.snapshot";

/** What it is about. Payloads are never logged. */
export interface LogFields {
  readonly source?: string;
  readonly feed?: string;
  readonly sink?: string;
  readonly actor?: string;
  readonly alertId?: string;
  readonly position?: string;
  readonly err?: unknown;
  readonly [field: string]: unknown;
}

type Write = (event: LogEvent, msg: string, fields?: LogFields) => void;

/**
 * The log. `fatal` ends the process (by the caller, next; it is written when the call returns), `error` lost a promise or needs a person, `warn`
 * recovers alone, `info` is life cycle. Warnings and errors that repeat within 10 s (same event about the same thing) become one line more, with
 * `repeated`.
 */
export interface Log {
  readonly fatal: Write;
  readonly error: Write;
  readonly warn: Write;
  readonly info: Write;
  readonly debug: Write;
  readonly trace: Write;
  /** Writes what is still held back, and waits for it. */
  close(): void;
}

export interface LogOptions {
  readonly level: "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";
  /** A terminal gets lines for people, anything else NDJSON. */
  readonly screen: Screen | null;
  /** Values that must not show, whatever field they come in. */
  readonly secrets?: readonly string[];
  readonly output?: LogOutput;
  /** Epoch ms. */
  readonly nowMs?: () => number;
}

/** Where lines go. `flushSync` returns when all are written. */
export interface LogOutput {
  write(line: string): unknown;
  flushSync(): void;
}

const REPEAT_MS = seconds(10);
const VALUE_LENGTH_MAX = 256;
const STACK_LENGTH_MAX = 4_096;
const HELD_BACK_MAX = 1_000;
const BUFFER_BYTES_MAX = 1_048_576; // Of a reader that stalls; beyond it lines are lost, not the engine.
const SHORTEST_SECRET = 4; // Shorter ones would mask half of every line, and protect nothing.
const CENSORED = [
  "password",
  "secret",
  "secrets",
  "token",
  "tokens",
  "connectionString",
  "sas",
  "authorization",
  "cookie",
  "customer_name",
  "customerName",
];

/** Opens the log: on stderr, unless another output is given. */
export function openLog({ level, screen, secrets = [], output = toStderr(), nowMs = Date.now }: LogOptions): Log {
  const clean = censor(secrets);
  const sink: LogOutput = {
    write: (line) => output.write(screen === null ? escapedJson(clean(line)) : forPeople(clean(line), screen)),
    flushSync: () => output.flushSync(), // pino calls it after a fatal line.
  };
  const logger = pino(
    {
      level,
      base: null,
      messageKey: "msg",
      timestamp: () => `,"time":"${new Date(nowMs()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (err: unknown) => err }, // Done here already, cleaned and cut.
      redact: { paths: CENSORED.flatMap((key) => [key, `*.${key}`]), censor: "***" },
    },
    sink,
  );
  const write = (at: pino.Level, event: LogEvent, msg: string, fields: LogFields): void => {
    logger[at]({ event, ...shortened(fields, clean) }, shortText(clean(msg), VALUE_LENGTH_MAX));
  };
  const repeats = new Repeats(write, nowMs);
  const folded =
    (at: "error" | "warn"): Write =>
    (event, msg, fields = {}) =>
      repeats.take(at, event, msg, fields);
  const direct =
    (at: "info" | "debug" | "trace"): Write =>
    (event, msg, fields = {}) =>
      write(at, event, msg, fields);
  const close = (): void => {
    repeats.close();
    output.flushSync();
  };
  const fatal: Write = (event, msg, fields = {}) => {
    repeats.release();
    write("fatal", event, msg, fields);
  };
  return {
    fatal,
    error: folded("error"),
    warn: folded("warn"),
    info: direct("info"),
    debug: direct("debug"),
    trace: direct("trace"),
    close,
  };
}

interface Held {
  readonly at: "error" | "warn";
  readonly event: LogEvent;
  readonly untilMs: number;
  msg: string;
  fields: LogFields;
  repeated: number;
}

/** Holds repeats back: the first of its kind is written at once, the last one when its 10 s are over, with the number of all that came between. */
class Repeats {
  readonly #write: (at: "error" | "warn", event: LogEvent, msg: string, fields: LogFields) => void;
  readonly #nowMs: () => number;
  readonly #held = new Map<string, Held>();
  readonly #timer: NodeJS.Timeout;

  constructor(write: (at: "error" | "warn", event: LogEvent, msg: string, fields: LogFields) => void, nowMs: () => number) {
    this.#write = write;
    this.#nowMs = nowMs;
    this.#timer = setInterval(() => this.release(nowMs()), REPEAT_MS).unref();
  }

  take(at: "error" | "warn", event: LogEvent, msg: string, fields: LogFields): void {
    const nowMs = this.#nowMs();
    const key = [at, event, fields.source, fields.feed, fields.sink].join("\n");
    this.release(nowMs);
    const held = this.#held.get(key);
    if (held !== undefined) {
      Object.assign(held, { msg, fields, repeated: held.repeated + 1 });
      return;
    }
    this.#write(at, event, msg, fields);
    if (this.#held.size < HELD_BACK_MAX) this.#held.set(key, { at, event, msg, fields, untilMs: nowMs + REPEAT_MS, repeated: 0 });
  }

  /** Writes those whose time is over. */
  release(nowMs = Number.POSITIVE_INFINITY): void {
    for (const [key, { at, event, msg, fields, untilMs, repeated }] of this.#held) {
      if (untilMs > nowMs) continue;
      this.#held.delete(key);
      if (repeated > 0) this.#write(at, event, msg, { ...fields, repeated });
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.release();
  }
}

/** Not synchronous: a reader that stalls must not stop the engine. `flushSync` is what the fatal path waits for. */
function toStderr(): LogOutput {
  const output = stderr({ dest: 2, sync: false, maxLength: BUFFER_BYTES_MAX });
  output.on("error", () => {}); // A closed pipe ends the log, not the process.
  return { write: (line) => output.write(line), flushSync: () => flush(output) };
}

function flush(output: { flushSync(): void }): void {
  try {
    output.flushSync();
  } catch {
    // Nobody reads it any more.
  }
}

function censor(secrets: readonly string[]): (line: string) => string {
  const values = secrets.filter(({ length }) => length >= SHORTEST_SECRET).flatMap((value) => [value, JSON.stringify(value).slice(1, -1)]);
  const longestFirst = [...new Set(values)].sort((a, b) => b.length - a.length);
  return (line) => longestFirst.reduce((text, value) => text.replaceAll(value, "***"), line);
}

/** Cleaned first, then cut: half a secret would not be recognised. */
function shortened(fields: LogFields, clean: (text: string) => string): LogFields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, shortValue(value, clean)]));
}

function shortValue(value: unknown, clean: (text: string) => string): unknown {
  if (typeof value === "string") return shortText(clean(value), VALUE_LENGTH_MAX);
  if (value instanceof Error) {
    const { name, message, stack = "" } = value;
    return { type: name, message: shortText(clean(message), VALUE_LENGTH_MAX), stack: shortText(clean(stack), STACK_LENGTH_MAX) };
  }
  if (typeof value !== "object" || value === null) return value;
  const json = JSON.stringify(value);
  return json.length <= VALUE_LENGTH_MAX ? value : shortText(clean(json), VALUE_LENGTH_MAX);
}

function shortText(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax - 1)}…`;
}

const COLORS: Readonly<Record<string, Color>> = { fatal: "red", error: "red", warn: "yellow", info: "green", debug: "cyan", trace: "dim" };

/** One coloured line: `16:23:45Z warn  source.retry  meters is tried again  source=meters`. */
function forPeople(line: string, screen: Screen): string {
  const parsed = parseLine(line);
  if (parsed === null) return `${printable(line.trimEnd())}\n`;
  const { time, level, event, msg, err, ...fields } = parsed;
  const name = String(level).padEnd(5);
  const rest = Object.entries({ ...fields, ...(err === undefined ? {} : { err: reason(err) }) }).map(
    ([key, value]) => `${key}=${fieldText(value)}`,
  );
  const parts = [
    timeOfDayText(Date.parse(String(time))),
    colored(name, COLORS[String(level)] ?? null, screen),
    printable(String(event)),
    printable(String(msg)),
  ];
  return `${[...parts, colored(rest.join(" "), rest.length > 0 ? "dim" : null, screen)].join("  ").trimEnd()}\n`;
}

/** Null: a secret that looks like JSON was masked away. */
function parseLine(line: string): Readonly<Record<string, unknown>> | null {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function fieldText(value: unknown): string {
  return printable(typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
}

function reason(err: unknown): unknown {
  return typeof err === "object" && err !== null && "message" in err ? err.message : err;
}
