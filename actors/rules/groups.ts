import { hours } from "../../engine/duration.ts";
import type { Rule } from "../../engine/rule.ts";

/** A group is all children where there are two or three, else this share and number of them; it is over when fewer than `clearShare` are left. */
const SILENCE = { limitShare: 0.3, countMin: 3, clearShare: 0.15, waitMinutes: 5 };
const COMMON = { limitShare: 0.3, countMin: 3, clearShare: 0.15, withinMinutes: 5 };

const SILENT = { version: 1, family: "comms", severity: "major", metric: "cause", unit: "", limits: SILENCE } as const;
const SHARED = { version: 1, family: "grid", severity: "major", metric: "children", unit: "", limits: COMMON } as const;

/** What a parent says once for what many of its children share. */
export const GROUP_RULES = [
  {
    ...SILENT,
    id: "transformer.children_silent",
    basis: "development data: one outage is one alert",
    summary: "the meters below a transformer are silent together: an outage, or their communications",
  },
  {
    ...SILENT,
    id: "substation.children_silent",
    basis: "development data: one outage is one alert",
    summary: "the transformers of a substation have lost their meters together",
  },
  {
    ...SILENT,
    id: "region.children_silent",
    basis: "development data: one outage is one alert",
    summary: "the substations of a region are silent together",
  },
  {
    ...SHARED,
    id: "transformer.common_cause",
    basis: "development data",
    summary: "many meters below a transformer raise the same kind of alert at once: one cause, not many",
  },
  {
    ...SHARED,
    id: "substation.common_cause",
    basis: "development data",
    summary: "many transformers of a substation raise the same kind of alert at once: one cause, not many",
  },
  {
    ...SHARED,
    id: "region.common_cause",
    basis: "development data",
    summary: "many substations or plants of a region raise the same kind of alert at once: one cause, not many",
  },
  {
    id: "grid.flood",
    version: 1,
    family: "grid",
    severity: "major",
    metric: "alerts_in_ten_minutes",
    unit: "",
    limits: { limitCount: 10, windowMinutes: 10 },
    basis: "IEC 62682, ISA-18.2: more than ten alarms in ten minutes cannot be handled by one person; check with your operators",
    summary: "more alerts of a region than anybody can look at: they are grouped into this one",
  },
  {
    id: "substation.ambient_disagrees",
    version: 1,
    family: "data",
    severity: "warning",
    metric: "ambient_offset_k",
    unit: "K",
    limits: { limitK: 10, clearK: 8, hoursMin: 24, substationsMin: 5 },
    basis: "development data; what altitude does is learnt",
    onDelayMs: hours(3),
    offDelayMs: hours(1),
    summary: "the substation measures another outdoor temperature than its region",
  },
] as const satisfies readonly Rule[];

type GroupRule = (typeof GROUP_RULES)[number]["id"];
export type SilentGroupRule = Extract<GroupRule, `${string}.children_silent`>;
export type CommonCauseRule = Extract<GroupRule, `${string}.common_cause`>;

/** So many children one timer serves; the others wait for the next step of the clock. */
export const CHILDREN_AT_ONCE = 100;
