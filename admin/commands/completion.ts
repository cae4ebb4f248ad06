import type { Command } from "commander";
import type { Asker } from "../asker.ts";
import { FORMATS } from "../format.ts";
import { type CompletionSources, complete } from "../repl/completer.ts";
import { storedWords } from "../stored_words.ts";

/** Shells that a script is written for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** What the program gives to both commands. */
export interface CompletionOptions {
  readonly program: Command;
  /** Declares all commands, so that `program.commands` are all that there are. */
  readonly declareAll: () => Promise<void>;
  readonly words: Pick<CompletionSources, "kinds" | "rules" | "feeds">;
  /** Who knows the ids of a state; null: the configuration is not valid. */
  readonly asker: (flags: { readonly config: string | undefined; readonly state: string | undefined }) => Asker | null;
  readonly print: (text: string) => void;
}

/** `completion SHELL` prints a script; the hidden `__complete -- WORD…` is what that asks, at each Tab: the last word is the one to complete. */
export function completionCommands(options: CompletionOptions): void {
  const { program, print } = options;
  program
    .command("completion")
    .description("print a script that completes commands, flags, ids and rules in your shell")
    .addArgument(program.createArgument("<shell>", "bash, zsh or fish").choices(SHELLS))
    .action((shell: Shell) => print(SCRIPTS[shell]));
  program
    .command("__complete", { hidden: true })
    .argument("[words...]", "what stands on the line behind `gridactor`")
    .action(async (words: readonly string[]) => {
      await options.declareAll();
      const found = await completeWords(words, options);
      print(found.map((word) => `${word}\n`).join(""));
    });
}

/** Words that can stand in the place of the last one. */
export async function completeWords(
  words: readonly string[],
  { program, words: known, asker }: CompletionOptions,
): Promise<readonly string[]> {
  const of = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const given = programFlags(before);
  if (given.open !== null) return beginningWith(of, VALUES_OF[given.open] ?? []);
  const flags = of.startsWith("-") ? flagsOf(program) : [];
  const [first] = given.rest;
  const visible = program.commands.filter((command) => !command.name().startsWith("_"));
  if (first === undefined) return beginningWith(of, [...visible.map((command) => command.name()), ...flags]);
  const command = visible.find((each) => each.name() === first);
  if (command === undefined) return [];
  const sources = {
    ...known,
    dashedOnly: true,
    stored: storedWords(() => asker({ config: given.values["--config"], state: given.values["--state"] })),
  };
  const spoken = await complete([...given.rest.map(quoted), of].join(" "), sources);
  const own = of.startsWith("-") ? flagsOf(leaf(command, given.rest.slice(1))) : subcommands(command, given.rest);
  return [...new Set([...spoken.words, ...beginningWith(of, [...own, ...flags])])];
}

/** Flags of the program that take a value, and the values that there are. */
const VALUES_OF: Readonly<Record<string, readonly string[]>> = {
  "--config": [],
  "--state": [],
  "--limit": [],
  "--format": FORMATS,
  "--color": ["auto", "always", "never"],
};

/** Takes the program's flags out of a line. `open`: the flag whose value comes next. */
function programFlags(words: readonly string[]): {
  readonly rest: readonly string[];
  readonly values: Readonly<Record<string, string>>;
  readonly open: string | null;
} {
  const values: Record<string, string> = {};
  const rest: string[] = [];
  let open: string | null = null;
  for (const word of words) {
    if (open !== null) {
      values[open] = word;
      open = null;
    } else if (Object.hasOwn(VALUES_OF, word)) open = word;
    else if (!["--json", "--quiet", "--verbose"].includes(word)) rest.push(word);
  }
  return { rest, values, open };
}

/** The second words of a command that has such, and the words that its next argument may be. */
function subcommands(command: Command, words: readonly string[]): readonly string[] {
  if (command.commands.length > 0) return words.length === 1 ? command.commands.map((each) => each.name()) : [];
  const given = words.slice(1).filter((word) => !word.startsWith("-"));
  return command.registeredArguments[given.length]?.argChoices ?? [];
}

function leaf(command: Command, [word]: readonly string[]): Command {
  return command.commands.find((each) => each.name() === word) ?? command;
}

function flagsOf(command: Command): readonly string[] {
  return command.options.flatMap(({ long }) => (long == null ? [] : [long]));
}

function beginningWith(of: string, words: readonly string[]): readonly string[] {
  return words.filter((word) => word.toLowerCase().startsWith(of.toLowerCase()));
}

/** As one word of a line. */
function quoted(word: string): string {
  return /[\s|"']/.test(word) ? `"${word.replaceAll('"', "")}"` : word;
}

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# Completion of gridactor for bash. To have it always: gridactor completion bash > ~/.local/share/bash-completion/completions/gridactor
_gridactor() {
  local IFS=$'\\n'
  COMPREPLY=($(gridactor __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _gridactor gridactor
`,
  zsh: `#compdef gridactor
# Completion of gridactor for zsh. To have it always: gridactor completion zsh > a folder of $fpath, as _gridactor
_gridactor() {
  local -a found
  found=("\${(@f)$(gridactor __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found[1]" ]]; then compadd -M 'm:{a-zA-Z}={A-Za-z}' -a found; else _files; fi
}
if [[ "$funcstack[1]" = _gridactor ]]; then _gridactor "$@"; else compdef _gridactor gridactor; fi
`,
  fish: `# Completion of gridactor for fish. To have it always: gridactor completion fish > ~/.config/fish/completions/gridactor.fish
function __gridactor_complete
  set -l before (commandline -opc)
  set -l word (commandline -ct)
  gridactor __complete -- $before[2..-1] "$word" 2>/dev/null
end
complete -c gridactor -a '(__gridactor_complete)'
`,
};
