import { lockHolder } from "../engine/directory_lock.ts";
import type { Asker } from "./asker.ts";
import { socketPath } from "./http/socket_file.ts";
import { NoDaemon, socketAsker } from "./socket_asker.ts";
import { type StateConfig, withState } from "./state_view.ts";
import { verbNamed } from "./verbs.ts";

/** Whether a process runs on a state directory. */
export function isRunning({ stateDir }: Pick<StateConfig, "stateDir">): boolean {
  return lockHolder(stateDir) !== null;
}

/** Asks a state directory: the daemon on it, or where none answers, its files. */
export function stateAsker(config: StateConfig): Asker {
  const daemon = socketAsker(socketPath(config.stateDir));
  const files = fileAsker(config);
  return {
    async ask(name, query, signal) {
      if (!isRunning(config)) return files.ask(name, query, signal);
      try {
        return await daemon.ask(name, query, signal);
      } catch (error) {
        if (!(error instanceof NoDaemon)) throw error;
        return files.ask(name, query, signal); // A drain listens nowhere.
      }
    },
  };
}

/** Asks the files of a state directory, also beside a daemon. It may take long: it holds up nobody else. */
export function fileAsker(config: StateConfig): Asker {
  return { ask: (name, query) => withState(config, (known) => verbNamed(name).ask(known, query)) };
}
