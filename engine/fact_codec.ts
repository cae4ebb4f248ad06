import { Packr } from "msgpackr";
import type { CellValue } from "./emission.ts";
import { invariant } from "./fault.ts";
import type { Fact, HistoryChange } from "./history.ts";
import type { ActorId } from "./ids.ts";

// A row of table `fact`: key `<actorId> NUL <from> NUL <fact id>`, so that the facts of a key lie together, in order. Value: 8 bytes `knownAtMs`
// (float64, big-endian), then the rest as a msgpack array.
const KNOWN_BYTES = 8;
const KINDS: readonly HistoryChange["kind"][] = ["upsert", "delete", "close"];
const packr = new Packr({ useRecords: false });

type Packed = readonly [
  kind: number,
  publication: number,
  precedence: number,
  generation: number,
  atMs: number | null,
  cells: readonly CellValue[],
];

/** What the row keys of an actor's facts begin with. */
export function factPrefix(key: ActorId): string {
  return `${key}\u0000`;
}

/** The row key of a fact. */
export function factKey(key: ActorId, fact: Fact): string {
  return `${factPrefix(key)}${fact.from}\u0000${fact.id}`;
}

/** The row value of a fact. Equal facts give equal bytes. */
export function encodeFact(fact: Fact): Uint8Array {
  const { kind, rank, values, atMs } = fact;
  const cells = Object.keys(values)
    .sort()
    .flatMap((column) => [column, values[column] ?? null]);
  const row: Packed = [KINDS.indexOf(kind), rank.publication, rank.precedence, rank.generation, atMs, cells];
  const body = packr.pack(row);
  const bytes = new Uint8Array(KNOWN_BYTES + body.length);
  new DataView(bytes.buffer).setFloat64(0, fact.knownAtMs);
  bytes.set(body, KNOWN_BYTES);
  return bytes;
}

/** Reads a row back. */
export function decodeFact(rowKey: string, bytes: Uint8Array): Fact {
  const [, from, id] = rowKey.split("\u0000");
  const knownAtMs = new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0);
  const [kindNumber, publication, precedence, generation, atMs, cells]: Packed = packr.unpack(digestedBytes(bytes));
  const kind = KINDS[kindNumber];
  invariant(from !== undefined && id !== undefined && kind !== undefined, `row ${rowKey} holds a fact`);
  const values: Record<string, CellValue> = {};
  for (let at = 0; at < cells.length; at += 2) values[String(cells[at])] = cells[at + 1] ?? null;
  return { id, from, kind, rank: { publication, precedence, generation }, values, atMs, knownAtMs };
}

/** The part of a row's value that a digest covers: all but the known time. */
export function digestedBytes(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(KNOWN_BYTES);
}
