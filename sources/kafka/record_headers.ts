import { type BatchHead, recordCount, Varints } from "./record_batch.ts";

/** A record's place in its topic and its headers as text; of a name that comes twice the last. */
export interface RecordHeaders {
  readonly offset: number;
  readonly headers: ReadonlyMap<string, string>;
}

/** The headers of all records of a batch, once they are decompressed. Keys and values are passed over. Throws `BadBatch`. */
export function* recordHeaders(head: BatchHead, records: Buffer): Generator<RecordHeaders, void> {
  const count = recordCount(head);
  const reader = new Varints(records);
  for (let n = 0; n < count; n += 1) {
    const end = reader.lengthed();
    reader.skip(1);
    reader.next(); // Its time.
    const offset = head.baseOffset + reader.next();
    reader.skip(Math.max(0, reader.next())); // Its key.
    reader.skip(Math.max(0, reader.next())); // Its value.
    const headers = new Map<string, string>();
    for (let left = reader.next(); left > 0; left -= 1) headers.set(textOf(reader, end), textOf(reader, end));
    reader.at = end;
    yield { offset, headers };
  }
}

function textOf(reader: Varints, end: number): string {
  return reader.bytes(Math.max(0, reader.next()), end).toString();
}
