import type { Parameter } from "./verb.ts";

export const ID: Parameter = { name: "id", takes: "id", about: "SM-N-00042 or meter/SM-N-00042, in any case", isRequired: true };
export const ALERT_ID: Parameter = { name: "alertId", takes: "alert", about: "ALR-…, or the beginning of it", isRequired: true };
export const LIMIT: Parameter = { name: "limit", takes: "number", about: "rows at most" };
export const SINCE: Parameter = { name: "since", takes: "time", about: "event time, at or after" };
export const UNTIL: Parameter = { name: "until", takes: "time", about: "event time, before" };
