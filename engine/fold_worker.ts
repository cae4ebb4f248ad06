import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { DamagedStore } from "./damaged_store.ts";
import { type Images, sealedImages } from "./journal.ts";
import { readSegments } from "./segment_file.ts";
import { startThread } from "./thread.ts";

/**
 * Prepares a journal segment for its fold in a thread of its own: reading, checking, ordering and sealing half a million images takes a second,
 * for which the loop must not stand still. Throws `DamagedStore`.
 */
export async function prepareFold(dir: string, name: string, committedBytes: number): Promise<Images> {
  const task: Task = { isFold: true, dir, name, committedBytes };
  const worker = startThread(import.meta.url, task);
  const outcome = await new Promise<Outcome>((resolve, reject) => {
    worker.on("message", resolve);
    worker.on("error", reject);
    worker.on("exit", () => reject(new Error("the thread that prepares a fold ended without a word")));
  });
  if ("damage" in outcome) throw new DamagedStore(outcome.damage);
  const { journal, ...places } = outcome;
  return { journal: Buffer.from(journal.buffer), ...places };
}

interface Task {
  readonly isFold: true;
  readonly dir: string;
  readonly name: string;
  readonly committedBytes: number;
}

/** An Error would arrive without its class, and a Buffer as plain bytes. */
type Outcome = { readonly damage: string } | (Omit<Images, "journal"> & { readonly journal: Uint8Array });

// This file is its own worker, whose name is then right in the sources and in what is built of them.
if (!isMainThread && isTask(workerData)) parentPort?.postMessage(...prepare(workerData));

function isTask(data: unknown): data is Task {
  return data instanceof Object && "isFold" in data;
}

function prepare({ dir, name, committedBytes }: Task): [Outcome, ArrayBuffer[]] {
  try {
    const images = sealedImages(readSegments(dir, [[name, committedBytes]]));
    const { journal, ids, hots, warms } = images;
    return [images, [journal, ids, hots, warms].map(({ buffer }) => buffer as ArrayBuffer)];
  } catch (error) {
    if (error instanceof DamagedStore) return [{ damage: error.message }, []];
    throw error;
  }
}
