import type { CellValue } from "../../engine/emission.ts";
import type { BILLING_RULES } from "../rules/billing.ts";
import type { ExplanationsOf } from "./explain.ts";
import { numeric, test, times } from "./test.ts";

/** What the rules of bills compare, from evidence alone. */
export const BILLING_EXPLANATIONS: ExplanationsOf<(typeof BILLING_RULES)[number]> = {
  "billing.tiny_amount": ({ value, facts, limits }) => [
    test("base_amount", value, ">=", limits.lowestPaise / 100, "lowestPaise"),
    test("base_amount", value, "<=", limits.limitPaise / 100, "limitPaise"),
    test("units_kwh", facts["units_kwh"], ">", limits.majorUnitsKwh, "majorUnitsKwh", "major"),
  ],
  "billing.unit_price": ({ facts, limits }) => {
    const { base_paise: base, expected_paise: expected } = facts;
    const difference = apart(base, expected);
    return [
      test("difference_paise", difference, ">", times(limits.toleranceShare, facts["expected_paise"]), "toleranceShare of units x rate"),
      test("difference_paise", difference, ">", limits.toleranceDifferencePaise, "toleranceDifferencePaise"),
      test("base_paise", base, "<", times(limits.majorRatio, expected), "majorRatio of units x rate", "major"),
    ];
  },
  "billing.total": ({ facts, limits }) => [
    test(
      "difference_paise",
      apart(facts["total_paise"], (numeric(facts["base_paise"]) ?? 0) + (numeric(facts["tax_paise"]) ?? 0)),
      ">",
      limits.tolerancePaise,
      "tolerancePaise",
    ),
  ],
  "billing.period": ({ value, limits }) => [
    test("days_between_periods", value, "<", 0, "the periods share days", "any"),
    test("days_between_periods", value, ">", limits.gapDays, "gapDays", "any"),
    test("days_between_periods", value, ">", limits.gapDays, "gapDays", "info"),
  ],
  "billing.altered": ({ value, facts, limits }) => [
    test("what", value, "=", "unpaid_deleted", "an unpaid bill was deleted", "any"),
    test("alterations_in_a_year", value, ">=", limits.limitCount, "limitCount", "any"),
    ...(value === "unpaid_deleted" ? [] : [test("left_share", facts["left_share"], "<", 1 - limits.cutShare, "1 - cutShare")]),
  ],
  "billing.metered_gap": ({ value, facts, limits }) => {
    const gap = typeof value === "number" ? Math.abs(value) : null;
    return [
      test("billed_apart_from_metered_kwh", gap, ">", limits.limitKwh, "limitKwh"),
      test("billed_apart_from_metered_kwh", gap, ">", times(limits.limitShare, facts["metered_kwh"]), "limitShare of metered"),
      test("coverage", facts["coverage"], ">=", limits.coverageShare, "coverageShare"),
    ];
  },
};

function apart(a: CellValue | undefined, b: CellValue | undefined): number | null {
  return typeof a === "number" && typeof b === "number" ? Math.abs(a - b) : null;
}
