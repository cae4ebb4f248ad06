import { closeSync, openSync, writeSync } from "node:fs";

/** A round: every meter reports once. */
const ROUND_MS = 900_000;
const START_MS = Date.UTC(2025, 5, 1);
const REGIONS = [
  ["N", "NORTH", "Delhi"],
  ["S", "SOUTH", "Karnataka"],
  ["E", "EAST", "West Bengal"],
  ["W", "WEST", "Maharashtra"],
  ["C", "CENTRAL", "Madhya Pradesh"],
] as const;
const CHUNK_LINES = 10_000;

/**
 * Writes readings as JSON lines: rounds in which every meter reports once, in an order unlike that of its ids and another one in each round, with
 * the guide's rates (5 % near zero, 3 % spikes, their status TAMPERED or DISCONNECTED). Returns the file's size in bytes.
 */
export function writeReadings(path: string, meters: number, readings: number): number {
  const file = openSync(path, "w");
  let bytes = 0;
  let lines: string[] = [];
  const write = (): void => {
    bytes += writeSync(file, lines.join(""));
    lines = [];
  };
  for (let n = 0; n < readings; n += 1) {
    lines.push(`${readingLine(n, meters)}\n`);
    if (lines.length === CHUNK_LINES) write();
  }
  write();
  closeSync(file);
  return bytes;
}

/** The n-th reading, as JSON text. */
export function readingLine(n: number, meters: number): string {
  return JSON.stringify(reading(n, meters));
}

function reading(n: number, meters: number): Record<string, string | number | boolean> {
  const round = Math.floor(n / meters);
  const place = n % meters;
  const meter = scattered(place, round, meters);
  const [letter, region, state] = REGIONS[meter % 5] as (typeof REGIONS)[number];
  const chance = hash(n, 1) / 2 ** 32;
  const kwh = chance < 0.05 ? 0.001 + 0.049 * unit(n, 2) : chance < 0.08 ? 50 + 70 * unit(n, 2) : 0.1 + 12 * unit(n, 2);
  const odd = chance < 0.08;
  return {
    event_id: uuid(n),
    meter_id: `SM-${letter}-${String(Math.floor(meter / 5) + 1).padStart(5, "0")}`,
    customer_id: `CUST-${String(meter + 1).padStart(6, "0")}`,
    timestamp: new Date(START_MS + round * ROUND_MS + Math.floor((place * ROUND_MS) / meters)).toISOString(),
    reading_kwh: rounded(kwh, 1_000),
    voltage_v: rounded(225 + 12 * unit(n, 3), 10),
    current_a: rounded(2 + 20 * unit(n, 4), 100),
    power_factor: rounded(0.85 + 0.14 * unit(n, 5), 1_000),
    frequency_hz: rounded(49.95 + 0.07 * unit(n, 6), 100),
    meter_status: odd ? (hash(n, 7) % 2 === 0 ? "TAMPERED" : "DISCONNECTED") : "ACTIVE",
    region,
    state,
    grid_zone: `ZONE-${(meter % 8) + 1}`,
    is_anomaly_flag: odd,
  };
}

/** A permutation of the meters, another one in each round: an odd multiplier and a shift, walked until the result is a meter. */
function scattered(place: number, round: number, meters: number): number {
  const bits = Math.ceil(Math.log2(Math.max(meters, 2)));
  const mask = 2 ** bits - 1;
  let at = place;
  do at = (Math.imul(at, 0x9e3779b1) + Math.imul(round, 0x85ebca6b)) & mask;
  while (at >= meters);
  return at;
}

function hash(n: number, salt: number): number {
  let value = Math.imul(n ^ Math.imul(salt, 0x9e3779b1), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

function unit(n: number, salt: number): number {
  return hash(n, salt) / 2 ** 32;
}

function uuid(n: number): string {
  const hex = [8, 9, 10, 11].map((salt) => hash(n, salt).toString(16).padStart(8, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

function rounded(value: number, parts: number): number {
  return Math.round(value * parts) / parts;
}
