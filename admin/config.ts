import { existsSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { addedFindings, withAdded, withoutAdded } from "./config_added.ts";
import { conflictFindings } from "./config_conflicts.ts";
import { childValue } from "./config_keys.ts";
import { type Catalogue, referenceFindings } from "./config_references.ts";
import { type Report, reportOn, schemaFindings } from "./config_report.ts";
import { resolveConfig } from "./config_resolve.ts";
import { configSchemaWith, type WrittenConfig } from "./config_schema.ts";
import { isHidden, masked, reveal } from "./config_secrets.ts";
import { type ConfigText, linesOfBrokenText, readConfigText } from "./config_text.ts";
import type { Config } from "./config_types.ts";
import { unsupportedFindings } from "./config_unsupported.ts";
import { type FreeNames, type Override, readVariables, withOverride } from "./config_variables.ts";
import { ConfigError, type Finding, type FindingSource, type KeyPath, type Layer } from "./finding.ts";

export interface ConfigOptions {
  /** `--config`: relative to the working directory. Null: `GRIDACTOR_CONFIG`, else `gridactor.yaml` there, else the one of the package. */
  readonly path: string | null;
  readonly flags: {
    /** `--state`: relative to the working directory. */
    readonly state?: string | null;
    readonly allowRaisedLimits?: boolean;
  };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly packageRoot: string;
  /** Feeds and rules that a configuration may speak about. */
  readonly catalogue: Catalogue;
}

/** A configuration that may be used. */
export interface LoadedConfig {
  readonly config: Config;
  /** The file it was read from, absolute. */
  readonly file: string;
  /** Key path -> where its value comes from: `gridactor.yaml:12`, a variable, a flag, or `default`. */
  readonly origins: Readonly<Record<string, string>>;
  /** The whole configuration in the file's own words, defaults in place, secrets masked: for eyes. */
  readonly shown: unknown;
  /** What no output may show. */
  readonly secrets: readonly string[];
  readonly warnings: readonly Finding[];
  readonly source: FindingSource;
  /** For findings of those who use it. */
  readonly at: Report;
}

/** How far a configuration got: `loaded` is null if the layer has errors. */
export interface Inspected {
  readonly layer: Layer;
  readonly findings: readonly Finding[];
  readonly source: FindingSource;
  readonly loaded: LoadedConfig | null;
}

/** Loads the configuration: flag over environment over file over default. Throws `ConfigError` with all findings of the first layer that has errors. */
export function loadConfig(options: ConfigOptions): LoadedConfig {
  const { layer, findings, source, loaded } = inspectConfig(options);
  if (loaded === null) throw new ConfigError(layer, findings, source);
  return loaded;
}

/** Refuses a configuration that asks for what this version cannot run, all of it named. Throws `ConfigError`. */
export function requireRunnable({ warnings, source }: LoadedConfig): void {
  const unsupported = warnings.filter(({ code }) => code === "unsupported");
  if (unsupported.length === 0) return;
  throw new ConfigError(
    "references",
    unsupported.map((finding) => ({ ...finding, level: "error" })),
    source,
  );
}

/** The layers of `loadConfig`: syntax, schema, references. */
export function inspectConfig(options: ConfigOptions): Inspected {
  const file = configFile(options);
  const name = nameOf(file, options.cwd);
  const bytes = readBytes(file);
  if (!(bytes instanceof Uint8Array)) return failed("syntax", [bytes], { file: name, lines: [] });
  const text = readConfigText(bytes);
  if (!("place" in text)) return failed("syntax", text, { file: name, lines: linesOfBrokenText(bytes) });
  return inspectText(text, file, name, options);
}

function inspectText(text: ConfigText, file: string, name: string, options: ConfigOptions): Inspected {
  const { env, cwd, catalogue } = options;
  const source = { file: name, lines: text.lines((path) => isHidden(path, text.value)) };
  const { overrides, unknown } = overridesOf(text.value ?? {}, options);
  const report = reportOn(text, overrides);
  const value = overrides.reduce<unknown>((so, { path, value: set }) => withOverride(so, path, set), text.value ?? {});
  const setBy = (path: KeyPath): Override | undefined => overrides.findLast((override) => override.path.every((key, n) => path[n] === key));
  const isInFile = (path: KeyPath): boolean => setBy(path) === undefined;

  const added = catalogue.added ?? { sources: [], sinks: [] };
  const parsed = configSchemaWith(added).safeParse(value, { reportInput: true });
  const revealed = reveal<unknown>(parsed.success ? parsed.data : value, { env, folder: dirname(file), isInFile, report });
  const ofVariables = unknown.map(({ variable, message, fix }): Finding => {
    return { level: "error", code: "unknown_variable", path: "", line: null, column: null, message: `${variable}: ${message}`, fix };
  });
  const ofSchema = [...(parsed.success ? [] : schemaFindings(parsed.error.issues, value, report)), ...revealed.findings, ...ofVariables];
  if (!parsed.success || hasErrors(ofSchema)) return failed("schema", ofSchema, source);

  const written = revealed.value as WrittenConfig;
  const document = withoutAdded(written, added);
  const ofDocument = [...ofSchema, ...referenceFindings(document, catalogue, report), ...addedFindings(written, catalogue, report)];
  if (hasErrors(ofDocument)) return failed("references", ofDocument, source);

  const absolute = (path: string, at: KeyPath): string => resolve(isInFile(at) ? dirname(file) : cwd, path);
  const config = withAdded(resolveConfig(document, catalogue, absolute), written, added);
  const findings = [
    ...ofDocument,
    ...conflictFindings(config, options.flags.allowRaisedLimits === true, report),
    ...unsupportedFindings(document, config, catalogue.feeds, report),
  ];
  if (hasErrors(findings)) return failed("references", findings, source);

  const origins = originsOf(
    parsed.data,
    (path) => setBy(path)?.by ?? (text.has(path) ? `${name}:${text.place(path, "key").line}` : "default"),
  );
  const loaded = { config, file, origins, shown: masked(parsed.data), secrets: revealed.secrets, warnings: findings, source, at: report };
  return { layer: "references", findings: inOrder(findings), source, loaded };
}

function configFile({ path, env, cwd, packageRoot }: ConfigOptions): string {
  const named = path ?? (env["GRIDACTOR_CONFIG"] || null);
  if (named !== null) return resolve(cwd, named);
  const local = join(cwd, "gridactor.yaml");
  return existsSync(local) ? local : join(packageRoot, "gridactor.yaml");
}

function readBytes(file: string): Uint8Array | Finding {
  try {
    return readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const message = code === "ENOENT" ? "there is no such file" : `the file cannot be read (${code})`;
    return {
      level: "error",
      code: "unreadable_file",
      path: "",
      line: null,
      column: null,
      message,
      fix: "name the configuration with --config FILE",
    };
  }
}

/** Later ones win: variables by level, then `GRIDACTOR_STATE`, then the flag. */
function overridesOf(value: unknown, { env, flags, catalogue }: ConfigOptions): ReturnType<typeof readVariables> {
  const names: FreeNames = {
    feeds: catalogue.feeds.map(({ name }) => name),
    rules: Object.fromEntries(catalogue.rules.map(({ id, limits }) => [id, Object.keys(limits)])),
  };
  const { overrides, unknown } = readVariables(env, value, names);
  const states = [
    ["GRIDACTOR_STATE", env["GRIDACTOR_STATE"]],
    ["--state", flags.state],
  ] as const;
  const set = states.flatMap(([by, state]): readonly Override[] => (state ? [{ by, path: ["state"], value: state }] : []));
  return { overrides: [...overrides, ...set], unknown };
}

/** Every single value with its key path. */
function originsOf(value: unknown, origin: (path: KeyPath) => string): Readonly<Record<string, string>> {
  const origins: [string, string][] = [];
  const walk = (at: unknown, path: KeyPath): void => {
    const isMap = typeof at === "object" && at !== null && !Array.isArray(at) && Object.keys(at).length > 0;
    if (isMap) for (const key of Object.keys(at)) walk(childValue(at, key), [...path, key]);
    else if (at !== undefined) origins.push([path.join("."), origin(path)]);
  };
  walk(value, []);
  return Object.fromEntries(origins);
}

function nameOf(file: string, cwd: string): string {
  const name = relative(cwd, file);
  return name.startsWith("..") || isAbsolute(name) ? file : name;
}

function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some(({ level }) => level === "error");
}

function failed(layer: Layer, findings: readonly Finding[], source: FindingSource): Inspected {
  return { layer, findings: inOrder(findings), source, loaded: null };
}

function inOrder(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}
