import { minutes, parseSpanMs } from "../engine/duration.ts";
import { CommandError } from "./errors.ts";
import { ROWS_DEFAULT } from "./limit.ts";
import { findActor } from "./reader.ts";
import { instantText } from "./time.ts";
import { type Known, type Query, textOf } from "./verb.ts";

/** A message as an actor got it. */
export interface TraceLine {
  /** Its event time; null: it has none. */
  readonly at: string | null;
  readonly type: string;
  readonly feed: string;
  readonly position: string;
  readonly late: boolean;
  readonly message: unknown;
}

const SPAN_MAX_MS = minutes(10);
const LIMIT_DEFAULT = 10 * ROWS_DEFAULT;
const LIMIT_MAX = 10_000;

/** The messages of one actor as they are processed, for so long and so many at most. Throws UNREACHABLE where no engine runs, NOT_FOUND, USAGE. */
export async function* traceLines({ view, live }: Known, query: Query, signal: AbortSignal): AsyncGenerator<TraceLine, void> {
  const [spanMs, limit] = [spanOf(query), limitOf(query)];
  if (live === undefined)
    throw new CommandError("UNREACHABLE", "no daemon answers: messages are those of a running engine", { hint: "gridactor run" });
  const id = findActor(view, textOf(query, "id") ?? "");
  const heard: TraceLine[] = [];
  let count = 0;
  let wake = (): void => {};
  const stop = live.trace(id, ({ message, feed, position, late }) => {
    if (count >= limit) return;
    count += 1;
    const atMs = "atMs" in message && typeof message.atMs === "number" ? message.atMs : null;
    const at = atMs === null ? null : instantText(atMs);
    heard.push({ at, type: message.type, feed, position, late, message: JSON.parse(JSON.stringify(message)) });
    wake();
  });
  let isOver = signal.aborted;
  const end = (): void => {
    isOver = true;
    wake();
  };
  signal.addEventListener("abort", end, { once: true });
  const timer = setTimeout(end, spanMs); // Held here: a timeout that only another signal knows is forgotten with the garbage.
  try {
    for (let told = 0; told < limit && !isOver; ) {
      const line = heard.shift();
      if (line !== undefined) {
        told += 1;
        yield line;
        continue;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (heard.length > 0 || isOver) resolve();
      });
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    stop();
  }
}

/** One message for people. */
export function traceText({ at, type, feed, position, late, message }: TraceLine): string {
  const { type: _, atMs: __, ...rest } = message as Readonly<Record<string, unknown>>;
  return `${at ?? "-"}  ${type}${late ? " (late)" : ""}  ${JSON.stringify(rest)}  ${feed} ${position}`;
}

function spanOf(query: Query): number {
  const text = textOf(query, "for");
  const spanMs = text === undefined ? null : parseSpanMs(text);
  if (spanMs !== null && spanMs > 0 && spanMs <= SPAN_MAX_MS) return spanMs;
  const said = text === undefined ? "is missing" : `"${text}" is no span of at most 10m`;
  throw new CommandError("USAGE", `--for: ${said}`, { hint: "--for 30s" });
}

function limitOf(query: Query): number {
  const text = textOf(query, "limit") ?? String(LIMIT_DEFAULT);
  if (/^\d{1,9}$/.test(text) && Number(text) >= 1 && Number(text) <= LIMIT_MAX) return Number(text);
  throw new CommandError("USAGE", `--limit: "${text}" is no whole number from 1 to ${LIMIT_MAX}`);
}
