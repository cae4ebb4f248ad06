/** A day of a meter as it waits for its balance: 24 energies, then 24 envelopes, as codes. */
export type PackedDay = Uint8Array;

/**
 * A day of all meters as one run of bytes: they wait by the hundred, and are encoded whenever another one tells. For each meter the length of its
 * key in two bytes, the key, and its day.
 */
export type PackedMeters = Uint8Array;

export const DAY_BYTES = 96;
const LENGTH_BYTES = 2;

export function packMeters(meters: Readonly<Record<string, PackedDay>>): PackedMeters {
  const parts = Object.entries(meters).flatMap(([meter, day]) => {
    const key = Buffer.from(meter);
    return [Uint8Array.of(key.length & 255, key.length >> 8), key, day];
  });
  return Uint8Array.from(Buffer.concat(parts));
}

/** Meter -> its day, in the order in which they were packed; none where there is nothing. The days are not to be changed in place. */
export function unpackMeters(bytes: PackedMeters | undefined): Record<string, PackedDay> {
  const meters: Record<string, PackedDay> = {};
  if (bytes === undefined) return meters;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; ) {
    const begin = at + LENGTH_BYTES;
    const end = begin + text.readUInt16LE(at);
    at = end + DAY_BYTES;
    meters[text.toString("utf8", begin, end)] = bytes.subarray(end, at);
  }
  return meters;
}
