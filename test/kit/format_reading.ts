import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import type { SourceRecord } from "../../engine/source.ts";
import type { Bounds, Ending, FileBytes, Format, Place, Slice } from "../../sources/format.ts";
import { START } from "../../sources/format.ts";

/** What a format made of some bytes. */
export interface Reading {
  readonly slices: readonly Slice[];
  readonly records: readonly SourceRecord[];
  readonly ending: Ending;
}

export interface ReadingOptions {
  readonly from?: Place;
  readonly bounds?: Bounds;
  readonly signal?: AbortSignal;
}

export const ARRIVED_AT_MS = 1_750_000_000_000;
const BOUNDS: Bounds = { records: DEFAULT_LIMITS.batchRecords, bytes: DEFAULT_LIMITS.batchBytes };

/** Reads a whole content with a format. */
export async function readBytes(format: Format, content: Buffer | string, options: ReadingOptions = {}): Promise<Reading> {
  return readFile(format, bytesOf(Buffer.from(content)), options);
}

/** Reads a file, however it comes by its bytes. */
export async function readFile(format: Format, file: FileBytes, options: ReadingOptions = {}): Promise<Reading> {
  const { from = START, bounds = BOUNDS, signal = new AbortController().signal } = options;
  const slices: Slice[] = [];
  const reading = format.records(file, { from, bounds, arrivedAtMs: ARRIVED_AT_MS, signal });
  for (;;) {
    const { done, value } = await reading.next();
    if (done === true) return { slices, records: slices.flatMap(({ records }) => records), ending: value };
    slices.push(value);
  }
}

/** Bytes in memory as a file. */
export function bytesOf(content: Buffer): FileBytes {
  return {
    sizeBytes: content.length,
    async fill(target, at) {
      content.copy(target, 0, at, at + target.length);
    },
  };
}

/** A file too large to be held: a beginning, one byte again and again, an end. */
export function longFile(begin: string, byte: string, times: number, end: string): FileBytes {
  const head = Buffer.from(begin);
  const tail = Buffer.from(end);
  const filler = byte.charCodeAt(0);
  return {
    sizeBytes: head.length + times + tail.length,
    async fill(target, at) {
      target.fill(filler);
      target.set(head.subarray(Math.min(at, head.length)).subarray(0, target.length), 0);
      const tailAt = head.length + times - at;
      if (tailAt < target.length)
        target.set(tail.subarray(Math.max(0, -tailAt)).subarray(0, target.length - Math.max(0, tailAt)), Math.max(0, tailAt));
    },
  };
}

/** The bytes of each record as text; a fault as its code. */
export function outcomes(records: readonly SourceRecord[]): readonly string[] {
  return records.map(({ bytes, fault }) => (fault === undefined ? Buffer.from(bytes).toString() : `!${fault.code}`));
}

/** The same with what the ending adds, as if nobody added to the file any more. */
export function finalOutcomes({ records, ending }: Reading): readonly string[] {
  const rest = ending.type === "complete" || ending.rest === null ? [] : [ending.rest];
  return outcomes([...records, ...rest]);
}

/** Reads a file that grows by a byte at a time, each time from where the last reading ended. The last time, what is unfinished is given up. */
export async function readGrowing(format: Format, content: Buffer, options: ReadingOptions = {}): Promise<readonly SourceRecord[]> {
  const records: SourceRecord[] = [];
  let from = START;
  for (let length = 1; length <= content.length; length += 1) {
    const reading = await readBytes(format, content.subarray(0, length), { ...options, from });
    records.push(...reading.records);
    from = reading.ending.at;
    const isLast = length === content.length || reading.ending.type === "refused";
    if (isLast && reading.ending.type !== "complete" && reading.ending.rest !== null) records.push(reading.ending.rest);
    if (reading.ending.type === "refused") break;
  }
  return records;
}
