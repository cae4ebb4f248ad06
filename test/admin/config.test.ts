import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import * as assert from "uvu/assert";
import { type LoadedConfig, loadConfig, requireRunnable } from "../../admin/config.ts";
import type { LandingConfig } from "../../admin/config_types.ts";
import { ConfigError } from "../../admin/finding.ts";
import { days, minutes, seconds } from "../../engine/duration.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { suite } from "../kit/suite.ts";
import { CATALOGUE, folderWith, inspected, optionsIn, ROOT, removeFolders, told } from "./given_config.ts";

const test = suite("configuration");
test.after(removeFolders);

const PRODUCTION = readFileSync(join(import.meta.dirname, "production_sample.yaml"), "utf8");
const PRODUCTION_FILES = Object.fromEntries(
  ["tls.crt", "tls.key", "ops_token", "ca.pem", "lake_sas", "hook_secret"].map((name) => [name, `canary-${name}\n`]),
);
const PRODUCTION_ENV = { WALL_TOKEN: "canary-wall", KAFKA_PASSWORD: "canary-kafka", EVENTHUB_CONNECTION_STRING: "canary-hub" };

test("the shipped default is what the interface says", () => {
  const { config, warnings } = loadConfig(optionsIn(ROOT));
  assert.equal(warnings, []);
  assert.is(config.name, "main");
  assert.is(config.stateDir, join(ROOT, "state"));
  assert.equal(config.http, { host: "127.0.0.1", port: 7400, hosts: [], reads: "open", tls: null, tokens: {} });
  assert.equal(
    config.sources.map(({ id, feed, type, stage, origin }) => [id, feed, type, stage, origin].join(" ")),
    [
      "transformers transformer_master landing 1 live",
      "transformer_changes transformer_master landing 1 live",
      "customers customer_master landing 1 live",
      "meters smart_meter landing 2 live",
      "telemetry substation_telemetry landing 2 live",
      "billing billing landing 2 live",
      "maintenance maintenance landing 2 live",
      "renewable renewable landing 2 live",
      "meters_live smart_meter simulator 3 live",
      "telemetry_live substation_telemetry simulator 3 live",
      "billing_live billing simulator 3 live",
    ],
  );
  assert.equal(config.sources[1], {
    id: "transformer_changes",
    feed: "transformer_master",
    stage: 1,
    origin: "live",
    type: "landing",
    mode: "delta",
    location: { type: "folder", path: join(ROOT, "data_sources/transformer_parquet") },
    include: ["*_delta_*.parquet"],
    format: "parquet",
    settleMs: seconds(2),
    incompleteAfterMs: minutes(10),
    pollMs: seconds(10),
    order: "name",
    onOverwrite: "correction",
    absentMeans: "unknown",
    includeExistingFiles: true,
    filesMax: 1_000,
    bytesMax: 2 ** 30,
    cleanSource: { mode: "off", to: null, retentionMs: days(30) },
  });
  assert.equal(
    config.sources.filter(({ type }) => type === "landing").map((source) => (source as LandingConfig).mode),
    ["snapshot", "delta", "snapshot", "delta", "delta", "cdc", "delta", "delta"],
  );
  assert.equal(config.sources[10], {
    id: "billing_live",
    feed: "billing",
    stage: 3,
    origin: "live",
    type: "simulator",
    profile: "billing",
    ratePerSecond: 1,
    seed: 42,
    clock: "continue",
  });
  assert.equal(config.feeds.get("smart_meter"), {
    latenessMs: minutes(10),
    dedupMs: minutes(10),
    futureMs: minutes(5),
    idleMs: minutes(5),
    schema: { inferColumnTypes: true },
    history: {},
    precedence: ["snapshot", "delta", "cdc"],
    captureColumns: [],
  });
  assert.is(config.feeds.get("substation_telemetry")?.latenessMs, minutes(5));
  assert.equal([...config.rules], [["meter.spike", { enabled: true, limits: { limitKwh: 50 }, overrides: [] }]]);
  assert.equal(config.sinks, [
    { type: "jsonl", name: "alerts_file", stream: "alerts", path: join(ROOT, "out/alerts.jsonl") },
    { type: "parquet", name: "curated", stream: "curated", path: join(ROOT, "out/curated"), rowsMax: 50_000, everyMs: seconds(30) },
  ]);
  assert.equal(config.batch, { recordsMax: 5_000, bytesMax: 8 * 2 ** 20, waitMs: 50 });
  assert.equal(config.log, { keepMs: days(30), sizeBytesMax: 4 * 2 ** 30, minFreeDiskBytes: 2 ** 30 });
  assert.equal(config.limits, DEFAULT_LIMITS);
  assert.is(config.residentActorsMax, 2_000_000);
});

