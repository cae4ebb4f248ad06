import type { AuditRow, CommandArgs } from "../engine/command.ts";
import type { RuleTable } from "../engine/rule_table.ts";
import type { Screen } from "./format.ts";
import type { Live } from "./live.ts";
import type { View } from "./reader.ts";
import type { ConfiguredSchemas } from "./schema.ts";
import type { Stop } from "./stop.ts";

/** What a read verb may look at. */
export interface Known {
  readonly view: View;
  /** Ids of all rules. */
  readonly rules: readonly string[];
  /** The same with their limits in force, and whether they are. */
  readonly ruleTable: RuleTable;
  readonly schemas: ConfiguredSchemas;
  /** Partitions that are read no more. Left out: no engine runs. */
  readonly stops?: () => readonly Stop[];
  /** What the running engine knows of itself. Left out: none runs. */
  readonly live?: Live;
}

/** Arguments and options of a question by name, as they are typed; a switch that is given is `true`. */
export type Query = Readonly<Record<string, string | true | readonly string[] | undefined>>;

/** `value`: what `--json` prints. `found`: how many rows there are at least, where the answer holds fewer of them. */
export interface Answer {
  readonly value: unknown;
  readonly found?: number | undefined;
}

/** What a value may be; a list: one of these words. A `switch` has no value. */
export type Takes =
  | "id"
  | "alert"
  | "quarantine"
  | "kind"
  | "rule"
  | "feed"
  | "time"
  | "number"
  | "text"
  | "predicate"
  | "switch"
  | readonly string[];

/** An argument or an option. Its name is camelCase; `flagOf` gives the flag. */
export interface Parameter {
  readonly name: string;
  readonly takes: Takes;
  readonly about: string;
  readonly isRequired?: boolean;
  /** It may be given more than once. */
  readonly isMany?: boolean;
}

/** How a verb is said, the same for command line, REPL and HTTP. */
export interface Spoken {
  /** One word, or two (`quarantine show`). */
  readonly name: string;
  readonly about: string;
  /** Path in the HTTP API; `{name}` is an argument. */
  readonly route: string;
  readonly args: readonly Parameter[];
  readonly options: readonly Parameter[];
  /** It is also meant when only the first of its words is said. */
  readonly isDefault?: boolean;
  /** The answer for people. The value may have been JSON in between. */
  readonly text: (value: unknown, query: Query, screen: Screen | null) => string;
}

/** A question that changes nothing: GET. */
export interface Verb extends Spoken {
  /** Whether the question looks at one thing only, by its key: the engine can then answer it from memory, between two batches. */
  readonly isQuick?: (query: Query) => boolean;
  /** Throws `CommandError`. */
  readonly ask: (known: Known, query: Query) => Answer | Promise<Answer>;
  /** It goes on for a time, and is told piece by piece by whoever can: the running engine is listened to, and does not wait. `ask` is not used. */
  readonly stream?: Stream;
  /** May be asked again and again on the command line, with `--follow`. */
  readonly isFollowed?: true;
}

/** A question whose answer comes in pieces: lines of JSON. `line` is one of them for people. */
export interface Stream {
  readonly pieces: (known: Known, query: Query, signal: AbortSignal) => AsyncIterable<unknown>;
  readonly line: (piece: unknown) => string;
}

/** A verb that changes the state of a running engine: POST. It is a `Command` of the engine, carried out there by the handler of the same name. */
export interface WriteVerb extends Spoken {
  /** What a token must allow. The socket allows everything. */
  readonly role: "operate" | "admin";
  /** What somebody who is asked back should know. */
  readonly warning?: string;
  /** Says exactly what is meant, before anything is changed. Rejects with `CommandError`. */
  readonly prepare: (query: Query, ask: AskOther) => CommandArgs | Promise<CommandArgs>;
  /** What `--json` prints. */
  readonly answer: (row: AuditRow, ask: AskOther, known: Known) => unknown;
}

/** Asks a question of the same engine. */
export type AskOther = (verb: string, query: Query) => Promise<unknown>;

/** What all write verbs also take on the command line and in the REPL; HTTP knows the reason only, as `reason`. */
export const REASON: Parameter = { name: "reasonText", takes: "text", about: "why, for the audit" };
export const YES: Parameter = { name: "yes", takes: "switch", about: "do not ask back" };

/** What a person is asked before something is changed. */
export function askedBack(words: string, warning: string | undefined): string {
  return warning === undefined ? `${words}: go on?` : `${words}: ${warning}. Go on?`;
}

/** Whether a verb changes the state. */
export function isWrite(verb: Verb | WriteVerb): verb is WriteVerb {
  return "role" in verb;
}

/** A verb whose answers are of a type of its own. */
export interface TypedVerb<Value> extends Omit<Verb, "ask" | "text"> {
  readonly ask: (known: Known, query: Query) => TypedAnswer<Value> | Promise<TypedAnswer<Value>>;
  readonly text: (value: Value, query: Query, screen: Screen | null) => string;
}

/** The same for one that changes the state. */
export interface TypedWriteVerb<Value> extends Omit<WriteVerb, "answer" | "text"> {
  readonly answer: (row: AuditRow, ask: AskOther, known: Known) => Value | Promise<Value>;
  readonly text: (value: Value, query: Query, screen: Screen | null) => string;
}

interface TypedAnswer<Value> extends Answer {
  readonly value: Value;
}

/** Lets a verb stand among others. The caller of `text` gives what `ask` has answered. */
export function verb<Value>(typed: TypedVerb<Value>): Verb {
  return { ...typed, text: (value, query, screen) => typed.text(value as Value, query, screen) };
}

/** The same for a write verb. */
export function writeVerb<Value>(typed: TypedWriteVerb<Value>): WriteVerb {
  return { ...typed, text: (value, query, screen) => typed.text(value as Value, query, screen) };
}

/** `asOf` -> `as-of`. */
export function flagOf({ name }: Pick<Parameter, "name">): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The text that was given under a name, if one was. */
export function textOf(query: Query, name: string): string | undefined {
  const value = query[name];
  return typeof value === "string" ? value : undefined;
}

/** All texts that were given under a name. */
export function textsOf(query: Query, name: string): readonly string[] {
  const value = query[name];
  return typeof value === "string" ? [value] : typeof value === "object" ? value : [];
}
