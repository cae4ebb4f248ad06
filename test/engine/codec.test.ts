import * as assert from "uvu/assert";
import { hashBytes, SEAL_BYTES, seal, sealed, unseal } from "../../engine/codec.ts";
import { DamagedStore } from "../../engine/damaged_store.ts";
import { suite } from "../kit/suite.ts";

const test = suite("codec");

const KEY = Buffer.from("meter/SM-N-00042");
const isDamage = (error: unknown): boolean => error instanceof DamagedStore;

test("what was sealed comes back, empty or not", () => {
  for (const text of ["", "x", "a longer body, मीटर"]) assert.is(unseal(sealed(Buffer.from(text), KEY), KEY).toString(), text);
});

test("the stored form does not change from version to version", () => {
  assert.is(sealed(Buffer.from("body"), Buffer.from("key")).toString("hex"), "92d65c5901626f6479");
});

test("a value sealed in place is the same as one sealed by itself", () => {
  const bytes = Buffer.alloc(40, "?");
  bytes.write("body", 10 + SEAL_BYTES);
  seal(bytes, 10, 10 + SEAL_BYTES + 4, hashBytes(KEY, 0, KEY.length));
  assert.equal(bytes.subarray(10, 10 + SEAL_BYTES + 4), sealed(Buffer.from("body"), KEY));
});

test("a flip of any one bit of value or key is damage", () => {
  const value = sealed(Buffer.from("a body of a few bytes"), KEY);
  for (const [bytes, other] of [
    [value, KEY],
    [KEY, value],
  ] as const) {
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      assert.throws(() => (bytes === value ? unseal(flipped, other) : unseal(other, flipped)), isDamage, `bit ${bit}`);
    }
  }
});

test("a value cut short, or of zeros, is damage", () => {
  const value = sealed(Buffer.from("body"), KEY);
  for (let bytes = 0; bytes < value.length; bytes += 1) assert.throws(() => unseal(value.subarray(0, bytes), KEY), isDamage);
  for (let bytes = 0; bytes < 10; bytes += 1) assert.throws(() => unseal(Buffer.alloc(bytes), KEY), isDamage);
});
