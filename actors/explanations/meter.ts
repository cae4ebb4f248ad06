import type { METER_RULES } from "../rules/meter.ts";
import type { ExplanationsOf } from "./explain.ts";
import { numeric, test, times } from "./test.ts";

const CONNECTION = "majorLoadShare x sanctioned load x usual interval";

/** What the rules of meters compare, from evidence alone. */
export const METER_EXPLANATIONS: ExplanationsOf<(typeof METER_RULES)[number]> = {
  "meter.near_zero": ({ value, limits }) => [
    test("reading_kwh", value, ">=", limits.lowestKwh, "lowestKwh"),
    test("reading_kwh", value, "<=", limits.limitKwh, "limitKwh"),
  ],
  "meter.spike": ({ value, facts, limits }) => [
    test("reading_kwh", value, ">=", limits.limitKwh, "limitKwh"),
    test("reading_kwh", value, ">", limits.bandEndKwh, "bandEndKwh", "major"),
    test("reading_kwh", value, ">", times(limits.majorLoadShare, facts["sanctioned_kw"], facts["interval_hours"]), CONNECTION, "major"),
  ],
  "meter.tampered": ({ value }) => [test("meter_status", value, "=", "TAMPERED", "data guide")],
  "meter.disconnected": ({ value }) => [test("meter_status", value, "=", "DISCONNECTED", "data guide")],
  "meter.near_zero_repeated": ({ value, limit, facts, limits }) => [
    test("near_zero_of_last_five", facts["of_last_five"], ">=", limits.ofFive, "ofFive"),
    test("near_zero_share", value, ">", limit, "own usual share + aboveUsual"),
    test("samples", facts["n"], ">=", limits.samplesMin, "samplesMin"),
    test("usual_kwh", facts["usual_kwh"], ">", times(limits.usualKw, facts["interval_hours"]), "usualKw x usual interval"),
    test("near_zero_with_current", facts["with_current"], ">=", 2, "two readings with current", "major"),
  ],
  "meter.energy_while_disconnected": ({ value, facts, limits }) => [
    test("meter_status", facts["meter_status"], "=", "DISCONNECTED", "data guide"),
    test("reading_kwh", value, ">", limits.limitKwh, "limitKwh"),
    test("reading_kwh", value, "<", limits.doubtfulKwh, "doubtfulKwh"),
  ],
  "meter.voltage": ({ value, limits }) => {
    const percent = typeof value === "number" ? (100 * value) / limits.declaredV : null;
    const deviation = percent === null ? null : Math.abs(percent - 100);
    return [
      test("deviation_percent", deviation, ">", limits.limitPercent, "limitPercent"),
      test("voltage_percent", percent, ">=", limits.supplyPercent, "supplyPercent"),
      test("deviation_percent", deviation, ">", limits.majorPercent, "majorPercent", "major"),
    ];
  },
  "meter.no_supply": ({ value, limit }) => [test("voltage_v", value, "<", limit, "supplyPercent of the declared voltage")],
  "meter.low_power_factor": ({ value, facts, limits }) => [
    test("power_factor_of_day", value, "<", limits.limitFactor, "limitFactor"),
    test("samples", facts["n"], ">=", limits.samplesMin, "samplesMin"),
  ],
  "meter.bad_power_factor": ({ value, limits }) => [test("power_factor", value, "<=", limits.limitFactor, "limitFactor")],
  "meter.reverse_flow": ({ value, facts, limits }) => [
    test("reading_kwh", value, "<", 0, "energy flows back", "any"),
    test(
      "current_a",
      (numeric(facts["power_factor"]) ?? 0) < 0 ? facts["current_a"] : 0,
      ">",
      limits.currentA,
      "currentA, with a power factor below 0",
      "any",
    ),
    test("connection", facts["connection"], "~", "SOLAR|PROSUMER|NET", "a connection that generates", "info"),
  ],
  "meter.stuck": ({ facts, limits }) => [
    test("equal_readings", facts["readings"], ">=", limits.readings, "readings", "any"),
    test("equal_electrical_values", facts["electrics"], ">=", limits.electrics, "electrics", "any"),
  ],
  "meter.physics_shift": ({ value, limit, facts, limits }) => [
    test("ln_energy_to_volt_ampere", value, ">", limit, "limitLog, or sigmas x own spread"),
    test("readings_in_a_row", facts["readings"], ">=", limits.readings, "readings"),
    test("samples", facts["n"], ">=", limits.samplesMin, "samplesMin"),
  ],
  "meter.identity": ({ value, facts }) => [test("customer_id", value, "!=", facts["linked"], "customer of the link in force")],
  "meter.silent": ({ value, limit, facts, limits }) => [
    test("silent_hours", value, ">=", limit, "three usual gaps, at least limitMinHours"),
    test("gaps_known", facts["n"], ">=", limits.gapsMin, "gapsMin"),
    test("silent_hours", value, ">=", limits.majorHours, "majorHours", "major"),
  ],
  "meter.sustained_drop": ({ value, facts, limits }) => [
    test("use_to_month", value, "<", limits.limitRatio, "limitRatio"),
    test("neighbours_use_to_month", facts["segment_ratio"], ">", limits.segmentRatioMin, "segmentRatioMin"),
    test("days_known", facts["n"], ">=", limits.daysMin, "daysMin"),
  ],
  "meter.last_digit": ({ value, facts, limits }) => [
    test("chi_square_of_digits", value, ">", limits.limitChi, "limitChi"),
    test("hours_counted", facts["hours"], ">=", limits.hoursMin, "hoursMin"),
  ],
  "meter.frequency_off": ({ value, facts, limits }) => [
    test("frequency_hz", value, "<", limits.lowHz, "lowHz", "any"),
    test("frequency_hz", value, ">", limits.highHz, "highHz", "any"),
    test("readings_per_minute", facts["readings_per_minute"], ">=", limits.perMinuteMin, "perMinuteMin"),
  ],
  "meter.off_profile": ({ value, limits }) => [test("unusual_hours_of_48", value, ">=", limits.limitHours, "limitHours")],
  "meter.sanctioned_load": ({ value, limits }) => [
    test("demand_to_sanctioned_load", value, ">", limits.limitPercent, "limitPercent"),
    test("demand_to_sanctioned_load", value, ">", limits.warningPercent, "warningPercent", "warning"),
  ],
};
