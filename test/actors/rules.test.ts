import * as assert from "uvu/assert";
import { GRID } from "../../actors/registry.ts";
import { RULES } from "../../actors/rules.ts";
import { ActorId } from "../../engine/ids.ts";
import type { Rule } from "../../engine/rule.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import { suite } from "../kit/suite.ts";

const test = suite("table of rules");
const ALL: readonly Rule[] = RULES;
const FAMILIES = "energy theft voltage thermal gas load breaker comms data billing maintenance generation grid".split(" ");
/** Rules whose id does not begin with a kind of actor. */
const PREFIXES = [...GRID.behaviours.map(({ kind }) => kind), "billing", "grid"];

test("every rule has an id of its own, a version, a unit, the source of its numbers and one line that explains it", () => {
  assert.is(new Set(ALL.map(({ id }) => id)).size, ALL.length);
  for (const rule of ALL) {
    const [prefix = "", name = "", ...more] = rule.id.split(".");
    assert.ok(PREFIXES.includes(prefix) && /^[a-z][a-z0-9_]*$/.test(name) && more.length === 0, rule.id);
    assert.ok(Number.isInteger(rule.version) && rule.version >= 1, rule.id);
    assert.type(rule.unit, "string", rule.id);
    assert.ok(/^[a-z][a-z0-9_]*$/.test(rule.metric), rule.id);
    assert.ok(FAMILIES.includes(rule.family), `${rule.id}: ${rule.family}`);
    assert.ok((rule.basis ?? "").length >= 5, `${rule.id} says where its numbers come from`);
    assert.ok(/^[^\n]{15,160}$/.test(rule.summary) && !/[.\s]$/.test(rule.summary), `${rule.id}: ${rule.summary}`);
    for (const [limit, value] of Object.entries(rule.limits)) {
      assert.ok(/^[a-z][A-Za-z0-9]*$/.test(limit) && Number.isFinite(value), `${rule.id}.${limit}`);
    }
  }
});

test("each number of each rule can be set for all, and for a region, a tariff or an actor: the narrowest wins", () => {
  const actor = ActorId("meter", "SM-N-00042");
  const scope = { region: "NORTH", tariff: "RESIDENTIAL" };
  for (const { id, limits } of ALL) {
    for (const name of Object.keys(limits)) {
      const one = (value: number) => ({ limits: { [name]: value } });
      const settings = {
        enabled: true,
        ...one(1_000_001),
        overrides: [
          { actor, ...one(1_000_004) },
          { region: "NORTH", ...one(1_000_002) },
          { tariff: "RESIDENTIAL", ...one(1_000_003) },
        ],
      };
      const table = new RuleTable(ALL, new Map([[id, settings]]));
      const inForce = (who: ActorId, where: { region: string | null; tariff: string | null }) => table.limits(id, who, () => where)[name];
      const other = ActorId("meter", "SM-S-00001");
      assert.equal(
        [
          inForce(other, { region: null, tariff: null }),
          inForce(other, { region: "NORTH", tariff: null }),
          inForce(other, scope),
          inForce(actor, scope),
        ],
        [1_000_001, 1_000_002, 1_000_003, 1_000_004],
        `${id}.${name}`,
      );
      const rest = Object.keys(limits).filter((key) => key !== name);
      for (const key of rest) assert.is(table.limits(id, actor, () => scope)[key], limits[key], `${id}.${key} beside ${name}`);
    }
  }
});
