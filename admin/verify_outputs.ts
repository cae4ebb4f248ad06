import { open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { AlertEvent } from "../engine/emission.ts";
import type { SinkCursor } from "../engine/sink_cursor.ts";
import { alertEvents } from "./alerts.ts";
import type { Config } from "./config_types.ts";
import type { View } from "./reader.ts";
import type { Problem } from "./verify.ts";

/**
 * Checks that the alerts of the log went the way that an alert goes: its revisions follow each other, the first is raised, and what is over or taken back
 * is only amended. An alert whose beginning the log no longer holds is followed from where it does.
 */
export async function episodeProblems(view: View): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  const newest = new Map<string, AlertEvent>();
  const isWhole = view.store.logStart("alerts") <= 1;
  for await (const { event } of alertEvents(view, () => true, view.store.logStart("alerts"))) {
    const { alertId } = event.data;
    const before = newest.get(alertId) ?? null;
    const problem = stepProblem(event, before, isWhole);
    if (problem !== null) problems.push({ code: "episode_path", at: event.id, detail: problem });
    newest.set(alertId, event);
  }
  return problems;
}

function stepProblem(event: AlertEvent, before: AlertEvent | null, isWhole: boolean): string | null {
  const [revision, change] = [revisionOf(event), changeOf(event)];
  if (before === null) return isWhole && (revision !== 1 || change !== "raised") ? `begins as revision ${revision}, ${change}` : null;
  if (revision !== revisionOf(before) + 1) return `follows revision ${revisionOf(before)}`;
  const isOver = before.data.status === "cleared" || before.data.status === "retracted";
  if (isOver && change !== "amended") return `${change} after it was ${before.data.status}`;
  return change === "raised" ? "raised once more" : null;
}

function revisionOf({ id }: AlertEvent): number {
  return Number(id.slice(id.lastIndexOf("/") + 1));
}

function changeOf({ type }: AlertEvent): string {
  return type.split(".")[2] ?? "";
}

type Sinks = Config["sinks"];

/**
 * Checks the files that sinks write against how far the store knows them to be: of a file of lines, that what was settled is there, in whole lines whose
 * numbers rise and are those of the log; of tables, that every entry of their logs is there, and every part that these list, as long as they say.
 */
export async function outputProblems(view: View, sinks: Sinks): Promise<readonly Problem[]> {
  const cursors = new Map(
    [...view.store.range("sink", "")].map(([name, bytes]) => [name, JSON.parse(Buffer.from(bytes).toString()) as SinkCursor]),
  );
  const problems: Problem[] = [];
  for (const sink of sinks) {
    const { settled = 0, mark = null } = cursors.get(sink.name) ?? {};
    if (mark === null) continue; // Nothing was written yet.
    if (sink.type === "jsonl") problems.push(...(await linesProblems(view, sink.path, sink.stream, Number(mark), settled)));
    if (sink.type === "parquet")
      problems.push(...(await tablesProblems(sink.path, JSON.parse(mark) as { entries: Readonly<Record<string, number>> })));
  }
  return problems;
}

async function linesProblems(
  view: View,
  path: string,
  stream: "alerts" | "curated",
  settledBytes: number,
  settled: number,
): Promise<readonly Problem[]> {
  const problem = (detail: string): readonly Problem[] => [{ code: "sink_file", at: path, detail }];
  const sizeBytes = await sizeOf(path);
  if (sizeBytes === null) return problem("is not there");
  if (sizeBytes < settledBytes) return problem(`has ${sizeBytes} bytes of ${settledBytes} that were settled`);
  if (stream !== "alerts") return [];
  const logged: number[] = [];
  for await (const { sequence } of alertEvents(view, () => true, view.store.logStart("alerts")))
    if (sequence <= settled) logged.push(sequence);
  const first = logged[0] ?? settled + 1;
  const written: number[] = [];
  for await (const line of settledLines(path, settledBytes)) {
    const sequence = sequenceOf(line);
    if (sequence === null) return problem(`${written.length + 1} lines of it cannot all be read as events`);
    if (sequence <= (written.at(-1) ?? 0)) return problem(`event ${sequence} stands behind ${written.at(-1)}`);
    written.push(sequence);
  }
  const kept = written.filter((sequence) => sequence >= first);
  const wrong = logged.find((sequence, n) => kept[n] !== sequence) ?? kept[logged.length];
  return wrong === undefined ? [] : problem(`event ${wrong} is in the log or in the file, and not in both`);
}

async function* settledLines(path: string, bytesMax: number): AsyncGenerator<string, void> {
  if (bytesMax === 0) return;
  const file = await open(path);
  try {
    // To the settled length only: a sink that runs may be in the midst of the next line.
    for await (const line of file.readLines({ start: 0, end: bytesMax - 1 })) yield line;
  } finally {
    await file.close();
  }
}

function sequenceOf(line: string): number | null {
  try {
    const { sequence } = JSON.parse(line) as Partial<AlertEvent>;
    return typeof sequence === "string" ? Number(sequence) : null;
  } catch {
    return null; // Said by the caller, with the place.
  }
}

async function tablesProblems(
  folder: string,
  { entries }: { readonly entries: Readonly<Record<string, number>> },
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  for (const [table, count] of Object.entries(entries)) {
    const parts = new Map<string, number>();
    for (let n = 0; n < count; n += 1) {
      const entry = join(folder, table, "_delta_log", `${String(n).padStart(20, "0")}.json`);
      const text = await readFile(entry, "utf8").catch(() => null);
      if (text === null) problems.push({ code: "sink_file", at: entry, detail: "is not there" });
      for (const line of (text ?? "").split("\n").filter((one) => one !== "")) {
        const action = JSON.parse(line) as { add?: { path: string; size: number }; remove?: { path: string } };
        if (action.add !== undefined) parts.set(action.add.path, action.add.size);
        if (action.remove !== undefined) parts.delete(action.remove.path);
      }
    }
    for (const [path, size] of parts) {
      const at = join(folder, table, decodeURIComponent(path));
      const found = await sizeOf(at);
      if (found !== size)
        problems.push({ code: "sink_file", at, detail: found === null ? "is not there" : `has ${found} bytes, listed with ${size}` });
    }
  }
  return problems;
}

/** Bytes of a file; null: there is none. */
async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
