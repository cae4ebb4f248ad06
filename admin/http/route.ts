import { CommandError } from "../errors.ts";
import { nearest } from "../suggest.ts";
import { flagOf, type Parameter, type Query, REASON, type Spoken, type Verb, type WriteVerb } from "../verb.ts";
import { COMPLETE, VERBS, WRITE_VERBS } from "../verbs.ts";

/** A question as it came: the keys of the query are the options, and those arguments that are not in the path. */
export interface Routed {
  readonly verb: Verb;
  readonly query: Query;
}

const ROWS_MAX = 10_000;

/** The question that a path and its query ask; null: no verb is there. Throws USAGE. */
export function routed(path: string, search: string): Routed | null {
  const best = bestAt([...VERBS, COMPLETE], path);
  if (best === null) return null;
  const { verb, args } = best;
  const open = [...verb.args.filter(({ name }) => !Object.hasOwn(args, name)), ...verb.options];
  const query = { ...args, ...parsedSearch(search, open) };
  for (const { name, isRequired } of verb.args) {
    if (isRequired === true && !Object.hasOwn(query, name))
      throw new CommandError("USAGE", `${name} is missing`, { hint: `${verb.route}?${name}=…` });
  }
  return { verb, query };
}

/** A change as it came: arguments that are in the path. */
export interface RoutedWrite {
  readonly verb: WriteVerb;
  readonly args: Query;
}

/** The change that a path asks for; null: no write verb is there. */
export function routedWrite(path: string): RoutedWrite | null {
  return bestAt(WRITE_VERBS, path);
}

/** The change, with what its body says: the verb's other arguments and its options by name, and `reason`. Throws USAGE. */
export function writeQuery({ verb, args }: RoutedWrite, body: unknown): Query {
  const open = [...verb.args.filter(({ name }) => !Object.hasOwn(args, name)), ...verb.options, HTTP_REASON];
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw new CommandError("USAGE", "the body is no JSON object");
  const query: Record<string, string | true | readonly string[] | undefined> = { ...args };
  for (const [name, value] of Object.entries(body as Readonly<Record<string, unknown>>)) {
    const parameter = open.find((one) => one.name === name);
    if (parameter === undefined) throw unknownKey(name, open);
    const given = bodyValue(parameter, value);
    if (given !== null) query[name === HTTP_REASON.name ? REASON.name : name] = given;
  }
  const missing = verb.args.find(({ name, isRequired }) => isRequired === true && query[name] === undefined);
  if (missing !== undefined) throw new CommandError("USAGE", `${missing.name} is missing`, { hint: `{"${missing.name}": …}` });
  return query;
}

