import type { AlertData } from "../../engine/emission.ts";
import { allows, type Role } from "../http/access.ts";
import { encoded, type Html, html, type Part } from "./html.ts";
import type { PageContext } from "./page.ts";
import { panel } from "./panel.ts";

const SHELVE_FOR: readonly (readonly [span: string, words: string])[] = [
  ["30m", "30 minutes"],
  ["1h", "1 hour"],
  ["2h", "2 hours"],
  ["8h", "8 hours"],
];

/** Acknowledging and shelving, for whoever has logged in with a token that allows it; for others, how to. */
export function alertWrites(context: PageContext, { alertId, status, flags }: AlertData): Html | null {
  if (status === "cleared" || status === "retracted") return null;
  const path = `/v1/alerts/${encoded(alertId)}`;
  const body = allowed(context, "operate", () => [
    status === "open"
      ? writeForm(
          `${path}/ack`,
          html`<label>Reason<input name="reason" autocomplete="off" maxlength="1000"></label><label class="check"><input type="checkbox" name="resolve" value="true">It is over${
            flags.includes("latched") ? " (latched: it ends no other way)" : null
          }</label>`,
          "Acknowledge",
        )
      : null,
    status === "open" || status === "acknowledged"
      ? writeForm(
          `${path}/shelve`,
          html`<label>For<select name="for">${SHELVE_FOR.map(([span, words]) => html`<option value="${span}">${words}</option>`)}</select></label><label>Reason<input name="reason" autocomplete="off" maxlength="1000"></label>`,
          "Shelve",
        )
      : null,
  ]);
  return panel({ id: "act", title: "Act on it", command: `gridactor ack ${alertId} --write` }, body);
}

/** A form that a script sends as JSON, with what only a page of ours can send. Without scripts it is not shown. */
export function writeForm(path: string, fields: Part, button: string): Html {
  return html`<form class="write scripted" data-write="${path}">${fields}<button>${button}</button><p class="refused" role="alert" data-refused></p></form>`;
}

/** `make`s what needs a role, or says which token would allow it. */
export function allowed({ caller, path }: PageContext, role: Role, make: () => Part): Part {
  if (caller.name !== null && allows(caller, role))
    return html`${make()}<p class="unscripted">This needs scripts, or the command above.</p>`;
  const why = caller.name === null ? null : html`The token <em>${caller.name}</em> has the role ${caller.role}. `;
  return html`<p class="note">${why}<a href="/login?next=${encoded(path)}">Log in</a> with a token of the role ${role} to change something.</p>`;
}
