import { SEAL_BYTES } from "./codec.ts";
import { type ActorId, actorIdFrom } from "./ids.ts";
import { findId, hotAt, type Images, idAt, warmAt } from "./journal.ts";
import type { Tables, View } from "./lmdb_tables.ts";
import type { Parts } from "./store.ts";

/** The parts of an actor: from the journal, or else from the tables; null: never seen. Throws `DamagedStore`. */
export function storedParts(tables: Tables, journal: Images | null, id: ActorId, view?: View): Parts | null {
  const key = Buffer.from(id);
  const n = journal === null ? -1 : findId(journal, key);
  const hot = bodyOf(journal, hotAt, n) ?? tables.get("hot", key, view);
  const warm = bodyOf(journal, warmAt, n) ?? tables.get("warm", key, view);
  return hot === null && warm === null ? null : { hot, warm };
}

/** All actors in id order: what the journal has of them goes before what the tables have. Throws `DamagedStore`. */
export function* storedActors(tables: Tables, journal: Images, view: View): Iterable<readonly [id: ActorId, parts: Parts]> {
  const hots = tables.range("hot", EMPTY, view)[Symbol.iterator]();
  const warms = tables.range("warm", EMPTY, view)[Symbol.iterator]();
  let hot = hots.next().value as Row | undefined;
  let warm = warms.next().value as Row | undefined;
  let n = 0;
  for (;;) {
    const fresh = n < journal.ids.length ? idAt(journal, n) : undefined;
    const key = earlier(earlier(hot?.[0], warm?.[0]), fresh);
    if (key === undefined) return;
    const at = fresh?.equals(key) === true ? n : -1;
    const hotHere = hot?.[0].equals(key) === true ? hot[1] : null;
    const warmHere = warm?.[0].equals(key) === true ? warm[1] : null;
    yield [actorIdFrom(key.toString()), { hot: bodyOf(journal, hotAt, at) ?? hotHere, warm: bodyOf(journal, warmAt, at) ?? warmHere }];
    if (at >= 0) n += 1;
    if (hotHere !== null) hot = hots.next().value as Row | undefined;
    if (warmHere !== null) warm = warms.next().value as Row | undefined;
  }
}

const EMPTY = Buffer.alloc(0);

type Row = readonly [key: Buffer, body: Buffer];

function earlier(a: Buffer | undefined, b: Buffer | undefined): Buffer | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.compare(b) <= 0 ? a : b;
}

/** A copy: the journal is read as a whole, and one image would hold all of it in memory. */
function bodyOf(journal: Images | null, imageAt: typeof hotAt, n: number): Uint8Array | null {
  const image = journal === null || n < 0 ? null : imageAt(journal, n);
  return image === null ? null : new Uint8Array(image.subarray(SEAL_BYTES));
}
