import { mkdir, open, rename } from "node:fs/promises";
import { dirname } from "node:path";

/** Takes a line; the newline is added by the file. Await it: it returns when there is room for more. */
export type TakeLine = (text: string) => Promise<void>;

/**
 * Writes a text file line by line, in memory of a fixed size, and makes its folder if need be. The file has its name only once it is
 * complete, so that nobody reads half of it; until then its name ends in `.tmp`, which landing zones skip.
 */
export async function writeTextFile<Result>(path: string, write: (line: TakeLine) => Promise<Result>): Promise<Result> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryName(path);
  const file = await open(temporary, "w");
  let pending = "";
  const flush = async (): Promise<void> => {
    await file.writeFile(pending);
    pending = "";
  };
  try {
    const result = await write(async (text) => {
      pending += `${text}\n`;
      if (pending.length >= PENDING_CHARS_MAX) await flush();
    });
    await flush();
    await file.close();
    await rename(temporary, path);
    return result;
  } finally {
    await file.close(); // Twice is harmless.
  }
}

/** The name a file has until it is complete. */
export function temporaryName(path: string): string {
  return `${path}.tmp`;
}

const PENDING_CHARS_MAX = 1 << 20;
