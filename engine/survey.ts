import { decode } from "./decode.ts";
import { Unavailable } from "./fault.ts";
import type { Feed } from "./feed.ts";
import type { Limits } from "./limits.ts";
import { columnOf, type FeedSchema, firstSchema, type Sights, type TypeName } from "./schema.ts";
import type { SourceRecord } from "./source.ts";

/** Looks ahead at records, before any of them is used: which columns they bring that their feed does not declare, with which types. */
export class Survey {
  readonly #feed: Feed;
  readonly #limits: Limits;
  /** Takes every new column by itself, so that each record says what it alone would bring. */
  readonly #probe: FeedSchema;
  readonly #seen = new Map<string, Set<TypeName>>();

  constructor(feed: Feed, { caseSensitive, taken = [] }: Pick<FeedSchema, "caseSensitive" | "taken">, limits: Limits) {
    this.#feed = feed;
    this.#limits = limits;
    this.#probe = { ...firstSchema(feed, { mode: "addNewColumns", inferColumnTypes: true, caseSensitive }), hints: {}, taken };
  }

  /** A record that is refused brings nothing. */
  add(record: SourceRecord): void {
    const decoded = decode(this.#feed, record, this.#probe, this.#limits);
    if ("code" in decoded || decoded.row === null || decoded.schema === this.#probe) return;
    for (const [name, { type }] of Object.entries(decoded.schema.columns)) {
      if (columnOf(this.#probe, name) === undefined) this.#see(name, type);
    }
  }

  sights(): Sights {
    return new Map([...this.#seen].map(([name, types]) => [name, [...types]]));
  }

  #see(name: string, type: TypeName): void {
    const types = this.#seen.get(name);
    if (types !== undefined) types.add(type);
    else if (this.#seen.size < this.#limits.keysMax) this.#seen.set(name, new Set([type]));
  }
}

/** Under `failOnNewColumns` the source waits here until a person has decided on these columns, or what brings them is gone. */
export class NewColumns extends Unavailable {
  readonly feed: string;
  readonly columns: readonly string[];

  constructor(feed: string, columns: readonly string[]) {
    super(feed, null);
    this.feed = feed;
    this.name = "NewColumns";
    this.columns = columns;
    this.message = newColumnsText(feed, columns);
  }
}

/** In words, for the ledger and the log. */
function newColumnsText(feed: string, columns: readonly string[]): string {
  const [first = ""] = columns;
  const names = columns.slice(0, NAMES_SHOWN).map((name) => name.slice(0, NAME_LENGTH_SHOWN));
  const shown = columns.length > NAMES_SHOWN ? [...names, `${columns.length - NAMES_SHOWN} more`] : names;
  return `new columns: ${shown.join(", ")}; decide with gridactor schema approve ${feed} ${first} TYPE, or schema ignore ${feed} ${first}`;
}

const NAMES_SHOWN = 20;
const NAME_LENGTH_SHOWN = 64;

/** The columns of `sights` on which a person has to decide. */
export function undecided(schema: FeedSchema, sights: Sights): readonly string[] {
  if (schema.mode !== "failOnNewColumns") return [];
  return [...sights.keys()].filter((name) => columnOf(schema, name) === undefined && !schema.ignored.includes(name));
}
