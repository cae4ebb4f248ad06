import { notRun, suite } from "../suite.ts";

// What `suite` guards against, one case a run: the argument names it.
const planted = (): never => {
  throw new Error("planted");
};
const cases: Readonly<Record<string, () => void>> = {
  sound: () => suite("sound")("passes", () => {}),
  before: () => {
    const test = suite("before");
    test.before(planted);
    test("needs its hook", () => {});
  },
  beforeEach: () => {
    const test = suite("before each");
    test.before.each(planted);
    test("needs its hook", () => {});
  },
  afterEach: () => {
    const test = suite("after each");
    test.after.each(planted);
    test("fails, too", planted);
  },
  after: () => {
    const test = suite("after");
    test.after(planted);
    test("passes", () => {});
  },
  empty: () => void suite("empty"),
  late: () => {
    const test = suite("late");
    test("adds a test", () => test("too late", () => {}));
  },
  text: () => {
    const test = suite("text");
    test("throws what is no error", () => {
      throw "planted";
    });
    test("comes after it", () => {});
  },
  details: () => {
    const test = suite("details");
    test("throws an error that uvu cannot print", () => {
      throw Object.assign(new Error("planted"), { details: {} });
    });
    test("comes after it", () => {});
  },
  exits: () => suite("exits")("leaves in the middle", () => process.exit(0)),
  outside: () => notRun("teapot", "no tea"),
  twice: () => {
    suite("twice")("says it twice", () => {
      notRun("teapot", "no tea");
      notRun("teapot", "no tea");
    });
  },
};
cases[process.argv[2] ?? ""]?.();
