import type { Rule } from "../../engine/rule.ts";
import type { Seen, Test } from "./test.ts";

/** For each rule, the comparisons that it makes, from the evidence of an alert alone. */
export type ExplanationsOf<Declared extends Rule> = {
  readonly [Id in Declared["id"]]: (seen: Seen<Readonly<Record<keyof Extract<Declared, { id: Id }>["limits"], number>>>) => readonly Test[];
};
