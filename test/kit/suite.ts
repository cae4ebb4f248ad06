import { inspect } from "node:util";
import { suite as uvuSuite } from "uvu";
import { Assertion } from "uvu/assert";

/** A test or a hook. It fails by throwing or rejecting; what it returns is ignored. */
export type Body = () => unknown;

/** Adds a hook around the suite, or with `each` around every test. Hooks run in the order they were added; all the `after` ones run. */
export interface Hook {
  (body: Body): void;
  each(body: Body): void;
}

/** Adds a test. The title is a sentence that is true when the test passes. `skip` leaves a test out, and the runner lists it. */
export interface Suite {
  (title: string, body: Body): void;
  skip(title: string, body?: Body): void;
  readonly before: Hook;
  readonly after: Hook;
}

/**
 * A uvu suite that runs by itself once the module body is done: there is no `run()` to forget. A hook that throws fails its tests (`before`,
 * `each`) or the process (`after`), where bare uvu may exit 0. Suites and tests are added in the module body, with no `await` between them:
 * added later they throw, since uvu would never run them.
 *
 *     const test = suite("watermark");
 *     test("a late reading leaves the watermark alone", () => assert.is(watermark(5, 3), 5));
 */
export function suite(name: string): Suite {
  const inner = uvuSuite(name);
  const before: Body[] = [];
  const beforeEach: Body[] = [];
  const afterEach: Body[] = [];
  const after: Body[] = [];
  let prepared: Promise<void> | undefined;
  let tests = 0;

  const guarded = (title: string, body: Body) => async () => {
    const test = async () => {
      running = title;
      await body();
    };
    try {
      prepared ??= inTurn(before); // Remembered: when it throws, every test of the suite fails, not the first one only.
      await prepared;
      await each([() => inTurn([...beforeEach, test]), ...afterEach]);
    } catch (error) {
      throw printable(error);
    } finally {
      running = undefined;
    }
    owed -= 1;
  };

  const add = (title: string, body: Body): void => {
    notTooLate(title);
    owed += 1;
    tests += 1;
    inner(title, guarded(title, body));
  };

  const skip = (title: string): void => {
    notTooLate(title);
    inner.skip(title);
    console.log(`SKIPPED ${name}: ${title}`);
  };

  const end = async (): Promise<void> => {
    try {
      await each(after);
      if (tests > 0) owed -= 1; // A suite without a test stays owed.
    } catch (error) {
      console.error(`\nFAIL "after" of ${name}: ${inspect(error)}`); // uvu would skip the suites that follow.
    }
  };

  notTooLate(name);
  if (suites.length === 0) setImmediate(runAll);
  suites.push(inner);
  owed += 1;
  inner.after(end);
  return Object.assign(add, { skip, before: hook(before, beforeEach), after: hook(after, afterEach) });
}

/**
 * Says that the running test cannot run here, and why ("no broker jars (run test/kafka/fetch.sh)"). Call it once, inside that test, and
 * return: the runner counts the test as not run, and as failed when `CI` is set.
 */
export function notRun(name: string, missing: string): void {
  if (running === undefined) throw new Error(`notRun("${name}") belongs inside the test that cannot run, once`);
  running = undefined;
  console.log(`\nNOT RUN ${name}: ${missing}`); // On a line of its own: uvu leaves its dots without a line end.
}

/** Says that the running test is left out on this machine, for a reason that nobody can mend by installing something. */
export function leftOut(name: string, why: string): void {
  console.log(`\nSKIPPED ${name}: ${why}`);
}

/** What a test measured, for who reads its output. */
export function measured(line: string): void {
  console.log(`\n${line}`);
}

const suites: { run(): void }[] = [];
let begun = false;
let running: string | undefined;
let owed = 0; // Tests and suites that have not ended well.

// The last word on the exit code: uvu's is 0 when a hook throws or when an error breaks its own printing.
process.on("exit", () => {
  if (owed > 0) process.exitCode ||= 1;
});

function runAll(): void {
  begun = true;
  for (const each of suites) each.run();
}

function notTooLate(title: string): void {
  if (begun) throw new Error(`"${title}" was added after the tests began: add it in the module body, with no await before it`);
}

function hook(around: Body[], aroundEach: Body[]): Hook {
  return Object.assign((body: Body): void => void around.push(body), { each: (body: Body): void => void aroundEach.push(body) });
}

async function inTurn(bodies: readonly Body[]): Promise<void> {
  for (const body of bodies) await body();
}

/** Runs all of them, whichever throw, so that a failed test still cleans up behind itself. */
async function each(bodies: readonly Body[]): Promise<void> {
  const errors: unknown[] = [];
  for (const body of bodies) await inTurn([body]).catch((error: unknown) => errors.push(error));
  if (errors.length > 1) throw new AggregateError(errors, "the test and its hooks");
  if (errors.length > 0) throw errors[0];
}

/** uvu's printing itself throws on what is no Error, and on errors whose `details` is no text; then the tests that follow never run. */
function printable(error: unknown): Error {
  if (error instanceof Assertion) return error;
  return Object.assign(new Error(inspect(error)), { stack: "" }); // The text above holds the stack, the cause and the fields.
}
