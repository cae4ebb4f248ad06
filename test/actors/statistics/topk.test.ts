import * as assert from "uvu/assert";
import { byRank, type Ranked, ranked } from "../../../actors/statistics/topk.ts";
import { samples } from "../../kit/samples.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("topk");

test("the best are kept whatever the order in which they come", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const { seeded } = samples(seed);
    const all = Array.from({ length: 12 }, (_, n) => ({ id: `m${n}`, score: seeded.below(4) }));
    let kept: readonly Ranked[] = [];
    for (const entry of seeded.shuffled(all)) kept = ranked(kept, entry, 5);
    assert.equal(kept, [...all].sort(byRank).slice(0, 5), `seed ${seed}`);
  }
});

test("a new score takes the place of the old one", () => {
  const kept = ranked(ranked([{ id: "a", score: 1 }], { id: "b", score: 2 }, 5), { id: "b", score: 0 }, 5);
  assert.equal(kept, [
    { id: "a", score: 1 },
    { id: "b", score: 0 },
  ]);
});
