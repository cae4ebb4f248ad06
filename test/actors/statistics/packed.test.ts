import * as assert from "uvu/assert";
import { codeOf, kwhOf, readWord, writeWord } from "../../../actors/statistics/packed.ts";
import { near, samples } from "../../kit/samples.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("packed");

test("an amount comes back within 0.03 %, or a few milliwatt hours near zero", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const kwh = Math.exp(samples(seed).between(-3, 9));
    assert.ok(Math.abs(kwhOf(codeOf(kwh)) - kwh) <= 0.0003 * (kwh + 0.01), `seed ${seed}`);
  }
  assert.is(kwhOf(codeOf(0)), 0);
  assert.is(codeOf(-5), 0);
});

test("a mean that is kept as a code stands within 0.4 % of its target in the end", () => {
  let code = codeOf(2);
  for (let n = 0; n < 2_000; n += 1) code = codeOf(kwhOf(code) + 0.05 * (10 - kwhOf(code)));
  near(kwhOf(code), 10, 0.004, "none");
});

test("words keep their places", () => {
  const bytes = new Uint8Array(6);
  writeWord(bytes, 0, 65_535);
  writeWord(bytes, 1, 258);
  writeWord(bytes, 2, 1);
  assert.equal(
    [0, 1, 2].map((n) => readWord(bytes, n)),
    [65_535, 258, 1],
  );
});
