import { dirname, join } from "node:path";
import { seconds } from "../engine/duration.ts";
import type { Emission } from "../engine/emission.ts";
import { invariant, orUnavailable } from "../engine/fault.ts";
import { generationIn, generationName } from "../engine/generation.ts";
import { Mark } from "../engine/ids.ts";
import type { Extents, Sink } from "../engine/sink.ts";
import type { SinkCursor } from "../engine/sink_cursor.ts";
import { type BornColumn, bornIn, type DeclaredTable, type NumberedRow } from "./delta_column.ts";
import { type DeltaTable, openDeltaTable } from "./delta_table.ts";
import { makeFolder, syncFolder } from "./durable.ts";
import { type Ownership, ownOutput } from "./output_owner.ts";

/** `cursor` is the stored one; `tables` are all that may occur. `passing` is told at each point where a crash would leave something different behind. */
export interface ParquetOptions {
  readonly name: string;
  readonly path: string;
  readonly storeId: string;
  /** `Store.generation`; default 0. */
  readonly generation?: number;
  readonly cursor: SinkCursor;
  readonly tables: readonly DeclaredTable[];
  /** Default 50,000 rows or 30 s. */
  readonly extents?: Extents;
  readonly passing?: (point: string) => void;
}

/** The mark: what the logs of the tables do not say by themselves. */
interface ParquetMark {
  /** Entries in the log of each table that has any. */
  readonly entries: Readonly<Record<string, number>>;
  /** Every column that schema evolution added so far, in order of birth. */
  readonly born: readonly BornColumn[];
}

/**
 * A folder of Delta Lake tables, one for each curated table, every row once: an extent is written as parts under their final names and then
 * listed by one log entry a table, under the number of its end. A reader of the log never sees half an extent of a table. Entries that an earlier
 * generation of the state listed after the place from which it was restored are taken away: they come again. Throws `BrokenInvariant` if a log has
 * entries fewer or otherwise more than were settled, `Unavailable` while another store writes the folder.
 */
export async function parquet(options: ParquetOptions): Promise<Sink> {
  const { name, path, storeId, generation = 0, cursor, passing = () => {} } = options;
  let { entries, born }: ParquetMark = cursor.mark === null ? { entries: {}, born: [] } : (JSON.parse(cursor.mark) as ParquetMark);
  const owned = await orUnavailable(path, ownFolder(path, storeId));
  const application = `gridactor/${storeId}/${name}`;
  const appId = generationName(application, generation);
  const isEarlier = (other: string): boolean => (generationIn(other, application) ?? generation) < generation;
  const tables = new Map<string, DeltaTable>();
  for (const table of options.tables) {
    const folder = join(path, table.name);
    const settledEntries = entries[table.name] ?? 0;
    tables.set(
      table.name,
      await openDeltaTable({ folder, table, storeId, appId, isEarlier, settledEntries, pending: cursor.pending, passing }),
    );
  }

  return {
    name,
    extents: options.extents ?? { records: 50_000, everyMs: seconds(30) },
    async write(emissions: readonly Emission[]): Promise<Mark> {
      const rows = emissions.map(numbered);
      const lastSequence = rows.at(-1)?.sequence ?? 0;
      const allBorn = [...born, ...bornIn(rows)];
      for (const [tableName, ofTable] of byTable(rows)) {
        const table = tables.get(tableName);
        invariant(table !== undefined, `${name} knows the table ${tableName}`);
        await table.append(ofTable, lastSequence, allBorn);
        entries = { ...entries, [tableName]: table.state.entries };
      }
      born = allBorn;
      return Mark(JSON.stringify({ entries, born } satisfies ParquetMark));
    },
    close: () => owned.release(),
  };
}

async function ownFolder(path: string, storeId: string): Promise<Ownership> {
  const owned = await ownOutput(path, storeId);
  await makeFolder(path);
  await syncFolder(dirname(path));
  return owned;
}

function numbered(emission: Emission): NumberedRow {
  invariant(emission.stream === "curated", "a folder of tables takes the stream of curated rows");
  return emission;
}

function byTable(rows: readonly NumberedRow[]): ReadonlyMap<string, readonly NumberedRow[]> {
  const tables = new Map<string, NumberedRow[]>();
  for (const each of rows) {
    const sameTable = tables.get(each.row.table);
    if (sameTable === undefined) tables.set(each.row.table, [each]);
    else sameTable.push(each);
  }
  return tables;
}
