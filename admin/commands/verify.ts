import { logProblems, verificationText, verify } from "../verify.ts";
import type { CommandLine } from "./command_line.ts";

const ASSERTION_EXIT = 5;

/** `verify`: whether the histories are sound, and the log has no hole. */
export function verifyCommand({ program, reading, answer }: CommandLine): void {
  program
    .command("verify")
    .description("check that histories are sound (no overlap, one open version at most, every gap explained), and that the log has no hole")
    .option("--actor <id>", "of one actor only")
    .action(({ actor }: { actor?: string }) =>
      reading(async (view) => {
        const histories = verify(view, actor);
        const problems = [...histories.problems, ...(actor === undefined ? await logProblems(view) : [])];
        const verification = { ...histories, ok: problems.length === 0, problems };
        answer(verification, () => verificationText(verification));
        if (!verification.ok) process.exitCode = ASSERTION_EXIT;
      }),
    );
}
