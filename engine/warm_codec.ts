import { Packr } from "msgpackr";
import { ByteReader, ByteWriter } from "./byte_writer.ts";
import type { Episode } from "./episode.ts";
import { readEpisode, writeEpisode } from "./episode_codec.ts";
import { invariant } from "./fault.ts";
import type { WindowEntry } from "./vitals.ts";

/** A timer of an actor: `dueMs` is the true time, `rowMs <= dueMs` that of its stored row, both on the clock of `feed`. */
export interface Timer {
  readonly feed: string;
  readonly dueMs: number;
  readonly rowMs: number;
}

/** What the engine keeps for an actor beside the behaviour's own state. */
export interface Kept {
  timers: ReadonlyMap<string, Timer>;
  episodes: ReadonlyMap<string, Episode>;
  overflow: readonly WindowEntry[];
}

/** The warm part of an actor. */
export interface Warm extends Kept {
  own: unknown;
  /** Large members of `own` as they were encoded last. */
  large?: Map<string, EncodedMember>;
}

/** A member counts as it is for as long as no other value stands in its place. */
interface EncodedMember {
  readonly value: unknown;
  readonly bytes: Uint8Array;
}

const packr = new Packr({ useRecords: false, moreTypes: false, copyBuffers: true }); // Bytes in a state outlive what they were read from.
const writer = new ByteWriter(); // Only a buffer: nothing of one call is in the next.
/** In msgpack the first byte of an array of up to 15, without their number. */
const ARRAY = 0x90;

/**
 * The behaviour's own state, with the version of its shape: `[version, state]`, or if it has large members `[version, the others, large members in
 * order, undefined where there is none]`, of which those in `known` that are still in their place are not encoded again. Throws if it cannot be encoded.
 */
export function encodeOwn(
  own: unknown,
  { version, large }: Omit<StateShape, "kind">,
  known = new Map<string, EncodedMember>(),
): Uint8Array {
  if (large === undefined) return packr.pack([version, own]);
  const members = own as Readonly<Record<string, unknown>>;
  const others: Record<string, unknown> = {};
  for (const name in members) if (!large.includes(name)) others[name] = members[name];
  const head = packr.pack([version, others]);
  head[0] = ARRAY + 2 + large.length;
  return Buffer.concat([head, ...large.map((name) => encodedMember(name, members[name], known))]);
}

function encodedMember(name: string, value: unknown, known: Map<string, EncodedMember>): Uint8Array {
  const before = known.get(name);
  if (before !== undefined && before.value === value) return before.bytes;
  const bytes = Uint8Array.from(packr.pack(value));
  known.set(name, { value, bytes });
  return bytes;
}

/** What the engine keeps. By hand, because an alert changes it twice and a repeated hit once. */
export function encodeKept({ timers, episodes, overflow }: Kept): Uint8Array {
  writer.begin();
  writer.cell(timers.size);
  for (const [name, { feed, dueMs, rowMs }] of timers) {
    writer.cell(name);
    writer.cell(feed);
    writer.cell(dueMs);
    writer.cell(rowMs);
  }
  writer.cell(episodes.size);
  for (const episode of episodes.values()) writeEpisode(writer, episode);
  writer.cell(overflow.length);
  for (const entry of overflow) for (const number of entry) writer.cell(number);
  return writer.end();
}

/** One value for the store. */
export function joinWarm(own: Uint8Array, kept: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(4 + own.length + kept.length);
  bytes.writeUInt32LE(own.length, 0);
  bytes.set(own, 4);
  bytes.set(kept, 4 + own.length);
  return bytes;
}

/** The two halves of a stored value. */
export function splitWarm(bytes: Uint8Array): { readonly own: Uint8Array; readonly kept: Uint8Array } {
  const ownLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  return { own: bytes.subarray(4, 4 + ownLength), kept: bytes.subarray(4 + ownLength) };
}

/** Reads a warm part. Throws if a newer version of the kind wrote it. */
export function decodeWarm(own: Uint8Array, kept: Uint8Array, kind: StateShape): Warm {
  const reader = new ByteReader(kept);
  const timers = new Map(
    list(reader, (): [string, Timer] => [text(reader), { feed: text(reader), dueMs: number(reader), rowMs: number(reader) }]),
  );
  const episodes = new Map(list(reader, () => readEpisode(reader)).map((episode) => [episode.rule, episode]));
  const overflow = list(reader, (): WindowEntry => [number(reader), number(reader), number(reader), number(reader)]);
  return { own: decodeOwn(own, kind), timers, episodes, overflow };
}

/** Reads what `encodeOwn` wrote. */
export function decodeOwn(own: Uint8Array, { kind, version: known, large = [] }: StateShape): unknown {
  const [version, state, ...members] = packr.unpack(own) as [number, unknown, ...unknown[]];
  invariant(version <= known, `a ${kind} of state version ${version} cannot be read by version ${known}`);
  large.forEach((name, n) => {
    if (members[n] !== undefined) (state as Record<string, unknown>)[name] = members[n];
  });
  return state;
}

/** Which kind a state is of, and which version of its shape the program knows. */
interface StateShape {
  readonly kind: string;
  readonly version: number;
  /** Members that are encoded one by one, 13 at most. */
  readonly large?: readonly string[];
}

function list<T>(reader: ByteReader, read: () => T): T[] {
  const items: T[] = [];
  for (let left = number(reader); left > 0; left -= 1) items.push(read());
  return items;
}

function text(reader: ByteReader): string {
  return String(reader.cell());
}

function number(reader: ByteReader): number {
  return Number(reader.cell());
}
