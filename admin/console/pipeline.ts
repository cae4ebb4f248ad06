import { sizeText } from "../size.ts";
import { spanText } from "../time.ts";
import { type Html, html } from "./html.ts";
import type { Page, PageContext } from "./page.ts";
import { facts, nothing, panel, table } from "./panel.ts";
import { measured, type Samples } from "./samples.ts";
import { age, count, instant } from "./words.ts";

/** `/pipeline`: what comes in, how long a batch takes, and what goes out. */
export async function pipeline(context: PageContext): Promise<Page> {
  const samples = await measured(context.facts);
  const body = html`<h1>Pipeline</h1>
<div id="pipeline" data-refresh="time"><div class="panels">
${sourcesPanel(samples)}
${turnPanel(samples)}
${storePanel(samples)}
${sinksPanel(samples)}
${actorsPanel(samples)}
</div></div>`;
  return { title: "Pipeline", at: "pipeline", body };
}

function sourcesPanel(samples: Samples): Html {
  const headings = [
    { name: "Feed" },
    { name: "Source" },
    { name: "Clock" },
    { name: "Behind", isNumber: true },
    ...["Read", "Accepted", "Duplicates", "Late"].map((name) => ({ name, isNumber: true })),
    { name: "Quarantined, ever", isNumber: true },
  ];
  const furthest = Math.max(...samples.all("feed_clock_timestamp_seconds").map(({ value }) => value));
  const rows = samples.all("records_read_total").map(({ labels }) => {
    const { feed = "", source = "" } = labels;
    const clock = samples.value("feed_clock_timestamp_seconds", { feed });
    const of = (name: string): string => count(samples.value(`records_${name}_total`, labels) ?? 0);
    const bad = samples.all("records_quarantined_total").filter((one) => one.labels["feed"] === feed);
    return [
      feed,
      source,
      instant(clock === null ? null : new Date(clock * 1_000).toISOString()),
      clock === null ? "–" : age(Math.round(furthest - clock)),
      of("read"),
      of("accepted"),
      of("duplicate"),
      of("late"),
      count(bad.reduce((sum, { value }) => sum + value, 0)),
    ];
  });
  return panel(
    { id: "sources", title: "Sources", note: "since the start of this process", isWide: true },
    rows.length === 0 ? nothing("Nothing has been read since the start.") : table("Records by feed and source", headings, rows),
  );
}

function turnPanel(samples: Samples): Html {
  const times = ["turn_seconds", "commit_seconds"].map((name) => spreadText(samples, name));
  const batch = samples.spread("batch_records");
  return panel(
    { id: "turns", title: "Batches", note: "mean, and the bound of 99 %" },
    facts([
      ["turn", times[0]],
      ["commit", times[1]],
      ["records", batch === null ? "–" : `${count(Math.round(batch.mean))} · ${bound(batch.p99, (value) => count(value))}`],
      ["batches", batch === null ? "0" : count(batch.count)],
      ["event loop delay", spreadText(samples, "eventloop_delay_seconds")],
    ]),
  );
}

function storePanel(samples: Samples): Html {
  const size = samples.value("store_bytes");
  const free = samples.value("store_free_disk_bytes");
  return panel(
    { id: "store", title: "Store" },
    facts([
      ["log, last number", count(samples.value("log_sequence") ?? 0)],
      ...(size === null ? [] : [["size", sizeText(size)] as const]),
      ["free disk", free === null ? "–" : sizeText(free)],
      ["readers of streams", count(samples.value("subscribers") ?? 0)],
    ]),
  );
}

function sinksPanel(samples: Samples): Html {
  const last = samples.value("log_sequence") ?? 0;
  const headings = [{ name: "Sink" }, ...["Cursor", "Behind", "Retries", "Dead letters"].map((name) => ({ name, isNumber: true }))];
  const rows = samples
    .all("sink_sequence")
    .map(({ labels, value }) => [
      labels["sink"] ?? "",
      count(value),
      count(Math.max(0, last - value)),
      count(samples.value("sink_retries_total", labels) ?? 0),
      count(samples.value("sink_dead_letters", labels) ?? 0),
    ]);
  return panel(
    { id: "sinks", title: "Sinks", note: "numbers of the log", isWide: true },
    rows.length === 0 ? nothing("No sink is configured.") : table("Sinks", headings, rows),
  );
}

function actorsPanel(samples: Samples): Html {
  const rows = samples
    .all("actors")
    .map(({ labels, value }) => [labels["kind"] ?? "", count(value), count(samples.value("orphans", labels) ?? 0)]);
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
