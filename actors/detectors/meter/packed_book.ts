import { PROFILE_BYTES } from "../../statistics/profile.ts";
import { type DayBook, dayBook } from "./day_book.ts";

/**
 * A day book as bytes, for the state of a meter, which is encoded whenever an hour closes. Numbers of energy are kept to seven digits. In order: the
 * profile; month (mean, variance, samples), latest days, hours of the last two days, samples, signs, whether it holds, ten counts of digits; then 9 bytes for each day untold.
 */
export type PackedBook = Uint8Array;

const MEAN = PROFILE_BYTES;
const VARIANCE = MEAN + 4;
const LATELY = VARIANCE + 4;
const ODD = LATELY + 4;
const SAMPLES = ODD + 8;
const SIGNS = SAMPLES + 2;
const HOLDS = SIGNS + 1;
const DIGITS = HOLDS + 1;
const UNTOLD = DIGITS + 10;
const UNTOLD_BYTES = 9; // A day (4), its energy (4), its hours (1).
const SAMPLES_MAX = 65_535;

export function packBook({ profile, month, lately, odd, untold, holds, signs, digits }: DayBook): PackedBook {
  const days = untold.length / 3;
  const bytes = new Uint8Array(UNTOLD + days * UNTOLD_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(profile);
  view.setFloat32(MEAN, month?.mean ?? 0);
  view.setFloat32(VARIANCE, month?.variance ?? 0);
  view.setFloat32(LATELY, lately);
  view.setUint32(ODD, odd[0]);
  view.setUint32(ODD + 4, odd[1]);
  view.setUint16(SAMPLES, Math.min(SAMPLES_MAX, month?.n ?? 0));
  view.setUint8(SIGNS, signs);
  view.setUint8(HOLDS, holds ? 1 : 0);
  bytes.set(digits, DIGITS);
  for (let n = 0; n < days; n += 1) {
    const at = UNTOLD + n * UNTOLD_BYTES;
    view.setUint32(at, untold[3 * n] ?? 0);
    view.setFloat32(at + 4, untold[3 * n + 1] ?? 0);
    view.setUint8(at + 8, untold[3 * n + 2] ?? 0);
  }
  return bytes;
}

/** The book of a meter; a fresh one where there is none. */
export function unpackBook(bytes: PackedBook | undefined): DayBook {
  if (bytes === undefined) return dayBook();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const n = view.getUint16(SAMPLES);
  return {
    profile: bytes.subarray(0, PROFILE_BYTES),
    month: n === 0 ? null : { mean: view.getFloat32(MEAN), variance: view.getFloat32(VARIANCE), n },
    lately: view.getFloat32(LATELY),
    odd: [view.getUint32(ODD), view.getUint32(ODD + 4)],
    untold: untoldOf(view),
    holds: view.getUint8(HOLDS) === 1,
    signs: view.getUint8(SIGNS),
    digits: [...bytes.subarray(DIGITS, UNTOLD)],
  };
}

function untoldOf(view: DataView): readonly number[] {
  const days = (view.byteLength - UNTOLD) / UNTOLD_BYTES;
  return Array.from({ length: days }, (_, n) => UNTOLD + n * UNTOLD_BYTES).flatMap((at) => [
    view.getUint32(at),
    Math.round(1_000 * view.getFloat32(at + 4)) / 1_000, // In Wh, as it was rounded.
    view.getUint8(at + 8),
  ]);
}
