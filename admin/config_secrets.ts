import { existsSync, readFileSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { isPrintable, isSecret, valueAt } from "./config_keys.ts";
import type { Report } from "./config_report.ts";
import type { Secret } from "./config_types.ts";
import type { Finding, KeyPath } from "./finding.ts";

const PLACEHOLDER = /\$\{([^}]*)\}?/g;
const WHOLE = /^\$\{(?:env:[A-Za-z_][A-Za-z0-9_]*|file:[^}]+)\}$/;
const FORMS = `write \${env:NAME} or \${file:PATH}`;
const NO_PLACEHOLDER = `\${ begins no placeholder here`; // The text itself may be a secret.
const FILE_LENGTH_MAX = 65_536;
const MASK = "***";

/** A configuration whose placeholders are replaced, and the values that no output may show. */
export interface Revealed<T> {
  readonly value: T;
  readonly secrets: readonly string[];
  readonly findings: readonly Finding[];
}

export interface RevealOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where relative paths begin. */
  readonly folder: string;
  /** Whether a value was written in the file, and not set from outside. */
  readonly isInFile: (path: KeyPath) => boolean;
  readonly report: Report;
}

/** Wraps a text that must not be seen. */
export function secret(value: string): Secret {
  return { reveal: () => value, toJSON: () => MASK, toString: () => MASK };
}

/**
 * Replaces `${env:NAME}` and `${file:PATH}` in every text. A relative path is looked up in `CREDENTIALS_DIRECTORY` (where a service manager puts
 * credentials), then in `folder`. The last line end of a file is not part of the secret. One that is missing or empty is an error.
 */
export function reveal<T>(value: T, { env, folder, isInFile, report }: RevealOptions): Revealed<T> {
  const secrets = new Set<string>();
  const findings: Finding[] = [];
  const replaced = mapText(value, [], (text, path) => {
    const revealed = text.replace(PLACEHOLDER, (whole, inner: string) => {
      const found = lookUp(whole, inner, env, folder);
      if (typeof found === "string") secrets.add(found);
      else findings.push(report.error(found.code, path, found.message, found.fix));
      return typeof found === "string" ? found : whole;
    });
    if (isSecret(path, value) && !text.includes("${")) {
      secrets.add(text);
      if (isInFile(path)) findings.push(report.warning("plain_secret", path, "a secret stands in plain text", FORMS));
    }
    return revealed;
  });
  return { value: replaced, secrets: [...secrets], findings };
}

/** The configuration as it may be shown: secrets in plain text are `***`, placeholders stay. */
export function masked<T>(value: T): T {
  return mapText(value, [], (text, path) => (isSecret(path, value) && !WHOLE.test(text) ? MASK : text));
}

/** Whether a value in the file must not be shown: anything but a placeholder where a secret belongs, or where no value belongs. */
export function isHidden(path: KeyPath, value: unknown): boolean {
  const text = valueAt(value, path);
  return !(typeof text === "string" && WHOLE.test(text)) && !isPrintable(path, value);
}

function lookUp(
  whole: string,
  inner: string,
  env: Readonly<Record<string, string | undefined>>,
  folder: string,
): string | { readonly code: string; readonly message: string; readonly fix: string } {
  if (!WHOLE.test(whole)) return { code: "bad_placeholder", message: NO_PLACEHOLDER, fix: FORMS };
  const name = inner.slice(inner.indexOf(":") + 1);
  if (inner.startsWith("env:")) {
    return env[name] || { code: "secret_missing", message: `the environment variable ${name} is not set`, fix: `set ${name}` };
  }
  const path = fileOf(name, env["CREDENTIALS_DIRECTORY"], folder);
  try {
    const text = readFileSync(path, "utf8").replace(/\r?\n$/, "");
    if (text.length > 0 && text.length <= FILE_LENGTH_MAX) return text;
    return {
      code: "secret_missing",
      message: `the file ${path} is ${text.length === 0 ? "empty" : "no secret: it is too long"}`,
      fix: `write the secret into ${path}`,
    };
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    return { code: "secret_missing", message: `the file ${path} cannot be read (${reason})`, fix: `write the secret into ${path}` };
  }
}

function fileOf(name: string, credentials: string | undefined, folder: string): string {
  if (isAbsolute(name) || credentials === undefined) return resolve(folder, name);
  const credential = join(credentials, name);
  return existsSync(credential) ? credential : resolve(folder, name);
}

/** The same value with every text in it replaced; lists and maps are copied. */
function mapText<T>(value: T, path: KeyPath, replace: (text: string, path: KeyPath) => string): T {
  if (typeof value === "string") return replace(value, path) as T;
  if (Array.isArray(value)) return value.map((item, n) => mapText(item, [...path, String(n)], replace)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapText(item, [...path, key], replace)])) as T;
}
