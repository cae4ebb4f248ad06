import { lookup as systemLookup } from "node:dns";
import { request as plainRequest, type RequestOptions } from "node:http";
import { request as tlsRequest } from "node:https";
import type { LookupFunction } from "node:net";
import { isIP } from "node:net";
import { addressProblem } from "./address.ts";

/** What an endpoint answered. `retryAfterMs`: how long it asks us to wait; null: it does not say. */
export interface Answer {
  readonly status: number;
  readonly retryAfterMs: number | null;
}

export interface PostOptions {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The host was listed: it may be private. */
  readonly isListed: boolean;
  /** Fires when there was time enough, from the first byte to the last. */
  readonly signal: AbortSignal;
  /** Resolves names. A test has one of its own. */
  readonly lookup?: LookupFunction;
}

const ANSWER_BYTES_MAX = 65_536;
const ANSWER_HEADERS_BYTES_MAX = 16_384;

/**
 * Posts to an endpoint. The address is looked up, judged and then called, in one go, so that no second look-up can lead elsewhere. Redirects are not
 * followed: they are an answer. Rejects if there is no answer in time, if it is longer than 64 KiB, or if the address must not be called.
 */
export function post({ url, headers, body, isListed, signal, lookup = systemLookup as LookupFunction }: PostOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const problem = isIP(bare(url.hostname)) === 0 ? null : addressProblem(url.hostname, isListed);
    if (problem !== null) return reject(new Error(problem));
    const send = url.protocol === "https:" ? tlsRequest : plainRequest;
    const options: RequestOptions = {
      method: "POST",
      headers: { ...headers, "content-length": String(Buffer.byteLength(body)) },
      signal,
      agent: false, // A connection of its own: one that is kept would outlive the look-up.
      lookup: judged(lookup, isListed),
      maxHeaderSize: ANSWER_HEADERS_BYTES_MAX,
    };
    const request = send(url, options, (response) => {
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) response.destroy(new Error("its answer is longer than 64 KiB"));
      });
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, retryAfterMs: waitOf(response.headers["retry-after"]) }));
    });
    request.on("upgrade", (_response, socket) => {
      socket.destroy();
      reject(new Error("it wants another protocol"));
    });
    request.on("error", reject);
    request.on("close", () => reject(new Error("it closed without an answer")));
    request.end(body);
  });
}

/** Looks up all addresses; one that must not be called spoils them all, for whoever gave it may give it again. */
function judged(lookup: LookupFunction, isListed: boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      const addresses = typeof found === "string" ? [{ address: found, family: isIP(found) }] : found;
      if (error !== null) return callback(error, "", 0);
      const problems = addresses.flatMap(({ address }) => addressProblem(address, isListed) ?? []);
      const [first] = addresses;
      if (problems[0] !== undefined) return callback(new Error(problems[0]), "", 0);
      if (first === undefined) return callback(new Error("its name has no address"), "", 0);
      if (options.all === true) return callback(null, [...addresses]);
      return callback(null, first.address, first.family);
    });
  };
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}

/** Seconds only: a date would need the two clocks to agree. */
function waitOf(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : null;
}
