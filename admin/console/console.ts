import type { Asker } from "../asker.ts";
import type { Caller } from "../http/access.ts";
import { asRefusal, Refusal } from "../http/refusal.ts";
import { parsedSearch } from "../http/route.ts";
import { type Query, textOf } from "../verb.ts";
import { about } from "./about.ts";
import { actor } from "./actor.ts";
import { alert } from "./alert.ts";
import { alerts } from "./alerts.ts";
import { readAssets } from "./assets.ts";
import { failure } from "./failure.ts";
import { framed } from "./frame.ts";
import { grid } from "./grid.ts";
import { encoded } from "./html.ts";
import { login } from "./login.ts";
import { overview } from "./overview.ts";
import type { ConsoleFacts, Page, PageContext } from "./page.ts";
import { pipeline } from "./pipeline.ts";
import { quarantine } from "./quarantine.ts";
import { regionWatch } from "./region_watch.ts";
import { actorPath } from "./words.ts";

/** A request for a page, from somebody who may see it. */
export interface PageRequest {
  readonly path: string;
  readonly search: string;
  readonly caller: Caller;
  readonly signal: AbortSignal;
  /** Ids of parts, with spaces: all that is wanted of the page; null: the whole. */
  readonly parts?: string | undefined;
}

/** An answer for browsers. `route`: its template, for the metrics. */
export interface PageReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  readonly route: string;
}

export interface ConsoleOptions extends ConsoleFacts {
  readonly asker: Asker;
}

/** The pages for people. */
export interface Console {
  /** Whether this is one of its pages. */
  has(path: string): boolean;
  /** A page, also of what went wrong; what is unexpected is thrown. */
  page(request: PageRequest): Promise<PageReply>;
  /** A script or style; null: there is none. These need nobody to be known. */
  asset(path: string, acceptsGzip: boolean): PageReply | null;
  /** The page where a token is given. */
  login(search: string, refused?: string): PageReply;
}

/** What a page may load, and who may frame it: ours, and nobody. */
const POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'";
const ROUTES = ["/", "/grid", "/alerts", "/pipeline", "/quarantine", "/about", "/find"];
const NOBODY: Caller = { name: null, role: "read" };

/** Opens the console over whoever answers questions. Throws if a script or style is missing. */
export function openConsole({ asker, ...facts }: ConsoleOptions): Console {
  const assets = readAssets();
  const watch = regionWatch(facts.nowMs);

  const contextOf = ({ path, search, caller, signal, parts }: PageRequest): PageContext => ({
    ask: (verb: string, query: Query = {}) => asker.ask(verb, query, signal),
    caller,
    path,
    search,
    facts,
    wants: (part) => parts === undefined || parts.split(" ").includes(part),
  });

  const reply = (page: Page, context: PageContext, route: string): PageReply => ({
    status: page.status ?? 200,
    headers: { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": POLICY },
    body: framed(page, assets.base, context),
    route,
  });

  const make = async (context: PageContext, route: string): Promise<PageReply> => {
    const segments = context.path.split("/").slice(1).map(decoded);
    switch (route) {
      case "/":
        return reply(await overview(context, watch), context, route);
      case "/grid":
        return reply(await grid(context, watch), context, route);
      case "/alerts":
        return reply(await alerts(context), context, route);
      case "/pipeline":
        return reply(await pipeline(context), context, route);
      case "/quarantine":
        return reply(await quarantine(context), context, route);
      case "/about":
        return reply(await about(context), context, route);
      case "/find":
        return seeOther(await placeOf(context), route);
      case "/alerts/{alertId}":
        return reply(await alert(context, segments[1] ?? ""), context, route);
      default:
        return reply(await actor(context, segments.slice(1).join("/")), context, route);
    }
  };

  return {
    has: (path) => routeOf(path) !== null,
    async page(request) {
      const context = contextOf(request);
      const route = routeOf(request.path) ?? "/";
      try {
        return await make(context, route);
      } catch (error) {
        const refusal = asRefusal(error);
        if (refusal.status === 500) throw error;
        const page = reply(failure(refusal), context, route);
        const again: Readonly<Record<string, string>> = refusal.status === 503 ? { Refresh: "2" } : {}; // The browser asks again by itself.
        return { ...page, headers: { ...page.headers, ...refusal.headers, ...again } };
      }
    },
    asset(path, acceptsGzip) {
      const asset = assets.find(path);
      if (asset === null) return null;
      const headers = {
        "Content-Type": asset.type,
        "Cache-Control": "public, max-age=31536000, immutable",
        Vary: "Accept-Encoding",
        ...(acceptsGzip ? { "Content-Encoding": "gzip" } : {}),
      };
      return { status: 200, headers, body: acceptsGzip ? asset.gzipped : asset.bytes, route: "/assets/{file}" };
    },
    login(search, refused) {
      const next = nextIn(search);
      const context = contextOf({ path: "/login", search, caller: NOBODY, signal: new AbortController().signal });
      return reply(login(next, refused ?? null), context, "/login");
    },
  };
}

/** Sends a browser elsewhere on this server. */
export function seeOther(location: string, route: string): PageReply {
  return { status: 303, headers: { Location: location }, body: "", route };
}

/** Where a login leads: a page of ours, and no other address. */
export function nextIn(search: string): string {
  const next = new URLSearchParams(search).get("next") ?? "/";
  return /^\/(?![/\\])[^\\\p{Cc}]*$/u.test(next) ? next : "/";
}

/** The page of what somebody looks for by its id. */
async function placeOf(context: PageContext): Promise<string> {
  const query = parsedSearch(context.search, [{ name: "id", takes: "id", about: "what is looked for" }]);
  const id = (textOf(query, "id") ?? "").trim();
  if (id === "") return "/";
  if (/^alr-/i.test(id)) return `/alerts/${encoded(id)}`;
  if (/^q-/i.test(id)) return `/quarantine?id=${encoded(id)}&all=true`;
  const found = (await context.ask("inspect", { id })).value as { readonly id: string; readonly kind: string };
  return actorPath(`${found.kind}/${found.id}`);
}

function routeOf(path: string): string | null {
  if (ROUTES.includes(path)) return path;
  if (/^\/alerts\/[^/]+$/.test(path)) return "/alerts/{alertId}";
  return /^\/a\/[^/]+(?:\/[^/]+)?$/.test(path) ? "/a/{id}" : null;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Refusal(400, "USAGE", "the address is not encoded as an address is");
  }
}
