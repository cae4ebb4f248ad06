// timeout: 120 s
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { ROOT, run } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";
import { inTempFolder } from "../kit/temp_folder.ts";

const test = suite("shipped files");

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

test("the unit starts the daemon as it must, restarts it but after 2 and 78, and gives it nothing more than it needs", () => {
  const unit = new Map(
    read("contrib/gridactor.service")
      .split("\n")
      .filter((line) => /^\w+=/.test(line))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)] as const),
  );
  const wanted = {
    Type: "exec",
    ExecStart: "gridactor run --config %E/gridactor/gridactor.yaml",
    ExecReload: "/bin/kill -HUP $MAINPID",
    DynamicUser: "yes",
    StateDirectory: "gridactor",
    Restart: "always",
    RestartPreventExitStatus: "2 78",
    TimeoutStopSec: "20",
    NoNewPrivileges: "yes",
    ProtectSystem: "strict",
    UMask: "0077",
  };
  for (const [key, value] of Object.entries(wanted)) assert.is(unit.get(key), value, key);
  assert.ok(unit.has("MemoryMax"));
});

test("systemd understands every line of the unit", () =>
  inTempFolder(async (folder) => {
    const unit = join(folder, "gridactor.service");
    writeFileSync(unit, read("contrib/gridactor.service").replace("ExecStart=gridactor", "ExecStart=/bin/true"));
    const { error, status, stderr } = spawnSync("systemd-analyze", ["verify", unit], { encoding: "utf8" });
    if (error !== undefined) return; // No systemd here: the lines are compared above.
    assert.equal([status, stderr], [0, ""]);
    writeFileSync(unit, "[Service]\nExecStart=/bin/true\nNoNewPrivilege=yes\n");
    assert.match(spawnSync("systemd-analyze", ["verify", unit], { encoding: "utf8" }).stderr, /Unknown key/);
  }));

test("the image is built in two stages, runs as nobody of importance, and copies what there is", () => {
  const steps = instructions(read("Dockerfile"));
  const of = (name: string): readonly string[] => steps.filter(([word]) => word === name).map(([, rest]) => rest);
  assert.equal(of("FROM"), ["node:24-bookworm-slim AS build", "node:24-bookworm-slim"]);
  assert.equal([of("USER"), of("VOLUME"), of("EXPOSE"), of("STOPSIGNAL")], [["node"], ["/data"], ["7400"], ["SIGTERM"]]);
  assert.equal(of("ENV"), ["GRIDACTOR_STATE=/data/state"]);
  assert.equal([of("ENTRYPOINT"), of("CMD")], [['["gridactor"]'], ['["run"]']]);
  const copied = of("COPY")
    .flatMap((rest) => rest.split(" ").slice(0, -1))
    .filter((word) => word.startsWith("/build/"));
  const made = ["dist", "node_modules"];
  const missing = copied.map((path) => path.replace("/build/", "")).filter((path) => !made.includes(path) && !existsSync(join(ROOT, path)));
  assert.equal(missing, []);
});

test("every command that image, compose file and unit name is one of ours, with flags that it has", async () => {
  const { services } = compose();
  const health = /HEALTHCHECK .*CMD (\[.*\])/.exec(read("Dockerfile"))?.[1] ?? "[]";
  const commands = [
    (JSON.parse(health) as string[]).slice(1),
    services["meters"]?.command ?? [],
    services["gridactor"]?.command ?? [],
    ["run", "--config", "%E/gridactor/gridactor.yaml"],
  ];
  for (const command of commands) {
    assert.ok(command.length > 0);
    const { code, stdout } = await run([command[0] ?? "", "--help"]);
    assert.is(code, 0, command[0]);
    const flags = command.filter((word) => word.startsWith("--"));
    for (const flag of flags) assert.ok(stdout.includes(flag) || PROGRAM_FLAGS.includes(flag), `${command.join(" ")}: ${flag}`);
  }
});

test("the compose file has one Kafka, meters that fill it, and an engine whose configuration is valid and reads it", async () => {
  const { services, volumes } = compose();
  assert.equal(Object.keys(services).sort(), ["gridactor", "kafka", "meters"]);
  assert.match(services["kafka"]?.environment["KAFKA_PROCESS_ROLES"] ?? "", /broker.*controller/);
  assert.equal(services["meters"]?.command, ["simulate", "meters", "0", "--to", "kafka://kafka:9092/energy.smart_meter.readings"]);
  assert.equal(Object.keys(volumes), ["data"]);
  const mounted = services["gridactor"]?.volumes.find((each) => each.startsWith("./"))?.split(":")[0] ?? "";
  const file = join(ROOT, "contrib", mounted);
  const config = parse(readFileSync(file, "utf8")) as {
    readonly connections: Readonly<Record<string, { readonly brokers: readonly string[] }>>;
    readonly sources: Readonly<Record<string, { readonly topic: string }>>;
  };
  const machine = /MACHINE:\/\/([^,]+)/.exec(services["kafka"]?.environment["KAFKA_ADVERTISED_LISTENERS"] ?? "")?.[1];
  assert.equal(config.connections["kafka"]?.brokers, [machine], "the engine finds the broker where it says that it is");
  assert.ok(
    services["kafka"]?.ports.some((each) => each.endsWith(`:${machine?.split(":")[1]}`)),
    "and that port is published",
  );
  assert.is(config.sources["meters"]?.topic, services["meters"]?.command.at(-1)?.split("/").at(-1));
  const { code, stdout } = await run(["check", "--no-environment", "--deny-warnings", "--json", "--config", file]);
  assert.equal([code, (JSON.parse(stdout) as { findings: unknown }).findings], [0, []]);
});

const PROGRAM_FLAGS = ["--config", "--state", "--json", "--quiet"];

interface Service {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly ports: readonly string[];
}

function compose(): { readonly services: Readonly<Record<string, Service>>; readonly volumes: object } {
  return parse(read("contrib/compose.yaml"));
}

/** Instructions of a Dockerfile, without comments; continued lines are one. */
function instructions(text: string): readonly (readonly [word: string, rest: string])[] {
  return text
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)] as const);
}
