import type { ProductionMeasured } from "../../message.ts";

/** A record of production with what the plant knows to it. */
export interface Production extends ProductionMeasured {
  /** `SOLAR`, `WIND`, `HYDRO`, or what else the record or the plant's id says; null: neither does. */
  readonly kind: string | null;
  /** Rating in MW; of the record. */
  readonly ratedMw: number;
}
