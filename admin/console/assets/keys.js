// @ts-check

/** @type {Record<string, string>} */
const PAGES = { o: "/", g: "/grid", a: "/alerts", p: "/pipeline", q: "/quarantine", b: "/about" };
const CHORD_MS = 1_500;

/** Keys of all pages: `/` to find, `g` and a letter to go, `[` and `]` to step in time, `?` for help. */
export function listen() {
  let goUntil = 0;
  document.addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target instanceof HTMLElement && target.matches("input:not([type=range]):not([type=checkbox]), select, textarea")) return;
    const page = PAGES[key];
    if (page !== undefined && Date.now() < goUntil) {
      event.preventDefault();
      return location.assign(page);
    }
    goUntil = key === "g" ? Date.now() + CHORD_MS : 0;
    const act = ACTS[key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}

/** @type {Record<string, () => void>} */
const ACTS = {
  "/": () => document.getElementById("find")?.focus(),
  "?": () => {
    const help = document.getElementById("keys");
    if (help instanceof HTMLDialogElement && !help.open) help.showModal();
  },
  "[": () => step(-1),
  "]": () => step(1),
};

/** @param {-1 | 1} direction */
function step(direction) {
  const slider = document.querySelector("[data-travel] input[type=range]");
  if (!(slider instanceof HTMLInputElement)) return;
  if (direction < 0) slider.stepDown();
  else slider.stepUp();
  slider.dispatchEvent(new Event("input", { bubbles: true }));
}
