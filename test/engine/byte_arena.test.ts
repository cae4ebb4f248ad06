import * as assert from "uvu/assert";
import { ByteArena } from "../../engine/byte_arena.ts";
import { type Seeded, seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

const SEED = Number(process.env["SEED"] ?? 20_250_615);

const test = suite("byte arena");

function anyBytes(random: Seeded): Buffer {
  const length = random.chance(1) ? 1_500_000 : random.below(random.pick([4, 300, 40_000]));
  return Buffer.alloc(length, random.below(256));
}

test("of each number the last value counts, however often it is replaced and put back, before and after it is compacted", () => {
  const random = seeded(SEED);
  const arena = new ByteArena();
  const expected = new Map<number, Buffer>();
  for (let step = 0; step < 6_000; step += 1) {
    const n = random.below(200);
    const before = { place: arena.place(n), value: expected.get(n) };
    const value = anyBytes(random);
    arena.set(n, value);
    expected.set(n, value);
    if (random.chance(30)) {
      arena.putBack(n, before.place);
      if (before.value === undefined) expected.delete(n);
      else expected.set(n, before.value);
    }
    if (random.chance(5)) arena.compact();
    const other = random.below(220);
    assert.is(
      arena.get(other)?.equals(expected.get(other) ?? Buffer.from("none")) ?? null,
      expected.has(other) ? true : null,
      `SEED=${SEED}`,
    );
  }
  for (const [n, value] of expected)
    assert.ok(arena.isEqual(n, value) && !arena.isEqual(n, Buffer.concat([value, value, value, Buffer.from("x")])));
});

test("a value is one text and no other, in whatever script", () => {
  const arena = new ByteArena();
  const texts = ["a", "ab", "b", "é", "दिल्ली", "a😀", "Ã©", "meter/SM-N-00042"];
  for (const [n, text] of texts.entries()) arena.set(n, Buffer.from(text));
  for (const [n, text] of texts.entries())
    for (const other of [...texts, "", "meter/SM-N-0004"]) assert.is(arena.isText(n, other), other === text);
  assert.not(arena.isText(99, "a"));
});
