import { CommandError } from "../errors.ts";
import { nearest } from "../suggest.ts";
import { flagOf, type Parameter, type Query, type Spoken, type Verb, type WriteVerb } from "../verb.ts";
import { SAID } from "../verbs.ts";

/** A line taken apart: a question, and what its answer is sent through. */
export interface Line {
  readonly verb: Verb | WriteVerb;
  readonly query: Query;
  readonly pipes: readonly Pipe[];
}

export type Pipe =
  | { readonly type: "format"; readonly format: (typeof PIPED_FORMATS)[number] }
  | { readonly type: "count" }
  | { readonly type: "head"; readonly rows: number }
  | { readonly type: "grep"; readonly text: string }
  | { readonly type: "file"; readonly path: string };

export const PIPED_FORMATS = ["json", "jsonl", "csv", "md", "table", "line"] as const;
export const PIPE_WORDS: readonly string[] = [...PIPED_FORMATS, "count", "head", "grep", ">"];

/** A word of a line. One in quotes stands for itself: it is no flag, no `and`, no bar. */
export interface Word {
  readonly text: string;
  readonly isQuoted: boolean;
}

/** Takes a line apart: `verb word* option* ("|" pipe)*`. Throws USAGE that says which word is wrong, with the nearest one that is not. */
export function parseLine(line: string): Line {
  const [question = [], ...pipes] = splitAt(wordsOf(line), ({ text, isQuoted }) => text === "|" && !isQuoted);
  const { verb, rest } = verbOf(question);
  return { verb, query: queryOf(verb, rest), pipes: pipes.map(pipeOf) };
}

/** The words of a line. `'…'` and `"…"` keep spaces; a bar outside of them is a word by itself. Throws USAGE for a quote without its end. */
export function wordsOf(line: string): readonly Word[] {
  const words: Word[] = [];
  const pattern = /\s*(?:"([^"]*)"|'([^']*)'|(\|)|([^\s|"']+))/gy;
  let at = 0;
  for (let match = pattern.exec(line); match !== null; match = pattern.exec(line)) {
    at = pattern.lastIndex;
    const [, double, single, bar, plain] = match;
    words.push({ text: double ?? single ?? bar ?? plain ?? "", isQuoted: double !== undefined || single !== undefined });
  }
  if (line.slice(at).trim() !== "") throw new CommandError("USAGE", "a quote has no end", { hint: `put ' or " behind the text` });
  return words;
}

/** The verb that words begin with: two of them, one, or the first word of one that may be left half said. */
export function verbOf(words: readonly Word[]): { readonly verb: Verb | WriteVerb; readonly rest: readonly Word[] } {
  const [first = "", second = ""] = words.map(({ text }) => text.toLowerCase());
  const pair = SAID.find(({ name }) => name === `${first} ${second}`);
  if (pair !== undefined) return { verb: pair, rest: words.slice(2) };
  const single = SAID.find(({ name, isDefault }) => name === first || (isDefault === true && name.startsWith(`${first} `)));
  if (single !== undefined) return { verb: single, rest: words.slice(1) };
  const known = [...new Set(SAID.map(({ name }) => name.split(" ")[0] ?? name)), "help"];
  const near = nearest(first, known);
  throw new CommandError("USAGE", `unknown verb "${first}"`, { hint: "help", candidates: near === null ? [] : [near] });
}

/** How many words from `at` on name an option, dashes left out or not, and which; null: they name none. */
export function flagAt(words: readonly Word[], at: number, verb: Spoken): { readonly option: Parameter; readonly length: number } | null {
  for (const option of verb.options) {
    const parts = flagOf(option).split("-");
    const said = words.slice(at, at + parts.length);
    const isSaid = said.length === parts.length && said.every(({ text, isQuoted }, n) => !isQuoted && text.toLowerCase() === parts[n]);
    if (isSaid) return { option, length: parts.length };
    const word = words[at];
    if (word?.isQuoted === false && word.text.toLowerCase() === `--${flagOf(option)}`) return { option, length: 1 };
  }
  return null;
}

function queryOf(verb: Spoken, given: readonly Word[]): Query {
  const words = given.flatMap(withoutEquals);
  const query: Record<string, string | true | readonly string[]> = {};
  const open = [...verb.args];
  for (let at = 0; at < words.length; ) {
    const flag = flagAt(words, at, verb);
    if (flag !== null) {
      at += flag.length;
      const { option } = flag;
      if (Object.hasOwn(query, option.name) && option.isMany !== true) throw new CommandError("USAGE", `${flagOf(option)} is said twice`);
      const end = endOfValue(words, at, option, verb);
      query[option.name] = givenValue(option, words.slice(at, end), query[option.name]);
      at = end;
      continue;
    }
    const { text, isQuoted } = words[at] as Word;
    if (text.startsWith("--") && !isQuoted) throw unknownFlag(verb, text);
    const arg = open.shift();
    if (arg === undefined) throw unknownFlag(verb, text);
    query[arg.name] = text;
    at += 1;
  }
  const missing = open.find(({ isRequired }) => isRequired === true);
  if (missing !== undefined) throw new CommandError("USAGE", `${verb.name}: ${missing.name} is missing`, { hint: usageOf(verb) });
  return query;
}

