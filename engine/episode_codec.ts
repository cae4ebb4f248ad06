import type { ByteReader, ByteWriter } from "./byte_writer.ts";
import type { Origin } from "./emission.ts";
import { type AlertFlag, type Episode, SEVERITIES, type Span } from "./episode.ts";
import { invariant } from "./fault.ts";
import type { LifeState } from "./life_cycle.ts";

// An episode as cells in a fixed order, its past last. Times other than the onset are kept as their distance from it.

const STATES: readonly LifeState[] = ["normal", "suspected", "raised", "acknowledged", "suppressed", "shelved", "cleared", "retracted"];
const FLAGS: readonly AlertFlag[] = ["latched", "chattering", "unseen", "summarised"];
const ORIGINS: readonly Origin[] = ["live", "late", "backfill", "replay"];

/** Equal episodes have equal bytes. */
export function writeEpisode(into: ByteWriter, episode: Episode): void {
  const { onsetMs, past } = episode;
  into.cell(episode.rule);
  into.cell(episode.alertId);
  into.cell(codesOf(episode));
  into.cell(onsetMs);
  into.cell(after(onsetMs, episode.endsAtMs));
  into.cell(episode.count);
  into.cell(episode.revision);
  into.cell(episode.lastHitMs - onsetMs);
  into.cell(episode.normalsInARow);
  into.cell(after(onsetMs, episode.normalSinceMs));
  into.cell(episode.value);
  into.cell(episode.limit);
  into.cell(episode.clear);
  into.cell(episode.suppressedBy);
  into.cell(after(onsetMs, episode.shelvedUntilMs));
  into.cell(past.length * 2);
  for (const [fromMs, toMs] of past) {
    into.cell(fromMs - onsetMs);
    into.cell(toMs - onsetMs);
  }
}

/** Reads what `writeEpisode` wrote. */
export function readEpisode(reader: ByteReader): Episode {
  const rule = String(reader.cell());
  const alertId = String(reader.cell());
  const codes = Number(reader.cell());
  const onsetMs = Number(reader.cell());
  const time = (): number | null => {
    const cell = reader.cell();
    return cell === null ? null : onsetMs + Number(cell);
  };
  return {
    rule,
    alertId,
    onsetMs,
    state: coded(STATES, codes & 15),
    severity: coded(SEVERITIES, (codes >> 4) & 3),
    origin: coded(ORIGINS, (codes >> 6) & 3),
    seen: ((codes >> 8) & 1) === 1,
    flags: FLAGS.filter((_, bit) => ((codes >> (9 + bit)) & 1) === 1),
    endsAtMs: time(),
    count: Number(reader.cell()),
    revision: Number(reader.cell()),
    lastHitMs: onsetMs + Number(reader.cell()),
    normalsInARow: Number(reader.cell()),
    normalSinceMs: time(),
    value: reader.cell(),
    limit: numberOrNull(reader),
    clear: numberOrNull(reader),
    suppressedBy: textOrNull(reader),
    shelvedUntilMs: time(),
    past: readPast(reader, onsetMs),
  };
}

/** Index of the state, 16 x index of the severity, 64 x index of the origin, 256 if seen, 512 x flags (a bit each). */
function codesOf({ state, severity, origin, seen, flags }: Episode): number {
  let bits = 0;
  for (const flag of flags) bits |= 1 << FLAGS.indexOf(flag);
  return STATES.indexOf(state) + 16 * SEVERITIES.indexOf(severity) + 64 * ORIGINS.indexOf(origin) + 256 * Number(seen) + 512 * bits;
}

function after(onsetMs: number, atMs: number | null): number | null {
  return atMs === null ? null : atMs - onsetMs;
}

function readPast(reader: ByteReader, onsetMs: number): readonly Span[] {
  const past: Span[] = [];
  for (let left = Number(reader.cell()); left > 0; left -= 2) past.push([onsetMs + Number(reader.cell()), onsetMs + Number(reader.cell())]);
  return past;
}

function numberOrNull(reader: ByteReader): number | null {
  const cell = reader.cell();
  return cell === null ? null : Number(cell);
}

function textOrNull(reader: ByteReader): string | null {
  const cell = reader.cell();
  return cell === null ? null : String(cell);
}

function coded<Name>(names: readonly Name[], code: number): Name {
  const name = names[code];
  invariant(name !== undefined, `${code} is a code of ${names.join(", ")}`);
  return name;
}
