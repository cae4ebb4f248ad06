import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { seconds } from "../engine/duration.ts";
import type { Asker } from "./asker.ts";
import { CommandError } from "./errors.ts";
import type { Answered, Asked } from "./reader_process.ts";
import type { StateConfig } from "./state_view.ts";
import type { Answer } from "./verb.ts";

/** How long one question may take. */
export const READ_MAX_MS = seconds(2);
/** Questions that may wait for their turn. */
const WAITING_MAX = 64;

/** Asks a state directory in a process of its own, one question at a time. */
export interface Readers extends Asker {
  close(): void;
}

interface Waiting {
  readonly asked: Asked;
  readonly signal: AbortSignal;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Makes the asker. Its process is started by the first question and stays. A question that takes too long, or that nobody waits for any more, is
 * ended with its process: nothing else stops a scan that is under way. `readMaxMs`: how long one may take.
 */
export function readers(config: StateConfig, readMaxMs: number = READ_MAX_MS): Readers {
  const { name, stateDir, limits, feeds, rules } = config;
  const place: StateConfig = { name, stateDir, limits, feeds, ...(rules === undefined ? {} : { rules }) }; // And nothing else: the rest holds secrets.
  const waiting: Waiting[] = [];
  let child: ChildProcess | null = null;
  const ready = new WeakSet<ChildProcess>();
  let isBusy = false;

  const next = (): void => {
    if (isBusy) return;
    const first = waiting.shift();
    if (first === undefined) return;
    isBusy = true;
    void answer(first).finally(() => {
      isBusy = false;
      next();
    });
  };

  const answer = async ({ asked, signal, resolve, reject }: Waiting): Promise<void> => {
    if (signal.aborted) return reject(cancelled());
    if (child === null || !child.connected) child = started();
    const process = child;
    const end = (): void => void process.kill("SIGKILL");
    let isLate = false;
    let deadline: NodeJS.Timeout | null = null;
    signal.addEventListener("abort", end, { once: true });
    try {
      if (!ready.has(process)) await told(process, null); // It takes its time to start, and not the question's.
      ready.add(process);
      deadline = setTimeout(() => {
        isLate = true;
        end();
      }, readMaxMs);
      const result = (await told(process, asked)) as Answered;
      if ("answer" in result) resolve(result.answer);
      else reject(new CommandError(result.error.code, result.error.message, result.error));
    } catch (error) {
      child = null;
      reject(isLate ? tooLong(readMaxMs) : signal.aborted ? cancelled() : (error as Error));
    } finally {
      if (deadline !== null) clearTimeout(deadline);
      signal.removeEventListener("abort", end);
    }
  };

  return {
    ask: (verb, query, signal) =>
      new Promise((resolve, reject) => {
        if (waiting.length >= WAITING_MAX) return reject(new CommandError("RETRY", "too many questions wait for an answer"));
        waiting.push({ asked: { config: place, verb, query }, signal, resolve, reject });
        next();
      }),
    close() {
      child?.kill("SIGKILL");
      child = null;
    },
  };
}

function started(): ChildProcess {
  const module = fileURLToPath(new URL(import.meta.url)).replace(/readers(\.[jt]s)$/, "reader_process$1");
  const child = fork(module, { serialization: "advanced", stdio: ["ignore", "ignore", "inherit", "ipc"] });
  child.unref();
  child.channel?.unref();
  return child;
}

/** What the process says next, to `asked` if that is not null. Rejects if it ends before. */
function told(child: ChildProcess, asked: Asked | null): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      child.removeAllListeners();
      child.unref();
      child.channel?.unref();
      act();
    };
    child.once("message", (said) => settle(() => resolve(said)));
    child.once("exit", (code, signal) => settle(() => reject(new Error(`the reader ended with ${signal ?? code}`))));
    child.once("error", (error) => settle(() => reject(error)));
    child.ref(); // Whoever asks stays to hear the answer; a process that is not asked keeps nobody.
    child.channel?.ref();
    if (asked === null) return;
    child.send(asked, (error) => {
      if (error !== null) settle(() => reject(error));
    });
  });
}

function tooLong(readMaxMs: number): CommandError {
  return new CommandError("RETRY", `the answer took longer than ${readMaxMs} ms`, { hint: "ask for less: a kind, a prefix, a later time" });
}

function cancelled(): CommandError {
  return new CommandError("RETRY", "the question was cancelled");
}
