import * as assert from "uvu/assert";
import { civilDate, decimal, feed, instant, integer, key, number, optional } from "../../engine/feed.ts";
import { ActorId } from "../../engine/ids.ts";
import {
  decodeSchema,
  encodeSchema,
  firstSchema,
  newColumn,
  parseHints,
  type SchemaSettings,
  type TypeName,
  typeOf,
  widened,
  withColumns,
} from "../../engine/schema.ts";
import { restoredSchema, schemaRow } from "../../engine/schema_version.ts";
import { suite } from "../kit/suite.ts";

const test = suite("schema");

function pumps(evolution: SchemaSettings = {}) {
  return feed({
    name: "pumps",
    latenessMs: 0,
    fields: {
      id: key,
      at: instant,
      flow: number(),
      turns: optional(integer()),
      cost: optional(decimal(18, 2)),
      since: optional(civilDate),
    },
    evolution,
    eventTimeMs: (row) => row.at,
    dedupKey: (row) => row.id,
    actors: (row) => [ActorId("pump", row.id)],
    message: () => ({ type: "pumped" }),
  });
}

test("version 1 holds the declared columns, and by default rescues what is new", () => {
  assert.equal(firstSchema(pumps()), {
    version: 1,
    mode: "rescue",
    hints: {},
    inferColumnTypes: false,
    caseSensitive: true,
    ignored: [],
    columns: {
      id: { type: "string", origin: "declared" },
      at: { type: "timestamp", origin: "declared" },
      flow: { type: "double", origin: "declared" },
      turns: { type: "bigint", origin: "declared" },
      cost: { type: "decimal(18,2)", origin: "declared" },
      since: { type: "date", origin: "declared" },
    },
  });
});

test("configuration beats the feed's own word on evolution", () => {
  const schema = firstSchema(pumps({ mode: "addNewColumns", inferColumnTypes: true }), { mode: "rescue" });
  assert.is(schema.mode, "rescue");
  assert.is(schema.inferColumnTypes, true);
});

test("a hint that contradicts a required field is refused; one that agrees is not", () => {
  assert.throws(() => firstSchema(pumps(), { hints: { flow: "string" } }), /flow/);
  assert.not.throws(() => firstSchema(pumps(), { hints: { flow: "double", level: "double" } }));
});

test("new columns make the next version and leave the old one alone", () => {
  const before = firstSchema(pumps());
  const after = withColumns(before, { level: { type: "double", origin: "hint" } });
  assert.is(after.version, 2);
  assert.equal(after.columns["level"], { type: "double", origin: "hint" });
  assert.is(before.version, 1);
  assert.is(before.columns["level"], undefined);
});

test("a value shows its type by itself; text is text, whatever it looks like", () => {
  const values = [1, 1.5, 10n, 2 ** 60, true, "2025-06-15", "12.5", [1], { a: 1 }, new Date(0)];
  const types = ["bigint", "double", "bigint", "double", "boolean", "string", "string", "json", "json", "timestamp"];
  assert.equal(values.map(typeOf), types);
});

test("a new column has the hinted type, else the one that holds all that was seen, else text", () => {
  const inferring = firstSchema(pumps(), { inferColumnTypes: true, hints: { level: "double" } });
  const typeAfter = (...seen: readonly TypeName[]) => newColumn(inferring, "other", seen).type;
  assert.equal(newColumn(inferring, "level", ["bigint"]), { type: "double", origin: "hint" });
  assert.is(typeAfter("bigint", "bigint"), "bigint");
  assert.is(typeAfter("bigint", "double"), "double");
  assert.is(typeAfter("double", "bigint"), "double");
  assert.is(typeAfter("bigint", "string"), "string");
  assert.is(typeAfter("boolean", "double"), "string");
  assert.is(typeAfter("string", "json", "bigint"), "json");
  assert.equal(newColumn(firstSchema(pumps()), "other", ["double"]), { type: "string", origin: "inferred" });
  assert.is(newColumn(inferring, "toString", ["double"]).type, "double");
});

test("only a column of whole numbers that was inferred takes fractions, and only in the mode that widens", () => {
  const widening = firstSchema(pumps(), { mode: "addNewColumnsWithTypeWidening" });
  const whole = { type: "bigint", origin: "inferred" } as const;
  assert.equal(widened(widening, whole, ["double"]), { type: "double", origin: "inferred" });
  assert.is(widened(widening, whole, ["bigint", "string"]), whole);
  assert.is(widened(firstSchema(pumps(), { mode: "addNewColumns" }), whole, ["double"]), whole);
  for (const origin of ["declared", "hint", "approved"] as const) {
    const fixed = { type: "bigint", origin } as const;
    assert.is(widened(widening, fixed, ["double"]), fixed, origin);
  }
  const text = { type: "string", origin: "inferred" } as const;
  assert.is(widened(widening, text, ["double"]), text);
});

test("a stored schema comes back as it was", () => {
  const schema = withColumns(firstSchema(pumps(), { mode: "addNewColumns", hints: { level: "double" } }), {
    level: { type: "double", origin: "hint" },
  });
  assert.equal(decodeSchema(encodeSchema(schema)), schema);
  assert.throws(() => decodeSchema(Buffer.from(`{"mode":"rescue"}`)));
});

test("a field that the feed declares since then has its declared type, beside columns that were born", () => {
  const feed = pumps();
  const { flow: _, ...declared } = firstSchema(feed).columns;
  const columns = { ...declared, level: { type: "double", origin: "inferred" }, turns: { type: "string", origin: "inferred" } } as const;
  const stored = { ...firstSchema(feed), version: 3, mode: "none", columns, ignored: ["noise"] } as const;
  const { key, value } = schemaRow("pumps", stored);
  const store = {
    *range() {
      yield [key, value ?? new Uint8Array()] as const;
    },
  };
  const restored = restoredSchema(store, feed, { mode: "addNewColumns" });
  assert.equal([restored.version, restored.mode, restored.ignored], [3, "addNewColumns", ["noise"]]);
  assert.equal(restored.columns["flow"], { type: "double", origin: "declared" });
  assert.equal(restored.columns["turns"], { type: "bigint", origin: "declared" });
  assert.equal(restored.columns["level"], { type: "double", origin: "inferred" });
});

test("hints are read as configuration writes them", () => {
  assert.equal(parseHints("production_mw double, cells BIGINT,price decimal(18, 2), since date"), {
    production_mw: "double",
    cells: "bigint",
    price: "decimal(18,2)",
    since: "date",
  });
  for (const text of [
    "",
    "a",
    "a doubel",
    "a double b",
    "a decimal(1)",
    "a decimal(0,0)",
    "a decimal(4,5)",
    "a decimal(39,2)",
    "__proto__ double",
    "a double,",
  ])
    assert.throws(() => parseHints(text), /hint/, text);
});
