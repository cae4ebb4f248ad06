import { parsedSearch } from "../http/route.ts";
import { printableJson } from "../printable.ts";
import type { QuarantineDetail, QuarantineItem } from "../quarantine.ts";
import { sizeText } from "../size.ts";
import { type Parameter, textOf } from "../verb.ts";
import { encoded, type Html, html, lines, type Part } from "./html.ts";
import type { Page, PageContext } from "./page.ts";
import { facts, nothing, panel, table } from "./panel.ts";
import { actorLink, count, instant } from "./words.ts";
import { allowed, writeForm } from "./write_forms.ts";

const ROWS = 100;
const COUNTED_MAX = 10_000;
const TEXT_MAX = 20_000;
const KEYS: readonly Parameter[] = [
  { name: "id", takes: "quarantine", about: "the record that is shown" },
  { name: "feed", takes: "feed", about: "of one feed" },
  { name: "reason", takes: "text", about: "of one reason" },
  { name: "all", takes: "switch", about: "settled ones, too" },
];

/** `/quarantine`: how many records could not be processed, and why; one of them with what came. */
export async function quarantine(context: PageContext): Promise<Page> {
  const { id, ...query } = parsedSearch(context.search, KEYS);
  const { value, found = 0 } = await context.ask("quarantine ls", { ...query, limit: String(COUNTED_MAX) });
  const items = value as readonly QuarantineItem[];
  const detail = typeof id === "string" ? ((await context.ask("quarantine show", { id })).value as QuarantineDetail) : null;
  const flags = ["feed", "reason"].flatMap((name) => (textOf(query, name) === undefined ? [] : [`--${name} ${textOf(query, name)}`]));
  const body = html`<h1>Quarantine</h1>
<div id="quarantine" data-after-write>
<div class="panels">
${detail === null ? null : detailPanel(context, detail)}
${panel(
  { id: "counts", title: "By feed and reason", note: query["all"] === true ? "settled ones, too" : "open", isWide: true },
  items.length === 0
    ? nothing("Nothing is quarantined: every record could be processed.")
    : table(
        "Quarantined records by feed and reason",
        [{ name: "Feed" }, { name: "Reason" }, { name: "Records", isNumber: true }],
        counted(items),
      ),
)}
${items.length === 0 ? null : listPanel(items, found, ["gridactor quarantine ls", ...flags].join(" "))}
</div>
<p class="more">${query["all"] === true ? html`<a href="/quarantine">Open ones only</a>` : html`<a href="/quarantine?all=true">Settled ones, too</a>`}</p></div>`;
  return { title: "Quarantine", at: "quarantine", body };
}

function counted(items: readonly QuarantineItem[]): readonly (readonly Part[])[] {
  const counts = new Map<string, { readonly item: QuarantineItem; records: number }>();
  for (const item of items) {
    const key = `${item.feed}\n${item.reason}`;
    const one = counts.get(key) ?? { item, records: 0 };
    one.records += 1;
    counts.set(key, one);
  }
  return [...counts.values()]
    .sort((a, b) => b.records - a.records)
    .map(({ item: { feed, reason }, records }) => [
      feed,
      html`<a href="/quarantine?feed=${encoded(feed)}&amp;reason=${encoded(reason)}">${reason}</a>`,
      count(records),
    ]);
}

function listPanel(items: readonly QuarantineItem[], found: number, command: string): Html {
  const headings = [
    { name: "Record" },
    { name: "Feed" },
    { name: "Reason" },
    { name: "Field" },
    { name: "Actor" },
    { name: "Size", isNumber: true },
    { name: "Status" },
    { name: "Error" },
  ];
  const rows = items
    .slice(0, ROWS)
    .map((item) => [
      html`<a class="id" href="/quarantine?id=${encoded(item.id)}${item.status === "open" ? null : "&all=true"}">${item.id}</a>`,
      item.feed,
      item.reason,
      item.field === null ? "–" : html`<code>${item.field}</code>`,
      item.actor === null ? "–" : actorLink(item.actor),
      sizeText(item.size),
      item.status,
      item.error,
    ]);
  const note = rows.length < found ? `the first ${rows.length} of ${count(found)}` : count(found);
  return panel(
    { id: "rows", title: "Records", note, command, isWide: true },
    table("Quarantined records, in order of arrival", headings, rows),
  );
}

function detailPanel(context: PageContext, detail: QuarantineDetail): Html {
  const { id, feed, source, position, reason, field, error, actor, eventTime, attempts, status, size, text, bytes } = detail;
  return panel(
    { id: "record", title: id, note: status, command: `gridactor quarantine show ${id}`, isWide: true },
    html`${facts([
      ["reason", reason],
      ["error", error],
      ["field", field === null ? "–" : html`<code>${field}</code>`],
      ["feed", feed],
      ["source", source],
      ["position", html`<code>${position}</code>`],
      ["actor", actor === null ? "–" : actorLink(actor)],
      ["event time", instant(eventTime)],
      ["size", sizeText(size)],
      ["attempts", count(attempts)],
    ])}
<h3>What came</h3>
<pre class="record" tabindex="0" aria-label="The record as it came">${text === null ? html`${bytes.slice(0, TEXT_MAX)} (base64)` : marked(text.slice(0, TEXT_MAX), field)}</pre>
${status === "open" ? settleForms(context, id) : null}`,
  );
}

function settleForms(context: PageContext, id: string): Part {
  const reason = html`<label>Reason<input name="reason" autocomplete="off" maxlength="1000"></label>`;
  const path = `/v1/quarantine/${encoded(id)}`;
  return html`<h3>Settle it</h3><div class="writes">${allowed(context, "operate", () => [
    writeForm(`${path}/retry`, reason, "Retry"),
    context.caller.role === "admin" ? writeForm(`${path}/drop`, reason, "Drop") : null,
  ])}</div>`;
}

/** The text, with the field that failed marked wherever its name stands; JSON on one line is laid out first. */
function marked(text: string, field: string | null): Part {
  const laid = laidOut(text);
  const name = field?.split(".").at(-1) ?? null;
  if (name === null || name === "") return lines(laid);
  return laid.split("\n").map((line) =>
    namesIt(line, name)
      ? html`<mark>${line}</mark>
`
      : html`${line}
`,
  );
}

function namesIt(line: string, name: string): boolean {
  return line.trimStart().startsWith(JSON.stringify(name));
}

function laidOut(text: string): string {
  try {
    return printableJson(JSON.parse(text), 2);
  } catch {
    return text; // It may be in quarantine because it is no JSON.
  }
}
