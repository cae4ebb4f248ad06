import { cut, displayWidth, printable, printableJson } from "./printable.ts";

/** The forms an answer can take. `line`: one field per line, for rows too wide for a table. */
export const FORMATS = ["table", "line", "csv", "md", "json", "jsonl"] as const;
export type Format = (typeof FORMATS)[number];

/** What a column shows. Numbers are shown right-aligned; lists and objects as JSON. */
export type Cell = string | number | boolean | null | undefined | object;

/**
 * A column of an answer: its name (header and CSV header), what it shows of a row, and how it is marked on a coloured terminal. `isWhole`: a cut
 * one would be no use (an id is what the next command is given), so that a narrow terminal takes from the others.
 */
export interface Column<Row> {
  readonly name: string;
  readonly of: (row: Row) => Cell;
  readonly isWhole?: boolean;
  readonly color?: (row: Row) => Color | null;
}

/** The terminal that an answer goes to. */
export interface Screen {
  readonly widthMax: number;
  readonly color: boolean;
}

const ANSI = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, magenta: 35, cyan: 36 } as const;
export type Color = keyof typeof ANSI;

/**
 * Rows in a form, with a line end after the last line (nothing at all for no rows, but the header). `screen` null: no terminal, so a table is
 * tab-separated, uncut and uncoloured. JSON forms print the rows themselves, all others the columns. Nothing in it can act on a terminal.
 */
export function formatRows<Row>(rows: readonly Row[], columns: readonly Column<Row>[], format: Format, screen: Screen | null): string {
  switch (format) {
    case "json":
      return formatJson(rows, screen);
    case "jsonl":
      return rows.map((row) => `${printableJson(row)}\n`).join("");
    case "csv":
      return csv(rows, columns);
    case "md":
      return markdown(rows, columns);
    case "line":
      return oneFieldPerLine(rows, columns, screen);
    case "table":
      return screen === null ? tabSeparated(rows, columns) : table(rows, columns, screen);
  }
}

/** One JSON value and a line end; indented on a terminal. */
export function formatJson(value: unknown, screen: Screen | null = null): string {
  return `${printableJson(value, screen === null ? undefined : 2)}\n`;
}

/** Columns for rows whose columns are not known beforehand: all their keys, in order of first appearance. */
export function columnsOf(rows: readonly Readonly<Record<string, Cell>>[]): readonly Column<Readonly<Record<string, Cell>>>[] {
  const names = new Set(rows.flatMap((row) => Object.keys(row)));
  return [...names].map((name) => ({ name, of: (row) => (Object.hasOwn(row, name) ? row[name] : null) }));
}

/** The same rows for CSV, where an object in a cell would be JSON: its members are cells of their own, `data.rule`. Lists stay JSON. */
export function flattened(rows: readonly Readonly<Record<string, Cell>>[]): readonly Readonly<Record<string, Cell>>[] {
  const flat = (row: object, before: string): readonly (readonly [string, Cell])[] =>
    Object.entries(row).flatMap(([name, value]: readonly [string, Cell]) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? flat(value, `${before}${name}.`)
        : [[`${before}${name}`, value] as const],
    );
  return rows.map((row) => Object.fromEntries(flat(row, "")));
}

/** A whole number for people, in groups of three: `3 085`. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, " ");
}

/** Text in a colour, if the screen has any. */
export function colored(text: string, color: Color | null, screen: Screen | null): string {
  return color === null || screen?.color !== true ? text : `\u001b[${ANSI[color]}m${text}\u001b[0m`;
}

const GAP = "  ";
const NARROWEST = 4;

