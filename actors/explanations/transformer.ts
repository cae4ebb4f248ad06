import type { TRANSFORMER_RULES } from "../rules/transformer.ts";
import type { ExplanationsOf } from "./explain.ts";
import { numeric, test } from "./test.ts";

/** What the rules of transformers compare, from evidence alone. */
export const TRANSFORMER_EXPLANATIONS: ExplanationsOf<(typeof TRANSFORMER_RULES)[number]> = {
  "transformer.overheating": ({ value, facts, limits }) => [
    test("oil_rise_k", value, ">=", limits.limitK, "limitK"),
    test("oil_rise_k", value, ">", limits.criticalK, "criticalK", "critical"),
    test("oil_c", facts["oil_c"], ">=", limits.criticalOilC, "criticalOilC", "critical"),
  ],
  "transformer.alarm_code": ({ value }) => [
    test("alarm_code", value, "!=", null, "a code is reported"),
    test("alarm_code", value, "!=", "NONE", "how some devices say that there is none"),
    test("alarm_code", value, "~", "^(BREAKER_TRIP|GAS_ALARM)$", "codes that are major", "major"),
  ],
  "transformer.sensor_fault": ({ facts, limits }) => {
    const { oil_c: oil, ambient_c: ambient, step_k: step } = facts;
    return [
      test("ambient_c", ambient, "<", limits.ambientMinC, "ambientMinC", "any"),
      test("ambient_c", ambient, ">", limits.ambientMaxC, "ambientMaxC", "any"),
      test("oil_c", oil, ">", limits.oilMaxC, "oilMaxC", "any"),
      test("oil_c", oil, "<", ambient == null ? null : (numeric(ambient) ?? 0) - limits.belowAmbientK, "ambient - belowAmbientK", "any"),
      test("oil_step_k", step, ">", limits.stepK, "stepK", "any"),
    ];
  },
  "transformer.thermal_residual": ({ value, facts, limits }) => [
    test("residual_cusum", value, ">", limits.limitSigma, "limitSigma"),
    test("mean_residual_k", facts["mean_residual_k"], ">", limits.majorK, "majorK", "major"),
  ],
  "transformer.baseline_reset": ({ value, limits }) => [test("frozen_days", value, ">=", limits.frozenDays, "frozenDays")],
  "transformer.hot_spot": ({ value, limits }) => [
    test("hot_spot_c", value, ">", limits.limitC, "limitC"),
    test("hot_spot_c", value, ">", limits.criticalC, "criticalC", "critical"),
  ],
  "transformer.ageing": ({ value, facts, limits }) => [
    test("ageing_hours_of_day", value, ">", limits.limitHours, "limitHours"),
    test("coverage", facts["coverage"], ">=", limits.coverageShare, "coverageShare"),
  ],
  "transformer.overload": ({ value, facts, limits }) => [
    test("load_share_of_capacity", value, ">", limits.limitPercent, "limitPercent"),
    test("load_share_of_capacity", value, ">", limits.majorPercent, "majorPercent", "major"),
    test("excess_hours", facts["excess_hours"], ">", limits.majorExcessHours, "majorExcessHours", "major"),
    test("load_share_of_capacity", value, ">", limits.criticalPercent, "criticalPercent", "critical"),
  ],
  "transformer.load_field": ({ value, limits }) => [
    test("load_percentage_difference", typeof value === "number" ? Math.abs(value) : null, ">", limits.limitPercent, "limitPercent"),
  ],
  "transformer.dga_level": ({ value, facts, limits }) => [
    facts["rising"] === true
      ? test("dissolved_gas_ppm", value, ">", limits.risingPpm, "risingPpm")
      : test("dissolved_gas_ppm", value, ">", limits.limitPpm, "limitPpm"),
    test("dissolved_gas_ppm", value, ">", limits.majorPpm, "majorPpm", "major"),
    test("dissolved_gas_ppm", value, ">", limits.criticalPpm, "criticalPpm", "critical"),
  ],
  "transformer.dga_rate": ({ value, facts, limits }) => [
    test("dissolved_gas_ppm_per_day", value, ">", limits.limitPpmPerDay, "limitPpmPerDay"),
    ...(facts["standard_errors"] === null
      ? []
      : [test("standard_errors", facts["standard_errors"], ">", limits.slopeErrors, "slopeErrors")]),
    test("days_known", facts["n"], ">=", limits.pointsMin, "pointsMin"),
    test("span_days", facts["span_days"], ">=", limits.spanMinDays, "spanMinDays"),
    test("dissolved_gas_ppm_per_day", value, ">", limits.majorPpmPerDay, "majorPpmPerDay", "major"),
  ],
  "transformer.contradiction": ({ facts, limits }) => {
    const { alarm_code: code, gas_ppm: gas, breaker_status: breaker, missed_minutes: missed } = facts;
    const percent = typeof facts["load"] === "number" ? 100 * facts["load"] : null;
    const with_ = (wanted: string): boolean => code === wanted;
    return [
      test("missed_minutes", missed, ">=", limits.missedAfterMinutes, "missedAfterMinutes", "any"),
      test("load_percent", with_("OVERLOAD") ? percent : null, "<", limits.overloadPercent, "overloadPercent, with code OVERLOAD", "any"),
      test("gas_ppm", with_("GAS_ALARM") ? gas : null, "<", limits.gasPpm, "gasPpm, with code GAS_ALARM", "any"),
      test("breaker_status", with_("BREAKER_TRIP") ? breaker : null, "=", "CLOSED", "with code BREAKER_TRIP", "any"),
      test("missed_minutes", missed, ">=", limits.missedAfterMinutes, "missedAfterMinutes", "warning"),
    ];
  },
  "transformer.repeated_failures": ({ value, limits }) => [test("failures_in_a_year", value, ">=", limits.limitCount, "limitCount")],
  "transformer.overdue": ({ facts, limits }) => {
    const { due_day: due, critical_order_since_day: since, today_day: today } = facts;
    const overdue = daysFrom(due, today);
    const open = daysFrom(since, today);
    return [
      test("days_overdue", overdue, ">=", limits.limitDays, "limitDays", "any"),
      test("days_critical_order_open", open, ">=", limits.criticalOrderDays, "criticalOrderDays", "any"),
      test("days_overdue", overdue, ">=", limits.majorDays, "majorDays", "major"),
      test("days_critical_order_open", open, ">=", limits.criticalOrderDays, "criticalOrderDays", "critical"),
    ];
  },
  "transformer.health": ({ value, facts, limits }) => [
    test("health_index", value, "<", limits.limitIndex, "limitIndex", "any"),
    test("drop_in_a_month", facts["drop"], ">", limits.monthlyDrop, "monthlyDrop", "any"),
    test("health_index", value, "<", limits.limitIndex, "limitIndex", "major"),
    test("health_index", value, "<", limits.criticalIndex, "criticalIndex", "critical"),
  ],
  "transformer.status_conflict": ({ value }) => [test("status", value, "=", "DECOMMISSIONED", "master data as of that day")],
  "transformer.sibling_voltage": ({ value, limit, facts, limits }) => [
    test("voltage_drop_v", value, ">", limit, "limitV, or sigmas x own spread"),
    test("days_low", facts["low_days"], ">=", limits.days, "days"),
    test("siblings", facts["siblings"], ">=", limits.siblingsMin, "siblingsMin"),
  ],
  "transformer.energy_gap": ({ facts, limits }) => [
    test("days_above_limit", facts["days_over"], ">=", limits.overDays, "overDays, above limitShare"),
    test("determinate_hours", facts["hours"], ">=", limits.hoursMin, "hoursMin"),
  ],
};

function daysFrom(day: unknown, today: unknown): number | null {
  return typeof day === "number" && typeof today === "number" ? today - day : null;
}
