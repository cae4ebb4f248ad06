import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import type { Asker } from "../asker.ts";
import { CommandError } from "../errors.ts";
import type { Screen } from "../format.ts";
import {
  type Answer,
  askedBack,
  flagOf,
  type Parameter,
  type Query,
  REASON,
  type Spoken,
  textsOf,
  type Verb,
  type WriteVerb,
  YES,
} from "../verb.ts";
import { cutOf } from "../verbs.ts";
import type { Writer } from "../writer.ts";

/** What such a command is given by the program. */
export interface VerbCommandOptions {
  readonly program: Command;
  /** Who is asked this question. */
  readonly asker: (verb: Verb, query: Query) => Asker;
  /** Prints an answer in the form that was asked for; `text` makes the one for people. */
  readonly answer: (value: unknown, text: (screen: Screen | null) => string) => void;
  /** `--limit`, if it was given. */
  readonly limit: () => number | undefined;
  /** Says on stderr that an answer was cut. */
  readonly cutHint: (shown: number, found: number) => void;
  /** Prints the pieces of an answer as they come. */
  readonly stream: (verb: Verb, query: Query) => Promise<void>;
  /** Asks and prints again and again. */
  readonly follow: (ask: () => Promise<Answer>, verb: Verb) => Promise<void>;
}

/** What a command that changes something is given by the program. */
export interface WriteCommandOptions extends Pick<VerbCommandOptions, "program" | "answer"> {
  readonly writer: () => Writer;
  /** Asks a person, where there is one. */
  readonly confirm: (question: string) => Promise<boolean>;
}

/** A write verb as a command: refused without `--write`, and asked back on a terminal. */
export function writeCommand(verb: WriteVerb, { program, answer, writer, confirm }: WriteCommandOptions): void {
  const command = saidAs({ ...verb, options: [...verb.options, REASON, YES] }, program).option("--write", "allow the change");
  command.action(async (...given: unknown[]) => {
    const { write, ...query } = queryOf(verb, given, undefined);
    const words = [verb.name, ...verb.args.flatMap(({ name }) => textsOf(query, name))].join(" ");
    if (write !== true) throw new CommandError("USAGE", `${words} changes the state`, { hint: `gridactor ${words} --write` });
    if (query["yes"] !== true && !(await confirm(askedBack(words, verb.warning)))) throw new CommandError("REFUSED", "nothing was changed");
    for (const one of oneByOne(verb, query)) {
      const { value } = await writer().write(verb.name, one, { by: "", key: null }, new AbortController().signal);
      answer(value, (screen) => verb.text(value, one, screen));
    }
  });
}

/** Each of several things is a write of its own; the first that is refused ends them. */
function oneByOne({ args }: Spoken, query: Query): readonly Query[] {
  const many = args.find(({ isMany }) => isMany === true);
  return many === undefined ? [query] : textsOf(query, many.name).map((text) => ({ ...query, [many.name]: text }));
}

/** A question as a command: its arguments and options are the verb's. */
export function verbCommand(verb: Verb, options: VerbCommandOptions): void {
  const command = saidAs(verb, options.program);
  if (verb.isFollowed === true) command.option("--follow", "again and again, until Ctrl-C");
  command.action(async (...given: unknown[]) => {
    const query = queryOf(verb, given, options.limit());
    if (verb.stream !== undefined) return options.stream(verb, query);
    const signal = new AbortController().signal;
    if (query["follow"] === true) return options.follow(() => options.asker(verb, query).ask(verb.name, query, signal), verb);
    const answer = await options.asker(verb, query).ask(verb.name, query, signal);
    options.answer(answer.value, (screen) => verb.text(answer.value, query, screen));
    const cut = cutOf(answer);
    if (cut !== null) options.cutHint(cut.shown, cut.found);
    return undefined;
  });
}

function saidAs(verb: Spoken, program: Command): Command {
  const command = commandOf(verb, program).description(verb.about);
  for (const arg of verb.args) {
    const shown = arg.isMany === true ? `${arg.name}...` : arg.name;
    command.argument(arg.isRequired === true ? `<${shown}>` : `[${shown}]`, arg.about);
  }
  for (const option of verb.options) if (option.name !== "limit") addOption(command, option); // The program's own.
  return command;
}

/** `quarantine show` is a command of `quarantine`, which is made by whoever comes first. */
function commandOf({ name, about, isDefault }: Spoken, program: Command): Command {
  const [first = name, second] = name.split(" ");
  if (second === undefined) return program.command(first);
  const group = program.commands.find((command) => command.name() === first) ?? program.command(first).description(about);
  return group.command(second, { isDefault: isDefault === true });
}

function addOption(command: Command, option: Parameter): void {
  const flag = `--${flagOf(option)}${option.takes === "switch" ? "" : " <value>"}`;
  const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];
  if (option.isMany === true) command.option(flag, option.about, collect);
  else command.option(flag, option.about, option.takes === "number" ? wholeNumber : (text) => text);
}

/** Commander gives the arguments, then the options, then itself. */
function queryOf(verb: Spoken, given: readonly unknown[], limit: number | undefined): Query {
  const args = Object.fromEntries(verb.args.map(({ name }, n) => [name, given[n]]));
  const takesLimit = limit !== undefined && verb.options.some(({ name }) => name === "limit");
  return { ...args, ...(given[verb.args.length] as Query), ...(takesLimit ? { limit: String(limit) } : {}) } as Query;
}

function wholeNumber(text: string): string {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("a whole number is wanted");
  return text;
}
