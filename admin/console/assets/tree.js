// @ts-check
import { enhanced } from "./page.js";

/** A table of rows that open becomes a tree for the keyboard: up and down walk rows, right and left open and close them. */
export function plant() {
  enhanced((root) => {
    const table = root.querySelector("[data-tree]");
    if (table !== null) annotate(table);
  });
  document.addEventListener("keydown", (event) => {
    const row = event.target instanceof Element ? event.target.closest("[data-tree] tr[data-id]") : null;
    if (row === null || event.target !== row) return;
    const done = MOVES[event.key]?.(row);
    if (done === true) event.preventDefault();
  });
}

/** @param {Element} table */
function annotate(table) {
  table.setAttribute("role", "treegrid");
  const rows = [...table.querySelectorAll("tr[data-id]")];
  for (const [n, row] of rows.entries()) {
    row.setAttribute("aria-level", row.getAttribute("data-level") ?? "1");
    const open = row.getAttribute("data-open");
    if (open !== null) row.setAttribute("aria-expanded", open);
    row.setAttribute("tabindex", n === 0 ? "0" : "-1");
  }
  table.addEventListener("focusin", ({ target }) => {
    const row = target instanceof Element ? target.closest("tr[data-id]") : null;
    if (row !== null) for (const one of rows) one.setAttribute("tabindex", one === row ? "0" : "-1");
  });
}

/** @type {Record<string, (row: Element) => boolean>} */
const MOVES = {
  ArrowDown: (row) => walk(row, 1),
  ArrowUp: (row) => walk(row, -1),
  ArrowRight: (row) => (row.getAttribute("data-open") === "false" ? toggle(row) : walk(row, 1)),
  ArrowLeft: (row) => (row.getAttribute("data-open") === "true" ? toggle(row) : up(row)),
  Enter: (row) => {
    const link = row.querySelector("a.id");
    if (link instanceof HTMLElement) link.click();
    return true;
  },
};

/** @param {Element} row @param {1 | -1} by */
function walk(row, by) {
  const rows = [...(row.closest("table")?.querySelectorAll("tr[data-id]") ?? [])];
  return focus(rows[rows.indexOf(row) + by]);
}

/** @param {Element} row */
function up(row) {
  const rows = [...(row.closest("table")?.querySelectorAll("tr[data-id]") ?? [])];
  const level = Number(row.getAttribute("data-level"));
  return focus(rows.slice(0, rows.indexOf(row)).findLast((one) => Number(one.getAttribute("data-level")) < level));
}

/** @param {Element} row */
function toggle(row) {
  const link = row.querySelector("a.toggle");
  if (link instanceof HTMLElement) link.click();
  return true;
}

/** @param {Element | undefined} row */
function focus(row) {
  if (row instanceof HTMLElement) row.focus();
  return true;
}
