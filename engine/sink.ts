import type { Emission } from "./emission.ts";
import type { Mark } from "./ids.ts";

/** A consumer of the log. It does not decide, count or retry: `drain.ts` does. */
export interface Sink {
  readonly name: string;
  /**
   * Takes emissions in sequence. Resolving means durable, and the mark is what it needs to resume. It may be called again with exactly the same
   * emissions (after a crash, or after it threw) and must then leave the same result as once. Throws `Unavailable`.
   */
  write(emissions: readonly Emission[]): Promise<Mark>;
  close(): Promise<void>;
}

/** The streams of the log, each with segment files of its own. */
export type Stream = "alerts" | "curated";
