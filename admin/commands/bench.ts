import { InvalidArgumentError } from "commander";
import { aligned } from "../aligned.ts";
import { grouped } from "../format.ts";
import type { CommandLine } from "./command_line.ts";

/** What is measured. */
export interface BenchResult {
  readonly actors: number;
  readonly readings: number;
  readonly seconds: number;
  readonly readingsPerSecond: number;
  readonly commitMs: { readonly p50: number; readonly p99: number };
  readonly rssMiB: number;
}

interface BenchFlags {
  readonly actors: number;
  readonly seconds: number;
  readonly min?: number;
}

const ASSERTION_EXIT = 5;

/** `bench`: how many readings a second this machine takes in. */
export function benchCommand(
  { program, answer, say }: CommandLine,
  measure: (asked: { readonly actors: number; readonly seconds: number }) => Promise<BenchResult>,
): void {
  program
    .command("bench")
    .description("how many readings a second this machine takes in, from bytes to stored, in a store of its own that is removed")
    .option("--actors <n>", "meters that report in turn", wholeNumber, 1_000)
    .option("--seconds <n>", "how long", wholeNumber, 10)
    .option("--min <n>", "fewer readings a second are a failure", wholeNumber)
    .action(async ({ actors, seconds, min }: BenchFlags) => {
      const result = await measure({ actors, seconds });
      answer(result, () => benchText(result));
      if (min === undefined || result.readingsPerSecond >= min) return;
      say(`${grouped(result.readingsPerSecond)} readings a second are fewer than ${grouped(min)}`);
      process.exitCode = ASSERTION_EXIT;
    });
}

function benchText({ actors, readings, seconds, readingsPerSecond, commitMs, rssMiB }: BenchResult): string {
  return aligned([
    ["actors", grouped(actors)],
    ["readings", grouped(readings)],
    ["seconds", String(seconds)],
    ["readings/s", grouped(readingsPerSecond)],
    ["commit p50", `${commitMs.p50} ms`],
    ["commit p99", `${commitMs.p99} ms`],
    ["memory", `${rssMiB} MiB`],
  ]);
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("a whole number is wanted, 1 or more");
  return Number(text);
}
