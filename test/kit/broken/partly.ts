import { notRun, suite } from "../suite.ts";

// One test of each fate that is no failure.
const test = suite("partly");
test("passes", () => {});
test("needs what is not here", () => notRun("teapot", "no tea"));
test.skip("is left out", () => {});
