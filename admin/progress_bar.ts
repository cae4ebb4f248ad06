import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { seconds } from "../engine/duration.ts";
import type { StoredBatch } from "../engine/engine.ts";
import type { LandingConfig } from "./config_types.ts";
import { fileOf } from "./files.ts";
import { grouped } from "./format.ts";
import { globsMeet, literal, parseGlob } from "./glob.ts";
import { spanText } from "./time.ts";

/** Where progress is shown. */
export interface ProgressOptions {
  /** `drain`, `export`, … */
  readonly what: string;
  /** A terminal: a bar in its last line. Null: a line now and then. */
  readonly screen: { readonly write: (text: string) => void; readonly columns: number } | null;
  readonly line: (text: string) => void;
  readonly nowMs: () => number;
}

/** Progress of long work, for people. */
export interface ProgressBar {
  /** `rows` more are done; `share` of all work is done by now, 0 to 1, null: unknown. */
  step(rows: number, share: number | null): void;
  /** Takes the bar away. */
  end(): void;
}

const DRAWN_EVERY_MS = 100;
const SAID_EVERY_MS = seconds(10);
const BAR_WIDTH = 24;

/** A bar with rows, rows a second and the time that is left; without a terminal a line every 10 s. Work that is done sooner than either says nothing. */
export function progressBar({ what, screen, line, nowMs }: ProgressOptions): ProgressBar {
  const beganMs = nowMs();
  let rows = 0;
  let saidMs = beganMs;
  let isDrawn = false;
  return {
    step(more, share) {
      rows += more;
      const now = nowMs();
      if (now - saidMs < (screen === null ? SAID_EVERY_MS : DRAWN_EVERY_MS)) return;
      saidMs = now;
      const text = progressText(what, rows, share, now - beganMs);
      if (screen === null) return line(text);
      isDrawn = true;
      screen.write(`\r\u001b[2K${`${bar(share)}${text}`.slice(0, Math.max(0, screen.columns - 1))}`);
    },
    end() {
      if (isDrawn) screen?.write("\r\u001b[2K");
      isDrawn = false;
    },
  };
}

/** `drain 62 % · 1 234 567 rows · 45 678 rows/s · 12 s left`. */
export function progressText(what: string, rows: number, share: number | null, tookMs: number): string {
  const perSecond = tookMs <= 0 ? 0 : Math.round((rows * 1_000) / tookMs);
  const left = share === null || share <= 0 || share >= 1 ? null : (tookMs * (1 - share)) / share;
  return [
    share === null ? what : `${what} ${Math.floor(share * 100)} %`,
    `${grouped(rows)} rows`,
    `${grouped(perSecond)} rows/s`,
    ...(left === null ? [] : [`${spanText(Math.ceil(left / 1_000) * 1_000)} left`]),
  ].join(" · ");
}

function bar(share: number | null): string {
  if (share === null) return "";
  const full = Math.round(Math.min(1, share) * BAR_WIDTH);
  return `[${"#".repeat(full)}${".".repeat(BAR_WIDTH - full)}] `;
}

type Landing = Pick<LandingConfig, "type" | "location" | "include">;

/** How much of the files in landing folders is stored: told of each batch, it answers with the share, by their sizes; null where a size is not known. */
export async function landedShare(sources: readonly Landing[]): Promise<(batch: StoredBatch) => number | null> {
  let totalBytes = 0;
  let isKnown = true;
  for (const { location, include } of sources) {
    if (location.type === "folder") totalBytes += await matchingBytes(location.path, include);
    else isKnown = false;
  }
  let doneBytes = 0;
  const underWay = new Map<string, number>(); // A source reads one file after another.
  return ({ source, resumeAt }) => {
    for (const [path, text] of resumeAt) {
      const file = fileOf(source, text);
      if (file === null) continue;
      const key = `${source}\0${path}`;
      const bytes = file.state === "processing" ? Number((JSON.parse(text) as { readonly offset?: number }).offset ?? 0) : file.size;
      doneBytes += file.state === "discovered" ? 0 : bytes - (underWay.get(key) ?? 0);
      if (file.state === "processing") underWay.set(key, bytes);
      else underWay.delete(key);
    }
    return isKnown && totalBytes > 0 ? Math.min(1, doneBytes / totalBytes) : null;
  };
}

async function matchingBytes(folder: string, include: readonly string[]): Promise<number> {
  const globs = include.map(parseGlob).filter((glob) => typeof glob !== "string");
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const wanted = names.filter((name) => globs.some((glob) => globsMeet(glob, literal(name.replaceAll("\\", "/")))));
  const sizes = await Promise.all(
    wanted.map((name) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
