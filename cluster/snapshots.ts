import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BadBackup, backUp, restore } from "../engine/backup.ts";
import { hours } from "../engine/duration.ts";
import { openReadOnly } from "../engine/read_only_store.ts";
import { storedOffset } from "./shard.ts";
import { WrongCluster } from "./topics.ts";

/** A finished snapshot of a shard: a backup of its state, behind an offset of the mailbox. */
export interface Snapshot {
  readonly folder: string;
  readonly cluster: string;
  readonly shard: number;
  readonly next: number;
  readonly atMs: number;
  /** Of the state in it. */
  readonly digest: string;
}

const KEPT = 2;
const SNAPSHOT_FILE = "snapshot.json";
const FINISHED = /^\d{16}$/;
const UNFINISHED = /^(draft|swept)-/;
/** An unfinished one of another node is left alone for so long: it may be at it. */
const DRAFT_MS = hours(1);

/** The finished snapshots of a shard, the newest last. Throws `WrongCluster` if one is of another cluster or shard. */
export async function snapshotsOf(folder: string, shard: number, cluster: string): Promise<readonly Snapshot[]> {
  const place = placeOf(folder, shard);
  const names = (await readdir(place).catch(noneIfAbsent)).filter((name) => FINISHED.test(name)).sort();
  const snapshots: Snapshot[] = [];
  for (const name of names) {
    const path = join(place, name);
    const text = await readFile(join(path, SNAPSHOT_FILE), "utf8").catch(() => null);
    if (text === null) throw new WrongCluster(`${path} is no snapshot: ${SNAPSHOT_FILE} is missing; remove it`);
    const snapshot: Snapshot = { ...(JSON.parse(text) as Snapshot), folder: path };
    if (snapshot.cluster !== cluster || snapshot.shard !== shard) {
      throw new WrongCluster(
        `${path} is a snapshot of shard ${snapshot.shard} of the cluster ${snapshot.cluster}, and this is shard ${shard} of ${cluster}`,
      );
    }
    snapshots.push(snapshot);
  }
  return snapshots;
}

/** What a snapshot is made of, and for whom. `node` makes one of a shard at a time. */
export interface SnapshotOf {
  /** The state of the shard. */
  readonly dir: string;
  readonly folder: string;
  readonly shard: number;
  readonly cluster: string;
  readonly node: string;
}

/** Copies the state of a shard, while its engine runs, and removes all but the last two, and what was begun and never finished. */
export async function makeSnapshot({ dir, folder, shard, cluster, node }: SnapshotOf, nowMs: () => number): Promise<Snapshot> {
  const place = placeOf(folder, shard);
  await mkdir(place, { recursive: true, mode: 0o700 });
  const ownDraft = `draft-${encodeURIComponent(node)}@`;
  await sweep(place, (name, changedAtMs) => name.startsWith(ownDraft) || nowMs() - changedAtMs > DRAFT_MS);
  const draft = join(place, `${ownDraft}${randomUUID()}`);
  try {
    const { digest } = await backUp(dir, draft);
    const next = await offsetIn(draft);
    const path = join(place, String(next).padStart(16, "0"));
    const snapshot: Snapshot = { folder: path, cluster, shard, next, atMs: nowMs(), digest };
    await writeFile(join(draft, SNAPSHOT_FILE), `${JSON.stringify(snapshot, null, 2)}\n`, { mode: 0o600 });
    await rm(path, { recursive: true, force: true }); // The same state, from before.
    await rename(draft, path);
    for (const { folder: old } of (await snapshotsOf(folder, shard, cluster)).slice(0, -KEPT)) await rm(old, { recursive: true });
    return snapshot;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Removes what processes that died in a snapshot have left. Renamed first: nobody can finish what is half removed. */
async function sweep(place: string, isDead: (name: string, changedAtMs: number) => boolean): Promise<void> {
  for (const name of (await readdir(place)).filter((one) => UNFINISHED.test(one))) {
    const found = await stat(join(place, name)).catch(noneIfAbsent);
    if (!("mtimeMs" in found) || !isDead(name, found.mtimeMs)) continue;
    const swept = join(place, `swept-${randomUUID()}`);
    await rename(join(place, name), swept).catch(noneIfAbsent);
    await rm(swept, { recursive: true, force: true });
  }
}

/** Puts a snapshot where the state of the shard is to be. Throws `WrongCluster` if it is damaged. */
export async function restoreSnapshot({ folder }: Snapshot, dir: string): Promise<void> {
  await restore(folder, dir, true).catch((error: unknown) => {
    if (!(error instanceof BadBackup)) throw error;
    throw new WrongCluster(
      `the snapshot ${folder} is damaged: ${error.message}; remove it: the one before takes its place, or the mailbox`,
    );
  });
}

/** The offset behind what the state in a directory has taken. */
export async function offsetIn(dir: string): Promise<number> {
  const store = await openReadOnly(dir, () => {});
  try {
    return storedOffset(store);
  } finally {
    await store.close();
  }
}

function placeOf(folder: string, shard: number): string {
  return join(folder, `shard-${String(shard).padStart(2, "0")}`);
}

function noneIfAbsent(error: NodeJS.ErrnoException): readonly string[] {
  if (error.code === "ENOENT") return [];
  throw error;
}
