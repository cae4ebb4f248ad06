// @ts-check
import { SHAPES } from "./feed.js";

const HEIGHT = 260;
const MARK_PX = 12;
const LASTS_PX = 2;

/** Draws the tables of readings in a part of the page. @param {ParentNode} root */
export async function draw(root) {
  const figures = [...root.querySelectorAll("[data-chart]")].filter(
    (figure) => figure.querySelector("[data-canvas]")?.childElementCount === 0,
  );
  if (figures.length === 0) return;
  const uPlot = await library();
  for (const figure of figures) if (figure.isConnected) plot(uPlot, figure);
}

/** The chart library, from its own file; it puts itself into the window. @type {Promise<any> | undefined} */
let loaded;

function library() {
  loaded ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("uplot.js", import.meta.url).href;
    script.onload = () => resolve(Reflect.get(window, "uPlot"));
    script.onerror = () => reject(new Error("the chart library is missing"));
    document.head.append(script);
  });
  return loaded;
}

/** @param {any} uPlot @param {Element} figure */
function plot(uPlot, figure) {
  const canvas = figure.querySelector("[data-canvas]");
  if (!(canvas instanceof HTMLElement)) return;
  const rows = [...figure.querySelectorAll("tr[data-at]")];
  const column = (/** @type {string} */ name) => rows.map((row) => numberOf(row.getAttribute(name)));
  const data = [column("data-at"), column("data-value"), column("data-expected"), column("data-lower"), column("data-upper")];
  const name = figure.getAttribute("data-name") ?? "";
  const marks = [...figure.querySelectorAll("[data-marks] li")].map((li) => ({
    fromS: Date.parse(li.getAttribute("data-from") ?? "") / 1_000,
    toS: Date.parse(li.getAttribute("data-to") ?? "") / 1_000,
    severity: li.getAttribute("data-severity") ?? "info",
    rule: li.getAttribute("data-rule") ?? "",
  }));
  /** @type {any} */
  let chart = null;

  const make = () => {
    chart?.destroy();
    const style = getComputedStyle(document.documentElement);
    const color = (/** @type {string} */ token) => style.getPropertyValue(`--${token}`).trim();
    const font = "12px system-ui, sans-serif";
    const axis = {
      stroke: color("soft"),
      grid: { stroke: color("line"), width: 1 },
      ticks: { stroke: color("line"), width: 1, size: 4 },
      font,
    };
    const quiet = { points: { show: false }, spanGaps: true };
    chart = new uPlot(
      {
        width: canvas.clientWidth,
        height: HEIGHT,
        tzDate: (/** @type {number} */ atS) => uPlot.tzDate(new Date(atS * 1_000), "Etc/UTC"),
        legend: { show: false },
        cursor: { y: false, points: { size: 8 } },
        scales: {
          x: { time: true, range: (/** @type {any} */ _, /** @type {number} */ first, /** @type {number} */ last) => aside(first, last) },
          y: { range: (/** @type {any} */ _, /** @type {number} */ least, /** @type {number} */ most) => spread(least, most) },
        },
        axes: [
          { ...axis, values: AXIS_TIMES, size: 40 },
          { ...axis, size: 56 },
        ],
        series: [
          {},
          {
            label: name,
            stroke: color("series"),
            width: 1.5,
            spanGaps: true,
            points: { show: rows.length < 200, size: 5, fill: color("series") },
          },
          { label: "expected", stroke: color("soft"), width: 1, dash: [4, 4], ...quiet },
          { label: "lower", stroke: "transparent", ...quiet },
          { label: "upper", stroke: "transparent", ...quiet },
        ],
        bands: [{ series: [4, 3], fill: color("band") }],
        hooks: { draw: [() => drawMarks(chart, marks, color)], setCursor: [() => readOut(chart.cursor.idx ?? null)] },
      },
      data,
      canvas,
    );
  };

  const readout = figure.querySelector("[data-readout]");
  const readOut = (/** @type {number | null} */ at) => {
    if (readout === null) return;
    const row = at === null ? undefined : rows[at];
    if (row === undefined) return readout.replaceChildren();
    const [time = "", value = "", lower = "", expected = "", upper = "", late = ""] = [...row.children].map(
      (cell) => cell.textContent?.trim() ?? "",
    );
    const atS = numberOf(row.getAttribute("data-at")) ?? 0;
    const open = marks.filter(({ fromS, toS }) => fromS <= atS && !(toS < atS)).map(({ rule, severity }) => `${severity} ${rule}`);
    const band = expected === "–" ? "" : `, expected ${expected} (${lower} to ${upper})`;
    readout.textContent = [`${time}: ${name} ${value}${band}`, ...(late === "" ? [] : [late]), ...open].join(" · ");
  };

  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", `Chart of ${name}. Arrow keys walk its points, Home and End go to the first and last.`);
  let at = rows.length;
  canvas.addEventListener("keydown", (event) => {
    /** @type {Record<string, number>} */
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: rows.length - 1, PageUp: at - 10, PageDown: at + 10 };
    const wanted = to[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    at = Math.max(0, Math.min(rows.length - 1, wanted));
    const left = chart.valToPos(data[0]?.[at], "x");
    const top = chart.valToPos(data[1]?.[at], "y");
    readout?.setAttribute("aria-live", "polite");
    chart.setCursor({ left, top }, false);
    readOut(at);
  });
  canvas.addEventListener("pointermove", () => readout?.setAttribute("aria-live", "off")); // Who points sees it.

  const button = figure.querySelector("[data-show-table]");
  button?.addEventListener("click", () => {
    const isTable = figure.classList.toggle("as-table");
    button.setAttribute("aria-expanded", String(isTable));
    button.textContent = isTable ? "Show as chart" : "Show as table";
  });

  make();
  const redraw = () => (figure.isConnected ? make() : stop());
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const sized = new ResizeObserver(() => canvas.clientWidth > 0 && chart.setSize({ width: canvas.clientWidth, height: HEIGHT }));
  const stop = () => {
    dark.removeEventListener("change", redraw);
    sized.disconnect();
  };
  dark.addEventListener("change", redraw);
  sized.observe(canvas);
}

