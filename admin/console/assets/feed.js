// @ts-check
import { takeOver } from "./page.js";

const SILENT_MS = 40_000; // The server says something every 15 s.
const RETRY_MS = 3_000;
const ANNOUNCE_MS = 5_000;
const REFRESH_MS = { time: 5_000, slow: 30_000 };
const REFRESH_AFTER_ALERT_MS = 2_000;
const ITEMS_MAX = 200;

/** The one stream of the page: it feeds the list of alerts, tells when lists have changed, and notices when the engine is gone. */
export function follow() {
  const list = document.querySelector("[data-feed]");
  const after = document.querySelector("[data-after]")?.getAttribute("data-after");
  /** @type {EventSource | null} */
  let stream = null;
  let lastId = after ?? null;
  let heardAt = Date.now();
  let isLost = false;
  let isPaused = false;
  /** @type {AlertEvent[]} */
  let waiting = [];

  const open = () => {
    stream?.close();
    stream = new EventSource(lastId === null ? "/v1/alerts/stream" : `/v1/alerts/stream?after=${lastId}`);
    stream.onopen = heard;
    stream.onerror = lost;
    stream.addEventListener("heartbeat", heard);
    stream.addEventListener("gap", heard);
    stream.addEventListener("alert", (event) => {
      lastId = event.lastEventId;
      heard();
      arrived(JSON.parse(event.data));
    });
  };

  const heard = () => {
    heardAt = Date.now();
    if (isLost) refresh();
    isLost = false;
    showState("live", "live");
  };

  const lost = () => {
    if (!isLost) showState("lost", `stale since ${new Date(heardAt).toISOString().slice(11, 19)}`);
    isLost = true;
  };

  const arrived = (/** @type {AlertEvent} */ event) => {
    waiting = [...waiting, event].slice(-ITEMS_MAX);
    if (!isPaused) show();
    announce(event);
    soon();
  };

  const show = () => {
    for (const event of waiting) list?.prepend(item(event));
    waiting = [];
    if (list !== null) while (list.children.length > ITEMS_MAX) list.lastElementChild?.remove();
    tell(isPaused);
  };

  const tell = (/** @type {boolean} */ paused) => {
    const state = document.querySelector("[data-feed-state]");
    if (state !== null) state.textContent = paused ? `paused · ${waiting.length} waiting` : "newest first";
  };

  document.addEventListener("click", ({ target }) => {
    const button = target instanceof Element ? target.closest("[data-feed-pause]") : null;
    if (button === null) return;
    isPaused = !isPaused;
    button.setAttribute("aria-pressed", String(isPaused));
    button.textContent = isPaused ? "Go on" : "Pause";
    if (isPaused) tell(true);
    else show();
  });

  setInterval(() => {
    if (document.hidden) return;
    if (Date.now() - heardAt > SILENT_MS) lost();
    if (stream?.readyState === EventSource.CLOSED) open();
  }, RETRY_MS);
  // A browser has few connections for one server: pages that nobody looks at keep none, and go on where they were.
  document.addEventListener("visibilitychange", () => {
    stream?.close();
    if (document.hidden) return;
    heardAt = Date.now();
    open();
    refresh();
  });
  for (const [why, everyMs] of Object.entries(REFRESH_MS)) {
    setInterval(() => {
      if (!isLost && !document.hidden) refresh(why);
    }, everyMs);
  }
  addEventListener("pagehide", () => stream?.close());
  addEventListener("pageshow", ({ persisted }) => persisted && open());
  open();
}

/** @param {"live" | "lost"} state @param {string} text */
function showState(state, text) {
  const live = document.querySelector("[data-live]");
  live?.classList.toggle("live", state === "live");
  live?.classList.toggle("lost", state === "lost");
  document.documentElement.classList.toggle("lost-data", state === "lost");
  const words = document.querySelector("[data-live-text]");
  if (words !== null && words.textContent !== text) words.textContent = text;
}

/** @type {ReturnType<typeof setTimeout> | null} */
let refreshing = null;

/** Lists follow their alerts at once, but not each of them. */
function soon() {
  if (refreshing !== null) return;
  refreshing = setTimeout(() => {
    refreshing = null;
    if (!document.hidden) refresh("alert");
  }, REFRESH_AFTER_ALERT_MS);
}

