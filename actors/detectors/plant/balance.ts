import type { Out } from "../../../engine/behaviour.ts";
import { hours } from "../../../engine/duration.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { rounded } from "../rounded.ts";
import type { Production } from "./sample.ts";

/** The last known charge of the storage. Changed in place. */
export interface Charge {
  atMs: number | null;
  mwh: number;
}

export function charge(): Charge {
  return { atMs: null, mwh: 0 };
}

/**
 * `plant.balance`: production against own use, injection and what went into storage. Whether production is before or after curtailment is not
 * said by the guide: it may be either. A field that is absent is not 0: then nothing is said.
 */
export function judgeBalance(state: Charge, production: Production, out: Out<GridMessage>): void {
  const { atMs, productionMw, injectionMw, auxiliaryMw, curtailmentMw, batteryMwh } = production;
  const before = state.atMs;
  const storedMwh = batteryMwh === null ? null : batteryMwh - state.mwh;
  if (batteryMwh !== null) Object.assign(state, { atMs, mwh: batteryMwh });
  const limits = limitsOf(out, "plant.balance");
  if (injectionMw === null || auxiliaryMw === null || curtailmentMw === null || storedMwh === null || before === null) return;
  const elapsedMs = atMs - before;
  if (elapsedMs <= 0 || elapsedMs > hours(limits.gapMaxHours)) return;
  const storedMw = storedMwh / (elapsedMs / hours(1));
  const rest = productionMw - auxiliaryMw - injectionMw - storedMw;
  const unbalanced = Math.abs(rest) <= Math.abs(rest - curtailmentMw) ? rest : rest - curtailmentMw;
  const share = Math.max(0, Math.abs(unbalanced) - limits.toleranceMw) / Math.max(Math.abs(productionMw), 1e-6);
  if (share <= limits.limitShare) return;
  out.observe("plant.balance", {
    holds: true,
    atMs,
    value: rounded(unbalanced, 3),
    limit: rounded(limits.limitShare * Math.abs(productionMw) + limits.toleranceMw, 3),
    ...(share > limits.warningShare ? { severity: "warning" as const } : {}),
    evidence: {
      production_mw: productionMw,
      injection_mw: injectionMw,
      auxiliary_mw: auxiliaryMw,
      curtailment_mw: curtailmentMw,
      stored_mw: rounded(storedMw, 3),
    },
  });
}
