import { excerptOfRest, type FormatLimits } from "../excerpt.ts";
import { type Ending, type FileBytes, type Place, type Reading, START } from "../format.ts";
import { Window } from "../window.ts";
import { isBlank, JsonScanner } from "./json_scanner.ts";
import { isText, lengthOfMark } from "./text.ts";

/** A value per line. */
export const LINES = "lines";
/** Values one after another, as they come; the place is outside of any array. */
export const VALUES = "values";
/** The same; the place is behind an element of an array. */
export const ARRAY = "array";

const HEAD_BYTES = 65_536;
const LF = 0x0a;
const CR = 0x0d;
const OBJECT = 0x7b;
const OPEN = 0x5b;

/** Where to go on, and in which shape: told by the first value. An ending, if there is none to read, or none yet. */
export async function beginOf(file: FileBytes, reading: Reading, limits: FormatLimits): Promise<Place | Ending> {
  if (reading.from.shape !== null) return reading.from;
  const window = new Window(file, 0);
  await window.advance(0, HEAD_BYTES);
  if (!isText(window.bytes)) {
    const excerpt = await excerptOfRest(file, 0, limits, reading.signal);
    return { type: "refused", at: START, rest: excerpt.record(0, reading.arrivedAtMs, "bad_encoding", "the file is not UTF-8 text") };
  }
  const first = await firstValue(window, reading.signal);
  if (first === null) return { type: "complete", at: { ...reading.from, offset: file.sizeBytes } };
  const shape = await shapeAt(window, first, limits);
  if (shape !== null) return { ...reading.from, offset: Math.max(reading.from.offset, window.base + first), shape };
  const excerpt = await excerptOfRest(file, reading.from.offset, limits, reading.signal);
  const rest = excerpt.record(reading.from.row, reading.arrivedAtMs, "truncated", "the file ends inside of its first value");
  return { type: "incomplete", at: reading.from, rest };
}

/** Index in the window of the first byte that is no white space, behind the byte order mark; null at the end of the file. */
async function firstValue(window: Window, signal: AbortSignal): Promise<number | null> {
  let at = lengthOfMark(window.bytes);
  for (;;) {
    signal.throwIfAborted();
    while (at < window.bytes.length && isBlank(window.bytes[at] as number)) at += 1;
    if (at < window.bytes.length) return at;
    if (window.atEnd) return null;
    await window.advance(at);
    at = 0;
  }
}

/** The shape, by the value at index `first`, which stays in the window; null: the file ends before that can be told. */
async function shapeAt(window: Window, first: number, limits: FormatLimits): Promise<string | null> {
  const byte = window.bytes[first];
  if (byte === OPEN) return VALUES;
  if (byte !== OBJECT) return LINES;
  const scanner = new JsonScanner();
  let at = first;
  for (;;) {
    at = scanner.scan(window.bytes, at);
    const spansLines = hasBreak(window.bytes.subarray(first, at));
    if (scanner.state === "broken") return LINES; // Text that no further line could mend.
    if (scanner.state === "done" || at - first > limits.recordBytesMax) return spansLines ? VALUES : LINES;
    if (window.atEnd) return spansLines ? null : LINES;
    await window.advance(0);
  }
}

function hasBreak(bytes: Buffer): boolean {
  return bytes.includes(LF) || bytes.includes(CR);
}
