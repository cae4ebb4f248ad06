import type { LogReport } from "../engine/retention.ts";
import { aligned } from "./aligned.ts";
import { grouped } from "./format.ts";
import { settledOf, storedSources } from "./lag.ts";
import type { Live } from "./live.ts";
import { engineClockMs, type View } from "./reader.ts";
import { readCounters } from "./summary.ts";
import { instantText } from "./time.ts";

type Offsets = Readonly<Record<string, string>> | null;

/** Where an engine is: what its sources bring, what its actors hold, what its sinks have. Rates and offsets only a running one knows. */
export interface Progress {
  /** The latest event time. */
  readonly clock: string | null;
  /** Last number of the log; null: nobody knows without a running engine. */
  readonly sequence: number | null;
  /** Null: nobody knows without a running engine, or all of it is kept. `waiting`: why sources wait for sinks; null: they do not. */
  readonly log: LogReport | null;
  readonly sources: readonly SourceProgress[];
  readonly stateOperators: readonly { readonly operatorName: string; readonly numRowsTotal: number; readonly orphans: number }[];
  readonly sinks: readonly { readonly name: string; readonly settled: number; readonly behind: number | null }[];
}

interface SourceProgress {
  readonly name: string;
  readonly feed: string;
  /** Of the latest batch: partition -> position. */
  readonly startOffset: Offsets;
  readonly endOffset: Offsets;
  readonly inputRowsPerSecond: number | null;
  readonly processedRowsPerSecond: number | null;
  readonly watermark: string | null;
}

/** `live`: null if no engine runs. */
export function progress(view: View, live: Live | null): Progress {
  const counters = readCounters(view);
  const [actors, orphans] = [counters.group("actor"), counters.group("orphan")];
  return {
    clock: textOr(engineClockMs(view)),
    sequence: live === null ? null : live.sequence(),
    log: live === null ? null : live.log(),
    sources: live === null ? storedProgress(view) : liveProgress(live),
    stateOperators: view.domain.behaviours.map(({ kind }) => ({
      operatorName: kind,
      numRowsTotal: actors[kind] ?? 0,
      orphans: orphans[kind] ?? 0,
    })),
    sinks:
      live === null
        ? [...view.store.range("sink", "")].map(([name]) => ({ name, settled: settledOf(view, name), behind: null }))
        : live.sinks().map(({ sink, settled, behind }) => ({ name: sink, settled, behind })),
  };
}

/** The progress for people. */
export function progressText({ clock, sequence, log, sources, stateOperators, sinks }: Progress): string {
  const rate = (value: number | null): string => (value === null ? "-" : `${grouped(Math.round(value))}/s`);
  const held = stateOperators
    .filter(({ numRowsTotal }) => numRowsTotal > 0)
    .map(({ operatorName: kind, numRowsTotal: count }) => `${kind} ${grouped(count)}`);
  return (
    `clock ${clock ?? "-"} · sequence ${sequence === null ? "-" : grouped(sequence)} · ${held.join(" · ")}\n` +
    (log === null || log.waiting === null ? "" : `sources wait: ${log.waiting}\n`) +
    aligned([
      ["source", "feed", "input", "processed", "watermark"],
      ...sources.map(({ name, feed, inputRowsPerSecond: input, processedRowsPerSecond: done, watermark }) => [
        name,
        feed,
        rate(input),
        rate(done),
        watermark ?? "-",
      ]),
    ]) +
    aligned([
      ["sink", "settled", "behind"],
      ...sinks.map(({ name, settled, behind }) => [name, grouped(settled), behind === null ? "-" : grouped(behind)]),
    ])
  );
}

function liveProgress(live: Live): readonly SourceProgress[] {
  return live.sources().map(({ source, feed, watermarkMs }) => {
    const pace = live.pace(source);
    return {
      name: source,
      feed,
      startOffset: pace?.from ?? null,
      endOffset: pace?.to ?? null,
      inputRowsPerSecond: pace === null ? 0 : pace.inputPerSecond,
      processedRowsPerSecond: pace?.processedPerSecond ?? 0,
      watermark: textOr(watermarkMs),
    };
  });
}

function storedProgress(view: View): readonly SourceProgress[] {
  return storedSources(view).map(({ name, feed, latestMs }) => ({
    name,
    feed,
    startOffset: null,
    endOffset: null,
    inputRowsPerSecond: null,
    processedRowsPerSecond: null,
    watermark: textOr(latestMs),
  }));
}

function textOr(atMs: number | null): string | null {
  return atMs === null ? null : instantText(atMs);
}
