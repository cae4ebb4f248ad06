import type { SUBSTATION_RULES } from "../rules/substation.ts";
import type { ExplanationsOf } from "./explain.ts";
import { test } from "./test.ts";

/** What the rules of substations compare, from evidence alone. */
export const SUBSTATION_EXPLANATIONS: ExplanationsOf<(typeof SUBSTATION_RULES)[number]> = {
  "substation.breaker_open_load": ({ value, limit, facts, limits }) => [
    test("breaker_status", facts["breaker_status"], "!=", "CLOSED", "data guide"),
    test("load_mw", value, ">", limit, "loadShare of capacity"),
    test("samples_in_a_row", facts["samples"], ">=", limits.badSamples, "badSamples"),
  ],
  "substation.dead_feeder": ({ facts, limits }) => [
    test("dead_minutes", facts["dead_minutes"], ">=", limits.afterMinutes, "afterMinutes, without load under voltage"),
    test("lightest_share", facts["lightest_share"], ">", limits.usualLoadShare, "usualLoadShare"),
    test("samples", facts["n"], ">=", limits.samplesMin, "samplesMin"),
  ],
  "substation.trips": ({ value, limits }) => [test("trips_in_a_day", value, ">=", limits.limitCount, "limitCount")],
  "substation.bus_voltage": ({ value, facts, limits }) => {
    const { nominal_kv: nominal, low_kv: low, high_kv: high } = facts;
    const far = (edge: unknown): number | null =>
      typeof nominal === "number" && typeof edge === "number" ? nominal + limits.majorFactor * (edge - nominal) : null;
    return [
      test("voltage_kv", value, "<", low, "range of the level", "any"),
      test("voltage_kv", value, ">", high, "range of the level", "any"),
      test("voltage_kv", value, "<", far(low), "majorFactor x the range", "major"),
      test("voltage_kv", value, ">", far(high), "majorFactor x the range", "major"),
    ];
  },
  "substation.telemetry_loss": ({ value, limits }) => [
    test("lost_share_of_day", value, ">", limits.limitShare, "limitShare"),
    test("lost_share_of_day", value, ">", limits.warningShare, "warningShare", "warning"),
  ],
  "substation.latency": ({ value, facts, limits }) => [
    test("latency_s", value, ">", limits.limitSeconds, "limitSeconds"),
    test("samples", facts["n"], ">=", limits.samplesMin, "samplesMin"),
  ],
  "substation.condensation": ({ facts, limits }) => [
    test("damp_hours", facts["damp_hours"], ">=", limits.afterHours, "afterHours, damp and no warmer than riseMaxK"),
  ],
  "substation.n_minus_1": ({ value, facts, limits }) => [
    test("load_share_without_largest", value, ">", limits.limitPercent, "limitPercent"),
    test("units", facts["units"], ">=", limits.unitsMin, "unitsMin"),
  ],
};
