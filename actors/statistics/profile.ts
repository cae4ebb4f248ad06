import { codeOf, kwhOf, readWord, writeWord } from "./packed.ts";

/**
 * What a meter uses in each hour of the day, grid zone, in 112 bytes, changed in place: the upper envelope in kWh, the typical use, how often each
 * hour was seen, what a weekend does to all hours, and how far hours usually lie from typical.
 */
export type Profile = Uint8Array;

const HOURS = 24;
const UPPER = 0; // Words 0 … 23.
const TYPICAL = 24; // Words 24 … 47: e^L.
const SEEN = 96; // Bytes 96 … 107: two hours in each.
const WEEKEND = 54; // A word: thousandths of ln, 32,768 is none.
const SPREAD = 55; // A word: thousandths of ln.
/** Size of a profile. */
export const PROFILE_BYTES = 112;

const SEEN_MAX = 15;
const OFFSET = 0.05;
const ALPHA = 0.1;
const WEEKEND_ALPHA = 0.02;
const UP = 0.3;
const DOWN = 0.05;
const SPREAD_FIRST = 0.3;
const SPREAD_MIN = 0.05;
const SPREAD_STEP = 0.05;
const TO_SIGMA = 1.4826;
const NO_WEEKEND = 32_768;

export function profile(): Profile {
  const bytes = new Uint8Array(PROFILE_BYTES);
  writeWord(bytes, WEEKEND, NO_WEEKEND);
  writeWord(bytes, SPREAD, 1_000 * SPREAD_FIRST);
  return bytes;
}

/** How often an hour of the day has been learnt, at most 15. */
export function seenOf(bytes: Profile, hour: number): number {
  return ((bytes[SEEN + (hour >> 1)] ?? 0) >> (4 * (hour & 1))) & 15;
}

/** What the meter uses in that hour when it uses much, kWh. */
export function upperKwh(bytes: Profile, hour: number): number {
  return kwhOf(readWord(bytes, UPPER + hour));
}

/** What it typically uses in that hour, kWh. */
export function typicalKwh(bytes: Profile, hour: number, isWeekend: boolean): number {
  return Math.max(0, Math.exp(typicalLog(bytes, hour, isWeekend)) - OFFSET);
}

/** How many standard deviations an hour lies from typical, in logarithms: in kWh a rule of three sigma would fire on 4 % of honest hours. */
export function profileZ(bytes: Profile, hour: number, isWeekend: boolean, kwh: number): number {
  return (logOf(kwh) - typicalLog(bytes, hour, isWeekend)) / (TO_SIGMA * spreadOf(bytes));
}

/**
 * Learns an hour. The upper envelope follows quickly up and slowly down, from a value clipped at four times what it was and never below `floorKwh`:
 * one wild reading would spoil it for weeks. `holdsDown`: it does not move down.
 */
export function learnProfile(bytes: Profile, hour: number, isWeekend: boolean, kwh: number, holdsDown = false, floorKwh = 1): void {
  const seen = seenOf(bytes, hour);
  learnUpper(bytes, hour, seen, kwh, holdsDown, floorKwh);
  learnTypical(bytes, hour, seen, isWeekend, kwh);
  if (seen < SEEN_MAX) bytes[SEEN + (hour >> 1)] = (bytes[SEEN + (hour >> 1)] ?? 0) + (1 << (4 * (hour & 1)));
}

function learnUpper(bytes: Profile, hour: number, seen: number, kwh: number, holdsDown: boolean, floorKwh: number): void {
  const before = upperKwh(bytes, hour);
  if (seen > 0 && kwh <= before && holdsDown) return;
  const clipped = seen === 0 ? kwh : Math.min(kwh, Math.max(4 * before, floorKwh));
  const after = seen === 0 ? clipped : before + (clipped > before ? UP : DOWN) * (clipped - before);
  writeWord(bytes, UPPER + hour, codeOf(after));
}

function learnTypical(bytes: Profile, hour: number, seen: number, isWeekend: boolean, kwh: number): void {
  if (seen === 0) return writeWord(bytes, TYPICAL + hour, codeOf(kwh + OFFSET));
  const residual = logOf(kwh) - typicalLog(bytes, hour, isWeekend);
  const own = Math.log(kwhOf(readWord(bytes, TYPICAL + hour)));
  writeWord(bytes, TYPICAL + hour, codeOf(Math.exp(own + ALPHA * residual)));
  if (isWeekend) writeWord(bytes, WEEKEND, clampedWord(1_000 * (weekendLog(bytes) + WEEKEND_ALPHA * residual) + NO_WEEKEND));
  const spread = spreadOf(bytes);
  const moved = spread * Math.exp(SPREAD_STEP * Math.sign(Math.abs(residual) - spread));
  writeWord(bytes, SPREAD, clampedWord(1_000 * Math.max(SPREAD_MIN, moved)));
}

function typicalLog(bytes: Profile, hour: number, isWeekend: boolean): number {
  return Math.log(kwhOf(readWord(bytes, TYPICAL + hour))) + (isWeekend ? weekendLog(bytes) : 0);
}

function weekendLog(bytes: Profile): number {
  return (readWord(bytes, WEEKEND) - NO_WEEKEND) / 1_000;
}

function spreadOf(bytes: Profile): number {
  return readWord(bytes, SPREAD) / 1_000;
}

function logOf(kwh: number): number {
  return Math.log(Math.max(0, kwh) + OFFSET);
}

function clampedWord(value: number): number {
  return Math.min(65_535, Math.max(0, Math.round(value)));
}

/** Index of the hours of a day: 0 … 23. */
export const HOURS_OF_DAY: readonly number[] = Array.from({ length: HOURS }, (_, hour) => hour);
