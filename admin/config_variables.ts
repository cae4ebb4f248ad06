import { parse } from "yaml";
import { childValue, knownKeys, shapesAt, valueAt } from "./config_keys.ts";
import type { KeyPath } from "./finding.ts";
import { nearest } from "./suggest.ts";

/** A value that does not come from the file, and what it was set by: `GRIDACTOR__ADMIN__HTTP__PORT`, `--state`. */
export interface Override {
  readonly by: string;
  readonly path: KeyPath;
  readonly value: unknown;
}

/** An environment variable that names no key. */
export interface UnknownVariable {
  readonly variable: string;
  readonly message: string;
  readonly fix: string | null;
}

/** Names that variables may use where the schema leaves them free: of feeds, and of rules with their limits. */
export interface FreeNames {
  readonly feeds: readonly string[];
  readonly rules: Readonly<Record<string, readonly string[]>>;
}

const PREFIX = "GRIDACTOR__";
const FORBIDDEN: ReadonlySet<string> = new Set(["", "__proto__", "constructor", "prototype"]);

/**
 * Reads `GRIDACTOR__ADMIN__HTTP__PORT=7500` and the like: `__` per level, in any case; what is no letter or digit in a name may be left out or be
 * `_` (`METER_SPIKE` for `meter.spike`). Values are YAML, except where the configuration takes text. Shallow paths come first.
 */
export function readVariables(
  env: Readonly<Record<string, string | undefined>>,
  value: unknown,
  names: FreeNames,
): { readonly overrides: readonly Override[]; readonly unknown: readonly UnknownVariable[] } {
  const overrides: Override[] = [];
  const unknown: UnknownVariable[] = [];
  for (const variable of Object.keys(env).sort()) {
    const text = env[variable];
    if (!variable.startsWith(PREFIX) || text === undefined) continue;
    const path = pathOf(variable.slice(PREFIX.length).split("__"), value, names);
    if ("message" in path) unknown.push({ variable, ...path });
    else overrides.push({ by: variable, path: path.path, value: readValue(text, path.path, value) });
  }
  overrides.sort((a, b) => a.path.length - b.path.length);
  return { overrides, unknown };
}

/** The configuration with a value put at a path. What stood in the way (`http: false`) gives way; nothing is changed in place. */
export function withOverride(value: unknown, path: KeyPath, set: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return set;
  const map = typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
  return { ...map, [key]: withOverride(childValue(map, key), rest, set) };
}

function pathOf(
  segments: readonly string[],
  value: unknown,
  names: FreeNames,
): { readonly path: KeyPath } | { readonly message: string; readonly fix: string | null } {
  const path: string[] = [];
  for (const segment of segments) {
    if (FORBIDDEN.has(segment.toLowerCase())) return { message: `"${segment}" cannot be a key`, fix: "one __ between two levels" };
    const { closed, keys } = keysAt(path, value, names);
    const key =
      keys.find((known) => known.toLowerCase() === segment.toLowerCase()) ?? keys.find((known) => plain(known) === plain(segment));
    if (key === undefined && closed) {
      const near = nearest(segment, keys);
      const where = path.length === 0 ? "the configuration" : path.join(".");
      return { message: `there is no key "${segment.toLowerCase()}" in ${where}`, fix: near === null ? null : `did you mean "${near}"?` };
    }
    path.push(key ?? segment.toLowerCase());
  }
  return { path };
}

function keysAt(
  path: KeyPath,
  value: unknown,
  { feeds, rules }: FreeNames,
): { readonly closed: boolean; readonly keys: readonly string[] } {
  const written = valueAt(value, path);
  const isMap = typeof written === "object" && written !== null && !Array.isArray(written);
  const decisive = isMap ? value : null; // What is no map (`http: false`) gives way to one.
  const isOpen = shapesAt(path, decisive).some(({ additionalProperties }) => typeof additionalProperties === "object");
  const inFile = isMap ? Object.keys(written) : [];
  return { closed: !isOpen, keys: [...knownKeys(path, decisive), ...inFile, ...freeNames(path, feeds, rules)] };
}

function freeNames(path: KeyPath, feeds: FreeNames["feeds"], rules: FreeNames["rules"]): readonly string[] {
  if (path.length === 1 && path[0] === "feeds") return feeds;
  if (path.length === 1 && path[0] === "rules") return Object.keys(rules);
  const rule = path.length === 2 && path[0] === "rules" ? path[1] : undefined;
  return rule !== undefined && Object.hasOwn(rules, rule) ? (rules[rule] ?? []) : [];
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

/** Text where the schema takes text only (a password may look like YAML); else what YAML reads, or the text itself if it reads nothing. */
function readValue(text: string, path: KeyPath, value: unknown): unknown {
  const shapes = shapesAt(path, value);
  if (shapes.length > 0 && shapes.every(({ type }) => type === "string")) return text;
  try {
    return parse(text, { schema: "core", logLevel: "silent", maxAliasCount: 0 }) as unknown;
  } catch {
    return text;
  }
}