/** The address of a change, and its body: what `routedWrite` and `writeQuery` read. */
export function requestOf(verb: WriteVerb, query: Query): { readonly path: string; readonly body: Readonly<Record<string, unknown>> } {
  const { yes: _, [REASON.name]: reason, ...said } = query;
  const inPath = new Set([...verb.route.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
  const body = Object.fromEntries(Object.entries(said).filter(([name, value]) => value !== undefined && !inPath.has(name)));
  return { path: pathOf({ ...verb, args: [], options: [] }, query), body: reason === undefined ? body : { ...body, reason } };
}

/** The path of a question, with its query: what `routed` reads. */
export function pathOf({ route, args, options }: Pick<Spoken, "route" | "args" | "options">, query: Query): string {
  const inPath = new Set([...route.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
  const path = route.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(query[name] ?? "")));
  const pairs = [...args, ...options].flatMap(({ name }) => {
    const value = query[name];
    if (value === undefined || inPath.has(name)) return [];
    const values = typeof value === "object" ? value : [String(value)];
    return values.map((one) => `${name}=${encodeURIComponent(one)}`);
  });
  return pairs.length === 0 ? path : `${path}?${pairs.join("&")}`;
}

/** Reads a query, in which `+` is a plus: `severity=major+`. Throws USAGE for a key that is not known, or said twice. */
export function parsedSearch(search: string, known: readonly Parameter[]): Query {
  const query: Record<string, string | true | readonly string[]> = {};
  for (const pair of search.replace(/^\?/, "").split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decoded(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? "true" : decoded(pair.slice(equals + 1));
    const parameter = known.find((one) => one.name === name);
    if (parameter === undefined) throw unknownKey(name, known);
    const before = query[name];
    if (parameter.isMany === true) query[name] = [...(typeof before === "object" ? before : []), value];
    else if (before !== undefined) throw new CommandError("USAGE", `${name} is given twice`);
    else query[name] = parameter.takes === "switch" ? switched(parameter, value) : value;
    if (query[name] === "") delete query[name]; // An empty field of a form, and a switch that is off, say nothing.
  }
  if (Number(query["limit"] ?? 0) > ROWS_MAX) throw new CommandError("USAGE", `limit: at most ${ROWS_MAX} rows are served at once`);
  return query;
}

function switched({ name }: Parameter, value: string): true | "" {
  if (value === "true" || value === "1") return true;
  if (value === "false" || value === "0" || value === "") return "";
  throw new CommandError("USAGE", `${name}: "${value}" is neither true nor false`);
}

function unknownKey(name: string, known: readonly Parameter[]): CommandError {
  const names = known.map((one) => one.name);
  const asFlag = known.find((one) => flagOf(one) === name)?.name;
  const near = asFlag ?? nearest(name, names);
  const hint = names.length === 0 ? "it takes none" : `it takes ${names.join(", ")}`;
  return new CommandError("USAGE", `unknown key ${name}`, { hint, candidates: near === null ? [] : [near] });
}

const HTTP_REASON: Parameter = { ...REASON, name: "reason" };

/** Null, and a switch that is off, say nothing. */
function bodyValue({ name, takes, isMany }: Parameter, value: unknown): string | true | readonly string[] | null {
  if (value === null || (takes === "switch" && value === false)) return null;
  if (takes === "switch" && value === true) return true;
  if (takes !== "switch" && isMany !== true && (typeof value === "string" || typeof value === "number")) return String(value);
  if (isMany === true && Array.isArray(value) && value.every((one) => typeof one === "string")) return value;
  throw new CommandError(
    "USAGE",
    `${name}: ${takes === "switch" ? "true or false" : isMany === true ? "a list of texts" : "a text"} is wanted`,
  );
}

/** The verb whose route fits best: `meter/history` is a history, not a key. */
function bestAt<Said extends Spoken>(
  verbs: readonly Said[],
  path: string,
): { readonly verb: Said; readonly args: Record<string, string> } | null {
  const segments = path.split("/").slice(1).map(decoded);
  const fits = verbs.flatMap((verb) => {
    const args = argsIn(verb.route, segments);
    return args === null ? [] : [{ verb, args }];
  });
  return fits.sort((a, b) => literals(b.verb.route) - literals(a.verb.route))[0] ?? null;
}

/** What stands for `{…}` in a route; null: the path is another one. `{id}` takes one segment (`meter%2FSM-N-00042`) or two. */
function argsIn(route: string, segments: readonly string[]): Record<string, string> | null {
  const parts = route.split("/").slice(1);
  const args: Record<string, string> = {};
  const extra = segments.length - parts.length;
  if (extra < 0 || extra > 1 || (extra === 1 && !parts.includes("{id}"))) return null;
  let at = 0;
  for (const part of parts) {
    const isTwo = part === "{id}" && extra === 1;
    const given = segments.slice(at, at + (isTwo ? 2 : 1)).join("/");
    at += isTwo ? 2 : 1;
    if (part.startsWith("{")) {
      if (given === "" || (isTwo && !route.startsWith("/v1/actors/"))) return null;
      args[part.slice(1, -1)] = given;
    } else if (part !== given) return null;
  }
  return args;
}

function literals(route: string): number {
  return route.split("/").filter((part) => !part.startsWith("{")).length;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new CommandError("USAGE", "the address is not encoded as an address is");
  }
}
