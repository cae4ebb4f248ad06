import { displayWidth } from "./printable.ts";

/** Rows of cells as lines, each with its line end: the first column to the left, all others to the right, two spaces between them. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) for (const [n, cell] of row.entries()) widths[n] = Math.max(widths[n] ?? 0, displayWidth(cell));
  const padded = (cell: string, n: number): string => {
    const pad = " ".repeat((widths[n] ?? 0) - displayWidth(cell));
    return n === 0 ? cell + pad : pad + cell;
  };
  return rows.map((row) => `${row.map(padded).join("  ").trimEnd()}\n`).join("");
}
