import { flagOf, isWrite } from "../verb.ts";
import { SAID } from "../verbs.ts";
import { usageOf, verbOf, wordsOf } from "./parse_line.ts";

/** All verbs, or all about one. Throws USAGE for a verb that does not exist. */
export function helpText(name: string): string {
  if (name.trim() === "")
    return `${SAID.map((verb) => `  ${verb.name.padEnd(16)}  ${verb.about}${isWrite(verb) ? " (--write)" : ""}\n`).join("")}${FOOT}`;
  const { verb } = verbOf(wordsOf(name));
  const parameters = [
    ...verb.args.map((arg) => [arg.name.toUpperCase(), arg.about]),
    ...verb.options.map((option) => [flagOf(option), option.about]),
  ];
  return `${usageOf(verb)}\n  ${verb.about}\n${parameters.map(([word = "", about]) => `  ${word.padEnd(12)}  ${about}\n`).join("")}`;
}

const FOOT = `
  Dashes may be left out: inspect SM-N-00042 as of 2025-05-01; ls meter where openAlerts > 0 and region = NORTH
  Behind an answer: | json | jsonl | csv | md | table | line | count | head N | grep TEXT | > FILE
  \\watch [SECONDS] [c=COUNT] [m=MINROWS] repeats the last line; \\x [on|off|auto] one field per line; \\format F; \\limit N; \\timing; \\q
  help VERB says more.
`;
