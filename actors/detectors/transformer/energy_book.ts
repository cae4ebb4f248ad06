import { dayStart, hourOf, startMs } from "../../hours.ts";
import { addPower, type PowerMeter, powerMeter } from "../../statistics/integrate.ts";
import { codeOf, kwhOf, readWord, writeWord } from "../../statistics/packed.ts";
import { type Balance, balance, balanceHour, type ChildHour, rankChildren } from "./balance.ts";
import { DAY_BYTES, type PackedDay, type PackedMeters, packMeters, unpackMeters } from "./packed_meters.ts";
import type { VoltageDay, VoltageOffset } from "./sibling_voltage.ts";

/**
 * What a transformer keeps for its energy balance. A day is balanced when its meters have had their time and the transformer's own energy of it is
 * known, whichever comes first: files are read one after another. Bytes are replaced, the rest is changed in place.
 */
export interface EnergyBook {
  /** Day -> its meters. */
  readonly waiting: Record<string, PackedMeters>;
  /** The last day whose meters have had their time; 0: none. */
  metersUpTo: number;
  /** The day for whose meters a timer is set; 0: none is. */
  timerDay: number;
  readonly balance: Balance;
  /** What each meter said last of its days: day, variation, ratio, voltage (-1: not known). */
  readonly told: Record<string, readonly [day: number, variation: number, ratio: number, volts: number]>;
  /** What is usual for the voltage of each meter against its neighbours'. */
  readonly offsets: Record<string, VoltageOffset>;
  /** Share that is missing on clean days: what is not metered, and never will be. */
  cleanShare: number;
  cleanDays: number;
  /** Missing shares of the latest determinate days, above the clean one. */
  lately: readonly (readonly [day: number, share: number])[];
  /** Days among them that an alert may rest on, as they were balanced: late readings change them. Absent: there are none. */
  settled?: Readonly<Record<string, SettledDay>>;
  /** The envelope of each meter on the latest day that was balanced, as codes. */
  readonly envelopes: Record<string, Uint8Array>;
  /** Since when the meters have been told to hold their envelopes; 0: they have not. */
  heldSinceDay: number;
  /** The ranking as it was when the alert was raised: a thief's live score sinks once its lower use is learnt. */
  frozen: readonly FrozenChild[] | null;
}

/** The transformer's own side of the balance: what each sample changes. */
export interface Delivered {
  readonly power: PowerMeter;
  /** Day -> the energy that the transformer delivered, by hour, as codes. */
  readonly energy: Record<string, Uint8Array>;
}

export interface FrozenChild {
  readonly id: string;
  readonly score: number;
  readonly w: number;
  readonly cos: number;
  readonly cv: number;
  readonly kwh: number;
}

/** What a day was balanced from. */
export interface SettledDay {
  readonly energy: Uint8Array;
  readonly meters: Readonly<Record<string, PackedDay>>;
}

/** A day that has been balanced. */
export interface DayBalance {
  readonly day: number;
  readonly determinateHours: number;
  /** Why most of the others say nothing. */
  readonly reason: "coverage" | "scale_mismatch" | "cold" | null;
  readonly energyKwh: number;
  readonly gapKwh: number;
  readonly coverage: number;
  /** How much of what is missing the weights explain, 0 … 1. */
  readonly fit: number;
}

const HOURS = 24;
const NOT_KNOWN = 65_535;
/** Days of the transformer's own energy that may wait for the meters, and bytes of days of meters that may wait for it: about 550. */
const ENERGY_DAYS_MAX = 92;
const WAITING_BYTES_MAX = 65_536;

export function delivered(): Delivered {
  return { power: powerMeter(), energy: {} };
}

export function energyBook(): EnergyBook {
  return {
    waiting: {},
    metersUpTo: 0,
    timerDay: 0,
    balance: balance(),
    told: {},
    offsets: {},
    cleanShare: 0,
    cleanDays: 0,
    lately: [],
    envelopes: {},
    heldSinceDay: 0,
    frozen: null,
  };
}