/** Conditions go on to the next flag; all other values are one word, and a switch has none. */
function endOfValue(words: readonly Word[], from: number, { takes }: Parameter, verb: Spoken): number {
  if (takes === "switch") return from;
  if (takes !== "predicate") return Math.min(from + 1, words.length);
  let end = from;
  while (end < words.length && (end === from || flagAt(words, end, verb) === null)) end += 1;
  return end;
}

function givenValue(
  option: Parameter,
  words: readonly Word[],
  before: string | true | readonly string[] | undefined,
): string | true | readonly string[] {
  if (option.takes === "switch") return true;
  if (words.length === 0) throw new CommandError("USAGE", `${flagOf(option)}: a value is missing`, { hint: option.about });
  const earlier = typeof before === "object" ? before : [];
  if (option.takes !== "predicate") return option.isMany === true ? [...earlier, words[0]?.text ?? ""] : (words[0]?.text ?? "");
  const predicates = splitAt(words, ({ text, isQuoted }) => text.toLowerCase() === "and" && !isQuoted);
  return [
    ...earlier,
    ...predicates.map((part) => part.map(({ text, isQuoted }) => (isQuoted && part.length > 1 ? `"${text}"` : text)).join(" ")),
  ];
}

/** `--flag=value` as two words. */
function withoutEquals(word: Word): readonly Word[] {
  const [, flag, value] = /^(--[a-z-]+)=(.*)$/s.exec(word.isQuoted ? "" : word.text) ?? [];
  if (flag === undefined || value === undefined) return [word];
  return [
    { text: flag, isQuoted: false },
    { text: value, isQuoted: true },
  ];
}

function pipeOf(words: readonly Word[]): Pipe {
  const [first = "", ...rest] = words.map(({ text }) => text);
  const isRedirected = first.startsWith(">") && first.length > 1;
  const word = isRedirected ? ">" : first.toLowerCase();
  const argument = isRedirected ? [first.slice(1), ...rest].join(" ") : rest.join(" ");
  const format = PIPED_FORMATS.find((one) => one === word);
  if (format !== undefined && argument === "") return { type: "format", format };
  if (word === "count" && argument === "") return { type: "count" };
  if (word === "head" && /^\d{0,9}$/.test(argument)) return { type: "head", rows: argument === "" ? HEAD_ROWS : Number(argument) };
  if (word === "grep" && argument !== "") return { type: "grep", text: argument };
  if (word === ">" && argument !== "") return { type: "file", path: argument };
  const near = nearest(word, PIPE_WORDS);
  throw new CommandError("USAGE", `"${[first, ...rest].join(" ")}" is nothing to send an answer through`, {
    hint: `| ${PIPED_FORMATS.join(" | ")} | count | head N | grep TEXT | > FILE`,
    candidates: near === null || near === word ? [] : [near],
  });
}

const HEAD_ROWS = 10;

/** `history ID [--known-at TIME] [--all] [--limit NUMBER]` */
export function usageOf({ name, args, options }: Spoken): string {
  const argsText = args.map((arg) => (arg.isRequired === true ? arg.name.toUpperCase() : `[${arg.name.toUpperCase()}]`));
  const optionsText = options.map((option) => `[--${flagOf(option)}${option.takes === "switch" ? "" : ` ${takesText(option)}`}]`);
  return [name, ...argsText, ...optionsText].join(" ");
}

function takesText({ takes }: Parameter): string {
  return typeof takes === "string" ? takes.toUpperCase() : takes.join("|");
}

function unknownFlag(verb: Spoken, text: string): CommandError {
  const flags = verb.options.map(flagOf);
  const near = nearest(text.replace(/^--/, ""), flags);
  return new CommandError("USAGE", `${verb.name} does not know "${text}"`, {
    hint: usageOf(verb),
    candidates: near === null ? [] : [near],
  });
}

function splitAt<T>(items: readonly T[], isBorder: (item: T) => boolean): readonly (readonly T[])[] {
  const parts: T[][] = [[]];
  for (const item of items) {
    if (isBorder(item)) parts.push([]);
    else parts.at(-1)?.push(item);
  }
  return parts;
}
