import { isUtf8 } from "node:buffer";

const ZSTANDARD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Whether a file that begins so is text in UTF-8: false for what is surely another encoding, or compressed. A single bad line is no reason. */
export function isText(head: Buffer): boolean {
  if (head.length < 2) return true;
  const [a = 0, b = 0] = head;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff) || a === 0 || b === 0) return false; // UTF-16, with and without mark.
  if ((a === 0x1f && b === 0x8b) || head.subarray(0, 4).equals(ZSTANDARD)) return false;
  return isUtf8(cutAtCharacter(head)) || !head.subarray(0, 1_024).some(isControl); // Brotli has no mark of its own.
}

/** Length of the byte order mark, which is no part of the text. */
export function lengthOfMark(head: Buffer): number {
  return head.subarray(0, MARK.length).equals(MARK) ? MARK.length : 0;
}

function isControl(byte: number): boolean {
  return byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d;
}

/** Without the beginning of a character whose end is not in memory. */
function cutAtCharacter(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && bytes.length - end < 4 && ((bytes[end - 1] as number) & 0xc0) === 0x80) end -= 1;
  return end > 0 && (bytes[end - 1] as number) >= 0xc0 ? bytes.subarray(0, end - 1) : bytes;
}
