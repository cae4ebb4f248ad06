import type { Out } from "../../../engine/behaviour.ts";
import { ActorId } from "../../../engine/ids.ts";
import type { GridMessage } from "../../message.ts";
import { ASKS_BELOW } from "../meter/sustained_drop.ts";
import { medianOf } from "./balance.ts";
import type { EnergyBook } from "./energy_book.ts";

const NEIGHBOURS_MIN = 4;

/** Meters whose latest days are low hear how those of their neighbours are: a season, or everybody's holiday, is no theft. */
export function tellSegments({ told }: EnergyBook, day: number, out: Out<GridMessage>): void {
  const known = Object.entries(told)
    .filter(([, [toldDay, , ratio]]) => toldDay === day && ratio >= 0)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [meter, [, , ratio]] of known) {
    if (ratio >= ASKS_BELOW) continue;
    const others = known.flatMap(([other, [, , theirs]]) => (other === meter ? [] : [theirs]));
    out.tell(ActorId("meter", meter), { type: "segment_day", day, ratio: others.length < NEIGHBOURS_MIN ? null : medianOf(others) });
  }
}
