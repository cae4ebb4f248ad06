import type { HeldRecord } from "../engine/behaviour.ts";
import { type Values, type Version, versionAt } from "../engine/history.ts";
import { identityOf } from "./feeds/lsn.ts";

/** A before image and where it stands. */
export interface Image {
  /** Of the after image that takes it, or would: 50 hex digits. */
  readonly position: string;
  readonly values: Values;
}

/** One whose after image has not come. */
export interface Pending extends Image {
  readonly atMs: number;
  readonly record: HeldRecord;
}

/** One whose after image has come. */
export interface Paired extends Image {
  /** It was found to differ from what it claims to replace, and that was noted. */
  readonly noted: boolean;
}

/** What a bill keeps of before images, each by pair (transaction and sequence). Which of the paired ones are kept does not depend on their order. */
export interface BeforeImages {
  readonly pending: readonly Pending[];
  /** Of the latest updates, by position. */
  readonly paired: readonly Paired[];
  /** Positions of the latest after images whose before image has not come. */
  readonly bare: readonly string[];
}

export const NO_IMAGES: BeforeImages = { pending: [], paired: [], bare: [] };

const PAIRED_MAX = 4;
const BARE_MAX = 16;
/** More than these do not wait: the oldest is given up. */
const PENDING_MAX = 8;

/** The before image waits for its after image. */
export function wait(images: BeforeImages, pending: Pending): BeforeImages {
  return { ...images, pending: [...images.pending, pending] };
}

/** The after image at `position` has come, with these values before it; null: without. */
export function pair(images: BeforeImages, position: string, values: Values | null): BeforeImages {
  const pending = images.pending.filter((image) => identityOf(image.position) !== identityOf(position));
  const bare = images.bare.filter((other) => other !== position);
  if (values === null) return { ...images, pending, bare: [...bare, position].sort().slice(-BARE_MAX) };
  const others = images.paired.filter((image) => image.position !== position);
  const paired = [...others, { position, values, noted: false }].sort((a, b) => (a.position < b.position ? -1 : 1)).slice(-PAIRED_MAX);
  return { pending, paired, bare };
}

/** The same, where they belong to a change that is now known to stand at `position`: the command that made it has been told. */
export function replaced(images: BeforeImages, position: string): BeforeImages {
  const identity = identityOf(position);
  if (!images.paired.some((image) => image.position !== position && identityOf(image.position) === identity)) return images;
  return { ...images, paired: images.paired.map((image) => (identityOf(image.position) === identity ? { ...image, position } : image)) };
}

/** Parts the before images whose after image should have come: a change behind them has arrived (at `position`), or too many wait. */
export function overtaken(images: BeforeImages, position: string): { readonly images: BeforeImages; readonly orphans: readonly Pending[] } {
  const isOvertaken = (image: Pending, n: number): boolean => image.position < position || n < images.pending.length - PENDING_MAX;
  return part(images, isOvertaken);
}

/** Parts those that have waited since before `sinceMs`. */
export function expired(images: BeforeImages, sinceMs: number): { readonly images: BeforeImages; readonly orphans: readonly Pending[] } {
  return part(images, ({ atMs }) => atMs <= sinceMs);
}

/** The paired images that are not what stood just before their position: a change was lost. Columns that are null say nothing. */
export function differing(images: BeforeImages, versions: readonly Version[]): readonly Paired[] {
  return images.paired.filter(({ position, values }) => {
    const stood = versionAt(versions, justBefore(position));
    return stood !== null && Object.entries(values).some(([column, value]) => value !== null && (stood.values[column] ?? null) !== value);
  });
}

/** The last place before a change: operations of one row of one transaction follow each other. */
export function justBefore(position: string): string {
  const operation = Number.parseInt(position.slice(-2), 16);
  return (
    position.slice(0, -2) +
    Math.max(0, operation - 1)
      .toString(16)
      .padStart(2, "0")
  );
}

function part(images: BeforeImages, isOrphan: (image: Pending, n: number) => boolean): ReturnType<typeof overtaken> {
  const orphans = images.pending.filter(isOrphan);
  if (orphans.length === 0) return { images, orphans };
  return { images: { ...images, pending: images.pending.filter((image) => !orphans.includes(image)) }, orphans };
}
