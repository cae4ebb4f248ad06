// @ts-check
import { follow } from "./feed.js";
import { listen } from "./keys.js";
import { enhanced, goTo, say, show } from "./page.js";
import { travel } from "./slider.js";
import { plant } from "./tree.js";
import { allowWrites } from "./writes.js";

// Every page is whole without this: what is here moves it, and draws its tables.

document.documentElement.classList.add("scripts");
const COPIED_MS = 2_000;
const TYPED_MS = 150;

follow();
listen();
travel();
plant();
allowWrites();
enhanced((root) => {
  if (root.querySelector("[data-chart]") !== null) void import("./chart.js").then(({ draw }) => draw(root));
});

document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const copy = event.target.closest("[data-copy]");
  if (copy !== null) return void copied(copy);
  const link = event.target.closest("a[data-swap]");
  if (!(link instanceof HTMLAnchorElement)) return;
  event.preventDefault();
  void goTo(link.href, (link.dataset["swap"] ?? "").split(" "), "push");
});

addEventListener("popstate", ({ state }) => {
  if (Array.isArray(state?.ids)) void show(location.href, state.ids);
  else location.reload();
});

/** @param {Element} button */
async function copied(button) {
  const text = button.getAttribute("data-copy") ?? "";
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    say(`Copied: ${text}`);
  } catch {
    button.textContent = text; // No clipboard for us: it can be copied by hand.
    return;
  }
  setTimeout(() => {
    button.textContent = before;
  }, COPIED_MS);
}

// Filters: a choice applies at once, and fields that are empty stay out of the address.
document.addEventListener("change", ({ target }) => {
  if (target instanceof HTMLSelectElement) target.closest("form")?.matches("[data-auto]") && target.form?.requestSubmit();
});
document.addEventListener("submit", ({ target }) => {
  if (!(target instanceof HTMLFormElement) || !target.matches("[data-auto]")) return;
  for (const field of target.querySelectorAll("input, select"))
    if ((field instanceof HTMLInputElement || field instanceof HTMLSelectElement) && field.value === "") field.disabled = true;
});
addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll("[data-auto] :disabled")) field.removeAttribute("disabled");
});

// Finding: ids that begin so, as they are typed.
const find = document.getElementById("find");
/** @type {ReturnType<typeof setTimeout> | undefined} */
let typing;
find?.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => void suggest(), TYPED_MS);
});

async function suggest() {
  const list = document.getElementById("found");
  if (!(find instanceof HTMLInputElement) || list === null || find.value.trim().length < 2) return;
  const response = await fetch(`/v1/complete?what=id&word=${encodeURIComponent(find.value.trim())}`, { credentials: "same-origin" });
  if (!response.ok) return;
  /** @type {string[]} */
  const words = await response.json();
  list.replaceChildren(
    ...words.slice(0, 20).map((word) => {
      const option = document.createElement("option");
      option.value = word;
      return option;
    }),
  );
}
