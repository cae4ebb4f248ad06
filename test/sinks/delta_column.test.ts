import * as assert from "uvu/assert";
import type { ColumnType } from "../../engine/emission.ts";
import { type BornColumn, columnsOf, parseType, typeText } from "../../sinks/delta_column.ts";
import { suite } from "../kit/suite.ts";

const test = suite("columns of a Delta table");
const born = (column: string, type: string, feed = "renewable"): BornColumn => ({ feed, column, type });
const table = { name: "renewable_production", feed: "renewable", columns: [["production_mw", { type: "double" }]] } as const;

test("a born column has the type that its values are stored in", () => {
  const types = ["string", "double", "bigint", "boolean", "date", "timestamp", "json", "decimal(9,3)", "decimal(38,4)"];
  const columns = columnsOf(
    null,
    table,
    types.map((type, index) => born(`c${index}`, type)),
  );
  assert.equal(
    columns.map(({ type }) => typeText(type)),
    ["double", "string", "double", "double", "boolean", "date", "timestamp", "string", "decimal(9,3)", "decimal(18,4)"],
  );
});

test("a column that is known keeps its place and type, whatever is born under its name later", () => {
  const before = columnsOf(null, table, [born("curtailment_mw", "bigint")]);
  const after = columnsOf(before, table, [
    born("curtailment_mw", "double"),
    born("production_mw", "string"),
    born("battery_mwh", "double"),
  ]);
  assert.equal(
    after.map(({ name, type }) => `${name} ${typeText(type)}`),
    ["production_mw double", "curtailment_mw double", "battery_mwh double"],
  );
});

test("a column that is born in another feed is not added", () => {
  assert.is(columnsOf(null, table, [born("voltage_v", "double", "smart_meter")]).length, 1);
});

test("a type is read as it was written, and nothing else is", () => {
  const types: readonly ColumnType[] = [{ type: "long" }, { type: "timestamp" }, { type: "decimal", precision: 18, scale: 2 }];
  assert.equal(types.map(typeText).map(parseType), types);
  assert.throws(() => parseType("struct"));
});
