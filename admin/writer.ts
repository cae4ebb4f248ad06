import { type Command, type CommandOutcome, CommandRefused } from "../engine/command.ts";
import type { Asker } from "./asker.ts";
import { CommandError } from "./errors.ts";
import type { Log } from "./log.ts";
import { type Answer, type Known, type Query, textOf } from "./verb.ts";
import { writeVerbNamed } from "./verbs.ts";

/** Who changes something: a token's name, or the user of the operating system. `key`: of two writes with the same one the first counts. */
export interface Author {
  readonly by: string;
  readonly key: string | null;
}

/** Carries out `WRITE_VERBS`, wherever the engine is. */
export interface Writer {
  /** Rejects with `CommandError`: then nothing was changed, or (RETRY) it is not known. */
  write(verb: string, query: Query, author: Author, signal: AbortSignal): Promise<Answer>;
}

/** What a running engine's writer is made of. */
export interface LiveWriterOptions {
  /** `Engine.command`. */
  readonly carryOut: (command: Command) => Promise<CommandOutcome>;
  readonly asker: Asker;
  readonly known: Known;
  /** Epoch ms. */
  readonly nowMs: () => number;
  readonly log: Pick<Log, "info">;
}

const REASON_LENGTH_MAX = 1_000;

/** Writes to a running engine. What comes of it, a refusal too, is a line of the log; what was carried out is in the audit. */
export function liveWriter({ carryOut, asker, known, nowMs, log }: LiveWriterOptions): Writer {
  return {
    async write(name, query, { by, key }, signal) {
      const verb = writeVerbNamed(name);
      const ask = async (question: string, about: Query): Promise<unknown> => (await asker.ask(question, about, signal)).value;
      const reason = textOf(query, "reasonText") ?? null;
      const logged = (result: string, more: object): void =>
        log.info("admin.write", `${name}: ${result}`, { verb: name, by, reason, result, ...more });
      try {
        if (reason !== null && reason.length > REASON_LENGTH_MAX)
          throw new CommandError("USAGE", `reason: at most ${REASON_LENGTH_MAX} characters are kept`);
        const args = await verb.prepare(query, ask);
        const { row, isRepeat } = await carryOut({ verb: name, args, by, reason, key, arrivedAtMs: nowMs() });
        logged(isRepeat ? "repeated" : row.result, { args: row.args, number: row.number });
        return { value: await verb.answer(row, ask, known) };
      } catch (error) {
        const failure = error instanceof CommandRefused ? refusal(error) : error;
        if (failure instanceof CommandError) logged("refused", { why: failure.message });
        throw failure;
      }
    },
  };
}

function refusal(error: CommandRefused): CommandError {
  return new CommandError(error.isUnknown ? "NOT_FOUND" : "REFUSED", error.message, { cause: error });
}
