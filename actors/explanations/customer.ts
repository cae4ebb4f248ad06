import type { CellValue } from "../../engine/emission.ts";
import type { CUSTOMER_RULES } from "../rules/customer.ts";
import type { ExplanationsOf } from "./explain.ts";
import { numeric, test } from "./test.ts";

/** What the rules of customers compare, from evidence alone. */
export const CUSTOMER_EXPLANATIONS: ExplanationsOf<(typeof CUSTOMER_RULES)[number]> = {
  "customer.inactive_use": ({ value, facts, limits }) => [
    test("account_status", facts["account_status"], "!=", "ACTIVE", "data guide"),
    test("kwh_of_day", value, ">", limits.limitKwh, "limitKwh"),
  ],
  "customer.arrears_drop": ({ value, facts, limits }) => [
    test("balance_rises", facts["rises"], ">=", limits.risesMin, "risesMin"),
    test("use_to_month", value, "<", limits.limitRatio, "limitRatio"),
    test("days_known", facts["n"], ">=", limits.daysMin, "daysMin"),
  ],
  "customer.tariff_misuse": ({ value, facts, limits }) => [
    test("likeness_to_own_tariff", value, "<", limits.limitOwn, "limitOwn"),
    test("likeness_to_commercial", facts["like_commercial"], ">", limits.limitDearer, "limitDearer"),
  ],
  "customer.theft_risk": ({ facts, limits }) => [test("risk", riskOf(facts, limits.base), ">=", limits.limitRisk, "limitRisk")],
};

const TERMS = ["gap", "near_zero", "drop", "physics", "tampered", "disconnected", "metered_gap", "arrears"];

/** The risk that the terms add up to, from a base. */
function riskOf(facts: Readonly<Record<string, CellValue>>, base: number): number {
  const sum = TERMS.reduce((total, name) => total + (numeric(facts[name]) ?? 0), Math.log(base / (1 - base)));
  return Math.round(1_000 / (1 + Math.exp(-sum))) / 1_000;
}
