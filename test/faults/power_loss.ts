import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Seeded } from "../kit/seeded.ts";
import type { Change, DiskHistory } from "./disk_history.ts";

/** What became of writes that no sync had covered: none is there, some are, or some are and one of those is torn between sectors. */
export type Loss = "dropped" | "some" | "torn";

const SECTOR_BYTES = 512;

/** Builds in `into` what a directory may hold after the power was lost at `atUs`. Names that were not synced are there in order, up to any one. */
export function imageOf(history: DiskHistory, atUs: number, loss: Loss, chance: Seeded, into: string): void {
  mkdirSync(into, { recursive: true });
  for (const [path, file] of namesAt(history, atUs, loss, chance)) {
    const name = basename(path);
    if (name.includes("lock")) continue; // Of a process that is gone.
    writeFileSync(join(into, name), contentAt(history.changes.get(file) ?? [], atUs, loss, chance));
  }
}

function namesAt({ namings }: DiskHistory, atUs: number, loss: Loss, chance: Seeded): ReadonlyMap<string, number> {
  const begun = namings.filter(({ beganUs }) => beganUs < atUs);
  const open = begun.filter(({ durableUs }) => durableUs > atUs);
  const kept = loss === "dropped" ? 0 : chance.below(open.length + 1);
  const lost = new Set(open.slice(kept));
  const names = new Map<string, number>();
  for (const naming of begun) {
    if (lost.has(naming)) continue;
    if (naming.file === null) names.delete(naming.path);
    else {
      for (const [path, file] of names) if (file === naming.file) names.delete(path);
      names.set(naming.path, naming.file);
    }
  }
  return names;
}

function contentAt(changes: readonly Change[], atUs: number, loss: Loss, chance: Seeded): Buffer {
  let content = Buffer.alloc(0);
  for (const { beganUs, durableUs, bytes, at } of changes) {
    if (beganUs >= atUs) break;
    const isDurable = durableUs <= atUs;
    if (!isDurable && (loss === "dropped" || chance.chance(50))) continue;
    if (bytes === null) {
      content = at <= content.length ? content.subarray(0, at) : Buffer.concat([content, Buffer.alloc(at - content.length)]);
      continue;
    }
    const isTorn = !isDurable && loss === "torn" && chance.chance(50);
    const part = isTorn ? bytes.subarray(0, SECTOR_BYTES * chance.below(Math.ceil(bytes.length / SECTOR_BYTES) + 1)) : bytes;
    if (at + part.length > content.length) content = Buffer.concat([content, Buffer.alloc(at + part.length - content.length)]);
    content = Buffer.from(content);
    part.copy(content, at);
  }
  return content;
}
