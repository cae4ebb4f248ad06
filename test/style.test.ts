import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as assert from "uvu/assert";
import { codeOnly } from "./kit/code_only.ts";
import * as rules from "./kit/style_rules.ts";
import { suite } from "./kit/suite.ts";

const ROOT = resolve(import.meta.dirname, "..");
const NOT_OURS = ["node_modules", "dist", "data_sources", "state", "out"];

const files: ReadonlyMap<string, string> = new Map(paths("").map((path) => [path, readFileSync(join(ROOT, path), "utf8")]));
const brands = rules.brandsOf(files.get("engine/ids.ts") ?? "");
const castsOnlyWhereMade = rules.castsOnlyWhereMade(brands);

const test = suite("style");

test("the brands are found where ids are made", () => {
  for (const brand of ["ActorId", "SourceId", "Position", "Mark"]) assert.ok(brands.includes(brand), brand);
});

house("imports go down only", rules.importsGoDown, {
  faults: [
    ["engine/pump.ts", `import { meter } from "../actors/meter.ts";`],
    ["engine/pump.ts", `import type { Meter } from "../actors/meter.ts";`],
    ["engine/pump.ts", `type Meter = import("../actors/meter.ts").Meter;`],
    ["engine/pump.ts", `const meter = await import(\n  "../actors/meter.ts"\n);`],
    ["engine/pump.ts", `export * from "../actors/meter.ts";`],
    ["actors/feeds/billing.ts", `import { csv } from "../../sources/formats/csv.ts";`],
    ["sources/csv.ts", `import { billing } from "../actors/feeds/billing.ts";`],
    ["sinks/parquet.ts", `import { csv } from "../sources/csv.ts";`],
    ["admin/http.ts", `import "../sinks/kafka.ts";`],
    ["simulators/grid.ts", `import { minutes } from "../engine/duration.ts";`],
    ["engine/pump.ts", `import { main } from "../main.ts";`],
    ["main.ts", `import { engine } from "./lib.ts";`],
    ["main.ts", `import { suite } from "./test/kit/suite.ts";`],
    ["stray/file.ts", ""],
  ],
  sound: [
    ["actors/feeds/billing.ts", `import { feed } from "../../engine/feed.ts";\nimport { codes } from "../codes.ts";`],
    ["admin/http.ts", `import type { GridMessage } from "../actors/message.ts";`],
    ["engine/pump.ts", `// import { meter } from "../actors/meter.ts";\nconst text = 'import "../actors/meter.ts"';`],
    ["test/pump.test.ts", `import { main } from "../main.ts";`],
  ],
});

house("the core has no clock, chance, input, output, wait or log", rules.coreIsPure, {
  faults: [
    ["actors/meter.ts", "const now = Date.now();"],
    ["actors/meter.ts", "const now = new Date();"],
    ["actors/meter.ts", "const now = new Date;"],
    ["actors/meter.ts", "const now = Date();"],
    ["actors/meter.ts", "const now = performance.now();"],
    ["actors/statistics/ewma.ts", "const chance = Math.random();"],
    ["actors/meter.ts", "const id = crypto.randomUUID();"],
    ["actors/meter.ts", `import { readFileSync } from "node:fs";`],
    ["actors/meter.ts", "setTimeout(poll, 5);"],
    ["actors/meter.ts", "const row = await next();"],
    ["actors/meter.ts", "console.log(1);"],
    ["actors/meter.ts", "const hour = new Date(atMs).getHours();"],
    ["engine/turn.ts", `const text = \`\${Date.now()}\`;`],
    ["engine/history.ts", "const zone = process.env;"],
    ["engine/a_new_file.ts", `import { createHash } from "node:crypto";`],
  ],
  sound: [
    ["engine/ids.ts", `import { createHash } from "node:crypto";`],
    ["engine/clock.ts", "const now = Date.now();"],
    [
      "actors/meter.ts",
      "const hour = new Date(atMs).getUTCHours(); // Not Date.now(): a replay must see the same.\nconst atMs = Date.UTC(2025, 0);",
    ],
    [
      "actors/meter.ts",
      `const text = "await setTimeout";\nconst share = state.performance / limit / 2;\nfor (const process of processes) stop(process);`,
    ],
    ["sources/kafka.ts", "await consumer.run();"],
  ],
});

