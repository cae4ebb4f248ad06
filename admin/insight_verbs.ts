import { explain, explanationText } from "./explain.ts";
import { lag, lagText } from "./lag.ts";
import { limitOf } from "./limit.ts";
import { ALERT_ID, ID, LIMIT, SINCE, UNTIL } from "./parameters.ts";
import { printable } from "./printable.ts";
import { progress, progressText } from "./progress.ts";
import { readings, readingsText } from "./readings.ts";
import { type TraceLine, traceLines, traceText } from "./trace.ts";
import { textOf, type Verb, verb } from "./verb.ts";
import { whyNot, whyNotText } from "./why_not.ts";

/** Questions about why things are as they are, and how the engine is doing. */
export const INSIGHT_VERBS: readonly Verb[] = [
  verb({
    name: "explain",
    about: "why an alert was raised: what was seen, against which limits, with which facts",
    route: "/v1/alerts/{alertId}/explain",
    args: [ALERT_ID],
    options: [],
    ask: async ({ view }, query) => ({ value: await explain(view, textOf(query, "alertId") ?? "") }),
    text: (value, _query, screen) => explanationText(value, screen),
  }),
  verb({
    name: "why-not",
    about: "what a rule says of an actor, and why there is no alert",
    route: "/v1/why-not",
    args: [{ name: "rule", takes: "rule", about: "id of the rule", isRequired: true }, ID],
    options: [{ name: "at", takes: "time", about: "then (now)" }],
    async ask({ view, ruleTable, rules }, query) {
      const asked = { rule: textOf(query, "rule") ?? "", id: textOf(query, "id") ?? "", at: textOf(query, "at") };
      return { value: await whyNot({ view, rules: ruleTable, ruleIds: rules }, asked) };
    },
    text: (value, _query, screen) => whyNotText(value, screen),
  }),
  verb({
    name: "readings",
    about: "the records of an actor, as far back as the log is kept (the latest, if there are more than the limit)",
    route: "/v1/actors/{id}/readings",
    args: [ID],
    options: [{ ...SINCE, about: "event time, at or after (7d)" }, UNTIL, LIMIT],
    async ask({ view }, query) {
      const times = { since: textOf(query, "since"), until: textOf(query, "until") };
      const { readings: rows, found } = await readings(view, textOf(query, "id") ?? "", times, limitOf(query));
      return { value: rows, found };
    },
    text: (value, _query, screen) => readingsText(value, screen),
  }),
  {
    name: "trace",
    about: "the messages of an actor as they are processed",
    route: "/v1/actors/{id}/trace",
    args: [ID],
    options: [
      { name: "for", takes: "text", about: "how long: 30s; at most 10m" },
      { ...LIMIT, about: "messages at most (1000)" },
    ],
    ask: async (known, query) => ({ value: await collected(traceLines(known, query, new AbortController().signal)) }),
    stream: { pieces: traceLines, line: (piece) => traceText(piece as TraceLine) },
    text: (value) => (value as readonly TraceLine[]).map((line) => `${printable(traceText(line))}\n`).join(""),
  },
  verb({
    name: "lag",
    about: "how far sources and sinks are behind",
    route: "/v1/lag",
    args: [],
    options: [],
    isQuick: () => true,
    ask: ({ view, live }) => ({ value: lag(view, live ?? null) }),
    text: (value) => lagText(value),
  }),
  verb({
    name: "progress",
    about: "where the engine is: clock, sources with their rates, actors, sinks",
    route: "/v1/progress",
    args: [],
    options: [],
    isFollowed: true,
    isQuick: () => true,
    ask: ({ view, live }) => ({ value: progress(view, live ?? null) }),
    text: (value) => progressText(value),
  }),
];

async function collected(pieces: AsyncIterable<TraceLine>): Promise<readonly TraceLine[]> {
  const all: TraceLine[] = [];
  for await (const piece of pieces) all.push(piece);
  return all;
}
