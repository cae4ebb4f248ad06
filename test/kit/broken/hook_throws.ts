import { suite } from "uvu";

// uvu says 0 of 1 and exits 0.
const test = suite("hook throws");
test.before(() => {
  throw new Error("planted");
});
test("never runs", () => {});
test.run();
