// timeout: 180 s
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import * as assert from "uvu/assert";
import { ROOT } from "../kit/grid_folder.ts";
import { newPackageFolder, type PackageFolder, type ToolEnding, tool } from "../kit/package_folder.ts";
import { suite } from "../kit/suite.ts";
import { removeFolder } from "../kit/temp_folder.ts";

const test = suite("package");

let folder: PackageFolder;
let example: ToolEnding;

test.before(async () => {
  folder = await newPackageFolder();
  cpSync(join(ROOT, "examples"), join(folder.path, "examples"), { recursive: true });
});
test.after(() => removeFolder(folder.path));

test("the tarball holds the program, its schemas and what it ships, and neither sources, tests nor data", () => {
  for (const path of ["dist/main.js", "dist/lib.js", "dist/lib.d.ts", "schemas/config.schema.json", "schemas/alert.schema.json"])
    assert.ok(folder.files.includes(path), path);
  for (const path of ["asyncapi.yaml", "gridactor.yaml", "contrib/gridactor.service", "contrib/compose.yaml", "README.md", "LICENSE"])
    assert.ok(folder.files.includes(path), path);
  const places = [...new Set(folder.files.map((path) => path.split("/")[0]))].sort();
  const shipped = ["LICENSE", "README.md", "asyncapi.yaml", "contrib", "dist", "gridactor.yaml", "package.json", "schemas"];
  assert.equal(places, shipped);
  assert.equal(
    folder.files.filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts")),
    [],
  );
});

test("the command runs from the installed package", async () => {
  const { code, stdout } = await tool("node", [join(folder.installed, "dist/main.js"), "schema", "rules", "--json"], folder.path);
  assert.is(code, 0);
  assert.ok((JSON.parse(stdout) as { rule: string }[]).some(({ rule }) => rule === "meter.spike"));
});

test("importing the library starts nothing, says nothing, writes nothing and lets the process end", async () => {
  const empty = join(folder.path, "empty");
  mkdirSync(empty);
  const script = `
    const { openEngine } = await import("gridactor");
    process.once("beforeExit", () => console.log(typeof openEngine, process.getActiveResourcesInfo().filter((name) => name !== "PipeWrap")));
  `;
  const { code, stdout, stderr } = await tool("node", ["--input-type=module", "-e", script], empty);
  assert.equal([code, stdout, stderr], [0, "function []\n", ""]);
  assert.equal(readdirSync(empty), []);
});

test("only what the package exports can be imported", async () => {
  const script = `await import("gridactor/dist/main.js");`;
  const { code, stderr } = await tool("node", ["--input-type=module", "-e", script], folder.path);
  assert.is(code, 1);
  assert.match(stderr, /ERR_PACKAGE_PATH_NOT_EXPORTED/);
});

test("no type of another package appears in the public types", () => {
  const seen = new Set<string>();
  const foreign: string[] = [];
  const look = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, to = ""] of readFileSync(file, "utf8").matchAll(/(?:\bfrom |\bimport\()"([^"]+)"\)?/g)) {
      if (to.startsWith(".")) look(resolve(dirname(file), to.replace(/\.(?:js|ts)$/, ".d.ts")));
      else if (!to.startsWith("node:")) foreign.push(`${file.slice(folder.installed.length)}: ${to}`);
    }
  };
  look(join(folder.installed, "dist/lib.d.ts"));
  assert.equal(foreign, []);
  assert.ok(seen.size > 10, "the types were followed");
});

test("the example compiles against the package under the strictest flags", async () => {
  await compiles("examples/feeder_load.ts", { noUncheckedIndexedAccess: true });
});

test("the sample of the interface document compiles", async () => {
  writeFileSync(join(folder.path, "sample.ts"), SAMPLE);
  await compiles("sample.ts", {});
});

