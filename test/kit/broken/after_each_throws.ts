import { suite } from "uvu";
import * as assert from "uvu/assert";

// The hook's error hides the test's: uvu says 0 of 1 and exits 0.
const test = suite("after each throws");
test.after.each(() => {
  throw new Error("planted");
});
test("fails", () => assert.unreachable());
test.run();
