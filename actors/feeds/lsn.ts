import { fault } from "../../engine/fault.ts";
import { type Field, integer } from "../../engine/feed.ts";

const LSN_DIGITS = 20;
const COMMAND_DIGITS = 8;
const PREFIXED = /^0x([0-9a-f]{1,20})$/i;
const BARE = /^[0-9a-f]{20}$/i;
const GROUPED = /^([0-9a-f]{1,8}):([0-9a-f]{1,8}):([0-9a-f]{1,4})$/i;
const BASE64 = /^[A-Za-z0-9+/]{14}==$/;
const MASK = /^0x[0-9a-f]*$/i;

/**
 * A log sequence number of SQL Server: 10 bytes, in the row as 20 lower-case hex digits, whose text order is its order. Read from `0x` and 1 to 20
 * digits, 20 digits, `hhhhhhhh:hhhhhhhh:hhhh` (short groups are filled up), or base64. Zero is none, which only a snapshot may have: the feed judges.
 */
export const lsn: Field<string> = {
  column: { type: "string" },
  required: true,
  read(value, name) {
    const digits = typeof value === "string" ? digitsOf(value) : null;
    return digits ?? fault("bad_lsn", "a log sequence number of at most 10 bytes was expected", name);
  },
};

/** What stands for a log sequence number where there is none. */
export const NO_LSN = "0".repeat(LSN_DIGITS);

/** Row of a snapshot: no operation of SQL Server. */
export const SNAPSHOT = 0;

/** The kind of change, 1 to 5; the word `r`, for a row of a snapshot, is 0. */
export const operation: Field<number> = {
  column: { type: "long" },
  required: true,
  read(value, name, reading) {
    const read = value === "r" ? SNAPSHOT : integer(1, 5).read(value, name, reading);
    return typeof read === "number" ? read : fault("bad_operation", "an operation from 1 to 5 was expected", name);
  },
};

/** Which columns a change touches, as `0x` and hex digits: ordinal 1 is the lowest bit of the last byte. */
export const updateMask: Field<string> = {
  column: { type: "string" },
  required: true,
  read: (value, name) =>
    typeof value === "string" && MASK.test(value) ? value.toLowerCase() : fault("bad_type", "0x and hex digits were expected", name),
};

/**
 * The place of a change among all changes: start LSN, command id (0 if absent), seqval, operation; 25 bytes as 50 hex digits. `startLsn` and
 * `seqval` are as `lsn` reads them.
 */
export function positionOf(startLsn: string, commandId: number | null, seqval: string, operationCode: number): string {
  return startLsn + hex(commandId ?? 0, COMMAND_DIGITS) + seqval + hex(operationCode, 2);
}

/** The members of a position that the identity of a change consists of: all but the command, which not every way of reading tells. */
export function identityOf(position: string): string {
  return position.slice(0, LSN_DIGITS) + position.slice(LSN_DIGITS + COMMAND_DIGITS);
}

/** Whether the place of a change tells the command that made it. */
export function tellsCommand(position: string): boolean {
  return !/^0+$/.test(position.slice(LSN_DIGITS, LSN_DIGITS + COMMAND_DIGITS));
}

/** Whether the bit of a column, counted from 1, is set. A mask that is missing or all zero says nothing: null. */
export function isMasked(mask: string | null, ordinal: number): boolean | null {
  if (mask === null || !/[1-9a-f]/.test(mask.slice(2))) return null;
  const digits = mask.slice(2);
  const digit = Number.parseInt(digits.charAt(digits.length - 1 - ((ordinal - 1) >> 2)) || "0", 16);
  return (digit & (1 << ((ordinal - 1) & 3))) !== 0;
}

function digitsOf(text: string): string | null {
  const prefixed = PREFIXED.exec(text)?.[1];
  if (prefixed !== undefined) return prefixed.toLowerCase().padStart(LSN_DIGITS, "0");
  if (BARE.test(text)) return text.toLowerCase();
  const [, file, block, slot] = GROUPED.exec(text) ?? [];
  if (file !== undefined && block !== undefined && slot !== undefined)
    return (file.padStart(8, "0") + block.padStart(8, "0") + slot.padStart(4, "0")).toLowerCase();
  return BASE64.test(text) ? Buffer.from(text, "base64").toString("hex") : null;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
