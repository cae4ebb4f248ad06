import { chmodSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { type CheckOptions, checkConfig, formatCheck } from "../../admin/check.ts";
import { inspectConfig } from "../../admin/config.ts";
import { ConfigError, formatFindings } from "../../admin/finding.ts";
import { suite } from "../kit/suite.ts";
import { folderWith, inspected, optionsIn, ROOT, removeFolders, told } from "./given_config.ts";

const test = suite("check of a configuration");
test.after(removeFolders);

const HUB = `\${env:HUB}`;
const LANDING = 'feed: smart_meter, type: landing, location: in, include: ["*.json"], format: jsonl';
/** What is wrong, with `»` in front of each place where it is found, in order; then what is told of it. */
const CASES: Readonly<Record<"syntax" | "schema" | "references", readonly (readonly [yaml: string, ...told: string[]])[]>> = {
  syntax: [
    ["name: [a»", "bad_yaml"],
    ["name: a\n»name: b", "duplicate_key name"],
    ["sinks:\n  a: { type: jsonl, stream: alerts, path: x }\n  »a: { type: jsonl, stream: alerts, path: y }", "duplicate_key a"],
    ["log:\n»\tkeep: 1d", "bad_yaml"],
    ["»__proto__: { name: a }", "forbidden_key"],
    ["sources: { »constructor: { feed: billing } }", "forbidden_key"],
    ["? »[a, b]\n: c", "bad_key"],
    ["name: »!!js/function x", "bad_yaml"],
    [`name: &a x\nlist: [${"*a, ".repeat(100)}»*a]`, "too_many_aliases"],
    ["name: a\n»---\nname: b", "bad_yaml"],
  ],
  schema: [
    ["»nmae: a", "unknown_key nmae"],
    [`sources: { m: { ${LANDING}, »settel: 2s } }`, "unknown_key sources.m.settel"],
    ["admin: { http: { »prot: 1 } }", "unknown_key admin.http.prot"],
    ["admin: { http: { port: »70000 } }", "out_of_range admin.http.port"],
    ["admin: { http: { port: »[1] } }", "bad_type admin.http.port"],
    ["admin: { http: »true }", "bad_value admin.http"],
    ["sources: { »m: { feed: smart_meter } }", "missing_key sources.m.type"],
    ["sources: { m: { feed: smart_meter, type: »kafak } }", "bad_value sources.m.type"],
    [
      "sources: { m: { feed: smart_meter, type: landing, location: in, include: »[], format: »json } }",
      "out_of_range sources.m.include",
      "bad_value sources.m.format",
    ],
    ["sources: { »'a/b': { feed: smart_meter, type: simulator, profile: meters } }", "bad_name sources.a/b"],
    ["sources: »[a]", "bad_type sources"],
    ["log: { keep: »30 days, size: »4GB }", "bad_value log.keep", "bad_value log.size"],
    ["log: { keep: »30 }", "bad_type log.keep"],
    ["log: { size: »999999999TiB }", "bad_value log.size"],
    ["rules: { meter.spike: { limitKwh: »high } }", "bad_type rules.meter.spike.limitKwh"],
    ["rules: { meter.spike: { limitKwh: ».inf } }", "bad_type rules.meter.spike.limitKwh"],
    ["limits: { »batchRecords: 5 }", "unknown_key limits.batchRecords"],
    ["limits: { hopsMax: »0 }", "out_of_range limits.hopsMax"],
    ["name: »7", "bad_type name"],
    [
      `connections: { k: { type: kafka, brokers: [a], sasl: { mechanism: plain, username: u, password: »'\${env:NO}' } } }`,
      "secret_missing connections.k.sasl.password",
    ],
    [`name: »»'\${file:none}'`, "bad_value name", "secret_missing name"],
    [`state: »'\${nev:X}'`, "bad_placeholder state"],
  ],
  references: [
    [
      "sources: { m: { feed: »smart_metre, type: simulator, profile: »meters } }",
      "unknown_feed sources.m.feed",
      "profile_feed sources.m.profile",
    ],
    ["feeds: { »biling: {} }", "unknown_feed feeds.biling"],
    ["rules: { »meter.spkie: {} }", "unknown_rule rules.meter.spkie"],
    ["rules: { meter.spike: { »limitKhw: 1 } }", "unknown_limit rules.meter.spike.limitKhw"],
    ["rules: { meter.spike: { limitKwh: »-1 } }", "negative_limit rules.meter.spike.limitKwh"],
    ["rules: { meter.tampered: { »limitKwh: 1 } }", "unknown_limit rules.meter.tampered.limitKwh"],
    ["rules: { meter.spike: { overrides: [{ region: NORTH, »limit: 1 }] } }", "unknown_limit rules.meter.spike.overrides.0.limit"],
    ["rules: { meter.spike: { overrides: [»{ limitKwh: 1 }] } }", "override_scope rules.meter.spike.overrides.0"],
    [
      "rules: { meter.spike: { overrides: [{ region: NORTH, limitKwh: 1 }, »{ region: NORTH, bandEndKwh: 1 }] } }",
      "duplicate_override rules.meter.spike.overrides.1",
    ],
    [
      "rules: { billing.tiny_amount: { overrides: [{ actor: »TXN-1, limitPaise: 1 }] } }",
      "bad_actor rules.billing.tiny_amount.overrides.0.actor",
    ],
    ["sources: { m: { feed: billing, type: kafka, connection: »k, topic: t } }", "unknown_connection sources.m.connection"],
    [
      `connections: { k: { type: eventhub, connectionString: '${HUB}' } }\nsources: { m: { feed: billing, type: kafka, connection: »k, topic: t } }`,
      "wrong_connection sources.m.connection",
    ],
    ["connections: { »k: { type: eventhub, namespace: n } }", "one_credential connections.k"],
    ["connections: { »k: { type: azure-blob, account: acc } }", "one_credential connections.k"],
    [
      `connections: { k: { type: kafka, brokers: [a], sasl: »{ mechanism: plain, username: u, password: '${HUB}' } } }`,
      "sasl_without_tls connections.k.sasl",
    ],
    [landing('location: »"blob:lake"'), "bad_location sources.m.location"],
    [landing('location: »"blob:lake/c/p"'), "unknown_connection sources.m.location"],
    [landing('include: [»"../*.json"]'), "bad_pattern sources.m.include.0"],
    [landing(`include: [»"${"{a,b}".repeat(40)}"]`), "bad_pattern sources.m.include.0"],
    [landing("absentMeans: »delete"), "absent_means sources.m.absentMeans"],
    [landing("mode: snapshot, absentMeans: »delete"), "absent_means sources.m.absentMeans"],
    [landing("cleanSource: »{ mode: archive }"), "archive_where sources.m.cleanSource"],
    [landing("cleanSource: { mode: archive, to: »'blob:k/c' }"), "archive_elsewhere sources.m.cleanSource.to"],
    [landing("include: ['**/*.json'], cleanSource: { mode: archive, to: »in/done }"), "archive_is_read sources.m.cleanSource.to"],
    [`connections: { k: { type: azure-blob, account: acc, sas: '${HUB}', endpoint: »'http://h/x' } }`, "bad_url connections.k.endpoint"],
    [two('include: [ "*.json"]', 'include: »["x.*"]'), "shared_files sources.b.include"],
    [`sources: { s: { feed: billing, type: simulator, stage: »1, profile: billing }, m: { ${LANDING} } }`, "endless_stage sources.s.stage"],
    [
      "sinks: { a: { type: jsonl, stream: alerts, path: out/a }, b: { type: parquet, stream: curated, path: »out } }",
      "shared_output sinks.b.path",
    ],
    ["sinks: { a: { type: jsonl, stream: alerts, path: »state/a } }", "shared_output sinks.a.path"],
    [`sinks: { w: { type: webhook, stream: alerts, url: »'http://h/x', secrets: ['${HUB}'] } }`, "bad_url sinks.w.url"],
    ["admin: { http: { host: »0.0.0.0, hosts: [h] } }", "open_door admin.http.host"],
    [`admin: { http: { host: »10.0.0.1, tokens: { a: { value: '${HUB}', role: read } } } }`, "open_door admin.http.host"],
    [`admin: { http: { host: »10.0.0.1, tls: { cert: '${HUB}', key: '${HUB}' } } }`, "open_door admin.http.host"],
    [
      "admin: { http: { host: »»0.0.0.0, reads: »open } }",
      "open_door admin.http.host",
      "(warning) no_hosts admin.http.host",
      "open_reads admin.http.reads",
    ],
    ["feeds: { billing: { history: { untracked: [»base_amuont] } } }", "unknown_column feeds.billing.history.untracked.0"],
    ["feeds: { billing: { history: { precedence: »[cdc, cdc, delta] } } }", "bad_value feeds.billing.history.precedence"],
    ["feeds: { renewable: { schemaEvolution: { hints: »'x floaty' } } }", "bad_hint feeds.renewable.schemaEvolution.hints"],
    ["feeds: { renewable: { schemaEvolution: { hints: »'reading_id double' } } }", "bad_hint feeds.renewable.schemaEvolution.hints"],
    ["limits: { hopsMax: »9 }", "raised_limit limits.hopsMax"],
  ],
};

for (const [layer, cases] of Object.entries(CASES)) {
  test(`what is wrong in ${layer} is found at its line and column`, () => {
    for (const [marked, ...codes] of cases) {
      const { yaml, places } = unmarked(marked);
      const found = inspected(yaml, { env: { HUB: "x" } });
      const expected = codes.map((code, n) => `${code} ${places[n]}`);
      assert.equal([found.layer, ...told(found.findings)], [layer, ...expected], marked);
      assert.is(found.loaded, null, marked);
    }
  });
}

test("a wrong key or word is told with the one that was meant", () => {
  const fixes = [
    ["nmae: a", 'did you mean "name"?'],
    [`sources: { m: { ${LANDING}, settel: 2s } }`, 'did you mean "settle"?'],
    ["admin: { http: { prot: 1 } }", 'did you mean "port"?'],
    ["sources: { m: { feed: smart_meter, type: landng } }", 'did you mean "landing"?'],
    ["feeds: { biling: {} }", 'did you mean "billing"?'],
    ["rules: { meter.spkie: {} }", 'did you mean "meter.spike"?'],
    ["rules: { meter.spike: { limitKhw: 1 } }", 'did you mean "limitKwh"?'],
    ["limits: { batchRecords: 5 }", "it is set by batch.records"],
    ["log: { keeps: 1d, maximum: 1 }", 'did you mean "keep"?', "known keys: keep, size, minFreeDisk"],
    ["name: 7", "write it in quotes"],
  ] as const;
  for (const [yaml, ...expected] of fixes) {
    const given = inspected(yaml).findings.map(({ fix }) => fix);
    for (const fix of expected) assert.ok(given.includes(fix), `${yaml}: ${given.join("; ")}`);
  }
});

test("all findings of a layer are told, in the order of the file, and none of a later one", () => {
  const { yaml, places } = unmarked("log: { keep: »1 }\nsources: { m: { feed: no_feed, type: simulator, profile: »metres } }\n»nmae: a");
  const codes = ["bad_type log.keep", "bad_value sources.m.profile", "unknown_key nmae"];
  assert.equal(
    told(inspected(yaml).findings),
    codes.map((code, n) => `${code} ${places[n]}`),
  );
});

test("a finding for people has its place, the line with a caret, and a fix", () => {
  const { findings, source } = inspected("log: { kep: 2d, size: 1GiB }");
  assert.is(
    formatFindings(findings, source, null),
    [
      'gridactor.yaml:2:8: error: unknown key "kep" [unknown_key]',
      "    2 | log: { kep: **, size: 1GiB }",
      "      |        ^",
      '  fix: did you mean "keep"?',
      "",
    ].join("\n"),
  );
});

test("the caret stands under its character in long lines and after wide and unprintable ones", () => {
  const lines = [`name: 東京\u001b, ${"x".repeat(300)} HERE ${"y".repeat(300)}`, "東京\u001b HERE"];
  for (const [n, line] of lines.entries()) {
    const column = line.indexOf("HERE") + 1;
    const finding = { level: "error", code: "x", path: "", line: n + 1, column, message: "m", fix: null } as const;
    const [, text = "", caret = ""] = formatFindings([finding], { file: "f", lines }, null).split("\n");
    const wide = n === 1 ? 2 : 0; // Two characters of the second line take two columns each.
    assert.is(text.indexOf("HERE") + wide, caret.indexOf("^"), line);
    assert.ok(text.length < 140);
    assert.is.not(text.includes("\u001b"), true);
  }
});

test("no secret shows in a finding, wherever it slipped to", () => {
  const cases = [
    "admin: { http: { tokens: { ops: { value: canary, rol: read } } } }",
    "admin: { http: { tokens: { ops: canary } } }",
    "admin: { http: { tokens: { ops: { valeu: canary, role: read } } } }",
    "connections: { k: { type: kafka, brokers: [a], sasl: { mechanism: pain, username: u, password: canary } } }",
    "connections: { k: { type: kafak, brokers: [a], sasl: { mechanism: plain, username: u, password: canary } } }",
    "connections: { k: { type: kafka, brokers: [a], sasl: canary } }",
    "connections: { k: { type: eventhub, connectionString: [canary] } }",
    `connections: { k: { type: eventhub, connectionString: 'x\${canary' } }`,
    "connections: { k: { type: eventhub, connectionString: canary, namespace: n } }",
    "sinks: { w: { type: webhook, stream: alerts, url: x, secrets: [canary], sevirity: major } }",
    "connections: { k: { type: eventhub, connectionString: canary",
    "connections:\n  k: { type: eventhub, connectionString: canary }\n  k: {}",
    "password: canary",
  ];
  for (const yaml of cases) {
    const { layer, findings, source } = inspected(yaml);
    assert.ok(findings.length > 0, yaml);
    const error = new ConfigError(layer, findings, source);
    for (const text of [formatFindings(findings, source, null), JSON.stringify(findings), error.text(), error.message]) {
      assert.is.not(text.includes("canary"), true, `${yaml}\n${text}`);
    }
  }
});

test("bad input 117: what is no configuration is refused with a finding", () => {
  const deep = `${"[".repeat(100_000)}`;
  const laughs = Array.from({ length: 30 }, (_, n) => `a${n}: &a${n} [${n === 0 ? "x" : `*a${n - 1}, *a${n - 1}, *a${n - 1}`}]`).join("\n");
  const cases: readonly (readonly [string | Uint8Array, string])[] = [
    ["", "schema"],
    ["[]", "schema"],
    ["just text", "schema"],
    ["version: 2", "schema"],
    ["version: 1\nunknown: 1", "schema"],
    ['version: 1\n"__proto__": { state: x }', "syntax"],
    ["version: 1\nsources: { m: { feed: smart_meter, type: simulator, profile: meters, __proto__: 1 } }", "syntax"],
    [`version: 1\nstate: \${env:UNSET}`, "schema"],
    ["version: 1\nsinks:\n  a: { type: jsonl, stream: alerts, path: a }\n  a: { type: jsonl, stream: alerts, path: b }", "syntax"],
    [`version: 1\nsources: { m: { ${LANDING.replace("*.json", "**/".repeat(80))} } }`, "references"],
    [`version: 1\nsources: { m: { ${LANDING.replace("*.json", "*a".repeat(200))} } }`, "schema"],
    [deep, "syntax"],
    [laughs, "syntax"],
    ["x".repeat(1_048_577), "syntax"],
    [new Uint8Array([0x76, 0xff, 0xfe]), "syntax"],
    ["version: 1\nname: \u0000", "schema"],
  ];
  for (const [content, layer] of cases) {
    const found = inspectConfig(optionsIn(folderWith({ "gridactor.yaml": content })));
    const name = String(content).slice(0, 60);
    assert.is(found.layer, layer, name);
    assert.ok(
      found.findings.some(({ level }) => level === "error"),
      name,
    );
  }
  assert.is(Object.hasOwn(Object.prototype, "state"), false);
});

test("line ends, a byte order mark and comments change nothing", () => {
  const folder = folderWith({ "gridactor.yaml": "\ufeffversion: 1\r\n# comment\r\nname: 7\r\n" });
  assert.equal(told(inspectConfig(optionsIn(folder)).findings), ["bad_type name 3:7"]);
});

test("two sources on one folder may share it as long as no file fits both", () => {
  const codes = (yaml: string): readonly string[] => inspected(yaml).findings.map(({ code }) => code);
  assert.equal(codes(two('include: ["meter_*.json"]', 'include: ["bill_*.json"]')), []);
  assert.equal(codes(two('include: ["meter_*.json"]', 'include: ["*_06.json"]')), ["shared_files"]);
  assert.equal(codes(two('include: ["**/*.json"]', "location: in/sub")), ["shared_files"]);
  assert.equal(codes(two('include: ["*.json"]', "location: in/sub")), []);
});

test("a link to a folder is that folder", () => {
  const folder = folderWith({ "in/a.json": "", "gridactor.yaml": `version: 1\n${two("location: in", "location: link")}` });
  const codes = (): readonly string[] => inspectConfig(optionsIn(folder)).findings.map(({ code }) => code);
  assert.equal(codes(), []);
  symlinkSync(join(folder, "in"), join(folder, "link"));
  assert.equal(codes(), ["shared_files"]);
});

test("two sources never read the same topic", () => {
  const yaml = [
    "connections: { k: { type: kafka, brokers: [a] } }",
    "sources:",
    "  a: { feed: billing, type: kafka, connection: k, topic: t }",
    "  b: { feed: billing, type: kafka, connection: k, topic: t, group: other }",
  ].join("\n");
  assert.equal(told(inspected(yaml).findings.filter(({ level }) => level === "error")), ["shared_topic sources.b.topic 5:58"]);
});

test("a source of several topics shares none of them, and its group with nobody", () => {
  const yaml = [
    "connections: { k: { type: kafka, brokers: [a] } }",
    "sources:",
    "  a: { feed: billing, type: kafka, connection: k, topic: [t, u], group: g }",
    "  b: { feed: billing, type: kafka, connection: k, topic: [v, u], group: g }",
  ].join("\n");
  assert.equal(told(inspected(yaml).findings.filter(({ level }) => level === "error")), [
    "shared_topic sources.b.topic 5:58",
    "shared_group sources.b.group 5:73",
  ]);
});

test("the environment layer looks at folders, files, rights and the disk", async () => {
  const marked = [
    "state: deep/state",
    "sources:",
    `  none: { ${changed("location: »none")} }`,
    `  file: { ${changed("location: »a_file")} }`,
    `  empty: { ${changed('include: »["*empty_*"]')} }`,
    `  good: { ${changed('include: ["good_1.json"]')} }`,
    "sinks: { a: { type: jsonl, stream: alerts, path: »a_file/out.jsonl } }",
  ].join("\n");
  const { yaml, places } = unmarked(marked);
  const folder = folderWith({
    "gridactor.yaml": `version: 1\n${yaml}`,
    a_file: "",
    "in/good_1.json": "",
    "in/_empty_1.json": "",
    "in/empty_1.json.tmp": "",
  });
  const { answer, exit } = await check(folder);
  const codes = [
    "no_folder sources.none.location",
    "no_folder sources.file.location",
    "(warning) no_files sources.empty.include",
    "not_writable sinks.a.path",
  ];
  assert.equal(
    told(answer.findings),
    codes.map((code, n) => `${code} ${places[n]}`),
  );
  assert.equal([answer.ok, answer.layer, exit], [false, "environment", 78]);
  assert.equal((await check(folder, { environment: false })).answer, { ok: true, layer: "references", findings: [] });
});

test("what is outside this machine is asked if there is a way to, and is told where it is named", async () => {
  const yaml = [
    "version: 1",
    "connections: { k: { type: kafka, brokers: [a.example.org:9092] } }",
    "sources: { m: { feed: smart_meter, type: kafka, connection: k, topic: t } }",
  ].join("\n");
  const folder = folderWith({ "gridactor.yaml": yaml });
  const unreached = [
    { code: "unreachable", path: ["connections", "k", "brokers"], message: "nobody answers" },
    { code: "no_topic", path: ["sources", "m", "topic"], message: "there is none" },
  ] as const;
  const { answer } = await check(folder, { reach: async () => unreached });
  assert.equal(
    answer.findings.map(({ level, code, path, line, message }) => [level, code, path, line, message]),
    [
      ["error", "unreachable", "connections.k.brokers", 2, "nobody answers"],
      ["error", "no_topic", "sources.m.topic", 3, "there is none"],
    ],
  );
  const asked = await check(folder, { environment: false, reach: () => assert.unreachable() as never });
  assert.ok(asked.answer.ok);
});

test("too little room on the disk is told", async () => {
  const folder = folderWith({ "gridactor.yaml": "version: 1\nlog: { minFreeDisk: 8000TiB }" });
  assert.equal(told((await check(folder)).answer.findings), ["disk_full state 1:1"]);
});

test("a state directory that cannot be written is told", async () => {
  if (process.getuid?.() === 0) return; // Nothing is forbidden to root.
  const folder = folderWith({ "gridactor.yaml": "version: 1\nstate: closed/state" });
  mkdirSync(join(folder, "closed"), { mode: 0o500 });
  assert.equal(told((await check(folder)).answer.findings), ["not_writable state 2:8"]);
  chmodSync(join(folder, "closed"), 0o700);
});

test("warnings refuse only where they are denied", async () => {
  const folder = folderWith({ "gridactor.yaml": "version: 1\nrules: { meter.spike: { overrides: [{ region: NROTH, limitKwh: 1 }] } }" });
  assert.equal([(await check(folder)).exit, (await check(folder, { denyWarnings: true })).exit], [0, 78]);
  const answer = (await check(folder, { denyWarnings: true })).answer;
  assert.equal(answer, {
    ok: false,
    layer: "environment",
    findings: [
      {
        level: "warning",
        code: "unknown_region",
        path: "rules.meter.spike.overrides.0.region",
        line: 2,
        column: 47,
        message: 'the data has no region "NROTH"',
        fix: 'did you mean "NORTH"?',
      },
    ],
  });
});

test("the answer for people ends with what was gone through, or what failed", async () => {
  const good = folderWith({ "gridactor.yaml": "version: 1" });
  assert.is(formatCheck(await check(good), null), "gridactor.yaml is valid: syntax, schema, references, environment\n");
  assert.is(formatCheck(await check(good, { environment: false }), null), "gridactor.yaml is valid: syntax, schema, references\n");
  const bad = folderWith({ "gridactor.yaml": "version: 1\nnmae: x" });
  assert.ok(formatCheck(await check(bad), null).endsWith("gridactor.yaml is refused: schema\n"));
});

test("the shipped configuration speaks of itself only: no absolute path, no machine", () => {
  const text = readFileSync(join(ROOT, "gridactor.yaml"), "utf8");
  assert.is.not(/[\s"[]\/\w|https?:\/\/|@/.test(text), true);
});

function check(folder: string, more: Partial<CheckOptions> = {}): ReturnType<typeof checkConfig> {
  return checkConfig({ ...optionsIn(folder), environment: true, denyWarnings: false, ...more });
}

/** A landing source in which one key is said otherwise, or more. */
function landing(change: string, name = "m"): string {
  return `sources: { ${name}: { ${changed(change)} } }`;
}

function two(left: string, right: string): string {
  return `sources: { a: { ${changed(left)} }, b: { ${changed(right)} } }`;
}

function changed(change: string): string {
  const key = change.split(":")[0] ?? "";
  const rest = LANDING.split(/, (?=\w+:)/).filter((part) => !part.startsWith(`${key}:`));
  return [...rest, change].join(", ");
}

/** Takes the marks out of a text: what is left, and the places they stood at, in a file that begins with a line more. */
function unmarked(marked: string): { readonly yaml: string; readonly places: readonly string[] } {
  const parts = marked.split("»");
  const places = parts.slice(1).map((_, n) => {
    const lines = parts
      .slice(0, n + 1)
      .join("")
      .split("\n");
    return `${lines.length + 1}:${(lines.at(-1) ?? "").length + 1}`;
  });
  return { yaml: parts.join(""), places };
}
