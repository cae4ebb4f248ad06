import { verificationText, verify } from "../verify.ts";
import type { CommandLine } from "./command_line.ts";

const ASSERTION_EXIT = 5;

/** `verify`: whether the histories are sound. */
export function verifyCommand({ program, reading, answer }: CommandLine): void {
  program
    .command("verify")
    .description("check that histories are sound: no overlap, one open version at most, every gap explained, the state follows")
    .option("--actor <id>", "of one actor only")
    .action(({ actor }: { actor?: string }) =>
      reading(async (view) => {
        const verification = verify(view, actor);
        answer(verification, () => verificationText(verification));
        if (!verification.ok) process.exitCode = ASSERTION_EXIT;
      }),
    );
}
