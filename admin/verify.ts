import { type Fact, factId, History, type HistoryOptions, type Version } from "../engine/history.ts";
import { type ActorId, keyOf } from "../engine/ids.ts";
import type { Stream } from "../engine/sink.ts";
import { type IndexedVersion, indexedVersions, isIndexed } from "../engine/version_index.ts";
import { grouped } from "./format.ts";
import { printable } from "./printable.ts";
import { type Actor, findActor, logFrom, readActor, readActors, readFacts, type View } from "./reader.ts";

/** Something that must not be. `at` names the actor, and the version or fact by its `from`. */
export interface Problem {
  readonly code:
    | "fact_id"
    | "overlap"
    | "open_twice"
    | "unexplained_gap"
    | "no_difference"
    | "numbering"
    | "state_differs"
    | "index_differs"
    | "log_gap"
    | "episode_path"
    | "sink_file";
  readonly at: string;
  readonly detail: string;
}

export interface Verification {
  readonly ok: boolean;
  /** Actors with a history. */
  readonly checked: number;
  readonly problems: readonly Problem[];
}

/**
 * Checks histories, of one actor or of all: every fact has the id that its content gives it, versions do not overlap, one at most is open, every
 * gap is explained by a delete or a close, neighbours differ in a tracked column, and the actor's state says what its open version says. Throws
 * NOT_FOUND and USAGE.
 */
export function verify(view: View, idText?: string): Verification {
  const actors = idText === undefined ? readActors(view) : [readActor(view, findActor(view, idText))];
  const problems: Problem[] = [];
  let checked = 0;
  for (const actor of actors) {
    const options = actor.behaviour.history;
    if (options === undefined) continue;
    checked += 1;
    const history = new History(actor.id, readFacts(view, actor.id), options);
    problems.push(...problemsOf(actor, history, options), ...indexProblems(view, history));
  }
  return { ok: problems.length === 0, checked, problems };
}

/**
 * Reads the whole log that is kept, checksums and all, up to where it ends now: every number is that of an entry of one stream, or of both. Rejects
 * with `DamagedStore` if an entry is not what was written.
 */
export async function logProblems({ store }: Pick<View, "store">): Promise<readonly Problem[]> {
  const end = store.nextSequence;
  const alerts = sequences(store, "alerts", end);
  const curated = sequences(store, "curated", end);
  const problems: Problem[] = [];
  let expected = Math.max(store.logStart("alerts"), store.logStart("curated"));
  let [alert, row] = [await alerts.next(), await curated.next()];
  while (alert.done !== true || row.done !== true) {
    const found = Math.min(alert.done === true ? end : alert.value, row.done === true ? end : row.value);
    if (found > expected) problems.push(logGap(expected, found));
    expected = Math.max(expected, found + 1);
    if (alert.value === found) alert = await alerts.next();
    if (row.value === found) row = await curated.next();
  }
  return expected < end ? [...problems, logGap(expected, end)] : problems;
}

async function* sequences(store: View["store"], stream: Stream, end: number): AsyncGenerator<number, void> {
  for await (const entries of logFrom({ store }, stream, store.logStart(stream))) {
    for (const { sequence } of entries) if (sequence < end) yield sequence;
    if ((entries.at(-1)?.sequence ?? end) >= end) return;
  }
}

function logGap(first: number, next: number): Problem {
  return { code: "log_gap", at: String(first), detail: `no stream of the log has the entries from ${first} to ${next - 1}` };
}

/** The verification for people: a line for each problem, then the sum. */
export function verificationText({ checked, problems }: Verification): string {
  const lines = problems.map(({ code, at, detail }) => `${code}  ${printable(at)}  ${printable(detail)}\n`);
  return `${lines.join("")}${grouped(checked)} checked, ${grouped(problems.length)} problems\n`;
}

/** What is wrong with a list of versions, oldest first; nothing, unless the sweep that made it was wrong. */
export function versionProblems(id: ActorId, versions: readonly Version[], { untracked }: HistoryOptions): readonly Problem[] {
  return versions.flatMap((version, n) => {
    const at = `${keyOf(id)} ${version.from}`;
    const next = versions[n + 1];
    const problem = (code: Problem["code"], detail: string): Problem => ({ code, at, detail });
    const found: Problem[] = [];
    if (version.scdVersion !== n + 1) found.push(problem("numbering", `number ${version.scdVersion} at place ${n + 1}`));
    if (version.to !== null && version.to <= version.from) found.push(problem("overlap", `ends at ${version.to}, before it has lasted`));
    if (next === undefined) return found;
    if (version.to === null) return [...found, problem("open_twice", `open, and ${next.from} follows`)];
    if (version.to > next.from) found.push(problem("overlap", `ends at ${version.to}, the next one begins at ${next.from}`));
    if (version.to < next.from && version.endedBy === "upsert") {
      found.push(problem("unexplained_gap", `nothing from ${version.to} to ${next.from}, and neither a delete nor a close`));
    }
    const differs = Object.keys(version.values).some((name) => !untracked.includes(name) && next.values[name] !== version.values[name]);
    if (version.to === next.from && !differs) found.push(problem("no_difference", `${next.from} says the same`));
    return found;
  });
}

function problemsOf(actor: Actor, history: History, options: HistoryOptions): readonly Problem[] {
  const { id } = actor;
  return [
    ...history.facts.flatMap((fact) => factProblems(id, fact)),
    ...versionProblems(id, history.versions, options),
    ...stateProblems(actor, history.versions.findLast(({ to }) => to === null) ?? null),
  ];
}

function factProblems(id: ActorId, fact: Fact): readonly Problem[] {
  const expected = factId(id, fact);
  return fact.id === expected
    ? []
    : [{ code: "fact_id", at: `${keyOf(id)} ${fact.from}`, detail: `is stored as ${fact.id}, its content gives ${expected}` }];
}

/** Where versions are rows as well, these say the same. */
function indexProblems({ store }: View, { key, versions, options }: History): readonly Problem[] {
  if (!isIndexed(store, key, options)) return [];
  const told = ({ from, to, values, knownFromMs }: IndexedVersion): string => JSON.stringify([from, to, values, knownFromMs]);
  const rows = [...indexedVersions(store, key)].map(told);
  const wrong = versions.find((version, n) => told(version) !== rows[n]);
  if (wrong === undefined && rows.length === versions.length) return [];
  const at = `${keyOf(key)} ${wrong?.from ?? versions.at(-1)?.from ?? ""}`;
  return [{ code: "index_differs", at, detail: `${rows.length} rows for ${versions.length} versions, or another content` }];
}

/** Columns that state and open version both have must be equal. */
function stateProblems({ id, description: { attributes } }: Actor, open: Version | null): readonly Problem[] {
  if (open === null) return [];
  const wrong = Object.keys(open.values).filter((name) => Object.hasOwn(attributes, name) && attributes[name] !== open.values[name]);
  return wrong.length === 0
    ? []
    : [{ code: "state_differs", at: `${keyOf(id)} ${open.from}`, detail: `the state says other things about ${wrong.join(", ")}` }];
}