test("the example raises its alert and clears it, and a second run finds nothing new", async () => {
  example = await tool("node", [join(folder.path, "built/feeder_load.js")], folder.path);
  assert.is(example.code, 0, example.stderr);
  const lines = example.stdout.trimEnd().split("\n");
  assert.equal(
    lines.filter((line) => !line.startsWith("page: ")),
    [
      "12 energy.alert.raised.v1 2025-06-15T08:55:00.000Z feeder/F-17 516 A",
      "24 energy.alert.cleared.v1 2025-06-15T09:45:00.000Z feeder/F-17 199 A",
      '{"amps":0}',
    ],
  );
  assert.equal(
    lines.filter((line) => line.startsWith("page: ")).map((line) => line.replace(/ALR-\w+/, "ALR")),
    ["page: ALR/1 energy.alert.raised.v1", "page: ALR/2 energy.alert.cleared.v1"],
  );
  assert.ok(existsSync(join(folder.path, "built/out/curated/feeder_load/_delta_log/00000000000000000000.json")));
  const again = await tool("node", [join(folder.path, "built/feeder_load.js")], folder.path);
  assert.equal(
    again.stdout.trimEnd().split("\n"),
    lines.filter((line) => !line.startsWith("page: ")),
    "the log is told again to who asks for it, and nobody is paged twice",
  );
});

/** Type-checks a file of the folder as its owner would, and builds it into `built`. */
async function compiles(file: string, options: object): Promise<void> {
  const config = {
    compilerOptions: {
      ...{ target: "es2023", module: "nodenext", strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, types: ["node"] },
      ...{ outDir: "built", rootDir: dirname(file), ...options },
    },
    files: [file],
  };
  writeFileSync(join(folder.path, "tsconfig.json"), JSON.stringify(config));
  const { code, stdout } = await tool("node", [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", "."], folder.path);
  if (file.startsWith("examples/")) cpSync(join(ROOT, "examples/feeder_load.yaml"), join(folder.path, "built/feeder_load.yaml"));
  assert.is(code, 0, stdout);
}

/** As the document has it, with what it leaves to the reader. */
const SAMPLE = `
import { type Batch, type Emission, Mark, openEngine, feed, text, instant, number, minutes, ActorId, type Behaviour, type Position, type Rule, type Source, type Sink } from 'gridactor'
interface FeederState { amps: number | null }
interface FeederMessage { type: 'feeder_measured'; atMs: number; amps: number }
declare function datagrams(port: number, after: ReadonlyMap<string, Position>, signal: AbortSignal): AsyncIterable<Batch>
declare function page(emissions: readonly Emission[]): Promise<Mark>

const feederLoad = feed({                                    // what a record means; not how it arrives
  name: 'feeder_load', latenessMs: minutes(5),
  fields: { id: text, feeder: text, at: instant, amps: number(0, 5_000) },
  eventTimeMs: row => row.at, dedupKey: row => row.id, actors: row => [ActorId('feeder', row.feeder)],
  message: row => ({ type: 'feeder_measured', atMs: row.at, amps: row.amps }),
})
const overload: Rule = { id: 'feeder.overload', version: 1, family: 'load', severity: 'warning', metric: 'amps', unit: 'A', limits: { limitA: 400, clearA: 380 }, onDelayMs: minutes(10), offDelayMs: minutes(15) }
const feeder: Behaviour<FeederState, FeederMessage> = {       // pure and synchronous: time is in the message, effects go to \`out\`
  kind: 'feeder', version: 1, initial: () => ({ amps: null }),
  receive(state, message, out) {
    state.amps = message.amps
    const { limitA, clearA } = out.limits('feeder.overload')   // in force for this actor: default, region, tariff, actor
    out.observe('feeder.overload', { holds: message.amps > limitA, atMs: message.atMs, value: message.amps, limit: limitA, clear: clearA })
    out.curate('feeder_load', { amps: message.amps })
  },
}
const udp = (options: { port: number }): Source => ({ id: 'udp', read: (after, signal) => datagrams(options.port, after, signal) })   // yields Batch
const pager: Sink = { name: 'pager', write: emissions => page(emissions), close: async () => {} }           // resolves when safe, to a Mark

const engine = await openEngine({ config: './gridactor.yaml', actors: [feeder], rules: [overload], feeds: [feederLoad], sources: { udp }, sinks: { pager } })
await engine.start()
for await (const event of engine.subscribe({ from: 0, severity: 'major+', under: 'substation/SUB-N-012' }))   // a cursor, as over HTTP
  console.log(event.sequence, event.data.alertId)
`;
