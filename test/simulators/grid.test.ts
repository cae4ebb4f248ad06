import * as assert from "uvu/assert";
import { gridOf } from "../../simulators/grid.ts";
import { suite } from "../kit/suite.ts";

const test = suite("grid");

function numberOf(count: number, id: (entity: number) => string, wanted: string): number {
  for (let entity = 0; entity < count; entity += 1) if (id(entity) === wanted) return entity;
  throw new Error(`no ${wanted}`);
}

test("the pairs of the guide's samples are linked, at every scale and seed", () => {
  for (const [seed, scale] of [
    [42, 1],
    [7, 1],
    [42, 3],
  ] as const) {
    const grid = gridOf(seed, scale);
    const meter = (id: string): number => numberOf(grid.customers, grid.meterId, id);
    const customer = (id: string): number => numberOf(grid.customers, grid.customerId, id);
    const transformer = (id: string): number => numberOf(grid.transformers, grid.transformerId, id);
    assert.is(grid.meterOf(customer("CUST-000123")), meter("SM-N-00042"));
    assert.is(grid.meterOf(customer("CUST-000789")), meter("SM-W-00134"));
    for (const [id, substationId, state] of [
      ["TRF-S-0045", "SUB-S-023", "Karnataka"],
      ["TRF-N-0034", "SUB-N-012", "Delhi"],
      [grid.transformerId(grid.transformerOf(meter("SM-W-00134"))), "SUB-W-034", "Maharashtra"],
    ] as const) {
      const substation = grid.substationOf(transformer(id));
      assert.is(grid.substationId(substation), substationId);
      assert.is(grid.placeOf(substation).state, state);
    }
    const home = grid.placeOf(grid.substationOf(grid.transformerOf(meter("SM-N-00042"))));
    assert.equal(home, { region: "NORTH", state: "Delhi", gridZone: "ZONE-3" });
  }
});

test("customers and meters pair off, transformers feed two meters of their region, substations hold two transformers", () => {
  const grid = gridOf(42, 1);
  const meters = Array.from({ length: grid.customers }, (_, customer) => grid.meterOf(customer));
  assert.is(new Set(meters).size, 1_000);
  const fed = new Map<string, number>();
  for (const meter of meters) {
    const transformer = grid.transformerId(grid.transformerOf(meter));
    assert.is(transformer.charAt(4), grid.meterId(meter).charAt(3));
    fed.set(transformer, (fed.get(transformer) ?? 0) + 1);
  }
  assert.is(fed.size, 500);
  assert.ok([...fed.values()].every((count) => count === 2));
  const held = new Map<number, number>();
  for (let transformer = 0; transformer < grid.transformers; transformer += 1) {
    const substation = grid.substationOf(transformer);
    held.set(substation, (held.get(substation) ?? 0) + 1);
  }
  assert.is(held.size, 250);
  assert.ok([...held.values()].every((count) => count === 2));
});

test("ids grow digits when the guide's width overflows", () => {
  const grid = gridOf(42, 600);
  assert.is(grid.meterId(0), "SM-N-00001");
  assert.is(grid.meterId(119_999), "SM-N-120000");
  assert.is(grid.transformerId(299_999), "TRF-C-60000");
  assert.is(grid.substationId(149_999), "SUB-C-30000");
  assert.is(grid.plantId("WIND", 17_999), "REN-WIND-18000");
  assert.is(gridOf(42, 10_000).customerId(9_999_999), "CUST-10000000");
});

test("a scale or seed out of range is refused", () => {
  for (const scale of [0, 1.5, -1, 10_001, Number.NaN]) assert.throws(() => gridOf(42, scale), /scale/);
  for (const seed of [-1, 0.5, 2 ** 32]) assert.throws(() => gridOf(seed, 1), /seed/);
});
