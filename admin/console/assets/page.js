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
 * @param {string} address @param {readonly string[]} ids @param {{ force?: boolean }} [options]
 */
export async function takeOver(address, ids, { force = false } = {}) {
  const response = await fetch(address, {
    headers: { Accept: "text/html", "X-Gridactor-Parts": ids.join(" ") },
    credentials: "same-origin",
  });
  if (response.redirected && new URL(response.url).pathname === "/login") return location.assign(response.url);
  const next = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const id of ids) replacePart(id, next, force);
}

/** Goes to an address of which only these parts differ. @param {string} address @param {readonly string[]} ids @param {"push" | "replace"} how */
export async function goTo(address, ids, how) {
  if (how === "push") history.pushState({ ids }, "", address);
  else history.replaceState({ ids }, "", address);
  await takeOver(address, ids, { force: true });
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