/** Takes in a sample of the transformer's load. True: a day of it is over. */
export function measurePower({ power, energy }: Delivered, atMs: number, loadMw: number): boolean {
  let isDayOver = false;
  addPower(
    power,
    atMs,
    loadMw,
    hourOf,
    (hour) => startMs(hour + 1),
    (hour, energyKwh) => {
      if (energyKwh !== null) keepEnergy(energy, hour, energyKwh);
      if (hour % HOURS === HOURS - 1) isDayOver = true;
    },
  );
  return isDayOver;
}

function keepEnergy(energy: Delivered["energy"], hour: number, energyKwh: number): void {
  const day = String(dayStart(hour) / HOURS);
  const codes = Uint8Array.from(energy[day] ?? new Uint8Array(2 * HOURS).fill(255));
  writeWord(codes, hour % HOURS, codeOf(energyKwh));
  energy[day] = codes;
  for (const old of Object.keys(energy)) if (Number(old) < Number(day) - ENERGY_DAYS_MAX) delete energy[old];
}

/** Takes in a meter's day. What is told again replaces what was told; the envelope stays, if it is not told again. Too late: its day is balanced. */
export function takeMeterDay(
  book: EnergyBook,
  day: number,
  meter: string,
  wh: readonly (number | null)[],
  upperWh: readonly (number | null)[] | null,
): boolean {
  if (day <= book.metersUpTo && book.waiting[String(day)] === undefined) return false;
  const meters = unpackMeters(book.waiting[String(day)]);
  const codes = Uint8Array.from(meters[meter] ?? unknownDay());
  for (const [hour, value] of wh.entries()) writeWord(codes, hour, wordOf(value));
  for (const [hour, value] of (upperWh ?? []).entries()) writeWord(codes, HOURS + hour, wordOf(value));
  meters[meter] = codes;
  book.waiting[String(day)] = packMeters(meters);
  const bytes = Object.values(book.waiting).reduce((sum, each) => sum + each.length, 0);
  if (bytes > WAITING_BYTES_MAX) delete book.waiting[Object.keys(book.waiting)[0] ?? ""];
  return true;
}

/** The days that can be balanced now, oldest first: their meters have had their time, and the transformer's telemetry has gone on beyond them. */
export function readyDays({ waiting, metersUpTo }: EnergyBook, { power }: Delivered): readonly number[] {
  const measuredUpTo = power.lastAtMs === null ? 0 : dayStart(power.hour) / HOURS - 1;
  return Object.keys(waiting)
    .map(Number)
    .filter((day) => day <= metersUpTo && day <= measuredUpTo)
    .sort((a, b) => a - b);
}

/**
 * Before a day is balanced: while much is missing, no envelope is lower than it was when that began. The meters are told so, too; but where their file was read
 * ahead of the transformer's, they had learnt from the days between before they heard of it.
 */
export function holdEnvelopes(book: EnergyBook, day: number): void {
  const meters = unpackMeters(book.waiting[String(day)]);
  for (const [meter, codes] of Object.entries(meters)) {
    const held = book.envelopes[meter];
    const now = Uint8Array.from(codes);
    for (let hour = 0; hour < HOURS; hour += 1) {
      const [told, before] = [readWord(now, HOURS + hour), held === undefined ? NOT_KNOWN : readWord(held, hour)];
      if (book.heldSinceDay > 0 && before !== NOT_KNOWN && (told === NOT_KNOWN || told < before)) writeWord(now, HOURS + hour, before);
    }
    meters[meter] = now;
    book.envelopes[meter] = now.slice(2 * HOURS);
  }
  book.waiting[String(day)] = packMeters(meters);
}

/** Balances a day, hour by hour. `linked`: keys of the meters that the transformer fed on it. The day then waits no longer. */
export function balanceDay(book: EnergyBook, { energy }: Delivered, day: number, linked: readonly string[]): DayBalance {
  const result = sumDay(book.balance, day, { energy: energy[String(day)], meters: unpackMeters(book.waiting[String(day)]) }, linked);
  delete book.waiting[String(day)];
  delete energy[String(day)];
  return result;
}

/** The bytes that a day will be balanced from; null: there is nothing of it. */
export function dayToSettle({ waiting }: EnergyBook, { energy: own }: Delivered, day: number): SettledDay | null {
  const energy = own[String(day)];
  const meters = waiting[String(day)];
  return energy === undefined || meters === undefined ? null : { energy, meters: unpackMeters(meters) };
}

