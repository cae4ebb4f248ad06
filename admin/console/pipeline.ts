import type { FileItem } from "../files.ts";
import type { Lag } from "../lag.ts";
import type { Progress } from "../progress.ts";
import { sizeText } from "../size.ts";
import { spanText } from "../time.ts";
import { type Html, html, type Part } from "./html.ts";
import type { Page, PageContext } from "./page.ts";
import { facts, nothing, panel, table } from "./panel.ts";
import { measured, type Samples } from "./samples.ts";
import { age, count, instant, shown } from "./words.ts";

const FILES = 100;

/** `/pipeline`: what comes in, how long a batch takes, and what goes out. */
export async function pipeline(context: PageContext): Promise<Page> {
  const [samples, lag, progress, files] = await Promise.all([
    measured(context.facts),
    context.ask("lag"),
    context.ask("progress"),
    context.ask("files", { limit: String(FILES) }),
  ]);
  const lags = lag.value as Lag;
  const now = progress.value as Progress;
  const body = html`<h1>Pipeline</h1>
<div id="pipeline" data-refresh="time"><div class="panels">
${sourcesPanel(now, lags)}
${turnPanel(samples)}
${storePanel(samples, now)}
${sinksPanel(now, lags)}
${filesPanel(files.value as readonly FileItem[], files.found)}
${actorsPanel(now)}
</div></div>`;
  return { title: "Pipeline", at: "pipeline", body };
}

function sourcesPanel({ sources }: Progress, lags: Lag): Html {
  const headings = [
    { name: "Source" },
    { name: "Feed" },
    { name: "State" },
    { name: "Reads/s", isNumber: true },
    { name: "Could take/s", isNumber: true },
    { name: "Watermark" },
    { name: "Behind", isNumber: true },
    { name: "Records to read", isNumber: true },
  ];
  const rows = sources.map(({ name, feed, inputRowsPerSecond: input, processedRowsPerSecond: able, watermark }) => {
    const { records = null, seconds = null, state = null } = lags.sources[name] ?? {};
    return [
      name,
      feed,
      sourceState(state),
      input === null ? "–" : shown(input),
      able === null ? "–" : shown(Math.round(able)),
      instant(watermark),
      seconds === null ? "–" : age(seconds),
      records === null ? "–" : count(records),
    ];
  });
  return panel(
    { id: "sources", title: "Sources", command: "gridactor lag", isWide: true },
    rows.length === 0 ? nothing("No source is configured.") : table("Sources", headings, rows),
  );
}

/** Grey while all is well. */
export function sourceState(state: string | null): Part {
  if (state === "down") return html`<strong class="major">down</strong>`;
  return html`<span class="none">${state ?? "–"}</span>`;
}

function turnPanel(samples: Samples): Html {
  const batch = samples.spread("batch_records");
  return panel(
    { id: "turns", title: "Batches", note: "mean, and the bound of 99 %" },
    facts([
      ["turn", spreadText(samples, "turn_seconds")],
      ["commit", spreadText(samples, "commit_seconds")],
      ["flush", spreadText(samples, "flush_seconds")],
      ["records", batch === null ? "–" : `${count(Math.round(batch.mean))} · ${bound(batch.p99, count)}`],
      ["batches", batch === null ? "0" : count(batch.count)],
      ["event loop delay", spreadText(samples, "eventloop_delay_seconds")],
    ]),
  );
}

function storePanel(samples: Samples, { clock, sequence }: Progress): Html {
  const size = samples.value("store_bytes");
  const free = samples.value("store_free_disk_bytes");
  return panel(
    { id: "store", title: "Store" },
    facts([
      ["clock", instant(clock)],
      ["log, last number", sequence === null ? "–" : count(sequence)],
      ...(size === null ? [] : [["size", sizeText(size)] as const]),
      ["free disk", free === null ? "–" : sizeText(free)],
      ["readers of streams", count(samples.value("subscribers") ?? 0)],
    ]),
  );
}

function sinksPanel({ sinks }: Progress, lags: Lag): Html {
  const headings = [
    { name: "Sink" },
    { name: "Cursor", isNumber: true },
    { name: "Behind", isNumber: true },
    { name: "Last success" },
    { name: "Retries", isNumber: true },
    { name: "Dead letters", isNumber: true },
  ];
  const rows = sinks.map(({ name, settled, behind }) => {
    const { lastSuccess = null, retries = null, deadLetters = 0 } = lags.sinks[name] ?? {};
    return [
      name,
      count(settled),
      behind === null ? "–" : count(behind),
      instant(lastSuccess),
      retries === null ? "–" : count(retries),
      deadLetters === 0 ? "0" : html`<strong class="major">${count(deadLetters)}</strong>`,
    ];
  });
  return panel(
    {
      id: "sinks",
      title: "Sinks",
      note: "numbers of the log; last success by the wall clock",
      command: "gridactor progress",
      isWide: true,
    },
    rows.length === 0 ? nothing("No sink is configured.") : table("Sinks", headings, rows),
  );
}

function filesPanel(files: readonly FileItem[], found: number | undefined): Html | null {
  if (files.length === 0) return null;
  const headings = [
    { name: "Source" },
    { name: "File" },
    { name: "State" },
    { name: "Rows", isNumber: true },
    { name: "Quarantined", isNumber: true },
    { name: "Size", isNumber: true },
    { name: "Why" },
  ];
  const rows = files.map(({ source, path, state, rows: read, faults, size, error }) => [
    source,
    html`<code>${path}</code>`,
    state === "quarantined" ? html`<strong class="major">${state}</strong>` : state,
    count(read),
    count(faults),
    sizeText(size),
    error ?? "",
  ]);
  const note = found !== undefined && found > rows.length ? `the first ${rows.length} of ${count(found)}` : null;
  return panel({ id: "files", title: "Files", note, command: "gridactor files", isWide: true }, table("Landed files", headings, rows));
}

function actorsPanel({ stateOperators }: Progress): Html {
  const rows = stateOperators.map(({ operatorName, numRowsTotal, orphans }) => [operatorName, count(numRowsTotal), count(orphans)]);
  const headings = [{ name: "Kind" }, { name: "Actors", isNumber: true }, { name: "Orphans", isNumber: true }];
  return panel(
    { id: "actors", title: "Actors", note: "orphans: no master has told of them yet", command: "gridactor count", isWide: true },
    table("Actors by kind", headings, rows),
  );
}

function spreadText(samples: Samples, name: string): string {
  const spread = samples.spread(name);
  return spread === null ? "–" : `${spanText(spread.mean * 1_000)} · ${bound(spread.p99, (value) => spanText(value * 1_000))}`;
}

function bound(value: number, text: (value: number) => string): string {
  return Number.isFinite(value) ? `≤ ${text(value)}` : "beyond all bounds";
}