function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], screen: Screen): string {
  const cells = rows.map((row) => columns.map((column) => cellText(column.of(row))));
  const right = columns.map((column) => isNumeric(rows, column));
  const wanted = columns.map((column, n) =>
    Math.max(displayWidth(printable(column.name)), ...cells.map((row) => displayWidth(row[n] ?? ""))),
  );
  const isFixed = columns.map(({ isWhole }, n) => isWhole === true || right[n] === true);
  const widths = fitted(wanted, isFixed, screen.widthMax);
  const line = (texts: readonly string[], color: (n: number) => Color | null): string => {
    const parts = texts.map((text, n) => {
      const shown = cut(text, widths[n] ?? 0);
      const pad = " ".repeat(Math.max(0, (widths[n] ?? 0) - displayWidth(shown)));
      const marked = colored(shown, color(n), screen);
      return right[n] === true ? pad + marked : n === texts.length - 1 ? marked : marked + pad;
    });
    return `${parts.join(GAP).trimEnd()}\n`;
  };
  const header = line(
    columns.map(({ name }) => printable(name)),
    () => "bold",
  );
  return header + cells.map((texts, n) => line(texts, (at) => columns[at]?.color?.(rows[n] as Row) ?? null)).join("");
}

/** Takes what is too much from the widest text column, again and again. Numbers are never cut: a cut number is another number. */
function fitted(wanted: readonly number[], isFixed: readonly boolean[], widthMax: number): readonly number[] {
  const widths = [...wanted];
  const gaps = GAP.length * (widths.length - 1);
  for (let excess = sum(widths) + gaps - widthMax; excess > 0; excess -= 1) {
    let widest = -1;
    for (let n = 0; n < widths.length; n += 1) {
      if (isFixed[n] !== true && (widths[n] ?? 0) > Math.max(NARROWEST, widths[widest] ?? 0)) widest = n;
    }
    if (widest < 0) break; // The terminal is too narrow: better long lines than no facts.
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function tabSeparated<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const header = columns.map(({ name }) => printable(name));
  return lines([header, ...rows.map((row) => columns.map((column) => cellText(column.of(row))))], (cells) => cells.join("\t"));
}

function oneFieldPerLine<Row>(rows: readonly Row[], columns: readonly Column<Row>[], screen: Screen | null): string {
  const nameWidth = Math.max(0, ...columns.map(({ name }) => displayWidth(printable(name))));
  const block = (row: Row): string =>
    lines(columns, ({ name, of, color }) => {
      const shown = printable(name);
      const pad = " ".repeat(nameWidth - displayWidth(shown));
      const text = cellText(of(row));
      const room = screen === null ? text : cut(text, Math.max(NARROWEST, screen.widthMax - nameWidth - GAP.length));
      return `${colored(shown, "bold", screen)}${pad}${GAP}${colored(room, color?.(row) ?? null, screen)}`.trimEnd();
    });
  return rows.map(block).join("\n");
}

function markdown<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const right = columns.map((column) => isNumeric(rows, column));
  const escaped = (text: string): string => text.replace(/[\\|`*_<>[\]~&#]/g, (char) => `\\${char}`);
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const header = line(columns.map(({ name }) => escaped(printable(name))));
  const rule = line(right.map((isRight) => (isRight ? "--:" : "---")));
  return lines([header, rule, ...rows.map((row) => line(columns.map((column) => escaped(cellText(column.of(row))))))], (text) => text);
}

function csv<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const header = columns.map(({ name }) => csvCell(name));
  return lines([header, ...rows.map((row) => columns.map((column) => csvCell(column.of(row))))], (cells) => cells.join(","));
}

/** Text that a spreadsheet would take for a formula gets a `'` in front; numbers typed as numbers are left alone. */
export function csvCell(cell: Cell): string {
  const text = cellText(cell);
  const isFormula = typeof cell === "string" && /^[=+\-@\t\r]/.test(cell);
  const safe = isFormula ? `'${text}` : text;
  return /[",\s]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function cellText(cell: Cell): string {
  if (cell === null || cell === undefined) return "";
  return typeof cell === "object" ? printableJson(cell) : printable(String(cell));
}

/** Numbers and gaps only, and at least one number. */
function isNumeric<Row>(rows: readonly Row[], column: Column<Row>): boolean {
  const cells = rows.map(column.of).filter((cell) => cell !== null && cell !== undefined);
  return cells.length > 0 && cells.every((cell) => typeof cell === "number");
}

function lines<T>(items: readonly T[], text: (item: T) => string): string {
  return items.map((item) => `${text(item)}\n`).join("");
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
