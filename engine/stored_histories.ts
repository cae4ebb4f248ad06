import { decodeFact } from "./fact_codec.ts";
import { type Fact, History, type HistoryOptions } from "./history.ts";
import { type ActorId, actorIdFrom } from "./ids.ts";
import type { Store } from "./store.ts";

/** The histories of all actors of a kind, in id order, of those behind `after` (null: of all). Read it to its end, or leave it, at once. */
export function* storedHistories(
  store: Pick<Store, "range">,
  kind: string,
  options: HistoryOptions,
  after: ActorId | null = null,
): Generator<History, void> {
  const prefix = `${kind}/`;
  let id: ActorId | null = null;
  let facts: Fact[] = [];
  const rows = after === null ? store.range("fact", prefix) : store.range("fact", prefix, { from: `${after}\u0001` }); // Behind id NUL.
  for (const [key, bytes] of rows) {
    const next = actorIdFrom(key.slice(0, key.indexOf("\0")));
    if (id !== null && next !== id) {
      yield new History(id, facts, options);
      facts = [];
    }
    id = next;
    facts.push(decodeFact(key, bytes));
  }
  if (id !== null) yield new History(id, facts, options);
}
