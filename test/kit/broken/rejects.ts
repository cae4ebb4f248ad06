import { suite } from "../suite.ts";

// The test passes; the promise it forgot does not.
const test = suite("rejects");
test("forgets a promise", () => {
  void Promise.reject(new Error("planted"));
});
