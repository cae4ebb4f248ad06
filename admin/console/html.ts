import { printable } from "../printable.ts";

/** Set by the class itself: nobody else can make markup from text. */
let wrapped: (markup: string) => Html;

/** Markup that is made here only, so that every text in it is escaped. */
export class Html {
  readonly markup: string;

  private constructor(markup: string) {
    this.markup = markup;
  }

  static {
    wrapped = (markup) => new Html(markup);
  }
}

/** What may stand in a template: markup stays as it is, text is escaped, nothing is nothing. */
export type Part = Html | string | number | null | undefined | readonly Part[];

/**
 * A template: `` html`<td title="${text}">${text}</td>` ``. Texts are escaped for contents and for quoted attributes, which are the only places where
 * one may stand; characters that cannot be seen (controls, bidirectional marks) are shown as escapes.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return wrapped(strings.map((text, n) => (n === 0 ? text : markupOf(parts[n - 1]) + text)).join(""));
}

/** Text in which lines are kept, for `<pre>`. */
export function lines(text: string): Html {
  return wrapped(text.split("\n").map(markupOf).join("\n"));
}

/** One segment of a path, or a value of a query. */
export function encoded(text: string): string {
  return encodeURIComponent(text.replace(/\p{Cs}/gu, "\u{fffd}"));
}

function markupOf(part: Part): string {
  if (part === null || part === undefined) return "";
  if (part instanceof Html) return part.markup;
  if (typeof part === "object") return part.map(markupOf).join("");
  return printable(String(part)).replace(/[&<>"'`]/g, (char) => ENTITIES[char] ?? char);
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
};
