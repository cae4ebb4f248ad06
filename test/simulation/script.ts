import { hours, minutes } from "../../engine/duration.ts";
import { SourceId } from "../../engine/ids.ts";
import type { Intake } from "../../engine/turn.ts";
import type { Arrival } from "../kit/given.ts";
import { AFTER, BEFORE, change, customer, DELETE, INSERT, log, production, reading, telemetry, transformer } from "../kit/grid.ts";
import { at } from "../kit/puppets.ts";
import type { Seeded } from "../kit/seeded.ts";
import { drawsFor, type Swarm } from "./swarm.ts";

/** One record of a lane, or its word that there is nothing more for now. */
export type Item = { readonly bytes: Uint8Array; readonly arrivedAtMs: number } | "idle";

/** What one partition of one source has to give, in order, numbered from 0. */
export interface Lane {
  readonly intake: Intake;
  readonly partition: string;
  readonly items: Item[];
}

/** Which feed comes in how many partitions. */
const PARTITIONS: Readonly<Record<string, number>> = {
  smart_meter: 4,
  substation_telemetry: 4,
  billing: 2,
  maintenance: 1,
  transformer_master: 1,
  customer_master: 1,
  renewable: 2,
};

const METERS = 30;
const TRANSFORMERS = 8;
const BILLS = 20;
const REGIONS = ["N", "S", "E", "W", "C"] as const;
const REGION_NAMES = { N: "NORTH", S: "SOUTH", E: "EAST", W: "WEST", C: "CENTRAL" } as const;

/** About `records` records of all seven feeds, with the troubles of the swarm: the same seed gives the same bytes. */
export function scriptOf(seed: number, swarm: Swarm, records: number): readonly Lane[] {
  const chance = drawsFor(seed, "script");
  const lanes = new Map<string, Lane>();
  for (const [feed, count] of Object.entries(PARTITIONS))
    for (let n = 0; n < count; n += 1) lanes.set(`${feed} ${n}`, { intake: intakeOf(feed), partition: `${feed}/${n}`, items: [] });
  const given: Arrival[] = [];
  const stepMinutes = chance.pick([0.2, 2, 15, 90]);
  for (let n = 0; n < records; n += 1) {
    const minute = Math.round(n * stepMinutes * 60) / 60;
    const arrival = chance.chance(swarm.repeat) && given.length > 0 ? chance.pick(given.slice(-50)) : arrivalAt(minute, chance, swarm);
    given.push(arrival);
    const lane = laneOf(lanes, arrival, chance);
    lane.items.push({ bytes: bytesOf(arrival, chance, swarm), arrivedAtMs: at(minute) + chance.below(minutes(1)) });
    if (chance.chance(swarm.idle)) chance.pick([...lanes.values()]).items.push("idle");
  }
  return [...lanes.values()];
}

function intakeOf(feed: string): Intake {
  return { source: SourceId(feed), feed, mode: feed === "billing" ? "cdc" : "delta", origin: "live" };
}

/** Records of one key come in one partition, as brokers do it. */
function laneOf(lanes: ReadonlyMap<string, Lane>, { feed, record }: Arrival, chance: Seeded): Lane {
  const key = /"(?:meter_id|transformer_id|transaction_id|plant_id)":"[^"]*?(\d+)"/.exec(JSON.stringify(record))?.[1] ?? chance.below(9);
  return lanes.get(`${feed} ${Number(key) % (PARTITIONS[feed] ?? 1)}`) as Lane;
}

function bytesOf({ record }: Arrival, chance: Seeded, { poison, future }: Swarm): Uint8Array {
  const text = JSON.stringify(record);
  if (chance.chance(poison)) return Buffer.from(chance.pick([text.slice(0, -5), text.replace(/_id":"/, '_id":""'), "\0", "[1]", "{}"]));
  if (chance.chance(future)) return Buffer.from(text.replace(/"(timestamp|cdc_timestamp)":"2025/, '"$1":"2031'));
  return Buffer.from(text);
}

function arrivalAt(nowMinute: number, chance: Seeded, { late }: Swarm): Arrival {
  const minute = chance.chance(late) ? nowMinute - chance.below(chance.pick([3, 20, 600])) : nowMinute;
  switch (chance.pick(KINDS)) {
    case "reading":
      return meterReading(minute, chance);
    case "telemetry":
      return oilReading(minute, chance);
    case "bill":
      return billChange(minute, chance);
    case "production":
      return production(minute, chance.below(30), { plant_id: `REN-SOLAR-0${10 + chance.below(4)}` });
    case "log":
      return log({ log_id: `ML-${chance.below(30)}`, transformer_id: transformerId(chance.below(TRANSFORMERS)), cost: chance.below(9) });
    case "transformer":
      return transformer(dateNear(minute, chance), {
        transformer_id: transformerId(chance.below(TRANSFORMERS)),
        status: chance.pick(["ACTIVE", "UNDER_MAINTENANCE", null]),
        health_index_score: chance.below(100),
      });
    case "customer": {
      const n = chance.below(METERS);
      return customer(dateNear(minute, chance), { ...customerOf(n), transformer_id: transformerId(chance.below(TRANSFORMERS)) });
    }
  }
}

const KINDS = [
  ...Array<"reading">(11).fill("reading"),
  ...Array<"telemetry">(4).fill("telemetry"),
  ...Array<"bill">(2).fill("bill"),
  "production",
  "log",
  "transformer",
  "customer",
] as const;

function meterReading(minute: number, chance: Seeded): Arrival {
  const n = chance.below(METERS);
  const kwh = chance.chance(15) ? chance.pick([0.01, 64, 130, -2]) : Math.round(1_000 * (1 + chance.below(500) / 100)) / 1_000;
  return reading(minute, kwh, {
    ...customerOf(n),
    meter_status: chance.chance(6) ? chance.pick(["TAMPERED", "DISCONNECTED"]) : "ACTIVE",
    voltage_v: 225 + chance.below(12),
    current_a: chance.below(20),
    power_factor: 0.9,
  });
}

function customerOf(n: number): { meter_id: string; customer_id: string; region: string } {
  const letter = REGIONS[n % REGIONS.length] as keyof typeof REGION_NAMES;
  return { meter_id: `SM-${letter}-${10_000 + n}`, customer_id: `CUST-${100_000 + n}`, region: REGION_NAMES[letter] };
}

function transformerId(n: number): string {
  return `TRF-N-${1_000 + n}`;
}

function oilReading(minute: number, chance: Seeded): Arrival {
  return telemetry(minute, {
    substation_id: `SUB-N-01${chance.below(3)}`,
    transformer_id: transformerId(chance.below(TRANSFORMERS)),
    oil_temperature_c: 40 + chance.below(60),
    ambient_temperature_c: 30 + chance.below(10),
    load_percentage: chance.below(130),
    dissolved_gas_ppm: chance.below(900),
    breaker_status: chance.chance(3) ? "OPEN" : "CLOSED",
  });
}

function billChange(minute: number, chance: Seeded): Arrival {
  return change(minute, chance.pick([DELETE, INSERT, INSERT, BEFORE, AFTER, AFTER]), {
    transaction_id: `TXN-${10_000_000 + chance.below(BILLS)}`,
    total_amount: `${chance.below(4_000)}.32`,
    payment_status: chance.pick(["PENDING", "PAID", "OVERDUE"]),
  });
}

function dateNear(minute: number, chance: Seeded): string {
  return new Date(at(minute) - hours(24 * chance.below(60))).toISOString().slice(0, 10);
}
