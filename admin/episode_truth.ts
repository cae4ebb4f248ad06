import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { EPISODE_LABELS } from "../actors/labels.ts";
import { type ActorId, actorIdFrom } from "../engine/ids.ts";
import { CommandError } from "./errors.ts";
import { isoMs } from "./time.ts";

/** What happened to an actor over a time; `label` null: nothing did. Epoch ms, both included. */
export interface EpisodeTruth {
  readonly actor: ActorId;
  readonly label: string | null;
  readonly fromMs: number;
  readonly toMs: number;
}

/** The set whose labels are of times, not of records. */
export const EPISODES = "episodes";

/**
 * Reads `<folder>/episodes.jsonl`; nothing where there is no such file. Strict: throws NOT_FOUND for a line that is none, an unknown label, and a time that ends
 * before it begins.
 */
export async function readEpisodes(folder: string): Promise<readonly EpisodeTruth[]> {
  const path = join(folder, `${EPISODES}.jsonl`);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw unreadable(path, error instanceof Error ? error.message : String(error));
  });
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line, n) => parsedLine(line, `${path}:${n + 1}`));
}

function parsedLine(line: string, at: string): EpisodeTruth {
  const value = parsed(line, at);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw unreadable(at, "not an object");
  const { actor, label, clean, from, to, ...rest } = value as Readonly<Record<string, unknown>>;
  const [strange] = Object.keys(rest);
  if (strange !== undefined) throw unreadable(at, `unknown key "${strange}"`);
  if (typeof actor !== "string" || !/^[a-z]+\/./.test(actor)) throw unreadable(at, "actor must be an id like meter/SM-N-00042");
  const isClean = Array.isArray(clean) && clean.length === 2;
  if (isClean === (label !== undefined)) throw unreadable(at, "one of label and clean must be given");
  if (!isClean && (typeof label !== "string" || EPISODE_LABELS[label] === undefined))
    throw unreadable(at, `"${String(label)}" is no label of episodes (${Object.keys(EPISODE_LABELS).join(", ")})`);
  const [begin, end] = isClean ? (clean as readonly unknown[]) : [from, to];
  const [fromMs, toMs] = [timeOf(begin, at), timeOf(end, at)];
  if (toMs < fromMs) throw unreadable(at, "it ends before it begins");
  return { actor: actorIdFrom(actor), label: typeof label === "string" ? label : null, fromMs, toMs };
}

function timeOf(value: unknown, at: string): number {
  const ms = typeof value === "string" ? isoMs(value) : null;
  if (ms === null) throw unreadable(at, "times must be given as in 2025-06-15T00:00:00Z");
  return ms;
}

function parsed(line: string, at: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw unreadable(at, "not JSON");
  }
}

function unreadable(at: string, why: string): CommandError {
  return new CommandError("NOT_FOUND", `the truth cannot be read: ${at}: ${why}`, {
    hint: "gridactor generate --inject writes truth/episodes.jsonl together with the data",
  });
}
