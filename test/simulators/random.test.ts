import * as assert from "uvu/assert";
import { blockRanks, permutation } from "../../simulators/permutation.ts";
import { streams } from "../../simulators/random.ts";
import { suite } from "../kit/suite.ts";

const test = suite("random");

test("a record has its own stream, whatever was drawn before it", () => {
  const randoms = streams(42, "set");
  const alone = randoms(7).uuid();
  randoms(6).unit();
  assert.is(randoms(7).uuid(), alone);
  assert.is(streams(42, "set")(7).uuid(), alone);
});

test("another seed, set or record gives other numbers", () => {
  const uuids = [
    streams(42, "set")(7),
    streams(43, "set")(7),
    streams(42, "tes")(7),
    streams(42, "set")(8),
    streams(42, "set")(7 + 2 ** 32),
  ].map((random) => random.uuid());
  assert.is(new Set(uuids).size, uuids.length);
});

test("the first number of neighbouring records is uniform and not correlated", () => {
  const randoms = streams(1, "uniform");
  const firsts = Array.from({ length: 20_000 }, (_, record) => randoms(record).unit());
  const mean = firsts.reduce((sum, value) => sum + value, 0) / firsts.length;
  const tenths = Array.from({ length: 10 }, (_, tenth) => firsts.filter((value) => Math.floor(value * 10) === tenth).length);
  const correlation =
    firsts.slice(1).reduce((sum, value, at) => sum + (value - 0.5) * ((firsts[at] ?? 0) - 0.5), 0) / firsts.length / (1 / 12);
  assert.ok(Math.abs(mean - 0.5) < 0.01, `mean ${mean}`);
  assert.ok(
    tenths.every((count) => Math.abs(count - 2_000) < 200),
    `${tenths}`,
  );
  assert.ok(Math.abs(correlation) < 0.03, `correlation ${correlation}`);
});

test("a uuid has the form of version 4", () => {
  for (let record = 0; record < 200; record += 1) {
    assert.match(streams(42, "uuid")(record).uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
});

test("a permutation reaches every value once, its inverse undoes it, and pins hold", () => {
  for (const size of [1, 2, 3, 8, 100, 1_000, 4_097]) {
    const pins: readonly (readonly [number, number])[] =
      size < 10
        ? []
        : [
            [5, 9],
            [9, 5],
            [0, 7],
          ];
    const shuffle = permutation(42, "test", size, pins);
    const seen = new Set<number>();
    for (let value = 0; value < size; value += 1) {
      const there = shuffle.forward(value);
      assert.ok(there >= 0 && there < size);
      assert.is(shuffle.inverse(there), value);
      seen.add(there);
    }
    assert.is(seen.size, size);
    for (const [from, to] of pins) assert.is(shuffle.forward(from), to);
  }
});

test("every block of ranks holds each rank once, in another order", () => {
  const ranks = blockRanks(42, "test", 100);
  const blocks = [0, 1].map((block) => Array.from({ length: 100 }, (_, at) => ranks(block * 100 + at)));
  for (const block of blocks) assert.is(new Set(block).size, 100);
  assert.is.not(String(blocks[0]), String(blocks[1]));
});
