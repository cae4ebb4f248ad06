import type { CommandArgs } from "../engine/command.ts";
import { decodeQuarantine } from "../engine/quarantine.ts";
import { CommandError } from "./errors.ts";
import { type Column, formatRows, type Screen } from "./format.ts";
import type { View } from "./reader.ts";
import { suggestions } from "./suggest.ts";
import { type AskOther, type Query, textOf } from "./verb.ts";

/** What may become of a landed file. */
export const FILE_STATES = ["discovered", "processing", "committed", "archived", "quarantined"] as const;

/** A landed file as `files` shows it. */
export interface FileItem {
  readonly path: string;
  readonly source: string;
  readonly size: number;
  /** Rows used so far, and how many of them went to quarantine. */
  readonly rows: number;
  readonly faults: number;
  readonly state: (typeof FILE_STATES)[number];
  /** Provenance of the next row. */
  readonly position: string;
  /** Why it is in quarantine, waits, or was passed over. */
  readonly error: string | null;
}

/** What the files of a landing source are known by: the JSON text of its positions. */
interface StoredFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly contentId: string;
  readonly etag: string | null;
  readonly state: FileItem["state"];
  readonly rows: number;
  readonly faults: number;
  readonly row: number;
  readonly error: string | null;
}

/** The files that landing sources know, by source and path; at most `limit` of those found. */
export function listFiles(
  { store }: View,
  { source, status }: { readonly source: string | undefined; readonly status: string | undefined },
  limit: number,
): { readonly items: readonly FileItem[]; readonly found: number } {
  const items: FileItem[] = [];
  let found = 0;
  for (const [key, bytes] of store.range("position", source === undefined ? "" : `${source}\0`)) {
    const item = itemOf(key, Buffer.from(bytes).toString());
    if (item === null || (status !== undefined && item.state !== status)) continue;
    found += 1;
    if (items.length < limit) items.push(item);
  }
  const quarantined = quarantinedByOrigin(store);
  return { items: items.map((item) => ({ ...item, faults: Math.max(item.faults, quarantined.get(originOf(item.position)) ?? 0) })), found };
}

/** Content of a file -> its rows that went to quarantine: those of no sound form, which the source knew, and those of no sound meaning, which it did not. */
function quarantinedByOrigin(store: View["store"]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [, bytes] of store.range("quarantine", "")) {
    const { position, status } = decodeQuarantine(bytes);
    if (status === "retried") continue; // It was used after all.
    const origin = originOf(position);
    counts.set(origin, (counts.get(origin) ?? 0) + 1);
  }
  return counts;
}

function originOf(position: string): string {
  return position.slice(0, position.lastIndexOf("/"));
}

/** The answer for people. */
export function filesText(items: readonly FileItem[], screen: Screen | null): string {
  if (items.length === 0) return "no such file\n";
  return formatRows(items, COLUMNS, "table", screen);
}

/** What `files retry` means: which file of which source. Throws NOT_FOUND and USAGE. */
export async function retryArgs(query: Query, ask: AskOther): Promise<CommandArgs> {
  const path = textOf(query, "path") ?? "";
  const given = textOf(query, "source");
  const items = (await ask("files", {
    status: "quarantined",
    limit: "10000",
    ...(given === undefined ? {} : { source: given }),
  })) as readonly FileItem[];
  const meant = items.filter((item) => item.path === path);
  const [item] = meant;
  if (item === undefined) {
    const near = suggestions(
      path,
      items.map((one) => one.path),
    );
    throw new CommandError("NOT_FOUND", `no file ${path} is in quarantine`, {
      hint: "gridactor files --status quarantined",
      candidates: near,
    });
  }
  if (meant.length > 1) {
    const sources = meant.map(({ source }) => source);
    throw new CommandError("USAGE", `${meant.length} sources have a file ${path}`, {
      hint: `--source ${item.source}`,
      candidates: sources,
    });
  }
  return { source: item.source, partition: item.path };
}

/** The file that was asked to be read again, as it stands now. */
export async function retriedFile({ args }: { readonly args: CommandArgs }, ask: AskOther): Promise<FileItem> {
  const items = (await ask("files", { source: String(args["source"]), limit: "10000" })) as readonly FileItem[];
  const item = items.find(({ path }) => path === args["partition"]);
  if (item === undefined) throw new CommandError("NOT_FOUND", `no file ${String(args["partition"])}`);
  return item;
}

const COLUMNS: readonly Column<FileItem>[] = [
  { name: "source", of: (item) => item.source, isWhole: true },
  { name: "path", of: (item) => item.path, isWhole: true },
  { name: "state", of: (item) => item.state, isWhole: true },
  { name: "size", of: (item) => item.size },
  { name: "rows", of: (item) => item.rows },
  { name: "faults", of: (item) => item.faults },
  { name: "error", of: (item) => item.error ?? "-" },
];

/** What the position of a landing source says; null: it is of no file. */
export function fileOf(source: string, text: string): FileItem | null {
  return itemOf(`${source}\0`, text);
}

/** Null: the position is of no file. */
function itemOf(key: string, text: string): FileItem | null {
  if (!text.startsWith('{"path":')) return null;
  const { path, sizeBytes, contentId, etag, state, rows, faults, row, error } = JSON.parse(text) as StoredFile;
  const origin = etag === null ? `file:${contentId}` : `blob:${etag}`;
  return { path, source: key.slice(0, key.indexOf("\0")), size: sizeBytes, rows, faults, state, position: `${origin}/${row}`, error };
}
