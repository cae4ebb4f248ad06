// @ts-check
import { goTo } from "./page.js";

const SETTLE_MS = 120;
const DAY_S = 86_400;
const PARTS = ["actor-head", "actor-panels"];

/** Sliders write into the fields beside them; state, history and chart follow together. At its end a slider means now. */
export function travel() {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let settling;
  document.addEventListener("input", ({ target }) => {
    if (!(target instanceof HTMLInputElement) || target.dataset["for"] === undefined) return;
    const field = document.getElementById(target.dataset["for"]);
    if (!(field instanceof HTMLInputElement)) return;
    field.value = target.value === target.max ? "" : timeText(Number(target.value), Number(target.step));
    target.setAttribute("aria-valuetext", field.value === "" ? "now" : field.value);
    clearTimeout(settling);
    settling = setTimeout(() => show(field.form), SETTLE_MS);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.matches("[data-travel]")) return;
    event.preventDefault();
    show(form);
  });
}

/** A date where steps are days, since versions of master data are valid by date. @param {number} atS @param {number} stepS */
function timeText(atS, stepS) {
  const text = new Date(atS * 1_000).toISOString();
  return stepS >= DAY_S ? text.slice(0, 10) : text.replace(".000Z", "Z");
}

/** @param {HTMLFormElement | null} form */
function show(form) {
  if (form === null) return;
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string" && value !== "") query.set(name, value);
  const search = query.toString().replaceAll("+", "%20");
  void goTo(search === "" ? location.pathname : `${location.pathname}?${search}`, PARTS, "replace");
}
