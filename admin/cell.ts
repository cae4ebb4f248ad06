import type { CellValue, ColumnType } from "../engine/emission.ts";
import type { AnyBehaviour } from "../engine/population.ts";
import type { Domain } from "../engine/world.ts";
import { instantText } from "./time.ts";

export type Cells = Readonly<Record<string, CellValue>>;

/** How the columns of an actor's state are typed: as its own feeds declare them, else as any other feed does. */
export function columnTypes({ feeds }: Domain, { clocks }: Pick<AnyBehaviour, "clocks">): ReadonlyMap<string, ColumnType> {
  const ownLast = [...feeds.filter(({ name }) => !clocks.includes(name)), ...feeds.filter(({ name }) => clocks.includes(name))];
  return new Map(ownLast.flatMap(({ fields }) => Object.entries(fields).map(([name, { column }]) => [name, column] as const)));
}

/** Cells as answers show them: instants in UTC, decimals in their unit (rupees, where paise are kept). `eventTime` is an instant, whatever the feeds say. */
export function shownCells(cells: Cells, types: ReadonlyMap<string, ColumnType>): Cells {
  return Object.fromEntries(Object.entries(cells).map(([name, value]) => [name, shown(value, typeOf(name, types))]));
}

function typeOf(name: string, types: ReadonlyMap<string, ColumnType>): ColumnType | undefined {
  return name === "eventTime" ? { type: "timestamp" } : types.get(name);
}

function shown(value: CellValue, type: ColumnType | undefined): CellValue {
  if (typeof value !== "number" || type === undefined) return value;
  if (type.type === "timestamp") return instantText(value);
  return type.type === "decimal" ? value / 10 ** type.scale : value; // The nearest double to the decimal, which prints as that decimal.
}