test("a configuration that says only its version has every default", () => {
  const { config } = load("");
  const shipped = loadConfig(optionsIn(ROOT)).config;
  for (const key of ["name", "batch", "log", "limits", "residentActorsMax"] as const) assert.equal(config[key], shipped[key], key);
  assert.equal(config.feeds, shipped.feeds);
  assert.equal([config.sources, config.sinks, config.rules.size], [[], [], 0]);
  assert.is(config.http?.reads, "token", "reads are open only where the file says so");
});

test("the production sample is valid, with its secrets in their places", () => {
  const { config } = loadProduction();
  assert.is(config.stateDir, "/var/lib/gridactor");
  assert.is(config.http?.tokens["ops"]?.value.reveal(), "canary-ops_token", "the line end of a file is not part of the secret");
  assert.is(config.http?.tokens["wall"]?.value.reveal(), "canary-wall");
  const { kafka, iothub, lake } = config.connections;
  const sasl = kafka?.type === "kafka" ? kafka.sasl : null;
  assert.is(sasl?.mechanism === "scram-sha-512" && sasl.password.reveal(), "canary-kafka");
  assert.is(kafka?.type === "kafka" && kafka.tls?.ca?.reveal(), "canary-ca.pem");
  assert.is(iothub?.type === "eventhub" && iothub.connectionString?.reveal(), "canary-hub");
  assert.is(lake?.type === "azure-blob" && lake.sas?.reveal(), "canary-lake_sas");
  const [transformers, , , meters, telemetry, , maintenance] = config.sources;
  assert.equal(transformers?.type === "landing" && transformers.location, {
    type: "blob",
    connection: "lake",
    container: "landing",
    prefix: "transformer",
  });
  assert.is(maintenance?.origin, "backfill");
  assert.equal(meters, {
    id: "meters",
    feed: "smart_meter",
    stage: 2,
    origin: "live",
    type: "kafka",
    mode: "delta",
    connection: "kafka",
    topics: ["energy.smart_meter.readings"],
    group: "gridactor-north",
    start: "earliest",
    batchRecordsMax: 10_000,
    onGap: "stop",
  });
  assert.is(telemetry?.type === "eventhub" && telemetry.group, "gridactor");
  const oncall = config.sinks.find(({ name }) => name === "oncall");
  assert.equal(oncall?.type === "webhook" && [oncall.severities, oncall.origins], [
    ["major", "critical"],
    ["live", "late"],
  ]);
});

test("a run is refused where this version cannot run what is asked for, and says what to do", () => {
  assert.not.throws(() => requireRunnable(loadProduction()));
  assert.not.throws(() => requireRunnable(loadConfig(optionsIn(ROOT))));
  const error = refusal(() => requireRunnable(load("feeds: { smart_meter: { history: { precedence: [cdc, delta, snapshot] } } }")));
  assert.is(error.exit, 78);
  assert.equal(
    error.findings.map(({ path, level, fix }) => [path, level, fix]),
    [["feeds.smart_meter.history.precedence", "error", "it is snapshot, delta, cdc"]],
  );
});

test("no secret is printed, whichever way the configuration is shown", () => {
  const { config, shown, secrets, origins, warnings, source } = loadProduction();
  assert.is(secrets.length, 9);
  const outputs = [
    JSON.stringify([config, shown, origins, warnings, source]),
    String(config.http?.tokens["ops"]?.value),
    inspect(config, { depth: 9 }),
  ];
  for (const output of outputs) assert.is.not(output.includes("canary"), true);
  const plain = load("admin: { http: { tokens: { ops: { value: canary-plain, role: read } } } }");
  assert.is.not(JSON.stringify([plain.shown, plain.source, plain.config]).includes("canary"), true);
  assert.equal(told(plain.warnings), ["(warning) plain_secret admin.http.tokens.ops.value 2:42"]);
});

test("a flag is over the environment, which is over the file, which is over the default", () => {
  const folder = folderWith({ "gridactor.yaml": "version: 1\nname: of_file\nstate: of_file\n" });
  const state = (env: Readonly<Record<string, string>>, flag: string | null): string => {
    return loadConfig(optionsIn(folder, { env, flags: { state: flag } })).config.stateDir;
  };
  assert.is(state({}, null), join(folder, "of_file"));
  assert.is(state({ GRIDACTOR__STATE: "of_level" }, null), join(folder, "of_level"));
  assert.is(state({ GRIDACTOR__STATE: "of_level", GRIDACTOR_STATE: "of_variable" }, null), join(folder, "of_variable"));
  assert.is(state({ GRIDACTOR__STATE: "of_level", GRIDACTOR_STATE: "of_variable" }, "of_flag"), join(folder, "of_flag"));
  assert.is(load("").config.name, "main");
});

