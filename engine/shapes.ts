import type { ChangedRow } from "./commit.ts";
import { OtherFormat } from "./damaged_store.ts";
import type { Feed } from "./feed.ts";
import { ActorId, longHash } from "./ids.ts";
import type { AnyBehaviour } from "./population.ts";
import type { Store } from "./store.ts";
import type { ResolvedTable } from "./table.ts";

/** What decides how stored bytes are read. */
export interface Shaped {
  readonly behaviours: readonly AnyBehaviour[];
  readonly feeds: readonly Feed[];
  readonly tables: readonly ResolvedTable[];
}

/** Name -> shape, as text that is the same for the same shape: states of kinds (version and members), rows of curated tables (columns). */
interface Shapes {
  readonly kinds: Readonly<Record<string, string>>;
  readonly tables: Readonly<Record<string, string>>;
}

const KEY = "shapes";

/**
 * Compares the shapes that a state was written with to those of this program. Throws `OtherFormat`: bytes that were written in one shape are never read
 * in another. Returns the row that is to be stored with the next commit, null if it is stored already; kinds and tables may come to a state.
 */
export function requireShapes(store: Pick<Store, "range">, shaped: Shaped): ChangedRow | null {
  const now = shapesOf(shaped);
  const row: ChangedRow = { table: "feed", key: KEY, value: Buffer.from(JSON.stringify(now)) };
  const bytes = [...store.range("feed", KEY)].find(([key]) => key === KEY)?.[1];
  if (bytes === undefined) return row;
  const then = JSON.parse(Buffer.from(bytes).toString()) as Shapes;
  for (const [kind, shape] of Object.entries(then.kinds)) {
    if (now.kinds[kind] !== shape) throw new OtherFormat(`the state holds actors of kind ${kind} ${difference(shape, now.kinds[kind])}`);
  }
  for (const [table, shape] of Object.entries(then.tables)) {
    if (now.tables[table] !== shape)
      throw new OtherFormat(`the log holds rows of the table ${table} ${difference(shape, now.tables[table])}`);
  }
  return JSON.stringify(then) === JSON.stringify(now) ? null : row;
}

function difference(then: string, now: string | undefined): string {
  if (now === undefined) return "which this program does not know";
  return `of shape ${then}, and this program reads ${now}`;
}

function shapesOf({ behaviours, feeds, tables }: Shaped): Shapes {
  const windowed = feeds.filter(({ dedup }) => dedup === "window").map(({ name }) => name);
  const kinds = behaviours.map((behaviour) => {
    const { kind, version, clocks, hot = {}, large } = behaviour;
    const own = membersOf(behaviour.initial(ActorId(kind, "shape")));
    const members = JSON.stringify([
      clocks,
      clocks.some((feed) => windowed.includes(feed)),
      Object.entries(hot),
      own,
      ...(large === undefined ? [] : [large]),
    ]);
    return [kind, `${version}/${longHash([members]).slice(0, 8)}`] as const;
  });
  return {
    kinds: Object.fromEntries(kinds),
    tables: Object.fromEntries(
      tables.map(({ name, columns, ofFeed }) => [name, longHash([JSON.stringify([columns, ofFeed])]).slice(0, 8)]),
    ),
  };
}

/** Names of a fresh state's own members: one that is renamed, added or gone is another shape, whether or not somebody has raised the version. */
function membersOf(own: object): readonly string[] {
  return Object.keys(own).sort();
}
