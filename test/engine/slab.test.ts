import * as assert from "uvu/assert";
import { BrokenInvariant } from "../../engine/fault.ts";
import { hotView, newCursor, planSlot, Slab } from "../../engine/slab.ts";
import { seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

const SEED = Number(process.env["SEED"] ?? 20_250_615);
const LAYOUT = { count: "u32", value: "f64", last: "nullable", code: "u32", other: "u32" } as const;
const SLOTS_PER_CHUNK = 4_096;

const test = suite("slab");

function newView() {
  const slab = new Slab(LAYOUT);
  const cursor = newCursor();
  return { slab, cursor, view: hotView(cursor, slab.plan, LAYOUT) };
}

/** All members of a view as plain values. */
function membersOf(view: object): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const name in view) values[name] = view[name as keyof typeof view];
  return values;
}

test("wide members come first, in order of declaration, and a slot is a multiple of eight bytes", () => {
  const plan = planSlot(LAYOUT);
  assert.is(plan.strideBytes, 32); // 2 x 8 and 3 x 4, padded.
  assert.equal(
    [...plan.f64At],
    [
      ["value", 0],
      ["last", 1],
    ],
  );
  assert.equal(
    [...plan.u32At],
    [
      ["count", 4],
      ["code", 5],
      ["other", 6],
    ],
  );
  assert.is(planSlot({}).strideBytes, 0);
});

test("a new slot is zeros, and null where null can be", () => {
  const { slab, cursor, view } = newView();
  slab.move(cursor, slab.allocate());
  assert.equal(membersOf(view), { count: 0, value: 0, last: null, code: 0, other: 0 });
});

test("members hold any number of their kind", () => {
  const { slab, cursor, view } = newView();
  slab.move(cursor, slab.allocate());
  for (const value of [0, -0, 0.1, -1e308, 5e-324, 2 ** 53]) {
    view.value = value;
    view.last = value;
    assert.ok(Object.is(view.value, value) && Object.is(view.last, value));
  }
  view.last = null;
  assert.is(view.last, null);
  view.count = 2 ** 32 - 1;
  assert.is(view.count, 2 ** 32 - 1);
});

test("single numbers take half the space, keep seven digits and may be null", () => {
  const layout = { half: "f32", perhaps: "nullable32", count: "u32", whole: "f64" } as const;
  const slab = new Slab(layout);
  const cursor = newCursor();
  const view = hotView(cursor, slab.plan, layout);
  assert.is(slab.plan.strideBytes, 24);
  slab.move(cursor, slab.allocate());
  assert.equal(membersOf(view), { half: 0, perhaps: null, count: 0, whole: 0 });
  Object.assign(view, { half: 0.1, perhaps: 231.47, count: 7, whole: 0.1 });
  assert.equal(membersOf(view), { half: Math.fround(0.1), perhaps: Math.fround(231.47), count: 7, whole: 0.1 });
  view.perhaps = null;
  assert.is(view.perhaps, null);
});

test("slots do not touch one another, over the borders of chunks", () => {
  const { slab, cursor, view } = newView();
  const random = seeded(SEED);
  const wanted: unknown[] = [];
  for (let slot = 0; slot < 2 * SLOTS_PER_CHUNK + 3; slot += 1) {
    assert.is(slab.allocate(), slot);
    slab.move(cursor, slot);
    Object.assign(view, {
      count: slot,
      value: random.below(1_000) / 7,
      last: random.chance(50) ? null : slot,
      code: random.below(9),
      other: ~slot >>> 0,
    });
    wanted.push(membersOf(view));
  }
  for (const slot of random.shuffled([0, 1, SLOTS_PER_CHUNK - 1, SLOTS_PER_CHUNK, 2 * SLOTS_PER_CHUNK, slab.size - 1])) {
    slab.move(cursor, slot);
    assert.equal(membersOf(view), wanted[slot]);
  }
});

test("an image restores a slot of another slab", () => {
  const [from, to] = [newView(), newView()];
  from.slab.move(from.cursor, from.slab.allocate());
  Object.assign(from.view, { count: 7, value: -0, last: 1.5, code: 2 ** 32 - 1, other: 0 });
  to.slab.allocate();
  const slot = to.slab.allocate();
  to.slab.restore(slot, Uint8Array.from(from.slab.image(0)));
  to.slab.move(to.cursor, slot);
  assert.equal(membersOf(to.view), membersOf(from.view));
  assert.throws(
    () => to.slab.restore(slot, new Uint8Array(24)),
    (error: Error) => error instanceof BrokenInvariant,
  );
});

test("views of one layout share their accessors, each over its own bytes", () => {
  const [one, other] = [newView(), newView()];
  assert.is(Object.getPrototypeOf(one.view), Object.getPrototypeOf(other.view));
  one.slab.move(one.cursor, one.slab.allocate());
  other.slab.move(other.cursor, other.slab.allocate());
  one.view.count = 1;
  other.view.count = 2;
  assert.is(one.view.count, 1);
  const layout = { value: "f64", count: "u32" } as const;
  const third = hotView(newCursor(), new Slab(layout).plan, layout);
  assert.is.not(Object.getPrototypeOf(third), Object.getPrototypeOf(one.view));
});
