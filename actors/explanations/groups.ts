import type { GROUP_RULES } from "../rules/groups.ts";
import type { ExplanationsOf } from "./explain.ts";
import { type Seen, type Test, test } from "./test.ts";

/** What parents compare, from evidence alone. */
export const GROUP_EXPLANATIONS: ExplanationsOf<(typeof GROUP_RULES)[number]> = {
  "transformer.children_silent": silent,
  "substation.children_silent": silent,
  "region.children_silent": silent,
  "transformer.common_cause": shared,
  "substation.common_cause": shared,
  "region.common_cause": shared,
  "grid.flood": ({ value, limits }) => [test("alerts_in_ten_minutes", value, ">", limits.limitCount, "limitCount")],
  "substation.ambient_disagrees": ({ value, facts, limits }) => [
    test("ambient_offset_k", value, ">", limits.limitK, "limitK"),
    test("hours", facts["n"], ">=", limits.hoursMin, "hoursMin"),
    test("substations", facts["substations"], ">=", limits.substationsMin, "substationsMin"),
  ],
};

function silent({ facts }: Seen<object>): readonly Test[] {
  return [test("quiet_children", facts["quiet"], ">=", facts["needed"], "limitShare of the children, countMin at least")];
}

function shared({ value, facts }: Seen<object>): readonly Test[] {
  return [test("children", value, ">=", facts["needed"], "limitShare of the children, countMin at least")];
}
