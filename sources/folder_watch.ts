import { watch } from "chokidar";

/** Calls `hint` when something may have happened in a folder; returns what ends it. A hint may be missing: whoever needs to know looks. */
export type Watch = (folder: string, hint: () => void) => () => Promise<void>;

/** Hints by the file system. Where it cannot watch (too many folders, say) there are none. */
export const folderWatch: Watch = (folder, hint) => {
  const watcher = watch(folder, { ignoreInitial: true, followSymlinks: false });
  watcher.on("all", hint);
  watcher.on("error", () => {});
  return () => watcher.close();
};
