import * as assert from "uvu/assert";
import { identityOf, isMasked, lsn, NO_LSN, positionOf, tellsCommand } from "../../../actors/feeds/lsn.ts";
import { seeded } from "../../kit/seeded.ts";
import { suite } from "../../kit/suite.ts";

const SEED = 10_10;
const test = suite("log sequence numbers");

/** 20 digits, or the code of the fault. */
function read(value: unknown): string {
  const result = lsn.read(value, "lsn", { plain: true, note: () => {}, literal: (_, n) => String(n), rounded: () => {} });
  return typeof result === "string" ? result : result.code;
}

test("the guide's spelling has 10 digits and is filled up", () => {
  assert.is(read("0x0A3B5C7D8E"), "00000000000a3b5c7d8e");
});

test("all spellings of one value give the same digits, and their text order is numeric order", () => {
  const { below, chance } = seeded(SEED);
  let before = { value: 0n, digits: "" };
  for (let n = 0; n < 5_000; n += 1) {
    const value = BigInt(1 + below(2 ** 31)) << BigInt(below(49));
    const digits = value.toString(16).padStart(20, "0");
    const groups = [digits.slice(0, 8), digits.slice(8, 16), digits.slice(16)];
    const spellings = [
      `0x${value.toString(16)}`,
      `0X${value.toString(16).toUpperCase()}`.replace("0X", "0x"),
      `0x${digits}`,
      chance(50) ? digits : digits.toUpperCase(),
      groups.join(":"),
      groups.map((group) => BigInt(`0x${group}`).toString(16)).join(":"),
      Buffer.from(digits, "hex").toString("base64"),
    ];
    for (const spelling of spellings) assert.is(read(spelling), digits, `${spelling}, seed ${SEED}`);
    assert.is(digits < before.digits, value < before.value, `seed ${SEED}`);
    before = { value, digits };
  }
});

test("as text 0xA would come after 0x10; as positions it comes before", () => {
  assert.ok(read("0xA") < read("0x10"));
});

test("zero is read in every spelling, for the feed to judge", () => {
  for (const value of ["0x0", "0x00000000000000000000", "00000000:00000000:0000", "AAAAAAAAAAAAAA=="]) assert.is(read(value), NO_LSN);
});

test("more than 10 bytes, numbers and other words are none", () => {
  for (const value of [
    "0x",
    `0x1${"0".repeat(20)}`,
    `1${"0".repeat(20)}`,
    "0A3B5C7D8E",
    "0xG1",
    "1:2",
    "1:2:3:4",
    "123456789:0:1",
    "AAAAAAAAAAAAAB",
    "",
    10,
    10n,
    {},
  ]) {
    assert.is(read(value), "bad_lsn", String(value));
  }
});

test("a position is 25 bytes: LSN, command, sequence, operation", () => {
  const position = positionOf(read("0x0A3B5C7D8E"), 1, read("0x0B4C6D9E0F"), 2);
  assert.is(position, "00000000000a3b5c7d8e0000000100000000000b4c6d9e0f02");
  assert.is(position.length, 50);
  assert.is(positionOf("a".repeat(20), null, "b".repeat(20), 4), `${"a".repeat(20)}00000000${"b".repeat(20)}04`);
  assert.ok(positionOf("a".repeat(20), 9, "b".repeat(20), 4) < positionOf("a".repeat(20), 0xffff_ffff, "0".repeat(20), 1));
});

test("a change is the same whether its command is told or not", () => {
  const [silent, told] = [null, 7].map((command) => positionOf("a".repeat(20), command, "b".repeat(20), 4));
  assert.is(identityOf(silent ?? ""), identityOf(told ?? ""));
  assert.equal([tellsCommand(silent ?? ""), tellsCommand(told ?? "")], [false, true]);
  assert.is.not(identityOf(told ?? ""), identityOf(positionOf("a".repeat(20), 7, "b".repeat(20), 2)));
});

test("ordinal 1 is the lowest bit of a mask's last byte", () => {
  const bits = (mask: string | null) => Array.from({ length: 18 }, (_, n) => isMasked(mask, n + 1));
  assert.equal(bits("0x01").map(Number), [1, ...Array(17).fill(0)]);
  assert.equal(bits("0x020100").map(Number), [...Array(8).fill(0), 1, ...Array(8).fill(0), 1]);
  assert.equal(bits("0x00"), Array(18).fill(null));
  assert.equal(bits("0x"), Array(18).fill(null));
  assert.equal(bits(null), Array(18).fill(null));
});
