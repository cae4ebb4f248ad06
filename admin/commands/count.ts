import { COUNTED_BY, count, countText } from "../count.ts";
import type { CommandLine } from "./command_line.ts";

/** `count`: how many actors there are. */
export function countCommand({ program, reading, answer }: CommandLine): void {
  program
    .command("count")
    .description("how many actors there are, by kind, region, status or link (told of by a master, or orphans)")
    .option("--by <what>", COUNTED_BY.join(", "), "kind")
    .action(({ by }: { by: string }) =>
      reading(async (view) => {
        const counts = count(view, by);
        answer(counts, () => countText(counts));
      }),
    );
}
