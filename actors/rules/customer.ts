import { hours } from "../../engine/duration.ts";
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
] as const satisfies readonly Rule[];
