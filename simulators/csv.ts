type Cell = string | number | boolean | null;

/** A CSV row as RFC 4180 has it, without the line end: a cell with a comma, quote or line end is quoted, null is empty. */
export function csvLine(cells: readonly Cell[]): string {
  return cells.map((cell) => quoted(cell === null ? "" : String(cell))).join(",");
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
