import * as assert from "uvu/assert";
import { notRun, suite } from "../suite.ts";

// One test of each fate that is no failure.
const test = suite("partly");
test("passes", () => assert.is(process.env["NODE_OPTIONS"], undefined));
test("needs what is not here", () => notRun("teapot", "no tea"));
test.skip("is left out", () => {});
