import type { Rule, RuleLimits } from "../engine/rule.ts";
import { BILLING_RULES } from "./rules/billing.ts";
import { CUSTOMER_RULES } from "./rules/customer.ts";
import { GROUP_RULES } from "./rules/groups.ts";
import { METER_RULES } from "./rules/meter.ts";
import { PLANT_RULES } from "./rules/plant.ts";
import { REGION_RULES } from "./rules/region.ts";
import { SUBSTATION_RULES } from "./rules/substation.ts";
import { TRANSFORMER_RULES } from "./rules/transformer.ts";

/**
 * Every rule with every number it uses: limits in force by default, which the configuration can change for all, a region, a tariff or an actor.
 * A rule is declared in `rules/`, and judged in `detectors/<kind>/<rule>.ts`.
 */
export const RULES = [
  ...METER_RULES,
  ...BILLING_RULES,
  ...CUSTOMER_RULES,
  ...TRANSFORMER_RULES,
  ...SUBSTATION_RULES,
  ...PLANT_RULES,
  ...GROUP_RULES,
  ...REGION_RULES,
] as const satisfies readonly Rule[];

type Declared = (typeof RULES)[number];
export type RuleId = Declared["id"];
export type LimitsOf<Id extends RuleId> = { readonly [Name in keyof Extract<Declared, { id: Id }>["limits"]]: number };

/** The limits of a rule in force for the actor, by the names that the rule declares. */
export function limitsOf<Id extends RuleId>(out: { limits(rule: string): RuleLimits }, id: Id): LimitsOf<Id> {
  return out.limits(id) as LimitsOf<Id>;
}
