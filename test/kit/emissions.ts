import type { AlertEvent, CuratedRow, Emission } from "../../engine/emission.ts";
import { ActorId } from "../../engine/ids.ts";

/** A raised `meter.spike`, as the data guide's sample has it; `sequence` makes it a different event each time. */
export function alertEmission(sequence: number, changes: Partial<AlertEvent["data"]> = {}): Emission & { readonly stream: "alerts" } {
  const actor = ActorId("meter", "SM-N-00042");
  const time = "2025-06-15T16:23:45.120Z";
  const event: AlertEvent = {
    specversion: "1.0",
    type: "energy.alert.raised.v1",
    source: "/gridactor/main",
    id: `ALR-7K2Q9D4M1T5XHB3R/${sequence}`,
    subject: actor,
    time,
    datacontenttype: "application/json",
    dataschema: "urn:gridactor:alert:1",
    partitionkey: actor,
    sequence: String(sequence).padStart(20, "0"),
    data: {
      alertId: "ALR-7K2Q9D4M1T5XHB3R",
      rule: "meter.spike",
      ruleVersion: 1,
      severity: "major",
      status: "open",
      startsAt: time,
      updatedAt: time,
      endsAt: null,
      count: 1,
      flags: [],
      actor,
      path: [ActorId("region", "NORTH")],
      observation: { metric: "reading_kwh", value: 86.412, unit: "kWh", expected: 6.8, lower: null, upper: 50, score: 0.81, n: 14 },
      evidence: [],
      origin: "live",
      suppressedBy: null,
      details: null,
      ...changes,
    },
  };
  return { stream: "alerts", sequence, event, json: Buffer.from(JSON.stringify(event)) };
}

/** A row of `meter_readings` with the one column `reading_kwh`; its day and what else matters to a test in `changes`. */
export function rowEmission(sequence: number, changes: Partial<CuratedRow> = {}): Emission & { readonly stream: "curated" } {
  return {
    stream: "curated",
    sequence,
    row: {
      table: "meter_readings",
      rowId: `row-${sequence}`,
      amends: null,
      actor: ActorId("meter", "SM-N-00042"),
      source: "meters:smart_meter_stream.json",
      position: `file:9f2c/${sequence}`,
      arrivedAtMs: Date.UTC(2025, 5, 16) + sequence,
      date: "2025-06-15",
      rescued: null,
      schemaVersion: 1,
      late: false,
      rules: null,
      cells: { reading_kwh: sequence / 10 },
      ...changes,
    },
  };
}
