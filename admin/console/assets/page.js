// @ts-check

/** What makes an element work, each time it has come into the page. @type {((root: ParentNode) => void)[]} */
const enhancers = [];

/** Has `enhance` called for the page as it is, and for each part that replaces another. @param {(root: ParentNode) => void} enhance */
export function enhanced(enhance) {
  enhancers.push(enhance);
  enhance(document);
}

/**
 * Asks the server for a page and takes these parts of it over, by id. The server made and escaped them, as it did those that they replace.
 * A part that somebody types in, or that has not changed, stays.
 * @param {string} address @param {readonly string[]} ids
 */
export async function takeOver(address, ids) {
  const next = await pageAt(address, ids);
  for (const id of ids) replacePart(id, next, false);
}

/**
 * The same, whatever somebody is doing there; a server that is busy is asked again, and what is wrong is shown as a page of its own.
 * @param {string} address @param {readonly string[]} ids
 */
export async function show(address, ids) {
  latest += 1;
  const own = latest;
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const next = await pageAt(address, ids).catch(() => null);
    if (own !== latest) return; // A slider has moved on meanwhile.
    if (next !== null && ids.every((id) => next.getElementById(id) !== null)) {
      for (const id of ids) replacePart(id, next, true);
      return;
    }
    if (next === null || !next.querySelector("[data-again]")) break;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
  location.assign(address);
}

/** Goes to an address of which only these parts differ. @param {string} address @param {readonly string[]} ids @param {"push" | "replace"} how */
export async function goTo(address, ids, how) {
  if (how === "push") history.pushState({ ids }, "", address);
  else history.replaceState({ ids }, "", address);
  await show(address, ids);
}

let latest = 0;
const TRIES_MAX = 10;
const AGAIN_MS = 2_000;

/** @param {string} address @param {readonly string[]} ids */
async function pageAt(address, ids) {
  const headers = { Accept: "text/html", "X-Gridactor-Parts": ids.join(" ") };
  const response = await fetch(address, { headers, credentials: "same-origin" });
  if (response.redirected && new URL(response.url).pathname === "/login") location.assign(response.url);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

/** Says something to those who hear the page. @param {string} text */
export function say(text) {
  const said = document.querySelector("[data-said]");
  if (said !== null) said.textContent = text;
}

/** Server's markup of each part, to tell whether it has changed. @type {Map<string, string>} */
const shown = new Map();

/** @param {string} id @param {Document} next @param {boolean} force */
function replacePart(id, next, force) {
  const old = document.getElementById(id);
  const fresh = next.getElementById(id);
  if (old === null || fresh === null) return;
  const markup = fresh.outerHTML;
  if (!force && (shown.get(id) === markup || isInUse(old))) return;
  shown.set(id, markup);
  const focused = focusIn(old);
  const scrolled = [...old.querySelectorAll(".scroll")].map(({ scrollTop, scrollLeft }) => ({ scrollTop, scrollLeft }));
  old.replaceWith(document.adoptNode(fresh));
  for (const [n, one] of [...fresh.querySelectorAll(".scroll")].entries()) Object.assign(one, scrolled[n] ?? {});
  for (const enhance of enhancers) enhance(fresh);
  focused?.(fresh);
}

/** @param {Element} part */
function isInUse(part) {
  const { activeElement } = document;
  const isTyping =
    activeElement !== null && part.contains(activeElement) && activeElement.matches("input, select, textarea, [data-canvas]");
  return isTyping || part.querySelector("details[open], .as-table") !== null || String(getSelection()).length > 0;
}

/** Gives the focus back to what had it: the same link, row or control. @param {Element} part */
function focusIn(part) {
  const { activeElement } = document;
  if (activeElement === null || !part.contains(activeElement)) return null;
  const { id } = activeElement;
  const name = ["href", "data-id", "data-copy", "aria-label"].find((one) => activeElement.hasAttribute(one));
  const value = name === undefined ? null : activeElement.getAttribute(name);
  const row = activeElement.closest("[data-id]")?.getAttribute("data-id");
  return (/** @type {Element} */ fresh) => {
    const same = [...fresh.querySelectorAll("a, button, [tabindex], [data-id]")].find((one) =>
      id !== "" ? one.id === id : name !== undefined && one.getAttribute(name) === value,
    );
    const sameRow =
      row === undefined ? undefined : [...fresh.querySelectorAll("[data-id]")].find((one) => one.getAttribute("data-id") === row);
    const target = same ?? sameRow?.querySelector("a.toggle") ?? sameRow;
    if (target instanceof HTMLElement) target.focus();
  };
}
