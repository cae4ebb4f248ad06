import type { REGION_RULES } from "../rules/region.ts";
import type { ExplanationsOf } from "./explain.ts";
import { test } from "./test.ts";

/** What the rules of regions compare, from evidence alone. */
export const REGION_EXPLANATIONS: ExplanationsOf<(typeof REGION_RULES)[number]> = {
  "grid.frequency": ({ value, facts, limits }) => [
    test("frequency_hz", value, "<", limits.lowHz, "lowHz", "any"),
    test("frequency_hz", value, ">", limits.highHz, "highHz", "any"),
    test("regions_that_agree", facts["regions"], ">=", limits.regionsMin, "regionsMin"),
    test("frequency_hz", value, "<", limits.criticalHz, "criticalHz", "critical"),
  ],
  "region.link_quality": ({ value, facts, limits }) => [
    test("mismatch_share", value, ">=", limits.limitShare, "limitShare"),
    test("mismatches", facts["mismatches"], ">=", limits.mismatchesMin, "mismatchesMin"),
  ],
  "region.storm": ({ value, facts, limits }) => [
    test("readings_to_usual", value, "<", limits.limitShare, "limitShare"),
    test("readings_expected", facts["expected"], ">=", limits.expectedMin, "expectedMin"),
    test("days_known", facts["n"], ">=", limits.daysMin, "daysMin"),
  ],
  "region.freshness": ({ value, limits }) => [test("hours_behind", value, ">=", limits.limitHours, "limitHours")],
};
