/** What a substation knows of one of its transformers. Changed in place. */
export interface Bay {
  atMs: number | null;
  loadMw: number | null;
  capacityMw: number | null;
  breakerStatus: string | null;
  /** Samples in a row with load though the breaker is open, and without. */
  openWithLoad: number;
  good: number;
  /** The breaker is held to be open under load. */
  isBad: boolean;
  /** The lightest load as a share of capacity that is usual, and the samples that say so. */
  lightest: number;
  samples: number;
  deadSinceMs: number | null;
  dampSinceMs: number | null;
  /** The air as it was measured last, and when. Absent: it never was. */
  ambient?: readonly [atMs: number, ambientC: number];
}

export function emptyBay(): Bay {
  return {
    atMs: null,
    loadMw: null,
    capacityMw: null,
    breakerStatus: null,
    openWithLoad: 0,
    good: 0,
    isBad: false,
    lightest: 1,
    samples: 0,
    deadSinceMs: null,
    dampSinceMs: null,
  };
}

/** The bays by the key of their transformer, in order of keys. */
export type Bays = Record<string, Bay>;

/** Keys of the bays for which something holds, in order. */
export function baysWhere(bays: Bays, holds: (bay: Bay) => boolean): readonly string[] {
  return Object.keys(bays)
    .filter((key) => {
      const bay = bays[key];
      return bay !== undefined && holds(bay);
    })
    .sort();
}
