import type { LookupFunction } from "node:net";
import type { Clock } from "../engine/clock.ts";
import { hours, minutes, seconds } from "../engine/duration.ts";
import type { AlertEvent, Emission, Origin, Severity } from "../engine/emission.ts";
import { invariant, Unavailable } from "../engine/fault.ts";
import { Mark } from "../engine/ids.ts";
import type { Sink } from "../engine/sink.ts";
import { type DeadLetter, deadLetter } from "./dead_letter.ts";
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
  /** The number that the log gives next: what is below it has been waiting since now at least. */
  readonly nextSequence: () => number;
  /** Keeps a dead letter; resolves when that is durable. */
  readonly onDeadLetter: (letter: DeadLetter) => Promise<void>;
  readonly lookup?: LookupFunction;
  readonly passing?: (point: string) => void;
}

const ANSWER_WITHIN_MS = seconds(10);
const RETRY_AFTER_MAX_MS = hours(1);
const DEAD_AFTER_MS = hours(24);
/** How exactly the age of what waits is known. */
const AGE_STEP_MS = minutes(15);
/** After so many failures in a row only a probe is sent now and then. */
const CIRCUIT = { opensAfter: 5, probeEveryMs: seconds(30) };
/** Refusals that may pass. */
const PASSING = new Set([408, 425, 429]);
const GONE = 410;

/**
 * Posts each alert event to an endpoint, in order, as Standard Webhooks says: at least once, and a repetition has the same `webhook-id`. An event that
 * is refused, or that has waited for a day while the endpoint failed, becomes a dead letter, and the next one goes. An endpoint that says it is gone is
 * left alone until the next start; its events wait, and grow old. It never holds the log up. Throws `Unavailable` with the pause that the endpoint asks for, or that the open circuit needs.
 */
export function webhook(options: WebhookOptions): Sink {
  const { name, secrets, clock, passing = () => {} } = options;
  const url = new URL(options.url);
  const isListed = options.allowHosts.includes(url.hostname);
  const what = `the webhook ${name}`; // Its URL may be a secret.
  const done = new Set<number>(); // Of the extent under way, which is handed over again after a failure.
  let failures = 0;
  let isGone = false;
  let failing: Outage | null = null;

  async function deliver(emission: Emission & { readonly stream: "alerts" }): Promise<void> {
    if (failing !== null && emission.sequence < outgrown(failing)) return bury(emission, failing.reason);
    if (isGone) throw gone();
    const answer = await sent(emission).catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
    if (!(answer instanceof Error) && answer.status >= 200 && answer.status < 300) return succeeded();
    const reason = answer instanceof Error ? answer.message : `it answers ${answer.status}`;
    isGone = !(answer instanceof Error) && answer.status === GONE;
    if (!isGone && isRefusal(answer)) return bury(emission, reason);
    failures += 1;
    failing = { waiting: failing?.waiting ?? [], reason };
    if (emission.sequence < outgrown(failing)) return bury(emission, reason);
    if (isGone) throw gone();
    throw new Unavailable(what, new Error(reason), Math.max(wishOf(answer), failures >= CIRCUIT.opensAfter ? CIRCUIT.probeEveryMs : 0));
  }

  /** What was in the log a day ago has waited for a day: below the number that comes back. */
  function outgrown({ waiting }: Outage): number {
    const nowMs = clock.now();
    const last = waiting.at(-1);
    if (last === undefined || nowMs - last.atMs >= AGE_STEP_MS) waiting.push({ atMs: nowMs, below: options.nextSequence() });
    while ((waiting[1]?.atMs ?? nowMs) <= nowMs - DEAD_AFTER_MS) waiting.shift();
    const [oldest] = waiting;
    return oldest !== undefined && oldest.atMs <= nowMs - DEAD_AFTER_MS ? oldest.below : 0;
  }

  /** It is looked at again when something may have grown old. */
  function gone(): Unavailable {
    return new Unavailable(what, new Error("it has said that it is gone (410)"), AGE_STEP_MS);
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
    failing = null;
  }

  async function bury(emission: Emission & { readonly stream: "alerts" }, reason: string): Promise<void> {
    await options.onDeadLetter(deadLetter(emission, { sink: name, json: emission.json, reason, atMs: clock.now() }));
  }

  async function each(
    emissions: readonly Emission[],
    take: (emission: Emission & { readonly stream: "alerts" }) => Promise<void>,
  ): Promise<Mark> {
    for (const emission of emissions) {
      invariant(emission.stream === "alerts", "a webhook takes the stream of alerts");
      const { severity, origin } = emission.event.data;
      const { severities, origins } = options; // Looked at for each event: they may change meanwhile.
      if (done.has(emission.sequence) || !severities.includes(severity) || !origins.includes(origin)) continue;
      await take(emission);
      done.add(emission.sequence);
    }
    done.clear();
    return Mark("");
  }

  return {
    name,
    extents: { records: 100, everyMs: 0 }, // What is sent again after a crash.
    retry: { firstMs: seconds(1), longestMs: minutes(5) },
    write: (emissions) => each(emissions, deliver),
    async resend({ sequence, bytes }) {
      const event = JSON.parse(Buffer.from(bytes).toString()) as AlertEvent;
      const answer = await sent({ stream: "alerts", sequence, event, json: bytes }); // What it says of others, the next of them finds out.
      if (answer.status < 200 || answer.status >= 300) throw new Error(`${what} answers ${answer.status}`);
    },
    surrender: (emissions) => each(emissions, (emission) => bury(emission, "the log had no more room for what it did not take")),
    close: async () => {},
  };
}

/** Since when an endpoint fails, in steps: what the log held at a time was waiting from then on. */
interface Outage {
  readonly waiting: { readonly atMs: number; readonly below: number }[];
  readonly reason: string;
}

/** Whether trying again would give the same answer. */
function isRefusal(answer: Answer | Error): boolean {
  return !(answer instanceof Error) && answer.status >= 400 && answer.status < 500 && !PASSING.has(answer.status);
}

/** The pause that the endpoint asks for. */
function wishOf(answer: Answer | Error): number {
  return answer instanceof Error ? 0 : Math.min(answer.retryAfterMs ?? 0, RETRY_AFTER_MAX_MS);
}
