/** One writer, in order of arrival. Its first error ends it: an outcome that is half known is only ever cleared up by a restart. */
export interface WriteQueue {
  /** Throws what ended the queue, if something has. Every call of a store passes here first. */
  check(): void;
  /** A write has failed, and with it the queue. */
  readonly hasFailed: boolean;
  /** Calls `take` at once, and `write` with what it returned when all earlier writes are done. Rejects, and ends the queue, if either throws. */
  run<T>(take: () => T, write: (taken: T) => Promise<void>): Promise<void>;
  /** Refuses what is still to come, and resolves when what came before is done, well or badly. */
  end(): Promise<void>;
}

/** Makes the queue of what `name` names in its errors. */
export function writeQueue(name: string): WriteQueue {
  let tail: Promise<void> = Promise.resolve();
  let failed: Error | null = null;
  let closed = false;

  const checkFailed = (): void => {
    if (failed !== null) throw failed;
  };
  const check = (): void => {
    checkFailed();
    if (closed) throw new Error(`${name} is closed`);
  };
  const attempt = async <T>(take: () => T, write: (taken: T) => Promise<void>): Promise<void> => {
    check();
    try {
      const taken = take();
      await tail;
      checkFailed(); // By an earlier write, meanwhile.
      await write(taken);
    } catch (error) {
      failed ??= new Error(`${name} has failed and takes nothing more: restarting is the recovery`, { cause: error });
      throw error;
    }
  };
  return {
    check,
    get hasFailed() {
      return failed !== null;
    },
    run(take, write) {
      const done = attempt(take, write);
      tail = done.catch(() => undefined);
      return done;
    },
    async end() {
      closed = true;
      await tail;
    },
  };
}
