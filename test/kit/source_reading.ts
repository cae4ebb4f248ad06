import type { Position } from "../../engine/ids.ts";
import type { Batch, Source, SourceRecord } from "../../engine/source.ts";

/** A record with its provenance. */
export interface Provenance {
  readonly from: string;
  readonly arrivedAtMs: number;
  readonly text: string;
}

/** Reads until the source ends, or says for the first time that there is nothing more at present. */
export async function readToIdle(source: Source, after: ReadonlyMap<string, Position> = new Map()): Promise<readonly Batch[]> {
  const stop = new AbortController();
  const batches: Batch[] = [];
  for await (const batch of source.read(after, stop.signal)) {
    batches.push(batch);
    if (batch.idle) stop.abort();
  }
  return batches;
}

/** The positions that a store holds once it has taken these batches. */
export function positionsBehind(
  batches: readonly Batch[],
  before: ReadonlyMap<string, Position> = new Map(),
): ReadonlyMap<string, Position> {
  return new Map([...before, ...batches.flatMap(({ resumeAt }) => [...resumeAt])]);
}

/** The records with their provenance: a fault as its code. */
export function provenance(batches: readonly Batch[]): readonly Provenance[] {
  return batches.flatMap(({ origin, records }) =>
    records.map(({ at, arrivedAtMs, bytes, fault }) => ({
      from: `${origin}${at}`,
      arrivedAtMs,
      text: fault === undefined ? Buffer.from(bytes).toString() : `!${fault.code}`,
    })),
  );
}

/** Texts of records in the order they came, of each partition; `""` if the source has none. */
export type Order = Readonly<Record<string, readonly string[]>>;

/** The order of records: across partitions there is none. */
export function orderOf(batches: readonly Batch[]): Order {
  const order: Record<string, string[]> = {};
  for (const batch of batches) {
    if (batch.records.length === 0) continue;
    const { partition = "" } = batch;
    order[partition] = [...(order[partition] ?? []), ...texts([batch])];
  }
  return order;
}

/** The bytes of the records, a fault as its code. */
export function texts(batches: readonly Batch[]): readonly string[] {
  return provenance(batches).map(({ text }) => text);
}

/** Records of these texts, numbered from `first`. */
export function recordsOf(textsOfRecords: readonly string[], first = 0, arrivedAtMs = 1_750_000_000_000): readonly SourceRecord[] {
  return textsOfRecords.map((text, n) => ({ at: first + n, arrivedAtMs, bytes: Buffer.from(text) }));
}
