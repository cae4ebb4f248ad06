import { theftScores } from "../actors/detectors/transformer/energy_book.ts";
import { EPISODE_LABELS } from "../actors/labels.ts";
import { ActorId } from "../engine/ids.ts";
import type { EpisodeTruth } from "./episode_truth.ts";
import { readStates, type View } from "./reader.ts";

/** How well transformers rank those who take energy before those who do not. */
export interface RankingScore {
  /** Label -> mean area under the ROC curve of the transformers above such meters. */
  readonly areas: Readonly<Record<string, number>>;
  /** Means: of the areas over labels, and of the average precision over transformers. */
  readonly auc: number;
  readonly ap: number;
}

/** Null: no meter is labelled, or no transformer ranks any. */
export function scoreRanking(view: View, truth: readonly EpisodeTruth[]): RankingScore | null {
  const labels = new Map<ActorId, string>();
  for (const { actor, label } of truth) {
    if (label !== null && EPISODE_LABELS[label]?.isRanked === true && actor.startsWith("meter/")) labels.set(actor, label);
  }
  if (labels.size === 0) return null;
  const areas = new Map<string, number[]>();
  const precisions: number[] = [];
  for (const [, state] of readStates(view, "transformer")) {
    const ranked = Object.entries(theftScores(state)).map(([meter, score]) => ({
      label: labels.get(ActorId("meter", meter)) ?? null,
      score,
    }));
    const label = ranked.find((one) => one.label !== null)?.label ?? null;
    if (label === null || ranked.every((one) => one.label !== null)) continue;
    areas.set(label, [...(areas.get(label) ?? []), areaUnderCurve(ranked)]);
    precisions.push(averagePrecision(ranked));
  }
  if (precisions.length === 0) return null;
  const means = [...areas].map(([label, values]) => [label, meanOf(values)] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  return { areas: Object.fromEntries(means), auc: meanOf(means.map(([, mean]) => mean)), ap: meanOf(precisions) };
}

interface Ranked {
  readonly label: string | null;
  readonly score: number;
}

/** Share of the pairs of a labelled and another one in which the labelled one is higher; ties count half. */
function areaUnderCurve(ranked: readonly Ranked[]): number {
  const [thieves, others] = [ranked.filter(({ label }) => label !== null), ranked.filter(({ label }) => label === null)];
  let won = 0;
  for (const { score } of thieves) for (const other of others) won += score > other.score ? 1 : score === other.score ? 0.5 : 0;
  return won / (thieves.length * others.length);
}

/** Mean of the precision at each labelled one; of equal scores those that are not labelled come first. */
function averagePrecision(ranked: readonly Ranked[]): number {
  const order = [...ranked].sort((a, b) => b.score - a.score || Number(a.label !== null) - Number(b.label !== null));
  const precisions: number[] = [];
  order.forEach(({ label }, n) => {
    if (label !== null) precisions.push((precisions.length + 1) / (n + 1));
  });
  return meanOf(precisions);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