house("nothing is a default export", rules.noDefaultExport, {
  faults: [
    ["engine/a.ts", "export default function a() {}"],
    ["engine/a.ts", "export { a as default };"],
  ],
  sound: [["engine/a.ts", "export const a = 1; // export default\nswitch (a) { default: }"]],
});

house("no file passes on what another one wrote", rules.noBarrel, {
  faults: [
    ["engine/a.ts", `export * from "./b.ts";`],
    ["engine/a.ts", `export type { B } from "./b.ts";`],
    ["engine/a.ts", `export {\n  b,\n} from "./b.ts";`],
  ],
  sound: [
    ["lib.ts", `export { engine } from "./engine/engine.ts";`],
    ["engine/a.ts", `export interface A { b: number }\nimport { b } from "./b.ts";`],
  ],
});

house("no any, and no cast through unknown", rules.noAny, {
  faults: [
    ["engine/a.ts", "const a: any = 1;"],
    ["engine/a.ts", "const a = b as any;"],
    ["engine/a.ts", "const a: Map<string, any[]> = b;"],
    ["engine/a.ts", "const a = b as unknown as C;"],
  ],
  sound: [["engine/a.ts", `const a = AbortSignal.any([b]); // any of them\nconst any_of = "any", company = 1;`]],
});

house("an id is made by its constructor only", castsOnlyWhereMade, {
  faults: [
    ["sources/a.ts", "const a = b as Position;"],
    ["sources/a.ts", "const a = b as readonly ActorId[];"],
    ["test/a.test.ts", "const a = (b as Mark);"],
  ],
  sound: [
    ["engine/ids.ts", "return text as Position;"],
    ["sources/a.ts", "const a = Position(b as string); // never b as Position\nconst c = d as PositionInFile;"],
  ],
});

house("no code from text, no asynchronous transaction, no printing in the parts", rules.noForbiddenCall, {
  faults: [
    ["admin/repl.ts", "eval(line);"],
    ["admin/repl.ts", "const f = new Function(line);"],
    ["admin/repl.ts", `import { start } from "node:repl";`],
    ["admin/repl.ts", `import vm from "node:vm";`],
    ["engine/lmdb_store.ts", `import { open } from "lmdb";\nawait db.transaction(() => {});`],
    ["engine/pump.ts", "console.log(batch);"],
    ["engine/pump.ts", "console.error(batch);"],
    ["test/pump.test.ts", "console.log(batch);"],
  ],
  sound: [
    ["engine/lmdb_store.ts", `import { open } from "lmdb";\ndb.transactionSync(() => {});`],
    ["sinks/kafka.ts", `import { Kafka } from "kafkajs";\nawait producer.transaction();`],
    ["main.ts", "console.log(line);"],
    ["simulators/generate_all_data.ts", "console.log(line);"],
    ["engine/pump.ts", "this.retrieval(1); // eval(1)"],
  ],
});

house("tests take their suite from the kit", rules.testsUseTheKit, {
  faults: [
    ["test/a.test.ts", `import { suite } from "uvu";\nconst test = suite("a");\ntest.run();`],
    ["test/a.test.ts", `import { suite } from "./kit/suite.ts";`],
    ["test/a.test.ts", ""],
    ["test/contract/store.ts", `import { test } from "uvu";`],
  ],
  sound: [
    ["test/engine/a.test.ts", `import * as assert from "uvu/assert";\nimport { suite } from "../kit/suite.ts";\nconst test = suite("a");`],
    ["test/engine/store.test.ts", `import { storeContract } from "../contract/store.ts";`],
    ["test/contract/store.ts", `import * as assert from "uvu/assert";`],
  ],
});

