import { HOURS_HELD, type Hours, NO_HOURS, trimmed, withEnergy } from "./hours.ts";

/**
 * Hours as bytes, for the state of a meter, which is encoded whenever an hour closes: `first` and `dropped` in 4 bytes each, then a number for each
 * hour in groups of 7 bits, lowest first: 0 for no reading, twice the energy in Wh plus 1, or if it is negative twice its amount.
 */
export type PackedHours = Uint8Array;

const DROPPED = 4;
const ENTRIES = 8;
/** Groups of 7 bits that a whole number of 53 bits takes. */
const ENTRY_BYTES_MAX = 8;
const GROUP = 128;

export function packHours({ first, wh, dropped }: Hours): PackedHours {
  const bytes = new Uint8Array(ENTRIES + wh.length * ENTRY_BYTES_MAX);
  writeWhole(bytes, 0, first);
  writeWhole(bytes, DROPPED, dropped);
  let at = ENTRIES;
  for (const energy of wh) at = writeEntry(bytes, at, energy);
  return bytes.slice(0, at);
}

/** The hours of a meter; none where there is nothing. */
export function unpackHours(bytes: PackedHours | undefined): Hours {
  if (bytes === undefined) return NO_HOURS;
  const wh: (number | null)[] = [];
  for (let at = ENTRIES; at < bytes.length; at = entryEnd(bytes, at)) wh.push(readEntry(bytes, at));
  return { first: readWhole(bytes, 0), wh, dropped: readWhole(bytes, DROPPED) };
}

/** `trimmed(withEnergy(hours, hour, wh), openHour)` without unpacking, for an hour after those held: what each hour that ends does. */
export function closeHour(bytes: PackedHours | undefined, hour: number, wh: number, openHour: number): PackedHours {
  const kept = bytes === undefined ? null : keptFrom(bytes, openHour - HOURS_HELD);
  if (bytes === undefined || kept === null || kept.count === 0 || hour < kept.first + kept.count)
    return packHours(trimmed(withEnergy(unpackHours(bytes), hour, wh), openHour));
  const { first, dropped, at, count } = kept;
  const gap = hour - first - count;
  const held = bytes.length - at;
  const after = new Uint8Array(ENTRIES + held + gap + ENTRY_BYTES_MAX);
  writeWhole(after, 0, first);
  writeWhole(after, DROPPED, dropped);
  after.set(bytes.subarray(at), ENTRIES);
  return after.subarray(0, writeEntry(after, ENTRIES + held + gap, wh));
}

/** The hours from `oldest` on, where they begin, and the latest hour with readings before them. */
function keptFrom(bytes: PackedHours, oldest: number) {
  let first = readWhole(bytes, 0);
  let dropped = readWhole(bytes, DROPPED);
  let at = ENTRIES;
  for (; first < oldest && at < bytes.length; first += 1) {
    if (bytes[at] !== 0) dropped = first;
    at = entryEnd(bytes, at);
  }
  let count = 0;
  for (let n = at; n < bytes.length; n += 1) if ((bytes[n] as number) < GROUP) count += 1;
  return { first, dropped, at, count };
}

function writeEntry(bytes: Uint8Array, start: number, wh: number | null): number {
  let at = start;
  let rest = wh === null ? 0 : wh < 0 ? -2 * wh : 2 * wh + 1;
  for (; rest >= GROUP; rest = Math.floor(rest / GROUP)) {
    bytes[at] = GROUP + (rest % GROUP);
    at += 1;
  }
  bytes[at] = rest;
  return at + 1;
}

function readEntry(bytes: Uint8Array, start: number): number | null {
  let folded = 0;
  for (let at = start, weight = 1; ; at += 1, weight *= GROUP) {
    const group = bytes[at] as number;
    folded += (group % GROUP) * weight;
    if (group < GROUP) break;
  }
  if (folded === 0) return null;
  return folded % 2 === 0 ? -folded / 2 : (folded - 1) / 2;
}

function entryEnd(bytes: Uint8Array, start: number): number {
  let at = start;
  while ((bytes[at] as number) >= GROUP) at += 1;
  return at + 1;
}

function writeWhole(bytes: Uint8Array, at: number, value: number): void {
  for (let n = 0; n < 4; n += 1) bytes[at + n] = (value >>> (8 * n)) & 255;
}

function readWhole(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let n = 3; n >= 0; n -= 1) value = value * 256 + (bytes[at + n] as number);
  return value;
}
