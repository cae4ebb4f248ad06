import type { CellValue } from "../../engine/emission.ts";
import type { Explanation } from "../explain.ts";
import { type Html, html, type Part } from "./html.ts";
import type { PageContext } from "./page.ts";
import { facts, nothing, panel, table } from "./panel.ts";
import { actorLink, alertLink, count, instant, label, shown } from "./words.ts";

type Cells = Readonly<Record<string, CellValue>>;

/** Why an alert was raised: each test with what it compared, where its limit comes from, and what the engine knew. */
export async function explainPanel(context: PageContext, alertId: string): Promise<Html> {
  const explanation = (await context.ask("explain", { alertId })).value as Explanation;
  const { rule, ruleVersion, tests, before, after } = explanation;
  const headings = [
    { name: "Passed" },
    { name: "Value" },
    { name: "Is", isNumber: true },
    { name: "Test" },
    { name: "Limit", isNumber: true },
    { name: "Limit from" },
    { name: "Decides" },
  ];
  const rows = tests.map(({ name, value, op, limit, passed, from, decides }) => [
    passed ? html`<strong>yes</strong>` : html`<span class="none">no</span>`,
    label(name),
    shown(value),
    op,
    shown(limit),
    html`<code>${from}</code>`,
    decides === "all" || decides === "any" ? `the alert (${decides})` : `the level: ${decides}`,
  ]);
  return panel(
    { id: "explain", title: "Why", note: `${rule}, version ${ruleVersion}`, command: `gridactor explain ${alertId}`, isWide: true },
    html`${rows.length === 0 ? nothing("It compares nothing.") : table("Tests of the rule", headings, rows)}
<div class="asides">${aside("Facts", cells(explanation.facts))}${statistics(before, after)}${versions(explanation)}${suppression(explanation)}</div>`,
  );
}

function aside(title: string, body: Part): Part {
  return body === null ? null : html`<section><h3>${title}</h3>${body}</section>`;
}

function cells(values: Cells | null): Part {
  const pairs = Object.entries(values ?? {});
  return pairs.length === 0 ? null : facts(pairs.map(([name, value]) => [label(name), shown(value)]));
}

/** What was usual before the record, and after it. */
function statistics(before: Cells | null, after: Cells | null): Part {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  if (names.length === 0) return null;
  return aside(
    "Statistics, before and after",
    facts(
      names.map((name) => {
        const [then, now] = [shown(before?.[name]), shown(after?.[name])];
        return [label(name), then === now ? then : html`${then} → <strong>${now}</strong>`];
      }),
    ),
  );
}

function versions({ version }: Explanation): Part {
  if (version.length === 0) return null;
  return aside(
    "Master data in force",
    facts(
      version.map(({ actor, version: number, validFrom, validTo }) => [
        actorLink(actor),
        html`${number === null ? null : html`v${number}, `}${instant(validFrom)} – ${validTo === null ? "open" : instant(validTo)}`,
      ]),
    ),
  );
}

function suppression({ suppression: { suppressedBy, above } }: Explanation): Part {
  if (suppressedBy !== null) return aside("Suppressed", html`<p>by ${alertLink(suppressedBy)}</p>`);
  if (above.length === 0) return null;
  return aside(
    "Not suppressed",
    facts(above.map(({ actor, openAlerts }) => [actorLink(actor), openAlerts === 0 ? "no open alert" : `${count(openAlerts)} open`])),
  );
}
