import { logProblems, verificationText, verify } from "../verify.ts";
import { episodeProblems, outputProblems } from "../verify_outputs.ts";
import type { CommandLine } from "./command_line.ts";

const ASSERTION_EXIT = 5;

/** `verify`: whether histories and alerts are sound, the log has no hole, and sinks hold what they have settled. */
export function verifyCommand({ program, config, reading, answer }: CommandLine): void {
  program
    .command("verify")
    .description(
      "check that histories are sound (no overlap, one open version at most, every gap explained), that the log has no hole, that alerts went their way, and that the files of sinks hold what was settled",
    )
    .option("--actor <id>", "of one actor only")
    .action(({ actor }: { actor?: string }) =>
      reading(async (view) => {
        const histories = verify(view, actor);
        const ofWhole = actor === undefined ? [logProblems(view), episodeProblems(view), outputProblems(view, (await config()).sinks)] : [];
        const problems = [histories.problems, ...(await Promise.all(ofWhole))].flat();
        const verification = { ...histories, ok: problems.length === 0, problems };
        answer(verification, () => verificationText(verification));
        if (!verification.ok) process.exitCode = ASSERTION_EXIT;
      }),
    );
}
