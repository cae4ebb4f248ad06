import type { Severity } from "../engine/emission.ts";

/** From least to worst. */
export const SEVERITIES: readonly Severity[] = ["info", "warning", "major", "critical"];

/** Reads `major` (exactly major) or `major+` (major and worse). Null if it is neither. */
export function parseSeverities(text: string): readonly Severity[] | null {
  const from = (SEVERITIES as readonly string[]).indexOf(text.replace(/\+$/, ""));
  if (from < 0) return null;
  return text.endsWith("+") ? SEVERITIES.slice(from) : SEVERITIES.slice(from, from + 1);
}
