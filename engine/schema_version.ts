import type { ChangedRow } from "./commit.ts";
import type { CellValue } from "./emission.ts";
import {
  type DeclaredFeed,
  decodeSchema,
  encodeSchema,
  type FeedSchema,
  firstSchema,
  type SchemaColumn,
  type SchemaSettings,
} from "./schema.ts";
import type { Store } from "./store.ts";

/** Where a version began: source, and the position of the first record that is read with it, or the command that made it. */
export interface VersionOrigin {
  readonly source: string;
  readonly position: string;
  readonly arrivedAtMs: number;
}

/** A version as the store keeps it. Version 1, which is the feed's own word, is not kept. */
export interface SchemaVersion extends VersionOrigin {
  readonly version: number;
  /** The columns that it brought, or to which it gave another type. */
  readonly columns: Readonly<Record<string, SchemaColumn>>;
}

/** A row of table `schema_versions`: its key and its cells. */
export interface VersionRow {
  readonly key: string;
  readonly cells: Readonly<Record<string, CellValue>>;
}

/** What a commit has to say of a new version: rows for the store, and rows of table `schema_versions`. */
export function versionChanges(
  feed: string,
  before: FeedSchema,
  after: FeedSchema,
  origin: VersionOrigin,
): { readonly stored: readonly ChangedRow[]; readonly curated: readonly VersionRow[] } {
  const { version } = after;
  const changed = Object.entries(after.columns).filter(([name, column]) => before.columns[name] !== column);
  const entry: SchemaVersion = { version, ...origin, columns: Object.fromEntries(changed) };
  return {
    stored: [
      schemaRow(feed, after),
      { table: "feed", key: `${prefixOf(feed)}${String(version).padStart(8, "0")}`, value: Buffer.from(JSON.stringify(entry)) },
    ],
    curated: changed.map(([column, { type, origin: from }]) => ({
      key: `${feed} ${version} ${column}`,
      cells: { feed, version, column, type, origin: from, position: origin.position },
    })),
  };
}

/** The row under which a feed's schema is found again at the next start. */
export function schemaRow(feed: string, schema: FeedSchema): ChangedRow {
  return { table: "feed", key: `schema ${feed}`, value: encodeSchema(schema) };
}

/** The schema of a feed as it stands: columns and decisions as they are stored, all else as the feed and the configuration have it now. */
export function restoredSchema(store: Pick<Store, "range">, feed: DeclaredFeed, settings: SchemaSettings = {}): FeedSchema {
  const first = firstSchema(feed, settings);
  const { key } = schemaRow(feed.name, first);
  const row = [...store.range("feed", key)].find(([one]) => one === key);
  if (row === undefined) return first;
  const { version, columns, ignored } = decodeSchema(row[1]);
  return { ...first, version, columns: { ...columns, ...first.columns }, ignored };
}

/** The versions of a feed from 2 on, in order. */
export function readVersions(store: Pick<Store, "range">, feed: string): readonly SchemaVersion[] {
  return [...store.range("feed", prefixOf(feed))].map(([, bytes]) => JSON.parse(Buffer.from(bytes).toString()) as SchemaVersion);
}

function prefixOf(feed: string): string {
  return `version ${feed} `;
}