house("tests do not sleep", rules.testsDoNotSleep, {
  faults: [
    ["test/a.test.ts", "await new Promise((done) => setTimeout(done, 50));"],
    ["test/kit/a.ts", "await sleep(50);"],
    ["test/kit/a.ts", `import { setTimeout as pause } from "node:timers/promises";`],
    ["test/a.test.ts", "setInterval(poll, 5);\n// deadline: on another line"],
  ],
  sound: [
    ["test/a.test.ts", "const timer = setTimeout(give_up, 5_000); // deadline: the child never answered."],
    ["sources/a.ts", "setTimeout(poll, 5);"],
  ],
});

house("file names are in snake_case and say something", rules.namesAreSnakeCase, {
  faults: [
    ["engine/lmdbStore.ts", ""],
    ["engine/lmdb-store.ts", ""],
    ["engine/index.ts", ""],
    ["actors/utils.ts", ""],
  ],
  sound: [
    ["engine/lmdb_store.ts", ""],
    ["test/lmdb_store.test.ts", ""],
    ["main.ts", ""],
  ],
});

test("no imports go in a circle, types included", () => {
  const circle = new Map([
    ["engine/a.ts", `import { b } from "./b.ts";`],
    ["engine/b.ts", `import type { C } from "./sub/c.ts";`],
    ["engine/sub/c.ts", `type A = import("../a.ts").A;`],
  ]);
  assert.is(rules.cycles(circle).length, 1);
  assert.is(rules.cycles(new Map([["engine/a.ts", `import { a } from "./a.ts";`]])).length, 1);
  assert.equal(rules.cycles(new Map([...circle, ["engine/sub/c.ts", ""]])), []);
  assert.equal(rules.cycles(files), []);
});

test("a brace or a template left open is no text to search", () => {
  for (const text of ["{ a", "a `b", "`${a"]) assert.throws(() => codeOnly(text), text);
  for (const [path, text] of files) assert.not.throws(() => codeOnly(text), path);
});

test("searching sees code only: no comment, string, template text or regular expression", () => {
  assert.is(codeOnly(`a("b'") // c`), `a("  ")     `);
  assert.is(codeOnly("a /* b\nc */ d"), "a     \n     d");
  assert.is(codeOnly(`\`a \${b + \`c \${{ d }}\`} e\` + f`), `\`  \${b + \`  \${{ d }}\`}  \` + f`);
  assert.is(codeOnly(`\`{\${a}}\` + b`), `\` \${a} \` + b`);
  assert.is(codeOnly(`a = /["/]'/g + b / c / d`), `a = ${" ".repeat(8)} + b / c / d`);
  assert.is(codeOnly(`'\\'' + "\\\\" + a`), `'  ' + "  " + a`);
});

type Sample = readonly [path: string, text: string];

/** Two tests: the rule sees each planted fault and lets sound code pass; our files keep it. */
function house(title: string, rule: rules.Rule, samples: { readonly faults: readonly Sample[]; readonly sound: readonly Sample[] }): void {
  test(`planted faults are seen: ${title}`, () => {
    for (const [path, text] of samples.faults) assert.ok(rule(path, text).length > 0, `${path}: ${text}`);
    for (const [path, text] of samples.sound) assert.equal(rule(path, text), [], `${path}: ${text}`);
  });
  test(title, () => {
    const problems = [...files].flatMap(([path, text]) => rule(path, text));
    assert.equal(problems, [], problems.join("\n"));
  });
}

function paths(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith(".") || NOT_OURS.includes(entry.name)) return [];
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory()) return paths(`${path}/`);
    return /(?<!\.d)\.ts$/.test(path) ? [path] : []; // A .d.ts describes the code of others.
  });
}
