import { days, hours } from "../../engine/duration.ts";
import type { Rule } from "../../engine/rule.ts";

/** What customers are watched for. */
export const CUSTOMER_RULES = [
  {
    id: "customer.inactive_use",
    version: 1,
    family: "theft",
    severity: "critical",
    metric: "kwh_of_day",
    unit: "kWh",
    limits: { limitKwh: 1, clearKwh: 0.2, clearDays: 3 },
    basis: "development data; master data may be late, hence two days of delay",
    onDelayMs: hours(48),
    onCount: 2,
    summary: "energy is used on an account that is not active",
  },
  {
    id: "customer.arrears_drop",
    version: 1,
    family: "theft",
    severity: "info",
    metric: "use_to_month",
    unit: "ratio",
    limits: { limitRatio: 0.7, risesMin: 3, daysMin: 28 },
    basis: "development data",
    summary: "the balance grows and grows while less and less is used",
  },
  {
    id: "customer.theft_risk",
    version: 1,
    family: "theft",
    severity: "warning",
    metric: "risk",
    unit: "",
    limits: {
      limitRisk: 0.5,
      clearRisk: 0.35,
      base: 0.02,
      gapWeight: 3.5,
      nearZeroWeight: 1,
      dropWeight: 0.8,
      physicsWeight: 1.2,
      tamperedWeight: 1.5,
      disconnectedWeight: 2.5,
      meteredGapWeight: 1,
      arrearsWeight: 0.5,
    },
    basis: "development data; recalibrate the base with the outcome of inspections",
    offDelayMs: days(14),
    summary: "signs at this customer's connection add up: worth an inspection, no verdict",
  },
] as const satisfies readonly Rule[];
