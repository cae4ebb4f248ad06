// @ts-check
import { say, show } from "./page.js";

/** Forms that change something are sent as JSON, with what only a page of ours can send. */
export function allowWrites() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.dataset["write"] === undefined) return;
    event.preventDefault();
    void send(form, form.dataset["write"]);
  });
}

/** @param {HTMLFormElement} form @param {string} address */
async function send(form, address) {
  const button = form.querySelector("button");
  const refused = form.querySelector("[data-refused]");
  if (button !== null) button.disabled = true;
  try {
    const response = await fetch(address, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-Gridactor-Console": "1", "Idempotency-Key": crypto.randomUUID() },
      body: JSON.stringify(bodyOf(form)),
    });
    if (!response.ok) throw new Error(await reasonOf(response));
    const part = form.closest("[data-refresh], [data-after-write]");
    say("Done.");
    if (part !== null) await show(location.href, [part.id]);
  } catch (error) {
    if (refused !== null) refused.textContent = error instanceof Error ? error.message : String(error);
  } finally {
    if (button !== null) button.disabled = false;
  }
}

/** What is filled in; a box that is ticked is true. @param {HTMLFormElement} form */
function bodyOf(form) {
  const pairs = [...new FormData(form)].filter(([, value]) => value !== "");
  return Object.fromEntries(pairs.map(([name, value]) => [name, value === "true" ? true : value]));
}

/** @param {Response} response */
async function reasonOf(response) {
  const { error } = await response.json();
  return error.hint === null || error.hint === undefined ? error.message : `${error.message}: ${error.hint}`;
}
