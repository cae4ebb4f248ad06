import * as assert from "uvu/assert";
import { parsePredicate, predicateTest, requireField } from "../../admin/predicate.ts";
import { failure } from "../kit/failure.ts";
import { suite } from "../kit/suite.ts";

const test = suite("conditions on fields");

const FACTS = { load: 90, status: "ACTIVE", since: "2025-06-15T16:00:00Z", isOpen: true, missing: null };

test("the field's value says how the typed one is compared", () => {
  const cases: readonly (readonly [text: string, holds: boolean])[] = [
    ["load = 90.0", true],
    ["load>=90", true],
    ["load > 100", false],
    ["load < 100", true],
    ["load = ninety", false],
    ["load != ninety", true],
    ["status = ACTIVE", true],
    ["status = active", false],
    ["status ~ ACT*", true],
    ["status ~ .*", false],
    ["status = 'ACTIVE'", true],
    ["since >= 2025-06-15", true],
    ["isOpen = true", true],
    ["isOpen > false", false],
    ["missing = 0", false],
    ["missing != 0", true],
    ["toString ~ *", false],
  ];
  for (const [text, holds] of cases) assert.is(predicateTest(parsePredicate(text))(FACTS), holds, text);
});

test("what is no condition, and a field that nobody has, are refused", () => {
  for (const text of ["", "load", "load >", "> 5", "load == ", "a b = c"]) assert.is(failure(() => parsePredicate(text)).exit, 2, text);
  const { candidates } = failure(() => requireField(parsePredicate("laod > 5"), new Set(Object.keys(FACTS))));
  assert.equal(candidates, ["load"]);
});
