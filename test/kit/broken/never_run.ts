import { suite } from "uvu";

// The planted fault is the missing `test.run()`: uvu prints nothing and exits 0.
const test = suite("never run");
test("never runs", () => {});
