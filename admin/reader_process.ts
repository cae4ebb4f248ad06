import { setPriority } from "node:os";
import { asCommandError, type ErrorCode } from "./errors.ts";
import { type StateConfig, withState } from "./state_view.ts";
import type { Answer, Query } from "./verb.ts";
import { verbNamed } from "./verbs.ts";

// Runs as a process of its own, started by `readers.ts`: it asks a state directory that the engine goes on writing. What takes long here, or
// needs much memory, costs the engine nothing but a share of the machine, and a small one.

/** One question, and the state that it is about. */
export interface Asked {
  readonly config: StateConfig;
  readonly verb: string;
  readonly query: Query;
}

/** How it ended. */
export type Answered =
  | { readonly answer: Answer }
  | {
      readonly error: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly hint: string | null;
        readonly candidates: readonly string[];
      };
    };

const PRIORITY = 5; // The engine goes first.

async function answered({ config, verb, query }: Asked): Promise<Answered> {
  try {
    return { answer: await withState(config, (known) => verbNamed(verb).ask(known, query)) };
  } catch (error) {
    const { code, message, hint, candidates } = asCommandError(error);
    return { error: { code, message, hint, candidates } };
  }
}

if (process.send !== undefined) {
  setPriority(PRIORITY);
  process.on("message", (asked: Asked) => void answered(asked).then((answer) => process.send?.(answer)));
  process.on("disconnect", () => process.exit(0)); // The engine is gone.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {}); // Ctrl-C reaches the whole group; the engine decides.
  process.send("ready");
}
