import type { PLANT_RULES } from "../rules/plant.ts";
import type { ExplanationsOf } from "./explain.ts";
import { numeric, test, times } from "./test.ts";

/** What the rules of plants compare, from evidence alone. */
export const PLANT_EXPLANATIONS: ExplanationsOf<(typeof PLANT_RULES)[number]> = {
  "plant.solar_ratio": ({ value, facts, limits }) => [
    test("performance_to_own_median", value, "<", limits.limitRatio, "limitRatio"),
    test("irradiance_w_m2", facts["irradiance_w_m2"], ">", limits.irradianceMinWm2, "irradianceMinWm2"),
    test("samples", facts["n"], ">=", limits.samplesMin, "samplesMin"),
    test("performance_to_own_median", value, "<", limits.majorRatio, "majorRatio", "major"),
  ],
  "plant.wind_curve": ({ value, facts, limits }) => [
    test("power_to_own_curve", value, "<", limits.limitRatio, "limitRatio"),
    test("expected_share", facts["expected"], ">", limits.expectedMinShare, "expectedMinShare"),
    test("wind_mps", facts["wind_mps"], "<=", limits.cutOutMps, "cutOutMps"),
    test("samples", facts["n"], ">=", limits.samplesMin, "samplesMin"),
    test("low_hours", facts["low_hours"], ">=", limits.majorHours, "majorHours", "major"),
  ],
  "plant.hydro_specific": ({ value, limits }) => [test("power_per_flow_to_month", value, "<", limits.limitRatio, "limitRatio")],
  "plant.curtailment": ({ value, facts, limits }) => [
    test("curtailed_share_of_day", value, ">", limits.limitShare, "limitShare"),
    test("samples", facts["samples"], ">=", limits.samplesMin, "samplesMin"),
    test("curtailed_share_of_day", value, ">", limits.majorShare, "majorShare", "major"),
  ],
  "plant.balance": ({ value, limit, facts, limits }) => {
    const unbalanced = typeof value === "number" ? Math.abs(value) : null;
    const warning = (times(limits.warningShare, Math.abs(numeric(facts["production_mw"]) ?? 0)) ?? 0) + limits.toleranceMw;
    return [
      test("unbalanced_mw", unbalanced, ">", limit, "limitShare of production + toleranceMw"),
      test("unbalanced_mw", unbalanced, ">", warning, "warningShare of production + toleranceMw", "warning"),
    ];
  },
  "plant.impossible": ({ value, facts, limits }) => {
    const rated = facts["capacity_mw"];
    const foreign = facts["found"] === "foreign_sensor";
    return [
      test("production_mw", value, ">", times(limits.overShare, rated), "overShare of capacity", "any"),
      test(
        "production_mw",
        facts["is_dark"] === true ? value : null,
        ">",
        times(limits.darkShare, rated),
        "darkShare of capacity, without light",
        "any",
      ),
      test("foreign_sensor", facts["foreign"], "!=", null, "a sensor of another kind of plant", "any"),
      test("found", foreign ? "foreign_sensor" : null, "=", "foreign_sensor", "only a sensor", "info"),
    ];
  },
  "plant.inverter_conflict": ({ value, facts, limits }) => {
    const { production_mw: production, capacity_mw: capacity, irradiance_w_m2: light } = facts;
    return value === "ONLINE"
      ? [
          test("production_mw", production, "<=", 0, "no power though it is online"),
          test("irradiance_w_m2", light, ">", limits.sunnyWm2, "sunnyWm2"),
        ]
      : [
          test("inverter_status", value, "!=", "ONLINE", "data guide"),
          test("production_mw", production, ">", times(limits.producingShare, capacity), "producingShare of capacity"),
        ];
  },
  "plant.ramp": ({ value, limit, facts, limits }) => [
    test("ramp_mw_per_hour", value, ">", limit, "factor x own quantile"),
    test("samples", facts["n"], ">=", limits.samplesMin, "samplesMin"),
  ],
  "plant.silent": ({ value, limit, facts, limits }) => [
    test("silent_hours", value, ">=", limit, "three usual gaps, at least limitMinHours"),
    test("gaps_known", facts["n"], ">=", limits.gapsMin, "gapsMin"),
    test("silent_hours", value, ">=", limits.majorHours, "majorHours", "major"),
  ],
};
