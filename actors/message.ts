import type { CellValue } from "../engine/emission.ts";
import type { HistoryChange } from "../engine/history.ts";
import type { Tell } from "./tells.ts";

// Everything an actor is told. The members of a feed's record keep no wire names: units end the name, instants are epoch ms, dates `YYYY-MM-DD`.

/** smart_meter -> meter. */
export interface ReadingMeasured {
  readonly type: "reading_measured";
  readonly atMs: number;
  readonly eventId: string;
  readonly readingKwh: number;
  readonly voltageV: number | null;
  readonly currentA: number | null;
  readonly powerFactor: number | null;
  readonly frequencyHz: number | null;
  readonly status: string | null;
  /** The customer that the record claims. */
  readonly customerId: string | null;
  readonly region: string | null;
  readonly gridZone: string | null;
}

/** substation_telemetry -> transformer, or substation where the record names no transformer. */
export interface TelemetryMeasured {
  readonly type: "telemetry_measured";
  readonly atMs: number;
  readonly eventId: string;
  readonly substationId: string;
  readonly loadMw: number | null;
  readonly capacityMw: number | null;
  readonly loadPercent: number | null;
  readonly voltageKv: number | null;
  readonly oilC: number | null;
  readonly ambientC: number | null;
  readonly gasPpm: number | null;
  readonly humidityPercent: number | null;
  readonly breakerStatus: string | null;
  readonly alarmCode: string | null;
  readonly region: string | null;
  readonly deviceId: string | null;
  readonly sequenceNumber: number | null;
  /** When it came to the hub. */
  readonly enqueuedAtMs: number | null;
}

/** billing -> bill: one CDC row. */
export interface BillChange {
  readonly type: "bill_change";
  /** cdc_timestamp. */
  readonly atMs: number;
  /** 0 row of a snapshot, 1 delete, 2 insert, 3 before image, 4 after image, 5 merged. */
  readonly operation: number;
  /** 20 hex digits: equal for all rows of a transaction. */
  readonly startLsn: string;
  /** 20 hex digits: with `startLsn` equal for a before and its after image. */
  readonly seqval: string;
  /** 50 hex digits whose byte order is the order of changes (semantics 5.1). */
  readonly position: string;
  readonly customerId: string;
  readonly meterId: string | null;
  /** Business columns as read (amounts in paise, units in Wh, rate in 10^-4 rupee). */
  readonly values: Readonly<Record<string, CellValue>>;
  /** Columns of `values` that the row spoke about. */
  readonly authored: readonly string[];
  /** The state that an after image replaces, if it came with it. */
  readonly before: Readonly<Record<string, CellValue>> | null;
  /** Decides between two changes at one position: the greater wins. 0: not told. */
  readonly serial: number;
  readonly unitsWh: number | null;
  readonly ratePer10000: number | null;
  readonly basePaise: number | null;
}

/** maintenance -> transformer: one row of a monthly file. */
export interface MaintenanceLogged {
  readonly type: "maintenance_logged";
  readonly atMs: number;
  readonly logId: string;
  /** Hash of all cells: the same log with the same content is a repetition, with another content a revision. */
  readonly contentHash: string;
  /** File name, or null: of two revisions the one in the higher-named file wins. */
  readonly path: string | null;
  readonly maintenanceType: string;
  readonly severity: string | null;
  readonly substationId: string | null;
  readonly reportedDate: string;
  readonly completedDate: string | null;
  readonly nextInspectionDate: string | null;
  readonly followUpRequired: boolean | null;
}

/** transformer_master -> transformer. */
export interface TransformerDescribed {
  readonly type: "transformer_described";
  readonly atMs: number;
  readonly change: HistoryChange;
  /** The end that the record itself states, if it is a real one. */
  readonly close: HistoryChange | null;
  /** Of a snapshot's row: that it still holds on the day on which the snapshot speaks. */
  readonly again: HistoryChange | null;
}

/** customer_master -> customer. */
export interface CustomerDescribed {
  readonly type: "customer_described";
  readonly atMs: number;
  readonly change: HistoryChange;
  readonly close: HistoryChange | null;
  readonly again: HistoryChange | null;
}

/** renewable -> plant. */
export interface ProductionMeasured {
  readonly type: "production_measured";
  readonly atMs: number;
  readonly eventId: string;
  readonly productionMw: number;
  readonly capacityMw: number | null;
  /** As reported; 1 is full. */
  readonly capacityFactor: number | null;
  readonly inverterStatus: string | null;
  readonly plantType: string | null;
  readonly irradianceWm2: number | null;
  readonly windMps: number | null;
  readonly waterM3s: number | null;
  readonly injectionMw: number | null;
  readonly auxiliaryMw: number | null;
  /** Columns that came later: null where the record has none. */
  readonly curtailmentMw: number | null;
  readonly batteryMwh: number | null;
  readonly region: string | null;
  readonly state: string | null;
}

export type GridMessage =
  | ReadingMeasured
  | TelemetryMeasured
  | BillChange
  | MaintenanceLogged
  | TransformerDescribed
  | CustomerDescribed
  | ProductionMeasured
  | Tell;
