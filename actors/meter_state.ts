import type { ActorId } from "../engine/ids.ts";
import type { Hot, Packed } from "../engine/layout.ts";
import type { Claimed } from "./claims.ts";
import type { PackedBook } from "./detectors/meter/packed_book.ts";
import type { PackedHours } from "./packed_hours.ts";
import type { Link } from "./tells.ts";

/** What every reading changes: the last values, and running statistics of kWh (in kWh; `gap` in ln of milliseconds). 256 bytes with what the engine adds. */
export const METER_HOT = {
  lastAtMs: "nullable",
  readingKwh: "nullable",
  /** Energy of the open hour, in whole Wh. */
  openWh: "f64",
  voltageV: "nullable32",
  currentA: "nullable32",
  powerFactor: "nullable32",
  frequencyHz: "nullable32",
  medianKwh: "nullable32",
  spreadKwh: "f32",
  meanKwh: "nullable32",
  cusumDown: "f32",
  gapLog: "f32",
  gapSpread: "f32",
  /** What is usual over a month, kWh. */
  slowKwh: "nullable32",
  /** Share of readings of almost nothing, of late and in the long run. */
  nearFast: "f32",
  nearSlow: "f32",
  /** Voltage over a day. */
  voltageMean: "nullable32",
  /** Power factor over a day. */
  factorMean: "nullable32",
  /** ln of energy over what voltage, current and power factor make of the interval: median and spread. */
  physicsMedian: "nullable32",
  physicsSpread: "f32",
  samples: "u32",
  gaps: "u32",
  status: "u32",
  /** The zone's number, and in the lowest two bits the form of the event id. */
  zoneAndForm: "u32",
  event0: "u32",
  event1: "u32",
  event2: "u32",
  event3: "u32",
  /** The hour (`hours.ts`) that the latest reading lies in; 0: there was none. */
  openHour: "u32",
  /** A bit for each hour of the open hour's day: a reading in it was unusual, and the hour is not learnt. */
  oddHours: "u32",
  /** Streaks of the latest readings, packed (`detectors/meter/recent.ts`). */
  recent: "u32",
} as const;

export type MeterHot = Hot<typeof METER_HOT>;

/** What seldom changes, or has no packed form. */
export interface MeterWarm extends Claimed {
  links: readonly Link[];
  /** Transformer -> its substation, for the transformers of the links. */
  sites: Readonly<Record<string, ActorId | null>>;
  otherStatus: string | null;
  otherEventId: string | null;
  /** The hours before the open one. Absent: none. */
  hours?: PackedHours;
  /** What is known of whole days. Absent: none has ended. */
  book?: PackedBook;
}

export type MeterState = Packed<MeterHot, MeterWarm>;
