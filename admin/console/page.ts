import type { Caller } from "../http/access.ts";
import type { Metrics } from "../metrics.ts";
import type { Answer, Query } from "../verb.ts";
import type { Html } from "./html.ts";

/** What a page is made from: the verbs of the API, and nothing else of the state. */
export interface PageContext {
  /** Asks a read verb. Rejects with `CommandError`. */
  readonly ask: (verb: string, query?: Query) => Promise<Answer>;
  readonly caller: Caller;
  /** The address without its query, as it was asked for. */
  readonly path: string;
  readonly search: string;
  readonly facts: ConsoleFacts;
  /** Whether a part of the page, by its id, is wanted: a page that is open asks for what it refreshes only. */
  readonly wants: (part: string) => boolean;
}

/** What pages also show, beside answers of verbs. */
export interface ConsoleFacts {
  readonly version: string;
  /** The configuration for eyes. */
  readonly shownConfig: unknown;
  /** Key path -> where its value comes from; what is not named is a default. */
  readonly origins: Readonly<Record<string, string>>;
  readonly metrics: Pick<Metrics, "text">;
  /** Epoch ms, of the wall. */
  readonly nowMs: () => number;
}

/** One page, before the frame that all have is put around it. */
export interface Page {
  readonly title: string;
  /** Which entry of the navigation is meant. */
  readonly at: PageName | null;
  readonly body: Html;
  readonly status?: number;
}

export type PageName = "overview" | "grid" | "alerts" | "pipeline" | "quarantine" | "about";