/** A line where an alert begins, its shape above, and how long it lasts. @param {any} chart @param {{ fromS: number, toS: number, severity: string }[]} marks @param {(token: string) => string} color */
function drawMarks(chart, marks, color) {
  const { ctx, bbox } = chart;
  const ratio = devicePixelRatio;
  ctx.save();
  for (const { fromS, toS, severity } of marks) {
    const x = Math.max(bbox.left, chart.valToPos(fromS, "x", true));
    const end = Number.isNaN(toS) ? bbox.left + bbox.width : Math.min(bbox.left + bbox.width, chart.valToPos(toS, "x", true));
    if (x > bbox.left + bbox.width || end < bbox.left) continue;
    ctx.fillStyle = ctx.strokeStyle = color(severity);
    ctx.fillRect(x, bbox.top, Math.max(0, end - x), LASTS_PX * ratio);
    ctx.lineWidth = ratio;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top + MARK_PX * ratio);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.save();
    ctx.translate(x - (MARK_PX / 2) * ratio, bbox.top - 2 * ratio);
    ctx.scale(ratio, ratio);
    ctx.fill(new Path2D(SHAPES[severity] ?? ""));
    ctx.restore();
  }
  ctx.restore();
}

/** UTC, in words that need no country: time of day, and the date where it changes. */
const AXIS_TIMES = [
  [3600 * 24, "{YYYY}-{MM}-{DD}", null, null, null, null, null, null, 1],
  [3600, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
];

/** Some room before and after; around a single point, an hour. @param {number} first @param {number} last */
function aside(first, last) {
  const room = first === last ? 3_600 : (last - first) * 0.01;
  return [first - room, last + room];
}

/** Some room above and below. @param {number} least @param {number} most */
function spread(least, most) {
  if (least === most) return [least - 1, most + 1];
  const room = (most - least) * 0.1;
  return [least >= 0 && least < room ? 0 : least - room, most + room];
}

/** @param {string | null} text */
function numberOf(text) {
  return text === null || text === "" ? null : Number(text);
}
