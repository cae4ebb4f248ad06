// timeout: 120 s
import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import * as assert from "uvu/assert";
import type { Asker } from "../../admin/asker.ts";
import { type CompletionOptions, completeWords, completionCommands, SHELLS } from "../../admin/commands/completion.ts";
import { CommandError } from "../../admin/errors.ts";
import { ROOT } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";
import { inTempFolder } from "../kit/temp_folder.ts";

const test = suite("completion in a shell");

const TSX = import.meta.resolve("tsx");

/** A program with one question, one command of its own, and one with subcommands. Ids come from whoever is asked. */
function optionsWith(asker: CompletionOptions["asker"], printed: string[] = []): CompletionOptions {
  const program = new Command("gridactor").option("--json").option("--state <dir>").option("--config <file>").exitOverride();
  program.command("inspect <id>").option("--as-of <time>");
  program.command("run").option("--drain").option("--insecure-dev");
  const group = program.command("schema");
  group.command("ls");
  group.command("show <feed>");
  program.command("simulate").addArgument(program.createArgument("<profile>").choices(["meters", "substations"]));
  const words = { kinds: ["meter", "plant"], rules: ["meter.spike"], feeds: ["smart_meter", "billing"] };
  return { program, declareAll: async () => {}, words, asker, print: (text) => void printed.push(text) };
}

const NOBODY: CompletionOptions["asker"] = () => null;

test("commands, subcommands, arguments and flags are completed, and the program's flags anywhere", async () => {
  const options = optionsWith(NOBODY);
  completionCommands(options);
  const found = (...words: readonly string[]) => completeWords(words, options);
  assert.equal(await found("ins"), ["inspect"]);
  assert.equal(await found(""), ["inspect", "run", "schema", "simulate", "completion"], "what is hidden stays so");
  assert.equal(await found("run", "--"), ["--drain", "--insecure-dev", "--json", "--state", "--config"]);
  assert.equal(await found("--json", "run", "--d"), ["--drain"]);
  assert.equal(await found("simulate", "m"), ["meters"]);
  assert.equal(await found("simulate", "meters", ""), []);
  assert.equal(await found("completion", ""), [...SHELLS]);
  assert.equal(await found("--format", "j"), ["json", "jsonl"]);
  assert.equal(await found("--state", ""), [], "the shell completes files");
  assert.equal(await found("nonsense", ""), []);
});

test("a question is completed as in the REPL, but flags need their dashes", async () => {
  const options = optionsWith(NOBODY);
  assert.equal(await completeWords(["inspect", "--as"], options), ["--as-of"]);
  assert.equal(await completeWords(["inspect", "SM-N-00042", ""], options), []);
  assert.equal(await completeWords(["schema", "show", "b"], options), ["billing"]);
  assert.equal(await completeWords(["alerts", "--severity", "ma"], optionsWithAlerts()), ["major", "major+"]);
});

test("ids come from the state that the line names, in any case; nobody there, and none are found", async () => {
  const asked: unknown[] = [];
  const asker: Asker = {
    ask: async (verb, query) => {
      asked.push([verb, query["what"], query["word"]]);
      return { value: ["SM-N-00041", "SM-N-00042"] };
    },
  };
  const places: unknown[] = [];
  const options = optionsWith((place) => {
    places.push(place);
    return asker;
  });
  assert.equal(await completeWords(["--state", "there", "inspect", "sm-n-0004"], options), ["SM-N-00041", "SM-N-00042"]);
  assert.equal([asked, places], [[["complete", "id", "sm-n-0004"]], [{ config: undefined, state: "there" }]]);
  assert.equal(await completeWords(["inspect", "sm-n-0004"], optionsWith(NOBODY)), []);
  const failing: Asker = { ask: () => Promise.reject(new CommandError("UNREACHABLE", "no state")) };
  assert.equal(
    await completeWords(
      ["inspect", "sm-n-0004"],
      optionsWith(() => failing),
    ),
    [],
  );
});

test("each script is one that its shell can read, and asks the hidden command", () =>
  inTempFolder(async (folder) => {
    for (const shell of SHELLS) {
      const printed: string[] = [];
      const options = optionsWith(NOBODY, printed);
      completionCommands(options);
      await options.program.parseAsync(["completion", shell], { from: "user" });
      assert.match(printed.join(""), /gridactor __complete -- /);
      const file = join(folder, shell);
      writeFileSync(file, printed.join(""));
      const { error, status, stderr } = spawnSync(shell, ["-n", file], { encoding: "utf8" });
      if (error === undefined) assert.is(status, 0, `${shell}: ${stderr}`); // A shell that is not here cannot be asked.
    }
  }));

test("in bash, Tab gives what the command gives", () =>
  inTempFolder(async (folder) => {
    const command = join(folder, "gridactor");
    writeFileSync(command, `#!/bin/sh\nexec "${process.execPath}" --import "${TSX}" "${join(ROOT, "main.ts")}" "$@"\n`);
    chmodSync(command, 0o755);
    const script = `
      eval "$(gridactor completion bash)"
      complete -p gridactor
      COMP_WORDS=(gridactor alerts --severity ma) COMP_CWORD=3
      _gridactor
      printf '%s\\n' "\${COMPREPLY[@]}"
    `;
    const { status, stdout, stderr } = spawnSync("bash", ["-c", script], {
      cwd: folder,
      env: { ...process.env, PATH: `${folder}:${process.env["PATH"]}` },
      encoding: "utf8",
    });
    assert.equal([status, stdout], [0, "complete -o default -F _gridactor gridactor\nmajor\nmajor+\n"], stderr);
  }));

function optionsWithAlerts(): CompletionOptions {
  const options = optionsWith(NOBODY);
  options.program.command("alerts");
  return options;
}