test("environment variables set values at any level, in any spelling of the key", () => {
  const yaml = [
    "admin: { http: { port: 1 } }",
    "rules: { meter.spike: { limitKwh: 40 } }",
    "sinks: { alerts_file: { type: jsonl, stream: alerts, path: a } }",
  ].join("\n");
  const env = {
    GRIDACTOR__ADMIN__HTTP__PORT: "7500",
    GRIDACTOR__ADMIN__HTTP__HOSTS: "[a.example.org, b.example.org]",
    GRIDACTOR__ADMIN__HTTP__TOKENS__OPS__VALUE: "no: yaml",
    GRIDACTOR__ADMIN__HTTP__TOKENS__OPS__ROLE: "read",
    GRIDACTOR__RULES__METER_SPIKE__LIMIT_KWH: "60.5",
    GRIDACTOR__LOG__MINFREEDISK: "2GiB",
    GRIDACTOR__FEEDS__SMART_METER__LATENESS: "20m",
    GRIDACTOR__SINKS__ALERTS_FILE__PATH: "b",
    GRIDACTOR__SINKS__EXTRA: "{ type: jsonl, stream: alerts, path: c }",
    GRIDACTOR_CONFIG_FILE: "not ours",
    GRIDACTOR__UNSET: undefined,
  };
  const { config, origins, warnings } = load(yaml, { env });
  assert.equal(warnings, []);
  assert.is(config.http?.port, 7500);
  assert.equal(config.http?.hosts, ["a.example.org", "b.example.org"]);
  assert.is(config.http?.tokens["ops"]?.value.reveal(), "no: yaml", "a secret is text, whatever it looks like");
  assert.equal(config.rules.get("meter.spike")?.limits, { limitKwh: 60.5 });
  assert.is(config.log.minFreeDiskBytes, 2 * 2 ** 30);
  assert.is(config.feeds.get("smart_meter")?.latenessMs, minutes(20));
  assert.equal(
    config.sinks.map(({ name }) => name),
    ["alerts_file", "extra"],
  );
  assert.is(origins["rules.meter.spike.limitKwh"], "GRIDACTOR__RULES__METER_SPIKE__LIMIT_KWH");
});

test("a variable can switch a whole part off, and another one replace it", () => {
  assert.is(load("", { env: { GRIDACTOR__ADMIN__HTTP: "false" } }).config.http, null);
  assert.is(load("admin: { http: false }").config.http, null);
  assert.is(load("admin: { http: false }", { env: { GRIDACTOR__ADMIN__HTTP__PORT: "1" } }).config.http?.port, 1);
});

test("a variable that names nothing, or gives a wrong value, is an error that names it", () => {
  const { layer, findings } = inspected("", {
    env: {
      GRIDACTOR__ADMIN__HTP__PORT: "1",
      GRIDACTOR__ADMIN__HTTP__PORT: "high",
      GRIDACTOR__SOURCES____PROTO____X: "1",
      GRIDACTOR__CONSTRUCTOR: "1",
    },
  });
  assert.is(layer, "schema");
  assert.equal(told(findings).toSorted(), ["bad_type admin.http.port", "unknown_variable", "unknown_variable", "unknown_variable"]);
  assert.ok(findings.every(({ message }) => message.startsWith("GRIDACTOR__")));
  assert.ok(findings.some(({ fix }) => fix === 'did you mean "http"?'));
});

test("the file is the one named, else the working directory's, else the package's", () => {
  const named = folderWith({ "other.yaml": "version: 1\nname: named\n", "gridactor.yaml": "version: 1\nname: local\n" });
  const empty = folderWith({});
  const name = (more: Parameters<typeof optionsIn>[1]): string => loadConfig(optionsIn(named, more)).config.name;
  assert.is(name({ path: "other.yaml" }), "named");
  assert.is(name({ env: { GRIDACTOR_CONFIG: "other.yaml" } }), "named");
  assert.is(name({}), "local");
  assert.is(name({ cwd: empty, packageRoot: named }), "local");
  const error = refusal(() => loadConfig(optionsIn(named, { path: "none.yaml" })));
  assert.equal([error.exit, error.layer, told(error.findings)], [78, "syntax", ["unreadable_file"]]);
  assert.equal(told(refusal(() => loadConfig(optionsIn(named, { path: "." }))).findings), ["unreadable_file"]);
});

