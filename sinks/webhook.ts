import type { LookupFunction } from "node:net";
import type { Clock } from "../engine/clock.ts";
import { hours, minutes, seconds } from "../engine/duration.ts";
import type { Emission, Origin, Severity } from "../engine/emission.ts";
import { invariant, Unavailable } from "../engine/fault.ts";
import { Mark } from "../engine/ids.ts";
import type { Sink } from "../engine/sink.ts";
import type { DeadLetter } from "./webhook/dead_letter.ts";
import { type Answer, post } from "./webhook/post.ts";
import { signedHeaders } from "./webhook/signature.ts";

export interface WebhookOptions {
  readonly name: string;
  readonly url: string;
  /** Each signs. */
  readonly secrets: readonly string[];
  /** Which events are sent; the others are passed over. */
  readonly severities: readonly Severity[];
  readonly origins: readonly Origin[];
  /** Hosts that may be private or without TLS. */
  readonly allowHosts: readonly string[];
  readonly clock: Clock;
  /** Keeps a dead letter; resolves when that is durable. */
  readonly onDeadLetter: (letter: DeadLetter) => Promise<void>;
  readonly lookup?: LookupFunction;
  readonly passing?: (point: string) => void;
}

const ANSWER_WITHIN_MS = seconds(10);
const RETRY_AFTER_MAX_MS = hours(1);
const DEAD_AFTER_MS = hours(24);
/** After so many failures in a row only a probe is sent now and then. */
const CIRCUIT = { opensAfter: 5, probeEveryMs: seconds(30) };
/** Refusals that may pass. */
const PASSING = new Set([408, 425, 429]);
const GONE = 410;

/**
 * Posts each alert event to an endpoint, in order, as Standard Webhooks says: at least once, and a repetition has the same `webhook-id`. An event that
 * is refused, or that was tried for a day, becomes a dead letter, and the next one goes. An endpoint that says it is gone is left alone until the
 * next start; meanwhile the log keeps its events. Throws `Unavailable` with the pause that the endpoint asks for, or that the open circuit needs.
 */
export function webhook(options: WebhookOptions): Sink {
  const { name, secrets, clock, passing = () => {} } = options;
  const url = new URL(options.url);
  const isListed = options.allowHosts.includes(url.hostname);
  const what = `the webhook ${name}`; // Its URL may be a secret.
  const done = new Set<number>(); // Of the extent under way, which is handed over again after a failure.
  let failures = 0;
  let failingSinceMs: number | null = null;
  let isGone = false;

  async function deliver(emission: Emission & { readonly stream: "alerts" }): Promise<void> {
    if (isGone) throw new Unavailable(what, new Error("it has said that it is gone (410)"), Number.POSITIVE_INFINITY);
    const answer = await sent(emission).catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
    if (!(answer instanceof Error) && answer.status >= 200 && answer.status < 300) return succeeded();
    const reason = answer instanceof Error ? answer.message : `it answers ${answer.status}`;
    isGone = !(answer instanceof Error) && answer.status === GONE;
    if (isGone) return deliver(emission);
    if (isRefusal(answer)) return bury(emission, reason);
    failures += 1;
    failingSinceMs ??= clock.now();
    if (clock.now() - failingSinceMs >= DEAD_AFTER_MS) return bury(emission, reason);
    throw new Unavailable(what, new Error(reason), Math.max(wishOf(answer), failures >= CIRCUIT.opensAfter ? CIRCUIT.probeEveryMs : 0));
  }

  async function sent({ event, json }: Emission & { readonly stream: "alerts" }): Promise<Answer> {
    const body = Buffer.from(json.buffer, json.byteOffset, json.length).toString();
    const headers = { "content-type": "application/cloudevents+json", "user-agent": "gridactor" };
    const late = new AbortController();
    const ended = new AbortController();
    void clock.sleep(ANSWER_WITHIN_MS, ended.signal).then(() => late.abort(new Error("it does not answer in time")));
    try {
      passing("webhook.send");
      const signed = signedHeaders(event.id, clock.now(), body, secrets);
      const lookup = options.lookup === undefined ? {} : { lookup: options.lookup };
      return await post({ url, headers: { ...headers, ...signed }, body, isListed, signal: late.signal, ...lookup });
    } finally {
      ended.abort();
    }
  }

  function succeeded(): void {
    failures = 0;
    failingSinceMs = null;
  }

  async function bury({ event, json, sequence }: Emission & { readonly stream: "alerts" }, reason: string): Promise<void> {
    await options.onDeadLetter({ sink: name, event, sequence, json, reason, atMs: clock.now() });
    failingSinceMs = null; // The next event has its own day.
  }

  return {
    name,
    extents: { records: 100, everyMs: 0 }, // What is sent again after a crash.
    retry: { firstMs: seconds(1), longestMs: minutes(5) },
    async write(emissions) {
      for (const emission of emissions) {
        invariant(emission.stream === "alerts", "a webhook takes the stream of alerts");
        const { severity, origin } = emission.event.data;
        const { severities, origins } = options; // Looked at for each event: they may change meanwhile.
        if (done.has(emission.sequence) || !severities.includes(severity) || !origins.includes(origin)) continue;
        await deliver(emission);
        done.add(emission.sequence);
      }
      done.clear();
      return Mark("");
    },
    close: async () => {},
  };
}

/** Whether trying again would give the same answer. */
function isRefusal(answer: Answer | Error): boolean {
  return !(answer instanceof Error) && answer.status >= 400 && answer.status < 500 && !PASSING.has(answer.status);
}

/** The pause that the endpoint asks for. */
function wishOf(answer: Answer | Error): number {
  return answer instanceof Error ? 0 : Math.min(answer.retryAfterMs ?? 0, RETRY_AFTER_MAX_MS);
}
