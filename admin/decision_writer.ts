import type { Config } from "./config_types.ts";
import { CommandError } from "./errors.ts";
import { socketPath } from "./http/socket_file.ts";
import type { Decision } from "./schema_decision.ts";
import { socketWriter } from "./socket_asker.ts";
import type { Query } from "./verb.ts";
import type { Writer } from "./writer.ts";

/** Decisions on columns: by the daemon on the state, or where none answers, by `decide` on the state itself. */
export function decisionWriter(config: Config, decide: (config: Config, verb: string, query: Query) => Promise<Decision>): Writer {
  const daemon = socketWriter(socketPath(config.stateDir));
  return {
    async write(name, query, author, signal) {
      try {
        return await daemon.write(name, query, author, signal);
      } catch (error) {
        if (!(error instanceof CommandError) || error.code !== "UNREACHABLE") throw error;
        return { value: await decide(config, name, query) };
      }
    },
  };
}
