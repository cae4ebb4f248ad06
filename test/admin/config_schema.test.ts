import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as assert from "uvu/assert";
import { configJsonSchema, configSchema, configSchemaText, limitUnit } from "../../admin/config_schema.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { liveMessages } from "../../simulators/live.ts";
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

test("a simulator may have every rate and seed that a live stream takes, and no other", () => {
  const isAllowed = (options: object): boolean =>
    configSchema.safeParse({ version: 1, sources: { live: { feed: "smart_meter", type: "simulator", profile: "meters", ...options } } })
      .success;
  const isTaken = (options: object): boolean => {
    try {
      liveMessages({ profile: "meters", rate: 3, seed: 42, scale: 1, startAtMs: Date.UTC(2026, 0, 1), ...options });
      return true;
    } catch (error) {
      assert.instance(error, RangeError);
      return false;
    }
  };
  const rates = [0, 0.0009, 0.001, 3, 10_000, 10_001].map((rate) => ({ rate }));
  const seeds = [-1, 0, 0.5, 42, 2 ** 32 - 1, 2 ** 32].map((seed) => ({ seed }));
  for (const [options, expected] of [
    [rates, [false, false, true, true, true, false]],
    [seeds, [false, true, false, true, true, false]],
  ] as const) {
    assert.equal(options.map(isTaken), expected);
    assert.equal(options.map(isAllowed), expected);
  }
});
