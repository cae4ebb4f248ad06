import type { GridMessage, ReadingMeasured } from "../actors/message.ts";
import { meter } from "../actors/meter.ts";
import { RULES } from "../actors/rules.ts";
import type { Out } from "../engine/behaviour.ts";
import { ActorId } from "../engine/ids.ts";
import { Kind } from "../engine/population.ts";
import type { RuleLimits } from "../engine/rule.ts";
import { encodeOwn } from "../engine/warm_codec.ts";

// What the rules that watch meters over time cost, beside those that judge single records: CPU time in the behaviour alone, without decoding and storing. A
// reading in conflict is judged by the record rules and learnt nothing from: that is the difference.

export interface RuleCost {
  readonly recordRulesMicros: number;
  readonly allRulesMicros: number;
  /** A meter at rest with all profiles learnt: its packed numbers and its warm part, bytes. */
  readonly restBytes: number;
}

export const EXTRA_MICROS_MAX = 1.5;
export const REST_BYTES_MAX = 400;

const METERS = 100;
const DAYS = 40;
const PER_DAY = 96;
const FIRST_MS = Date.UTC(2025, 5, 1, 18, 30);
const INTERVAL_MS = 900_000;
const LIMITS: ReadonlyMap<string, RuleLimits> = new Map(RULES.map(({ id, limits }) => [id, limits]));

/** `rounds`: how often both ways are measured; the least of each counts, for others may work on the machine. */
export function measureMeterRules(rounds = 2): RuleCost {
  let [record, all, restBytes] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0];
  for (let round = 0; round < rounds; round += 1) {
    record = Math.min(record, run(true).micros);
    const whole = run(false);
    all = Math.min(all, whole.micros);
    restBytes = whole.restBytes;
  }
  return { recordRulesMicros: record, allRulesMicros: all, restBytes };
}

function run(conflict: boolean): { readonly micros: number; readonly restBytes: number } {
  const kind = new Kind(meter as never, true);
  const ids = Array.from({ length: METERS }, (_, n) => ActorId("meter", `SM-N-${String(n + 1).padStart(5, "0")}`));
  const slots = ids.map((id) => kind.add(id, null));
  let self = ActorId("meter", "SM-N-00001");
  const nothing = (): void => {};
  const out: Partial<Out<GridMessage>> = {
    conflict,
    late: false,
    limits: (rule) => LIMITS.get(rule) ?? {},
    observe: nothing,
    hasEpisode: () => false,
    tell: nothing,
    curate: nothing,
    note: nothing,
    wakeAt: nothing,
    linked: nothing,
  };
  const given = out as Out<GridMessage>;
  Object.defineProperty(out, "self", { get: () => self });
  for (const [n, slot] of slots.entries()) {
    self = ids[n] ?? self;
    kind.slab.move(kind.cursor, slot);
    meter.receive(kind.stateAt(slot, nothing) as never, linksOf(self, n), given);
  }
  const message = { ...READING };
  const before = process.cpuUsage();
  for (let at = 0; at < DAYS * PER_DAY; at += 1) {
    for (const [n, slot] of slots.entries()) {
      self = ids[n] ?? self;
      renew(message, n, at);
      kind.slab.move(kind.cursor, slot);
      meter.receive(kind.stateAt(slot, nothing) as never, message, given);
    }
  }
  const { user, system } = process.cpuUsage(before);
  return { micros: (user + system) / (METERS * DAYS * PER_DAY), restBytes: restOf(kind, slots[0] ?? 0) };
}

/** The reading of a household: it differs from hour to hour and from meter to meter; 1 in 50 is almost nothing. */
function renew(message: Mutable<ReadingMeasured>, n: number, at: number): void {
  const mixed = Math.imul(at * METERS + n + 1, 0x9e3779b1) >>> 0;
  const chance = mixed / 2 ** 32;
  message.atMs = FIRST_MS + at * INTERVAL_MS + n;
  message.readingKwh = chance < 0.02 ? 0.03 : Math.round(1_000 * (0.1 + 0.3 * chance + 0.2 * ((at >> 2) % 24 > 16 ? 1 : 0))) / 1_000;
  message.voltageV = 229 + (mixed % 40) / 10;
  message.currentA = (4_000 * message.readingKwh) / (message.voltageV * 0.93);
  message.frequencyHz = 49.96 + (mixed % 5) / 100;
}

function restOf(kind: Kind, slot: number): number {
  const warm = kind.peekWarm(slot);
  return kind.slab.plan.strideBytes + (warm === null ? 0 : encodeOwn(warm.own, meter).length);
}

function linksOf(id: ActorId, n: number): GridMessage {
  const customer = ActorId("customer", `CUST-${String(n + 1).padStart(6, "0")}`);
  const link = {
    customer,
    meter: id,
    transformer: ActorId("transformer", "TRF-N-0034"),
    region: "NORTH",
    state: "Delhi",
    tariff: "RESIDENTIAL",
    connection: "SINGLE_PHASE",
    sanctionedLoadKw: 5,
    accountStatus: "ACTIVE",
    from: "2024-01-01",
    to: null,
  };
  return { type: "links_changed", customer, links: [link] };
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

const READING: Mutable<ReadingMeasured> = {
  type: "reading_measured",
  atMs: 0,
  eventId: "a3f2e1d4-0000-4000-8000-000000000001",
  readingKwh: 0,
  voltageV: 230,
  currentA: 1,
  powerFactor: 0.93,
  frequencyHz: 50,
  status: "ACTIVE",
  customerId: null,
  region: "NORTH",
  gridZone: "ZONE-3",
};

/** The lines for people, and whether both bounds hold. */
export function ruleCostText({ recordRulesMicros, allRulesMicros, restBytes }: RuleCost): {
  readonly text: string;
  readonly holds: boolean;
} {
  const extra = allRulesMicros - recordRulesMicros;
  const text = [
    `rules of meters: ${recordRulesMicros.toFixed(2)} us CPU a reading for record rules, ${extra.toFixed(2)} us more for all (bound ${EXTRA_MICROS_MAX})`,
    `a meter at rest: ${restBytes} bytes with all profiles learnt (bound ${REST_BYTES_MAX})`,
  ].join("\n");
  return { text, holds: extra <= EXTRA_MICROS_MAX && restBytes <= REST_BYTES_MAX };
}
