import type { CellValue } from "../../engine/emission.ts";
import type { HistoryRow } from "../history.ts";
import { type Html, html } from "./html.ts";
import { instant, label, shown } from "./words.ts";

const VERSIONS_MAX = 12;

/** A lane for each attribute, a column for each version: a value spans the versions that hold it, and where it changes is marked. */
export function lanes(all: readonly HistoryRow[], inForce: HistoryRow | null): Html {
  const versions = all.slice(-VERSIONS_MAX);
  const names = [...new Set(versions.flatMap(({ attributes }) => Object.keys(attributes)))];
  const split = names.map((name) => ({ name, segments: segmentsOf(versions, name) }));
  const changing = split.filter(({ segments }) => segments.length > 1);
  const constant = split.filter(({ segments }) => segments.length === 1);
  return html`${versions.length < all.length ? html`<p class="note">The newest ${VERSIONS_MAX} of ${all.length} versions.</p>` : null}
<div class="scroll" tabindex="0" role="region" aria-label="Versions"><table class="lanes"><caption class="unseen">Attributes by version</caption>
<thead><tr><th scope="col">Version</th>${versions.map((version) => versionHead(version, version.version === inForce?.version))}</tr></thead>
<tbody>${[...changing, ...constant].map(
    ({
      name,
      segments,
    }) => html`<tr${segments.length === 1 ? html` class="constant"` : null}><th scope="row">${label(name)}</th>${segments.map(
      ({ value, span, before }, n) =>
        html`<td${span > 1 ? html` colspan="${span}"` : null}${n > 0 ? html` class="changed"` : null}>${
          n > 0 ? html`<span class="unseen">changed from ${shown(before)} to </span>` : null
        }${shown(value)}${difference(before, value)}</td>`,
    )}</tr>
`,
  )}</tbody></table></div>`;
}

interface Segment {
  readonly value: CellValue | undefined;
  readonly span: number;
  readonly before: CellValue | undefined;
}

function segmentsOf(versions: readonly HistoryRow[], name: string): readonly Segment[] {
  const segments: Segment[] = [];
  for (const { attributes } of versions) {
    const value = attributes[name];
    const last = segments.at(-1);
    if (last !== undefined && last.value === value) segments[segments.length - 1] = { ...last, span: last.span + 1 };
    else segments.push({ value, span: 1, before: last?.value });
  }
  return segments;
}

function versionHead({ version, validFrom, validTo, deleted, isCurrent }: HistoryRow, isInForce: boolean): Html {
  return html`<th scope="col"${isInForce ? html` class="in-force"` : null}><strong>v${version}</strong>${isInForce ? " · in force" : isCurrent ? " · current" : deleted ? " · deleted" : null}<br><span class="valid">${instant(validFrom)} – ${
    validTo === null ? "open" : instant(validTo)
  }</span></th>`;
}

function difference(before: CellValue | undefined, value: CellValue | undefined): Html | null {
  if (typeof before !== "number" || typeof value !== "number") return null;
  const change = value - before;
  return html` <span class="difference">${change > 0 ? "+" : "−"}${shown(Math.abs(Number(change.toPrecision(10))))}</span>`;
}
