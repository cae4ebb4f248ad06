import type { ActorId } from "./ids.ts";

/** A value of a curated column: text, number, truth, or nothing. Dates are `YYYY-MM-DD`, instants epoch ms, decimals integers in the column's scale. */
export type CellValue = string | number | boolean | null;

/** The type of a curated column. A `decimal` cell is an integer: value x 10^scale. */
export type ColumnType =
  | { readonly type: "string" | "double" | "long" | "boolean" | "date" | "timestamp" }
  | { readonly type: "decimal"; readonly precision: number; readonly scale: number };

/** A curated table: fixed columns, in order. A table of a `feed` begins with that feed's fields; `columns` holds what actors add. */
export interface Table {
  readonly name: string;
  readonly feed: string | null;
  readonly columns: Readonly<Record<string, ColumnType>>;
}

/** An appended curated row. `date` is the partition: UTC day of the event time, or a civil date. */
export interface CuratedRow {
  readonly table: string;
  readonly rowId: string;
  readonly amends: number | null;
  readonly actor: ActorId | null;
  readonly source: string;
  readonly position: string;
  readonly arrivedAtMs: number;
  readonly date: string;
  readonly rescued: string | null;
  readonly schemaVersion: number;
  readonly late: boolean;
  readonly rules: string | null;
  /** Column -> value, in table order; columns born by schema evolution follow. */
  readonly cells: Readonly<Record<string, CellValue>>;
}

export type Severity = "info" | "warning" | "major" | "critical";
export type AlertChange = "raised" | "updated" | "acknowledged" | "shelved" | "suppressed" | "cleared" | "amended";
export type AlertStatus = "open" | "acknowledged" | "shelved" | "suppressed" | "cleared" | "retracted";
export type Origin = "live" | "late" | "backfill" | "replay";

/** One alert event as CloudEvents 1.0 says it. The shape is the contract with every consumer of alerts. */
export interface AlertEvent {
  readonly specversion: "1.0";
  readonly type: `energy.alert.${AlertChange}.v1`;
  readonly source: string;
  readonly id: string;
  readonly subject: ActorId;
  readonly time: string;
  readonly datacontenttype: "application/json";
  readonly dataschema: "urn:gridactor:alert:1";
  readonly partitionkey: ActorId;
  readonly sequence: string;
  readonly data: AlertData;
}

export interface AlertData {
  readonly alertId: string;
  readonly rule: string;
  readonly ruleVersion: number;
  readonly severity: Severity;
  readonly status: AlertStatus;
  readonly startsAt: string;
  readonly updatedAt: string;
  readonly endsAt: string | null;
  readonly count: number;
  readonly flags: readonly string[];
  readonly actor: ActorId;
  readonly path: readonly ActorId[];
  readonly observation: {
    readonly metric: string;
    readonly value: CellValue;
    readonly unit: string;
    readonly expected: number | null;
    readonly lower: number | null;
    readonly upper: number | null;
    readonly score: number | null;
    readonly n: number | null;
  };
  readonly evidence: readonly Evidence[];
  readonly origin: Origin;
  readonly suppressedBy: string | null;
  /** What led to the event, enough to judge again; null where no observation did: a timer, an operator. */
  readonly details: AlertDetails | null;
}

/** What a rule looked at, and against what. */
export interface AlertDetails {
  /** What was observed, by name. */
  readonly facts: Readonly<Record<string, CellValue>>;
  /** The rule's limits in force for the actor. */
  readonly limits: Readonly<Record<string, number>>;
  /** Whose limits these are: `default`, `configured`, or the override that won (`region NORTH`). */
  readonly limitsFrom: string;
  /** The actor's statistics before the record and after it; null: its kind shows none. */
  readonly before: Readonly<Record<string, CellValue>> | null;
  readonly after: Readonly<Record<string, CellValue>> | null;
  /** Master data in force at the time of the event. */
  readonly versions: readonly VersionInForce[];
}

/** A version of master data that was believed, and over what it is valid. */
export interface VersionInForce {
  readonly actor: ActorId;
  /** Null: who used it is not told the number. */
  readonly version: number | null;
  readonly validFrom: string;
  readonly validTo: string | null;
}

/** The record that led to an event, by provenance; a timer's `position` is `timer:<actor>/<name>/<due>`, its other members null. */
export interface Evidence {
  readonly feed: string | null;
  readonly source: string | null;
  readonly position: string;
  readonly eventId: string | null;
}

/** One entry of the log, as a sink sees it. Sequence numbers are one gap-free count over all streams; a single stream sees rising numbers with gaps. */
export type Emission =
  | {
      readonly stream: "alerts";
      readonly sequence: number;
      readonly event: AlertEvent;
      /** The event as JSON text, UTF-8: to hand it on, this is the cheaper form. */
      readonly json: Uint8Array;
    }
  | { readonly stream: "curated"; readonly sequence: number; readonly row: CuratedRow };
