import type { AlertData, CellValue } from "../engine/emission.ts";
import type { Rule, RuleLimits } from "../engine/rule.ts";
import { BILLING_EXPLANATIONS } from "./explanations/billing.ts";
import { CUSTOMER_EXPLANATIONS } from "./explanations/customer.ts";
import type { ExplanationsOf } from "./explanations/explain.ts";
import { GROUP_EXPLANATIONS } from "./explanations/groups.ts";
import { METER_EXPLANATIONS } from "./explanations/meter.ts";
import { PLANT_EXPLANATIONS } from "./explanations/plant.ts";
import { REGION_EXPLANATIONS } from "./explanations/region.ts";
import { SUBSTATION_EXPLANATIONS } from "./explanations/substation.ts";
import { type Seen, type Test, test } from "./explanations/test.ts";
import { TRANSFORMER_EXPLANATIONS } from "./explanations/transformer.ts";
import type { RULES } from "./rules.ts";

/** What each rule compares. A rule that is declared without an explanation does not compile. */
const EXPLANATIONS: ExplanationsOf<(typeof RULES)[number]> = {
  ...METER_EXPLANATIONS,
  ...BILLING_EXPLANATIONS,
  ...CUSTOMER_EXPLANATIONS,
  ...TRANSFORMER_EXPLANATIONS,
  ...SUBSTATION_EXPLANATIONS,
  ...PLANT_EXPLANATIONS,
  ...REGION_EXPLANATIONS,
  ...GROUP_EXPLANATIONS,
};

/** The comparisons behind an observation of a rule. A rule that a program adds is compared with the limit that it names. */
export function testsOf(rule: Pick<Rule, "id" | "metric">, seen: Seen<RuleLimits>): readonly Test[] {
  const explain = (EXPLANATIONS as Readonly<Record<string, ((seen: Seen<never>) => readonly Test[]) | undefined>>)[rule.id];
  const tests = explain === undefined ? plain(rule, seen) : explain(seen as Seen<never>);
  return tests.map((one) => (one.from in seen.limits ? { ...one, from: `rules.${rule.id}.${one.from}` } : one));
}

/** What an event says that its rule has seen. Events without details rest on no observation. */
export function seenBy({ observation, details }: Pick<AlertData, "observation" | "details">): Seen<RuleLimits> {
  const { value, lower, upper } = observation;
  return { value, limit: lower ?? upper, facts: details?.facts ?? {}, limits: details?.limits ?? {} };
}

function plain({ metric }: Pick<Rule, "metric">, { value, limit }: Seen<RuleLimits>): readonly Test[] {
  const seen: CellValue = value;
  return limit === null ? [test(metric, seen, "!=", null, "the rule")] : [test(metric, seen, ">", limit, "the rule")];
}
