import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "./errors.ts";

/** What was injected into one record, or changed of one actor. */
export interface TruthLabel {
  readonly id: string;
  readonly label: string;
  /** Of a change: the columns that differ; null where the label does not say. */
  readonly columns: readonly string[] | null;
}

/** Labels a set may have. */
export interface TruthSet {
  readonly set: string;
  readonly labels: readonly string[];
}

/**
 * Reads the labels of the sets that are asked for from `<folder>/<set>.jsonl`. Strict, because a label that is not understood would be a record
 * that nobody misses: throws NOT_FOUND for a folder or file that cannot be read, a line that is no label, a label that the set does not know, a
 * label given twice, and a file of a set that nothing is known about. `known`: all sets that there may be.
 */
export async function readTruth(
  folder: string,
  wanted: readonly TruthSet[],
  known: readonly string[],
): Promise<ReadonlyMap<string, readonly TruthLabel[]>> {
  await checkFiles(folder, known);
  const read = wanted.map(async ({ set, labels }) => [set, await readSet(join(folder, `${set}.jsonl`), labels)] as const);
  return new Map(await Promise.all(read));
}

async function checkFiles(folder: string, known: readonly string[]): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw unreadable(folder, error instanceof Error ? error.message : String(error));
  });
  const strange = names.find((name) => name.endsWith(".jsonl") && !known.includes(name.slice(0, -".jsonl".length)));
  if (strange !== undefined) throw unreadable(join(folder, strange), "labels of a set that cannot be scored");
}

async function readSet(path: string, labels: readonly string[]): Promise<readonly TruthLabel[]> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw unreadable(path, error instanceof Error ? error.message : String(error));
  });
  const lines = decoded(path, bytes).split("\n");
  if (lines.at(-1) === "") lines.pop();
  const seen = new Set<string>();
  return lines.map((line, n) => {
    const at = `${path}:${n + 1}`;
    const label = parseLabel(line, at);
    if (!labels.includes(label.label))
      throw unreadable(at, `"${label.label}" is none of its labels (${labels.join(", ") || "it has none"})`);
    const key = JSON.stringify([label.id, label.label]);
    if (seen.has(key)) throw unreadable(at, "the same label was given before");
    seen.add(key);
    return label;
  });
}

function decoded(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw unreadable(path, "not UTF-8");
  }
}

function parseLabel(line: string, at: string): TruthLabel {
  const value = parsed(line, at);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw unreadable(at, "not an object");
  const { id, label, columns = null, ...rest } = value as Readonly<Record<string, unknown>>;
  const [strange] = Object.keys(rest);
  if (strange !== undefined) throw unreadable(at, `unknown key "${strange}"`);
  if (typeof id !== "string" || id === "" || typeof label !== "string") throw unreadable(at, "id and label must be text");
  if (columns !== null && !isTexts(columns)) throw unreadable(at, "columns must be a list of names");
  return { id, label, columns };
}

function parsed(line: string, at: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw unreadable(at, "not JSON");
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function unreadable(at: string, why: string): CommandError {
  return new CommandError("NOT_FOUND", `the truth cannot be read: ${at}: ${why}`, {
    hint: "gridactor generate writes data_sources/truth together with the data",
  });
}
