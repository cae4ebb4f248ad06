import { prepareFold } from "./fold_worker.ts";
import { hotAt, type Images, idAt, warmAt } from "./journal.ts";
import type { Tables } from "./lmdb_tables.ts";

// Folding moves the images of a frozen journal segment into the actor tables, a slice with each commit, and then moves the journal's start
// behind that segment. It may be cut off anywhere, for an image is a whole part, and until the start has moved a recovery reads the frozen
// segment and all that follow it, the last image of each part winning: whatever the tables had by then is replaced by an image as new or newer.
// Once it has moved, the tables have of every part the last image of the frozen segment, or a newer one, and the rest is in the segments
// behind it. An image that an unfinished fold put into a table is never newer than the journal's last.

/** A fold under way. */
export interface Fold {
  /** The frozen segment. */
  readonly segment: string;
  /** False while the images are still being put in order. */
  isReady(): boolean;
  /** Waits until they are. Rejects with `DamagedStore` if the segment is not what was written. */
  ready(): Promise<void>;
  /** Within a transaction: puts the next images, at most those of `actors`. True: these were the last. */
  putSlice(tables: Tables, actors: number): boolean;
}

/** Begins to fold a segment, which gets no more appended. */
export function beginFold(dir: string, segment: string, committedBytes: number): Fold {
  let images: Images | null = null;
  let done = 0;
  const prepared = prepareFold(dir, segment, committedBytes).then((prepared) => {
    images = prepared;
  });
  prepared.catch(() => {}); // Whoever waits hears of it.
  return {
    segment,
    isReady: () => images !== null,
    ready: () => prepared,
    putSlice(tables, actors) {
      if (images === null) return false;
      const end = Math.min(images.ids.length, done + actors);
      putImages(tables, images, done, end);
      done = end;
      return done === images.ids.length;
    },
  };
}

/** Within a transaction: puts the sealed images of the actors from number `from` to `to`. */
export function putImages(tables: Tables, images: Images, from: number, to: number): void {
  for (let n = from; n < to; n += 1) {
    const key = idAt(images, n);
    const hot = hotAt(images, n);
    const warm = warmAt(images, n);
    if (hot !== null) tables.put("hot", key, hot);
    if (warm !== null) tables.put("warm", key, warm);
  }
}
