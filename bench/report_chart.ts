/** A line of the chart: what costs so much, by number of meters. */
export interface Line {
  readonly name: string;
  readonly color: string;
  readonly points: readonly (readonly [meters: number, micros: number])[];
}

const WIDTH = 720;
const HEIGHT = 400;
const LEFT = 60;
const RIGHT = 150;
const TOP = 40;
const BOTTOM = 50;

/** An SVG of costs (microseconds, from 0) over numbers of meters (a logarithmic axis). It needs no script and no font of its own. */
export function costChart(title: string, lines: readonly Line[]): string {
  const points = lines.flatMap((line) => line.points);
  const decades = points.map(([meters]) => Math.log10(meters));
  const [first, last] = [Math.min(...decades), Math.max(...decades)];
  const most = niceAbove(Math.max(...points.map(([, micros]) => micros)));
  const x = (meters: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * (Math.log10(meters) - first)) / Math.max(1e-9, last - first);
  const y = (micros: number): number => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * micros) / most;
  const text = (at: readonly [number, number], words: string, anchor: string): string =>
    `<text x="${at[0].toFixed(1)}" y="${at[1].toFixed(1)}" text-anchor="${anchor}">${words}</text>`;
  const rungs = [0, 1, 2, 3, 4].map((n) => {
    const micros = (most * n) / 4;
    return `<path d="M${LEFT} ${y(micros).toFixed(1)}H${WIDTH - RIGHT}" stroke="#ddd"/>${text([LEFT - 8, y(micros) + 4], String(micros), "end")}`;
  });
  const ticks = [...new Set(points.map(([meters]) => meters))].map((meters) =>
    text([x(meters), HEIGHT - BOTTOM + 20], meters.toLocaleString("en"), "middle"),
  );
  const drawn = lines.map(({ name, color, points: own }) => {
    const path = own.map(([meters, micros], n) => `${n === 0 ? "M" : "L"}${x(meters).toFixed(1)} ${y(micros).toFixed(1)}`).join("");
    const dots = own
      .map(([meters, micros]) => `<circle cx="${x(meters).toFixed(1)}" cy="${y(micros).toFixed(1)}" r="4" fill="${color}"/>`)
      .join("");
    const [meters, micros] = own.at(-1) ?? [1, 0];
    return `<path d="${path}" fill="none" stroke="${color}" stroke-width="2"/>${dots}${text([x(meters) + 10, y(micros) + 4], name, "start")}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" role="img" aria-label="${title}">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text([LEFT, 22], title, "start"),
    ...rungs,
    ...ticks,
    text([(LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10], "meters", "middle"),
    ...drawn,
    "</svg>\n",
  ].join("\n");
}

function niceAbove(value: number): number {
  const decade = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return ([1, 2, 4, 5, 8, 10].find((step) => step * decade >= value) ?? 10) * decade;
}
