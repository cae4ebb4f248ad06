import type { Asker } from "./asker.ts";
import type { CompletionSources } from "./repl/completer.ts";
import { COMPLETE } from "./verbs.ts";

/** How long a key press waits for words of the state. */
const COMPLETE_WITHIN_MS = 100;

/** Words of a state for completion, from whoever answers for it; none if nobody does in time. */
export function storedWords(asker: () => Asker | null): CompletionSources["stored"] {
  return async (what, word, kind) => {
    const late = AbortSignal.timeout(COMPLETE_WITHIN_MS);
    const query = { what, word, ...(kind === undefined ? {} : { kind }) };
    const none = new Promise<readonly string[]>((resolve) => late.addEventListener("abort", () => resolve([]), { once: true }));
    const asked = asker()?.ask(COMPLETE.name, query, late) ?? Promise.resolve({ value: [] });
    return Promise.race([asked.then(({ value }) => value as readonly string[]).catch(() => []), none]);
  };
}
