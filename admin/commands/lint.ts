import { lint, lintText } from "../lint.ts";
import type { CommandLine } from "./command_line.ts";

/** `lint`: what the histories suggest about those who send them. */
export function lintCommand({ program, reading, answer, limit, cutHint }: CommandLine): void {
  program
    .command("lint [feed]")
    .description("advice on the histories of feeds: noisy columns, ties, changes out of order; reported, never blocking")
    .action((feed: string | undefined) =>
      reading(async (view) => {
        const all = lint(view, feed);
        const advice = all.slice(0, limit());
        answer(advice, (screen) => lintText(advice, screen));
        cutHint(advice.length, all.length);
      }),
    );
}
