import type { MeterHot } from "../../meter_state.ts";
import { bitsSet, RECENT, readField } from "./recent.ts";

/** Signs at a connection that a customer's risk is made of: a bit each. */
export const SIGN = { tampered: 1, nearZero: 2, physics: 4, drop: 8, disconnected: 16 } as const;

const TAMPERED = 2;
const DISCONNECTED = 3;

/** The signs that a meter shows at the end of a day. */
export function signsOf(hot: MeterHot, isLow: boolean): number {
  const isNear = bitsSet(readField(hot.recent, RECENT.near)) >= 3 && hot.nearFast > hot.nearSlow + 0.2 && hot.samples > 48;
  return (
    (hot.status === TAMPERED ? SIGN.tampered : 0) |
    (isNear ? SIGN.nearZero : 0) |
    (readField(hot.recent, RECENT.physicsOff) >= 5 ? SIGN.physics : 0) |
    (isLow ? SIGN.drop : 0) |
    (hot.status === DISCONNECTED && (hot.readingKwh ?? 0) > 0.05 ? SIGN.disconnected : 0)
  );
}
