import { chmodSync, lstatSync, rmSync, statSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import { CommandError } from "../errors.ts";

/** Where a daemon on this state directory is asked. */
export function socketPath(stateDir: string): string {
  return join(stateDir, "admin.sock");
}

const PRIVATE = 0o600;
const OTHERS_WRITE = 0o022;

/**
 * Listens on `admin.sock` of a state directory that this process has locked. Only its owner can open it: the file is the credential. Rejects with
 * CONFIG if others can write the directory, or something else is in the socket's place.
 */
export async function bindSocket(server: Server, stateDir: string): Promise<{ readonly server: Server; readonly path: string }> {
  const path = socketPath(stateDir);
  if ((statSync(stateDir).mode & OTHERS_WRITE) !== 0) {
    throw new CommandError("CONFIG", `others can write ${stateDir}`, { hint: `chmod go-w ${stateDir}` });
  }
  removeStale(path);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(unbound(path, error)));
    const before = process.umask(0o177); // The socket is private from its first moment on.
    try {
      server.listen(path, resolve);
    } finally {
      process.umask(before);
    }
  });
  chmodSync(path, PRIVATE);
  return { server, path };
}

/** The socket of a daemon that has died. */
function removeStale(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket() || found.uid !== process.getuid?.()) {
    throw new CommandError("CONFIG", `${path} is no socket of ours`, { hint: "move it away" });
  }
  rmSync(path);
}

function unbound(path: string, error: NodeJS.ErrnoException): CommandError {
  return new CommandError("CONFIG", `cannot listen on ${path}: ${error.code}`, {
    hint: "give a --state with a shorter path",
    cause: error,
  });
}
