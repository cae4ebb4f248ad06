import type { CellValue } from "../../engine/emission.ts";
import { printableJson } from "../printable.ts";
import { type Html, html, lines, type Part } from "./html.ts";
import type { PageContext } from "./page.ts";
import { facts, nothing, panel, table } from "./panel.ts";
import { label, shown } from "./words.ts";

/** What the verb `explain` answers, as far as the page shows it. */
interface Explanation {
  readonly rule: string;
  readonly ruleVersion: number;
  readonly tests: readonly {
    readonly name: string;
    readonly value: CellValue;
    readonly op: string;
    readonly limit: CellValue;
    readonly passed: boolean;
    readonly from: string | null;
  }[];
  readonly version: unknown;
  readonly before: unknown;
  readonly after: unknown;
  readonly suppression: unknown;
}

/** Why an alert was raised: each test with what it compared, and where its limit comes from; null where nobody can say. */
export async function explainPanel(context: PageContext, alertId: string): Promise<Html | null> {
  if (!context.has("explain")) return null;
  const { rule, ruleVersion, tests, ...rest } = (await context.ask("explain", { alertId })).value as Explanation;
  const headings = [
    { name: "Holds" },
    { name: "Value" },
    { name: "" },
    { name: "Is", isNumber: true },
    { name: "" },
    { name: "Limit", isNumber: true },
    { name: "Limit from" },
  ].filter(({ name }, n) => name !== "" || n === 4);
  const rows = tests.map(({ name, value, op, limit, passed, from }) => [
    passed ? "yes" : "no",
    label(name),
    shown(value),
    op,
    shown(limit),
    from === null ? "–" : html`<code>${from}</code>`,
  ]);
  return panel(
    { id: "explain", title: "Why", note: `${rule}, version ${ruleVersion}`, command: `gridactor explain ${alertId}`, isWide: true },
    html`${rows.length === 0 ? nothing("It compares nothing.") : table("Tests of the rule", headings, rows)}
<div class="asides">${aside("Version in force", rest.version)}${aside("Before", rest.before)}${aside("After", rest.after)}${aside("Suppression", rest.suppression)}</div>`,
  );
}

function aside(title: string, value: unknown): Part {
  if (value === null || value === undefined) return null;
  return html`<section><h3>${title}</h3>${typeof value === "object" ? body(value) : html`<p>${String(value)}</p>`}</section>`;
}

function body(value: object): Part {
  const pairs = Object.entries(value);
  if (pairs.length === 0) return nothing("Nothing.");
  const isFlat = pairs.every(([, one]) => typeof one !== "object" || one === null);
  if (isFlat && !Array.isArray(value)) return facts(pairs.map(([name, one]) => [label(name), shown(one as CellValue)]));
  return html`<pre tabindex="0">${lines(printableJson(value, 2))}</pre>`;
}
