import type { Spoken, Takes, Verb, WriteVerb } from "../verb.ts";
import { SAID } from "../verbs.ts";
import { flagAt, PIPE_WORDS, verbOf, type Word, wordsOf } from "./parse_line.ts";
import { METAS } from "./session.ts";

/** What is completed from beside the grammar. */
export interface CompletionSources {
  readonly kinds: readonly string[];
  readonly rules: readonly string[];
  readonly feeds: readonly string[];
  /** True: names of flags need their dashes, as in a shell. */
  readonly dashedOnly?: boolean;
  /** Words of the state that begin so: ids, alerts, quarantined records, fields (of a kind). It may take its time, and then gives none. */
  readonly stored: (what: "id" | "alert" | "quarantine" | "field", word: string, kind: string | undefined) => Promise<readonly string[]>;
}

/** The words that can stand where a line ends, and the one they take the place of. */
export interface Completed {
  readonly words: readonly string[];
  readonly of: string;
}

const WORDS_MAX = 50;
const TIMES = ["now", "15m", "6h", "7d"];

/** Completes the last word of a line. Letters fit in any case. */
export async function complete(line: string, sources: CompletionSources): Promise<Completed> {
  const of = /[^\s|"']*$/.exec(line)?.[0] ?? "";
  const before = safeWords(line.slice(0, line.length - of.length));
  const lower = of.toLowerCase();
  const words = before === null ? [] : await candidates(before, of, sources);
  return { words: [...new Set(words)].filter((word) => word.toLowerCase().startsWith(lower)).slice(0, WORDS_MAX), of };
}

async function candidates(before: readonly Word[], of: string, sources: CompletionSources): Promise<readonly string[]> {
  const bar = before.findLastIndex(({ text, isQuoted }) => text === "|" && !isQuoted);
  if (bar >= 0) return bar === before.length - 1 ? PIPE_WORDS : [];
  const [first] = before;
  if (first === undefined) return of.startsWith("\\") ? METAS : [...SAID.map(({ name }) => firstWord(name)), "help"];
  if (first.text === "help") return SAID.map(({ name }) => name);
  const seconds = SAID.flatMap(({ name }) => (name.startsWith(`${first.text} `) ? [name.slice(first.text.length + 1)] : []));
  const verb = verbIn(before);
  if (verb === null) return seconds;
  const isWhole = before.length > 1 || seconds.length === 0;
  return [...(isWhole ? [] : seconds), ...(await ofVerb(verb.verb, verb.rest, of, sources))];
}

/** Values of the flag that was said last, or else the next argument and the flags. */
async function ofVerb(verb: Spoken, rest: readonly Word[], of: string, sources: CompletionSources): Promise<readonly string[]> {
  let args = [...verb.args];
  const given = new Map<string, string>();
  let said: readonly string[] = [];
  for (let at = 0; at < rest.length; ) {
    const flag = flagAt(rest, at, verb);
    const { text } = rest[at] as Word;
    if (flag === null) {
      if (args[0] !== undefined) given.set(args[0].name, text);
      args = args.slice(1);
      at += 1;
      continue;
    }
    const { option, length } = flag;
    at += length;
    if (option.isMany !== true) said = [...said, option.name];
    if (option.takes === "switch") continue;
    if (at >= rest.length) return values(option.takes, of, given.get("kind"), sources);
    if (option.takes !== "predicate") at += 1;
    else {
      while (at < rest.length && flagAt(rest, at, verb) === null) at += 1;
      if (at >= rest.length)
        return rest.at(-1)?.text === "and"
          ? values("predicate", of, given.get("kind"), sources)
          : ["and", ...flags(verb, said, of, sources)];
    }
  }
  const [next] = args;
  return [...(next === undefined ? [] : await values(next.takes, of, given.get("kind"), sources)), ...flags(verb, said, of, sources)];
}

async function values(takes: Takes, of: string, kind: string | undefined, sources: CompletionSources): Promise<readonly string[]> {
  switch (takes) {
    case "id":
    case "alert":
    case "quarantine":
      return sources.stored(takes, of, kind);
    case "predicate":
      return sources.stored("field", of, kind);
    case "kind":
      return sources.kinds;
    case "rule":
      return sources.rules;
    case "feed":
      return sources.feeds;
    case "time":
      return TIMES;
    case "number":
    case "text":
    case "switch":
      return [];
  }
  return takes;
}

function flags(verb: Spoken, said: readonly string[], of: string, { dashedOnly = false }: CompletionSources): readonly string[] {
  const open = verb.options.filter(({ name }) => !said.includes(name));
  const dashed = open.map(({ name }) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
  if (dashedOnly && !of.startsWith("-")) return [];
  return of.startsWith("-") ? dashed : dashed.map((flag) => flag.slice(2)).filter((flag) => !flag.includes("-"));
}

function verbIn(words: readonly Word[]): { readonly verb: Verb | WriteVerb; readonly rest: readonly Word[] } | null {
  try {
    return verbOf(words);
  } catch {
    return null;
  }
}

function safeWords(line: string): readonly Word[] | null {
  try {
    return wordsOf(line);
  } catch {
    return null; // Within a quote nothing is known.
  }
}

function firstWord(name: string): string {
  return name.split(" ")[0] ?? name;
}
