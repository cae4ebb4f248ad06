import * as assert from "uvu/assert";
import { asCommandError, CommandError, type ErrorCode, errorText, printError } from "../../admin/errors.ts";
import { BrokenInvariant, Unavailable } from "../../engine/fault.ts";
import { suite } from "../kit/suite.ts";

const test = suite("errors of commands");

test("each code has the exit code that the interface states", () => {
  const exits: Readonly<Record<ErrorCode, number>> = {
    REFUSED: 1,
    USAGE: 2,
    NOT_FOUND: 4,
    ASSERTION: 5,
    UNREACHABLE: 69,
    INTERNAL: 70,
    RETRY: 75,
    CONFIG: 78,
  };
  for (const [code, exit] of Object.entries(exits)) assert.is(new CommandError(code as ErrorCode, "x").exit, exit, code);
  assert.is(new CommandError("REFUSED", "x", { exit: 69 }).exit, 69);
});

test("an error as JSON is one line with code, message, hint and candidates", () => {
  const error = new CommandError("NOT_FOUND", "no actor SM-N-0042", {
    hint: "gridactor ls meter SM-N-",
    candidates: ["SM-N-00042", "SM-N-00142"],
  });
  assert.is(
    errorText(error, { json: true }),
    '{"error":{"code":"NOT_FOUND","message":"no actor SM-N-0042","hint":"gridactor ls meter SM-N-","candidates":["SM-N-00042","SM-N-00142"]}}\n',
  );
  assert.equal(JSON.parse(errorText(new CommandError("REFUSED", "no"), { json: true })), {
    error: { code: "REFUSED", message: "no", hint: null, candidates: [] },
  });
});

test("an error for people says what was meant and what to do next", () => {
  assert.is(
    errorText(new CommandError("USAGE", 'unknown verb "inspcet"', { candidates: ["inspect"] }), { json: false }),
    'error: unknown verb "inspcet". Did you mean "inspect"?\n',
  );
  assert.is(
    errorText(new CommandError("NOT_FOUND", "no actor X", { candidates: ["A", "B", "C"], hint: "gridactor ls meter" }), { json: false }),
    'error: no actor X. Did you mean "A", "B" or "C"?\n  try: gridactor ls meter\n',
  );
});

test("at most five candidates are named", () => {
  assert.is(new CommandError("NOT_FOUND", "x", { candidates: ["1", "2", "3", "4", "5", "6"] }).candidates.length, 5);
});

test("outages are RETRY; bugs and the unforeseen are INTERNAL", () => {
  assert.is(asCommandError(new Unavailable("disk", new Error("gone"))).exit, 75);
  assert.is(asCommandError(new BrokenInvariant("x")).exit, 70);
  assert.is(asCommandError("text").exit, 70);
});

test("an error cannot act on the terminal", () => {
  const error = new CommandError("NOT_FOUND", "no actor \u001b[2J\u202e\n", { candidates: ["\u001bc"], hint: "\u0007" });
  for (const json of [true, false]) assert.is.not(/[^\x20-\x7e]/.test(errorText(error, { json }).replaceAll("\n", " ")), true);
  assert.is(errorText(error, { json: false }).split("\n").length, 3, "a newline in a name is no line");
});

test("printing gives the exit code, and the stack only to those who ask", () => {
  const written: string[] = [];
  assert.is(
    printError(new Error("boom"), false, (text) => written.push(text)),
    70,
  );
  assert.equal(written, ["error: boom\n"]);
  assert.ok(errorText(new Error("boom"), { json: false, verbose: true }).includes("errors.test.ts"));
});
