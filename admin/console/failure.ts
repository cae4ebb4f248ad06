import type { Refusal } from "../http/refusal.ts";
import { html } from "./html.ts";
import type { Page } from "./page.ts";
import { panel } from "./panel.ts";
import { actorLink } from "./words.ts";

/** What went wrong, and what may have been meant. */
export function failure({ status, message, hint, candidates }: Refusal): Page {
  const title = TITLES[status] ?? "That did not work";
  const body = html`<h1${status === 503 ? html` data-again` : null}>${title}</h1>
${panel(
  { id: "failure", title: message, note: String(status) },
  html`${candidates.length === 0 ? null : html`<p>Did you mean ${candidates.map((one, n) => html`${n === 0 ? null : ", "}${actorLink(one)}`)}?</p>`}
${hint === null ? null : html`<p class="note">${hint}</p>`}<p><a href="/">Overview</a></p>`,
)}`;
  return { title, at: null, body, status };
}

const TITLES: Readonly<Record<number, string>> = {
  400: "The address is not understood",
  404: "Not found",
  503: "Not now",
};
