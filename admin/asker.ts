import type { Answer, Query } from "./verb.ts";

/** Answers the questions of `VERBS`, wherever the state is. */
export interface Asker {
  /** Rejects with `CommandError`; with RETRY when the signal fires before the answer. */
  ask(verb: string, query: Query, signal: AbortSignal): Promise<Answer>;
}