/** Takes over what the page says is to be kept fresh, for this reason or for any. @param {string} [why] */
function refresh(why) {
  const parts = [...document.querySelectorAll(why === undefined ? "[data-refresh]" : `[data-refresh="${why}"]`)];
  if (parts.length === 0) return;
  const ids = parts.map(({ id }) => id);
  takeOver(location.href, ids).catch(() => {}); // The stream notices that the engine is gone, and says so.
}

/**
 * @typedef {object} AlertEvent
 * @property {string} type
 * @property {string} sequence
 * @property {string} subject
 * @property {string} time
 * @property {{ alertId: string, severity: string, status: string, rule: string, observation: { value: unknown, unit: string, lower: number | null, upper: number | null } }} data
 */

/** The same item that the server makes. All texts are texts: nothing that a record says is ever read as markup. @param {AlertEvent} event */
function item(event) {
  const { severity, status, rule, alertId } = event.data;
  const isOver = status === "cleared" || status === "retracted" || status === "suppressed";
  const key = event.subject.slice(event.subject.indexOf("/") + 1);
  const li = element("li", "fresh");
  li.dataset["sequence"] = String(Number(event.sequence));
  const time = element("time", "", `${event.time.slice(0, 10)} ${event.time.slice(11, 19)}`);
  time.setAttribute("datetime", event.time);
  time.title = event.time;
  const mark = element("span", `severity ${isOver ? "over" : severity}`);
  mark.append(shape(severity), severity);
  const change = status === "retracted" ? status : (event.type.split(".")[2] ?? event.type);
  li.append(
    time,
    mark,
    element("span", "change", change),
    link(rule, "rule", `/alerts/${encodeURIComponent(alertId)}`),
    link(key, "id", `/a/${event.subject.split("/").map(encodeURIComponent).join("/")}`),
    element("span", "seen", seen(event)),
  );
  return li;
}

/** @param {string} name @param {string} className @param {string} [text] */
function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  if (text !== undefined) made.textContent = printable(text);
  return made;
}

/** @param {string} text @param {string} className @param {string} address */
function link(text, className, address) {
  const made = element("a", className, text);
  made.setAttribute("href", address);
  return made;
}

/** A shape that is on the page already, drawn by the server, or none. @param {string} severity */
function shape(severity) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", `shape ${severity}`);
  svg.setAttribute("viewBox", "0 0 12 12");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", SHAPES[severity] ?? "");
  svg.append(path);
  return svg;
}

/** As in `severity_mark.ts`. @type {Record<string, string>} */
export const SHAPES = {
  critical: "M6 0 12 6 6 12 0 6z",
  major: "M6 .8 12 11.2H0z",
  warning: "M1.2 1.2h9.6v9.6H1.2z",
  info: "M6 1.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zm0 1.6a2.9 2.9 0 1 1 0 5.8 2.9 2.9 0 0 1 0-5.8z",
};

/** `86.412 kWh, limit 50`, as the engine says it on a line. @param {AlertEvent} event */
function seen({ data: { observation } }) {
  const { value, unit, lower, upper } = observation;
  const limit = typeof value === "number" && lower !== null && value < lower ? lower : (upper ?? lower);
  const measured = `${typeof value === "number" ? short(value) : String(value ?? "-")}${unit === "" || unit === "1" ? "" : ` ${unit}`}`;
  return limit === null ? measured : `${measured}, limit ${short(limit)}`;
}

/** @param {number} value */
function short(value) {
  return String(Number(Math.abs(value) < 1 ? value.toPrecision(3) : value.toFixed(3)));
}

/** @param {string} text */
function printable(text) {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

/** @type {AlertEvent[]} */
let unsaid = [];
let saidAt = 0;

/** At most one announcement in five seconds: the last alert, and how many more came. @param {AlertEvent} event */
function announce(event) {
  unsaid.push(event);
  if (unsaid.length > 1) return;
  setTimeout(
    () => {
      const last = unsaid.at(-1);
      const more = unsaid.length - 1;
      unsaid = [];
      saidAt = Date.now();
      const log = document.querySelector("[data-feed-log]");
      if (log === null || last === undefined) return;
      const text = `${last.data.severity}, ${last.data.rule}, ${last.subject}${more > 0 ? `, and ${more} more` : ""}`;
      log.replaceChildren(element("p", "", text));
    },
    Math.max(0, saidAt + ANNOUNCE_MS - Date.now()),
  );
}
