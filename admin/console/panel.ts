import { type Html, html, type Part } from "./html.ts";

export interface PanelOptions {
  /** Names it in the page: what a script swaps, and where a link leads. */
  readonly id: string;
  readonly title: string;
  /** Beside the title, in grey. */
  readonly note?: Part;
  /** The same, asked on the command line. */
  readonly command?: string;
  /** Over the whole width. */
  readonly isWide?: boolean;
}

/** A part of a page: a title, what it shows, and how the same is asked on the command line. */
export function panel({ id, title, note, command, isWide = false }: PanelOptions, body: Part): Html {
  return html`<section class="panel${isWide ? " wide" : ""}" id="${id}" aria-labelledby="${id}-title">
<header><h2 id="${id}-title">${title}</h2>${note === undefined ? null : html`<p class="note">${note}</p>`}${
    command === undefined
      ? null
      : html`<p class="command"><code>${command}</code><button class="scripted copy" data-copy="${command}">Copy as command</button></p>`
  }</header>
${body}
</section>`;
}

/** What stands where there is nothing to show. */
export function nothing(text: string): Html {
  return html`<p class="nothing">${text}</p>`;
}

/** Names and values. */
export function facts(pairs: readonly (readonly [name: Part, value: Part])[]): Html {
  return html`<dl class="facts">${pairs.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

export interface Heading {
  readonly name: string;
  readonly isNumber?: boolean;
}

/** A table that scrolls sideways in a narrow window, by keyboard too. */
export function table(caption: string, headings: readonly Heading[], rows: readonly (readonly Part[])[], id?: string): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table${id === undefined ? null : html` id="${id}"`}>
<caption class="unseen">${caption}</caption>
<thead><tr>${headings.map(({ name, isNumber }) => html`<th scope="col"${isNumber ? html` class="number"` : null}>${name}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) => html`<tr>${row.map((cell, n) => html`<td${headings[n]?.isNumber ? html` class="number"` : null}>${cell}</td>`)}</tr>
`,
  )}</tbody></table></div>`;
}
