import type { Seeded } from "../kit/seeded.ts";

/** A failure that a trial means to happen. */
export class Planned extends Error {}

const NEVER = new Promise<never>(() => {});

/** One process: it does so much I/O, and then it is gone in the middle of it, as after a SIGKILL. What hangs on it then waits for ever. */
export class Life {
  readonly died: Promise<void>;
  #left: number;
  #isOver = false;
  #end = (): void => {};

  /** `passages`: how often I/O begins or ends before it dies. Infinity: it does not. */
  constructor(passages: number) {
    this.#left = passages;
    this.died = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** To be awaited before and after each effect on what outlives the process. */
  pass(): Promise<void> {
    if (this.#left <= 0) this.kill();
    this.#left -= 1;
    return this.#isOver ? NEVER : Promise.resolve();
  }

  kill(): void {
    this.#isOver = true;
    this.#end();
  }
}

/** Does `effect`, which may fail before it has an effect, or say that it failed after it had one. */
export async function perhaps<T>(
  life: Life,
  effect: () => Promise<T>,
  { chance, fails, lies, error }: { chance: Seeded; fails: number; lies: number; error: () => Error },
): Promise<T> {
  await life.pass();
  if (chance.chance(fails)) throw error();
  const result = await effect();
  await life.pass();
  if (chance.chance(lies)) throw error();
  return result;
}
