import type { CellValue } from "../engine/emission.ts";

/** The cell if it is text, else null. */
export function textOf(value: CellValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}

/** The cell if it is a number, else null. */
export function numberOf(value: CellValue | undefined): number | null {
  return typeof value === "number" ? value : null;
}