test("paths of a file begin at the file, those of flags and variables at the working directory", () => {
  const folder = folderWith({
    "etc/grid.yaml":
      'version: 1\nstate: ../state\nsources: { m: { feed: smart_meter, type: landing, location: in, include: ["*"], format: csv } }\nsinks: { a: { type: jsonl, stream: alerts, path: /abs/a } }\n',
  });
  const { config } = loadConfig(optionsIn(folder, { path: "etc/grid.yaml" }));
  assert.is(config.stateDir, join(folder, "state"));
  assert.equal((config.sources[0] as LandingConfig).location, { type: "folder", path: join(folder, "etc/in") });
  assert.is(config.sinks[0]?.type === "jsonl" && config.sinks[0].path, "/abs/a");
  assert.is(loadConfig(optionsIn(folder, { path: "etc/grid.yaml", flags: { state: "s" } })).config.stateDir, join(folder, "s"));
});

test("every value tells where it comes from", () => {
  const { origins } = load("name: x\nlog: { keep: 1d }", { env: { GRIDACTOR__LOG__SIZE: "1GiB" }, flags: { state: "s" } });
  assert.is(origins["name"], "gridactor.yaml:2");
  assert.is(origins["log.keep"], "gridactor.yaml:3");
  assert.is(origins["log.size"], "GRIDACTOR__LOG__SIZE");
  assert.is(origins["state"], "--state");
  assert.is(origins["log.minFreeDisk"], "default");
  assert.is(origins["admin.http.port"], "default");
});

test("rules are set for all, and for a region, a tariff or an actor", () => {
  const { config } = load(
    [
      "rules:",
      "  meter.spike:",
      "    enabled: false",
      "    bandEndKwh: 200",
      "    overrides: [{ region: NORTH, limitKwh: 60 }, { tariff: INDUSTRIAL, limitKwh: 70 }, { actor: sm-n-00042, limitKwh: 80 }, { actor: Meter/SM-N-1, limitKwh: 90 }]",
    ].join("\n"),
  );
  assert.equal(config.rules.get("meter.spike"), {
    enabled: false,
    limits: { bandEndKwh: 200 },
    overrides: [
      { region: "NORTH", limits: { limitKwh: 60 } },
      { tariff: "INDUSTRIAL", limits: { limitKwh: 70 } },
      { actor: "meter/SM-N-00042", limits: { limitKwh: 80 } },
      { actor: "meter/SM-N-1", limits: { limitKwh: 90 } },
    ],
  });
});

test("a feed's schema and history have what the configuration says, and nothing else", () => {
  const { config } = load(
    "feeds: { customer_master: { history: { untracked: [customer_name] }, schemaEvolution: { mode: addNewColumns, hints: 'x double, y bigint', inferColumnTypes: false } } }",
  );
  const { schema, history } = config.feeds.get("customer_master") ?? {};
  assert.equal(schema, { mode: "addNewColumns", hints: { x: "double", y: "bigint" }, inferColumnTypes: false });
  assert.equal(history, { untracked: ["customer_name"] });
});

test("limits may be lowered; raising one needs the flag", () => {
  const lowered = load("limits: { recordBytesMax: 512KiB, hopsMax: 4, futureMs: 1m }\nbatch: { records: 100, bytes: 1MiB }").config;
  assert.equal([lowered.limits.recordBytesMax, lowered.limits.hopsMax, lowered.limits.futureMs], [524_288, 4, minutes(1)]);
  assert.equal([lowered.limits.batchRecords, lowered.limits.batchBytes], [100, 2 ** 20]);
  assert.is(lowered.feeds.get("smart_meter")?.futureMs, minutes(1), "the limit is the default of every feed");

  const raised =
    "limits: { hopsMax: 9, actors: 2000001, residentActors: 2000001 }\nbatch: { records: 5001 }\nfeeds: { smart_meter: { future: 6m } }";
  const { layer, findings } = inspected(raised);
  assert.is(layer, "references");
  assert.equal(
    findings.filter(({ level }) => level === "error").map(({ code, path }) => `${code} ${path}`),
    [
      "raised_limit limits.hopsMax",
      "raised_limit limits.actors",
      "raised_limit limits.residentActors",
      "raised_limit batch.records",
      "raised_limit feeds.smart_meter.future",
    ],
  );
  const allowed = load(raised, { flags: { allowRaisedLimits: true } }).config;
  assert.equal([allowed.limits.hopsMax, allowed.limits.batchRecords, allowed.residentActorsMax], [9, 5_001, 2_000_001]);
});

function load(yaml: string, more: Parameters<typeof inspected>[1] = {}): LoadedConfig {
  const { loaded, findings } = inspected(yaml, more);
  if (loaded === null) throw new Error(JSON.stringify(findings));
  return loaded;
}

function loadProduction(): LoadedConfig {
  const folder = folderWith({ ...PRODUCTION_FILES, "gridactor.yaml": PRODUCTION });
  return loadConfig(optionsIn(folder, { env: PRODUCTION_ENV, catalogue: CATALOGUE }));
}

function refusal(work: () => unknown): ConfigError {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}
