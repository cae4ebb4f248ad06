import * as assert from "uvu/assert";
import { sessions } from "../../../admin/http/sessions.ts";
import { hours } from "../../../engine/duration.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("sessions of browsers");

const CALLER = { name: "desk", role: "read" } as const;

test("a session is found by its cookie, at its port, until it is ended", () => {
  const open = sessions(() => 0);
  const cookie = open.begin(CALLER, 7400, false).split(";")[0] ?? "";
  const session = open.find(`other=1; ${cookie}`, 7400);
  assert.equal(session?.caller, CALLER);
  assert.is(open.find(cookie, 7401), null);
  assert.is(open.find(undefined, 7400), null);
  assert.is(open.find("gridactor_7400=", 7400), null);
  open.end(cookie, 7400);
  assert.equal([session?.signal.aborted, open.find(cookie, 7400)], [true, null]);
});

test("a session ends by itself after twelve hours", () => {
  let nowMs = 0;
  const open = sessions(() => nowMs);
  const cookie = open.begin(CALLER, 7400, false);
  nowMs = hours(12) - 1;
  assert.ok(open.find(cookie, 7400));
  nowMs += 1;
  assert.is(open.find(cookie, 7400), null);
});

test("there is an end to how many there may be: the oldest goes first", () => {
  const open = sessions(() => 0);
  const cookies = Array.from({ length: 257 }, () => open.begin(CALLER, 7400, false));
  assert.is(open.find(cookies[0], 7400), null);
  assert.ok(open.find(cookies[1], 7400));
  assert.ok(open.find(cookies[256], 7400));
});

test("over TLS the cookie stays on TLS", () => {
  assert.match(sessions(() => 0).begin(CALLER, 7400, true), /; Secure$/);
});
