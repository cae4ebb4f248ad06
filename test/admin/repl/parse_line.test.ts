import * as assert from "uvu/assert";
import { pathOf, routed } from "../../../admin/http/route.ts";
import { parseLine } from "../../../admin/repl/parse_line.ts";
import type { Query } from "../../../admin/verb.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("lines of the REPL");

const LINES: readonly (readonly [line: string, verb: string, query: Query])[] = [
  ["inspect SM-N-00042", "inspect", { id: "SM-N-00042" }],
  ["inspect SM-N-00042 as of 2025-05-01", "inspect", { id: "SM-N-00042", asOf: "2025-05-01" }],
  ["inspect SM-N-00042 --as-of 2025-05-01 known at 7d", "inspect", { id: "SM-N-00042", asOf: "2025-05-01", knownAt: "7d" }],
  ["INSPECT meter/SM-N-00042", "inspect", { id: "meter/SM-N-00042" }],
  ["history TRF-N-0034 all", "history", { id: "TRF-N-0034", all: true }],
  ["alerts under SUB-N-012 severity major+", "alerts", { under: "SUB-N-012", severity: "major+" }],
  ["alerts --severity=major+ --rule 'meter.*'", "alerts", { severity: "major+", rule: "meter.*" }],
  ["quarantine", "quarantine ls", {}],
  ["quarantine all feed billing", "quarantine ls", { all: true, feed: "billing" }],
  ["quarantine show Q-5T8M", "quarantine show", { id: "Q-5T8M" }],
  [
    "ls meter SM-N where load>=90 and status = ACTIVE limit 5",
    "ls",
    { kind: "meter", prefix: "SM-N", where: ["load>=90", "status = ACTIVE"], limit: "5" },
  ],
  ['ls customer where name ~ "R and B*"', "ls", { kind: "customer", where: ['name ~ "R and B*"'] }],
  ["ls meter where a = 1 where b = 2", "ls", { kind: "meter", where: ["a = 1", "b = 2"] }],
  ["top meter by reading_kwh", "top", { kind: "meter", by: "reading_kwh" }],
];

test("dashes may be left out, options stand anywhere, quotes keep what is in them", () => {
  for (const [line, verb, query] of LINES) {
    const parsed = parseLine(line);
    assert.equal([parsed.verb.name, parsed.query, parsed.pipes], [verb, query, []], line);
  }
});

test("what a line asks can be asked over HTTP, and comes out the same", () => {
  for (const [line] of LINES) {
    const { verb, query } = parseLine(line);
    const [path = "", search = ""] = pathOf(verb, query).split("?");
    assert.equal(routed(path, search), { verb, query }, line);
  }
});

test("behind a bar stands what the answer is sent through", () => {
  assert.equal(parseLine('ls meter | head 3 | csv | grep "a | b" | > out.csv').pipes, [
    { type: "head", rows: 3 },
    { type: "format", format: "csv" },
    { type: "grep", text: "a | b" },
    { type: "file", path: "out.csv" },
  ]);
  assert.equal(parseLine("count|count").pipes, [{ type: "count" }]);
});

test("mistakes are usage errors that name the nearest word", () => {
  const cases: readonly (readonly [line: string, candidate: string | undefined])[] = [
    ["inspcet SM-N-00042", "inspect"],
    ["hepl", "help"],
    ["alerts --severty major", "severity"],
    ["history SM-N-00042 al", "all"],
    ["count | jsn", "json"],
    ["count | csv now", undefined],
    ["inspect", undefined],
    ["inspect SM-N-00042 as of", undefined],
    ["alerts severity major severity minor", undefined],
    ["ls 'meter", undefined],
    ["count | ! rm", undefined],
    ["`ls`", "ls"],
  ];
  for (const [line, candidate] of cases) {
    const { exit, candidates } = failure(() => parseLine(line));
    assert.equal([exit, candidates[0]], [2, candidate], line);
  }
});
