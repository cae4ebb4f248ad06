import type { SchemaItem } from "../schema.ts";
import { encoded, type Html, html } from "./html.ts";
import type { Page, PageContext } from "./page.ts";
import { facts, nothing, panel, table } from "./panel.ts";
import { count } from "./words.ts";

/** `/about`: which version this is, the configuration in force with the origin of each value, and the schemas. */
export async function about(context: PageContext): Promise<Page> {
  const [schemas, counts] = await Promise.all([context.ask("schema ls"), context.ask("count")]);
  const { version, shownConfig, origins } = context.facts;
  const actors = Object.values(counts.value as Readonly<Record<string, number>>).reduce((sum, one) => sum + one, 0);
  const body = html`<h1>About</h1>
<div class="panels">
${panel(
  { id: "version", title: "gridactor" },
  facts([
    ["version", version],
    ["Node", process.versions.node],
    ["actors", count(actors)],
  ]),
)}
${panel({ id: "links", title: "Elsewhere" }, html`<ul class="links">${LINKS.map(([href, text]) => html`<li><a href="${href}">${href}</a> ${text}</li>`)}</ul>`)}
${schemasPanel(schemas.value as readonly SchemaItem[])}
${configPanel(shownConfig, origins)}
</div>`;
  return { title: "About", at: "about", body };
}

const LINKS: readonly (readonly [href: string, text: string])[] = [
  ["/v1/schema", "schemas of the feeds, as JSON"],
  ["/v1/config", "the configuration, as JSON"],
  ["/asyncapi.yaml", "the stream of alerts, for who builds on it"],
  ["/metrics", "for Prometheus"],
  ["/readyz?verbose", "whether it is ready, part by part"],
];

function schemasPanel(items: readonly SchemaItem[]): Html {
  const headings = [
    { name: "Feed" },
    { name: "Version", isNumber: true },
    { name: "Mode" },
    { name: "Columns", isNumber: true },
    { name: "Waiting" },
  ];
  const rows = items.map(({ feed, version, mode, columns, waiting }) => [
    html`<a href="/v1/schema/${encoded(feed)}">${feed}</a>`,
    count(version),
    mode,
    count(columns),
    String(waiting),
  ]);
  return panel(
    { id: "schemas", title: "Schemas", command: "gridactor schema", isWide: true },
    table("Schemas of the feeds", headings, rows),
  );
}

function configPanel(config: unknown, origins: Readonly<Record<string, string>>): Html {
  const values = flat(config, []);
  const rows = values.map(({ path, value }) => [
    html`<code>${path}</code>`,
    value,
    html`<span class="note">${origins[path] ?? "default"}</span>`,
  ]);
  const headings = ["Key", "Value", "From"].map((name) => ({ name }));
  return panel(
    { id: "config", title: "Configuration in force", note: "secrets are masked", command: "gridactor schema config", isWide: true },
    rows.length === 0 ? nothing("Empty.") : table("Configuration", headings, rows),
  );
}

interface Value {
  readonly path: string;
  readonly value: string;
}

/** Every value with its path; short lists stay on one line. */
function flat(value: unknown, path: readonly (string | number)[]): readonly Value[] {
  const isLeaf = typeof value !== "object" || value === null || Object.keys(value).length === 0;
  const isShort = Array.isArray(value) && value.every((one) => typeof one !== "object");
  if (isLeaf || isShort)
    return [{ path: path.join("."), value: isShort ? value.join(", ") || "none" : typeof value === "object" ? "none" : String(value) }];
  return Object.entries(value).flatMap(([name, one]) => flat(one, [...path, name]));
}
