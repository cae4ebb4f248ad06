import { ActorId, keyOf } from "../engine/ids.ts";

const REGION_OF_LETTER: Readonly<Record<string, string>> = { N: "NORTH", S: "SOUTH", E: "EAST", W: "WEST", C: "CENTRAL" };

/** Made once: they are asked for with each record. */
const REGION_ACTORS: ReadonlyMap<string, ActorId> = new Map(
  Object.values(REGION_OF_LETTER).map((region) => [region, ActorId("region", region)]),
);

/** The region that an id names by its letter (`SM-N-00042`, `SUB-N-012`, `TRF-N-0034`), or null. */
export function regionOf(id: ActorId): string | null {
  return regionOfKey(keyOf(id));
}

/** The actor of the region that a key names by its letter, or null. */
export function regionActorOf(key: string): ActorId | null {
  return REGION_ACTORS.get(regionOfKey(key) ?? "") ?? null;
}

function regionOfKey(key: string): string | null {
  const dash = key.indexOf("-");
  return key.charAt(dash + 2) === "-" ? (REGION_OF_LETTER[key.charAt(dash + 1)] ?? null) : null;
}

/** The region's actor, or null. */
export function regionActor(region: string | null): ActorId | null {
  return region === null ? null : ActorId("region", region);
}
