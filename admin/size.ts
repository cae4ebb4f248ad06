const UNIT_BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** Reads `512B`, `64KiB`, `8MiB`, `1.5GiB`, `2TiB`. Returns whole bytes, or null if the text is no size. */
export function parseSizeBytes(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB|TiB)$/.exec(text);
  if (match === null) return null;
  const bytes = Math.round(Number(match[1]) * (UNIT_BYTES[match[2] ?? ""] ?? Number.NaN));
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** A size for people: `512 B`, `1.5 GiB`. */
export function sizeText(bytes: number): string {
  const unit = ["TiB", "GiB", "MiB", "KiB"].find((name) => bytes >= (UNIT_BYTES[name] ?? 1)) ?? "B";
  const value = bytes / (UNIT_BYTES[unit] ?? 1);
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${unit}`;
}
