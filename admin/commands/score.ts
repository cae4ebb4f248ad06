import { resolve } from "node:path";
import { score, scoreText } from "../score.ts";
import type { CommandLine } from "./command_line.ts";

const ASSERTION_EXIT = 5;

/** `score`: what was found against labels. */
export function scoreCommand({ program, reading, answer }: CommandLine): void {
  program
    .command("score")
    .description("curated rows and alerts against the labels of generated data")
    .requiredOption("--truth <dir>", "folder of the labels")
    .option("--rules <ids>", "only these, comma-separated")
    .option("--since <time>", "event time, at or after")
    .option("--until <time>", "event time, before")
    .action(({ truth, ...query }: { truth: string; rules?: string; since?: string; until?: string }) =>
      reading(async (view) => {
        const result = await score(view, resolve(truth), query);
        answer(result, () => scoreText(result));
        if (!result.passed) process.exitCode = ASSERTION_EXIT;
      }),
    );
}
