import * as assert from "uvu/assert";
import { isPlainDecimal, scaleNumber, scaleText } from "../../engine/decimal.ts";
import { seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

const SEED = 4_711;
const test = suite("decimal");

/** The same in BigInt: value x 10^scale of `digits` x 10^-places, half away from zero. */
function exactly(digits: bigint, places: number, scale: number): number {
  const size = (digits < 0n ? -digits : digits) * 10n ** BigInt(scale);
  const unit = 10n ** BigInt(places);
  const rounded = Number((2n * size + unit) / (2n * unit));
  return digits < 0n && rounded !== 0 ? -rounded : rounded;
}

function written(digits: bigint, places: number): string {
  const size = String(digits < 0n ? -digits : digits).padStart(places + 1, "0");
  const whole = size.slice(0, size.length - places);
  return `${digits < 0n ? "-" : ""}${whole}${places === 0 ? "" : `.${size.slice(size.length - places)}`}`;
}

test("a decimal is scaled as in exact arithmetic, whatever its places and its scale", () => {
  const { below } = seeded(SEED);
  for (let n = 0; n < 20_000; n += 1) {
    const digits = BigInt(below(2_000_000_000) - 1_000_000_000) * BigInt(1 + below(900));
    const [places, scale] = [below(9), below(5)];
    const text = written(digits, places);
    const value = exactly(digits, places, scale);
    assert.is(scaleText(text, scale)?.value, value, `${text} in scale ${scale}, seed ${SEED}`);
    assert.is(scaleText(text, scale)?.rounded, places > scale && digits % 10n ** BigInt(places - scale) !== 0n, text);
  }
});

test("half a unit is rounded away from zero, less is not", () => {
  assert.equal(scaleText("2.675", 2), { value: 268, rounded: true });
  assert.equal(scaleText("-2.675", 2), { value: -268, rounded: true });
  assert.equal(scaleText("2.6749999999999999999999", 2), { value: 267, rounded: true });
  assert.equal(scaleText("0.005", 2), { value: 1, rounded: true });
  assert.equal(scaleText("0.0049", 2), { value: 0, rounded: true });
  assert.equal(scaleText("-0.001", 2), { value: 0, rounded: true });
});

test("trailing zeros are no digits that are lost", () => {
  assert.equal(scaleText("6.50000", 4), { value: 65_000, rounded: false });
  assert.equal(scaleText("-0", 2), { value: 0, rounded: false });
});

test("exponents are read, also absurd ones", () => {
  assert.equal(scaleText("1.5e3", 2), { value: 150_000, rounded: false });
  assert.equal(scaleText("15e-3", 2), { value: 2, rounded: true });
  assert.equal(scaleText("1e-400", 2), { value: 0, rounded: true });
  assert.is(scaleText("1e400", 2)?.value, Number.POSITIVE_INFINITY);
  assert.is(scaleText("-1e999999999", 2)?.value, Number.NEGATIVE_INFINITY);
  assert.equal(scaleText("0e999999999", 2), { value: 0, rounded: false });
});

test("beyond 2^53 there is no exact integer, so the value is infinite", () => {
  assert.is(scaleText("90071992547409.91", 2)?.value, Number.MAX_SAFE_INTEGER);
  assert.is(scaleText("90071992547409.92", 2)?.value, Number.POSITIVE_INFINITY);
  assert.is(scaleText("-90071992547409.93", 2)?.value, Number.NEGATIVE_INFINITY);
});

test("a double that is a short decimal is scaled without its text; any other is left to it", () => {
  const { below } = seeded(SEED);
  let shortcuts = 0;
  for (let n = 0; n < 20_000; n += 1) {
    const [places, scale] = [below(7), below(5)];
    const value = Number(written(BigInt(below(2_000_000_000) - 1_000_000_000), places));
    const quick = scaleNumber(value, scale);
    if (quick === null) continue;
    shortcuts += 1;
    assert.equal(scaleText(String(value), scale), { value: quick, rounded: false }, `${value} in scale ${scale}, seed ${SEED}`);
  }
  assert.ok(shortcuts > 5_000, String(shortcuts));
  assert.is(scaleNumber(2968.075, 2), null);
  assert.is(scaleNumber(2968.07, 2), 296_807);
  assert.is(scaleNumber(90071992547409.91, 2), null, "two decimals of so many digits are the same double");
  assert.ok(Object.is(scaleNumber(-0, 2), 0));
});

test("a plain decimal has digits, at most one point and a sign", () => {
  for (const text of ["12", " -12.50 ", "+3", ".5", "5."]) assert.ok(isPlainDecimal(text), text);
  for (const text of ["", " ", ".", "-", "1,5", "0x10", "1e3", "NaN", "Infinity", "1 000", "1.2.3", "１２"])
    assert.not(isPlainDecimal(text), text);
  assert.is(scaleText("", 2), null);
  assert.is(scaleText("1,5", 2), null);
});
