import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as assert from "uvu/assert";
import { configJsonSchema, configSchemaText, limitUnit } from "../../admin/config_schema.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { suite } from "../kit/suite.ts";
import { ROOT } from "./given_config.ts";

const test = suite("schema of the configuration");

test("the shipped JSON Schema is the one that is checked (gridactor schema config prints it)", () => {
  const shipped = JSON.parse(readFileSync(join(ROOT, "schemas/config.schema.json"), "utf8"));
  assert.ok(isDeepStrictEqual(shipped, JSON.parse(configSchemaText())), "schemas/config.schema.json is old: print it again");
});

test("the shipped configuration names it, for editors", () => {
  const [first = ""] = readFileSync(join(ROOT, "gridactor.yaml"), "utf8").split("\n");
  assert.is(first, "# yaml-language-server: $schema=./schemas/config.schema.json");
});

test("only the version is required, and no key of the top is open to others", () => {
  const schema = configJsonSchema();
  assert.equal(schema["required"], ["version"]);
  assert.is(schema["additionalProperties"], false);
});

test("every limit is written in the unit of its name", () => {
  const units = {
    recordBytesMax: "size",
    quarantineBytesKept: "size",
    foldAtBytes: "size",
    futureMs: "span",
    correctionWindowMs: "span",
    hopsMax: "count",
    actors: "count",
  };
  for (const [limit, unit] of Object.entries(units)) {
    assert.ok(Object.hasOwn(DEFAULT_LIMITS, limit), limit);
    assert.is(limitUnit(limit), unit, limit);
  }
});
