import { parseArgs } from "node:util";
import type { Profile } from "./live.ts";
import { simulate } from "./simulate.ts";

/** A simulator as a program of its own: `[SECONDS] [--rate N] [--seed N] [--scale N] [--to TARGET]`. Ctrl-C ends it cleanly. */
export async function liveProgram({ profile, to }: { readonly profile: Profile; readonly to: string }): Promise<void> {
  const text = (value: string) => ({ type: "string", default: value }) as const;
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rate: text("3"), seed: text("42"), scale: text("1"), to: text(to) },
  });
  const [seconds = "60", ...rest] = positionals;
  if (rest.length > 0) throw new RangeError(`one argument, the duration in seconds (0 = no end), not ${positionals.length}`);
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort()); // A second one ends the process at once.
  const [rate, seed, scale] = [Number(values.rate), Number(values.seed), Number(values.scale)];
  const { sent } = await simulate({ profile, seconds: Number(seconds), rate, seed, scale, to: values.to, signal: stop.signal });
  console.error(`sent ${sent} messages to ${values.to}`);
}
