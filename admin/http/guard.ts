import { Refusal } from "./refusal.ts";

/** Names and addresses under which the API is addressed, as they stand in `Host` and behind `//` in `Origin`, in lower case. */
export type Hosts = ReadonlySet<string>;

const LOOPBACK: readonly string[] = ["127.0.0.1", "localhost", "[::1]"];

/** `host` is the bound address, `names` are those that the configuration adds: with the port, and without it for those behind a proxy. */
export function allowedHosts(host: string, port: number, names: readonly string[]): Hosts {
  const bound = host.includes(":") ? `[${host}]` : host;
  const own = [bound, ...(isLoopback(host) ? LOOPBACK : [])].map((name) => `${name}:${port}`);
  return new Set([...own, ...names.flatMap((name) => [name, `${name}:${port}`])].map((name) => name.toLowerCase()));
}

/** A page elsewhere whose name has been made to lead here sends its own name: it is refused (421). */
export function requireHost(host: string | undefined, hosts: Hosts): void {
  if (host !== undefined && hosts.has(host.toLowerCase())) return;
  throw new Refusal(421, "REFUSED", "no server of this name is here", { hint: "add the name to admin.http.hosts" });
}

/**
 * A page elsewhere says so, where browsers say it at all: it is refused (403). A form of a page that sends no referrer has the origin `null`; that
 * it is ours is then told by `Sec-Fetch-Site`, which no script can set.
 */
export function requireOrigin(origin: string | undefined, hosts: Hosts, fetchSite?: string): void {
  if (origin === undefined || (origin === "null" && fetchSite === "same-origin")) return;
  if (hosts.has(origin.toLowerCase().replace(/^https?:\/\//, ""))) return;
  throw new Refusal(403, "REFUSED", "pages of other origins may not ask");
}

/** Whether a request changes something. GET changes nothing; where `isWrite` is true POST is served instead, and nothing else anywhere (405). */
export function changes(method: string | undefined, isWrite: boolean): boolean {
  const isReading = method === "GET" || method === "HEAD";
  if (isWrite ? method === "POST" : isReading) return isWrite;
  throw new Refusal(405, "REFUSED", `${method} is not served here`, { headers: { Allow: isWrite ? "POST" : "GET, HEAD" } });
}

/** A form of a page elsewhere cannot send JSON without being asked first: anything else is refused (415). */
export function requireJson(contentType: string | undefined): void {
  if (/^application\/json(?:\s*;|$)/i.test(contentType ?? "")) return;
  throw new Refusal(415, "USAGE", "a change is sent as application/json");
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}