/** A meter's day that is told again for a day that has been balanced: what it says now. Weights and losses stay: they have moved on. */
export function balanceAgain(
  { balance: now }: Pick<EnergyBook, "balance">,
  day: number,
  { energy, meters }: SettledDay,
  told: { readonly meter: string; readonly wh: readonly (number | null)[] },
  linked: readonly string[],
): { readonly settled: SettledDay; readonly result: DayBalance } {
  const codes = Uint8Array.from(meters[told.meter] ?? unknownDay());
  for (const [hour, value] of told.wh.entries()) writeWord(codes, hour, wordOf(value));
  const settled = { energy, meters: { ...meters, [told.meter]: codes } };
  return { settled, result: sumDay(structuredClone(now), day, settled, linked) };
}

/** Hour by hour; the balance moves on with it. */
function sumDay(
  balance: Balance,
  day: number,
  { energy, meters }: { readonly energy: Uint8Array | undefined; readonly meters: Readonly<Record<string, PackedDay>> },
  linked: readonly string[],
): DayBalance {
  const keys = [...new Set([...linked, ...Object.keys(meters)])].sort();
  const sums = { energyKwh: 0, gapKwh: 0, coverage: 0, errors: 0, raws: 0 };
  const reasons: Record<string, number> = {};
  let determinateHours = 0;
  for (let hour = 0; hour < HOURS; hour += 1) {
    const children = keys.map((key): ChildHour => ({ id: key, kwh: kwhAt(meters[key], hour), upperKwh: kwhAt(meters[key], HOURS + hour) }));
    const verdict = balanceHour(balance, kwhAt(energy, hour), children);
    if (verdict.type === "indeterminate") {
      reasons[verdict.reason] = (reasons[verdict.reason] ?? 0) + 1;
      continue;
    }
    determinateHours += 1;
    sums.energyKwh += verdict.energyKwh;
    sums.gapKwh += verdict.gapKwh;
    sums.coverage += verdict.coverage;
    sums.errors += verdict.errorKwh ** 2;
    sums.raws += verdict.gapKwh ** 2;
  }
  const [reason = null] = Object.keys(reasons).sort((a, b) => (reasons[b] ?? 0) - (reasons[a] ?? 0)) as DayBalance["reason"][];
  return {
    day,
    determinateHours,
    reason,
    energyKwh: sums.energyKwh,
    gapKwh: sums.gapKwh,
    coverage: determinateHours === 0 ? 0 : sums.coverage / determinateHours,
    fit: sums.raws <= 0 ? 0 : Math.min(1, Math.max(0, 1 - sums.errors / sums.raws)),
  };
}

function unknownDay(): PackedDay {
  return new Uint8Array(DAY_BYTES).fill(255);
}

function wordOf(wh: number | null): number {
  return wh === null ? NOT_KNOWN : Math.min(NOT_KNOWN - 1, codeOf(wh / 1_000));
}

function kwhAt(codes: Uint8Array | undefined, place: number): number | null {
  const word = codes === undefined ? NOT_KNOWN : readWord(codes, place);
  return word === NOT_KNOWN ? null : kwhOf(word);
}

/** Variation of the days of each meter that has said it. */
export function variationsOf({ told }: Pick<EnergyBook, "told">): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(told).flatMap(([meter, [, variation]]) => (variation < 0 ? [] : [[meter, variation]])));
}

/** The score of each meter below a transformer, from its state as it is kept; none where nothing has been balanced. */
export function theftScores({ book }: { readonly book?: Pick<EnergyBook, "balance" | "told"> }): Readonly<Record<string, number>> {
  if (book === undefined) return {};
  return Object.fromEntries(rankChildren(book.balance, variationsOf(book)).map(({ id, score }) => [id, score]));
}

/** The meters that have told their voltage of a day, in order of keys. */
export function voltageDays({ told }: Pick<EnergyBook, "told">, day: number): readonly VoltageDay[] {
  return Object.entries(told)
    .filter(([, [toldDay, , , volts]]) => toldDay === day && volts >= 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([meter, [, , ratio, volts]]) => ({ meter, volts, ratio: ratio < 0 ? null : ratio }));
}
