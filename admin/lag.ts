import { storedCursor } from "../engine/sink_cursor.ts";
import { aligned } from "./aligned.ts";
import { grouped } from "./format.ts";
import type { Live } from "./live.ts";
import { engineClockMs, type View } from "./reader.ts";
import { readCounters } from "./summary.ts";
import { spanText } from "./time.ts";

/** How far sources and sinks are behind; what nobody can tell is null, as everything of a stopped engine that only a running one knows. */
export interface Lag {
  /** `records`: known to be there and not read; `seconds`: of event time, behind the newest that the engine has. */
  readonly sources: Readonly<
    Record<string, { readonly records: number | null; readonly seconds: number | null; readonly state: string | null }>
  >;
  readonly sinks: Readonly<Record<string, SinkLag>>;
}

interface SinkLag {
  readonly behind: number | null;
  readonly lastSuccess: string | null;
  readonly retries: number | null;
  readonly deadLetters: number;
}

/** The lag of all sources and sinks, by name. What a feed allows to come late is no lag. `live`: null if no engine runs. */
export function lag(view: View, live: Live | null): Lag {
  const clockMs = engineClockMs(view);
  const dead = readCounters(view).group("dead_letter");
  const secondsOf = (atMs: number | null): number | null =>
    atMs === null || clockMs === null ? null : Math.max(0, Math.round((clockMs - atMs) / 1_000));
  if (live === null) return stopped(view, secondsOf, dead);
  return {
    sources: Object.fromEntries(
      live.sources().map(({ source, feed, behind, watermarkMs, state }) => {
        const latestMs = watermarkMs === null || !isOfNow(view, feed) ? null : watermarkMs + latenessMs(view, feed);
        return [source, { records: behind, seconds: secondsOf(latestMs), state }];
      }),
    ),
    sinks: Object.fromEntries(
      live
        .sinks()
        .map(({ sink, behind, lastSuccess, retries }) => [
          sink,
          { behind, lastSuccess: lastSuccess === null ? null : new Date(lastSuccess).toISOString(), retries, deadLetters: dead[sink] ?? 0 },
        ]),
    ),
  };
}

/** Whether a feed's times say when something happened. Dates of validity may be years old, and nothing is behind. */
function isOfNow({ domain }: View, feed: string): boolean {
  return domain.feeds.find(({ name }) => name === feed)?.refusesFuture === true;
}

/** How far a feed's watermark is behind the latest event time that it has seen. */
function latenessMs({ domain }: View, feed: string): number {
  const allowed = domain.feeds.find(({ name }) => name === feed)?.latenessMs ?? 0;
  return Number.isFinite(allowed) ? allowed : 0;
}

/** Two tables for people. A source of which all is read is not behind, however old its records are. */
export function lagText({ sources, sinks }: Lag): string {
  const number = (value: number | null): string => (value === null ? "-" : grouped(value));
  return (
    aligned([
      ["source", "records", "event time behind", "state"],
      ...Object.entries(sources).map(([name, { records, seconds, state }]) => [
        name,
        number(records),
        seconds === null ? "-" : records === 0 && seconds > 0 ? "all read" : spanText(1_000 * seconds),
        state ?? "-",
      ]),
    ]) +
    aligned([
      ["sink", "behind", "last success", "retries", "dead letters"],
      ...Object.entries(sinks).map(([name, { behind, lastSuccess, retries, deadLetters }]) => [
        name,
        number(behind),
        lastSuccess ?? "-",
        number(retries),
        grouped(deadLetters),
      ]),
    ])
  );
}

/** What the files say: sources have stood somewhere, and sinks have taken something. */
function stopped(view: View, secondsOf: (atMs: number | null) => number | null, dead: Readonly<Record<string, number>>): Lag {
  return {
    sources: Object.fromEntries(
      storedSources(view).map(({ name, feed, latestMs }) => [
        name,
        { records: null, seconds: isOfNow(view, feed) ? secondsOf(latestMs) : null, state: null },
      ]),
    ),
    sinks: Object.fromEntries(
      [...view.store.range("sink", "")].map(([sink]) => [
        sink,
        { behind: null, lastSuccess: null, retries: null, deadLetters: dead[sink] ?? 0 },
      ]),
    ),
  };
}

/** Sources that the state knows, by name, with their feed and the latest event time that they have brought. */
export function storedSources({
  store,
}: View): readonly { readonly name: string; readonly feed: string; readonly latestMs: number | null }[] {
  const found = new Map<string, { name: string; feed: string; latestMs: number | null }>();
  for (const [key, bytes] of store.range("partition", "")) {
    const name = key.split("/")[0] ?? key;
    const { feed, latestMs } = JSON.parse(Buffer.from(bytes).toString()) as { readonly feed: string; readonly latestMs: number | null };
    const before = found.get(name)?.latestMs ?? null;
    found.set(name, { name, feed, latestMs: before === null || (latestMs ?? before) > before ? latestMs : before });
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The last number that a sink holds for good. */
export function settledOf({ store }: View, sink: string): number {
  const get: Parameters<typeof storedCursor>[0]["get"] = (table, key) =>
    [...store.range(table, key)].find(([name]) => name === key)?.[1] ?? null;
  return storedCursor({ get }, sink).settled;
}
