import { permutation } from "./permutation.ts";

/** Largest scale: ten million customers. Beyond it the instants of a day's readings would no longer be distinct. */
export const SCALE_MAX = 10_000;

export type RegionName = "NORTH" | "SOUTH" | "EAST" | "WEST" | "CENTRAL";
export type PlantType = "SOLAR" | "WIND" | "HYDRO";

/** Where a piece of equipment stands. */
export interface Place {
  readonly region: RegionName;
  readonly state: string;
  readonly gridZone: string;
}

/**
 * Everything that exists and what it is connected to, as pure functions of the seed and the scale. Entities are numbered from 0 over all
 * regions; their ids count from 1 within a region and grow digits when the guide's width is too small.
 */
export interface Grid {
  readonly seed: number;
  readonly scale: number;
  readonly customers: number;
  readonly transformers: number;
  /** Plants of each of the three types. */
  readonly plantsPerType: number;
  /** Customers whose account is ACTIVE: only they have readings and bills. */
  readonly openAccounts: number;

  customerId(customer: number): string;
  meterId(meter: number): string;
  transformerId(transformer: number): string;
  substationId(substation: number): string;
  plantId(type: PlantType, plant: number): string;

  meterOf(customer: number): number;
  transformerOf(meter: number): number;
  substationOf(transformer: number): number;
  placeOf(substation: number): Place;
  plantPlace(plant: number): Place;

  /** The `rank`-th customer with an open account (rank below `openAccounts`), in a shuffled order. */
  openAccount(rank: number): number;
  isOpen(customer: number): boolean;
}

/** Throws a RangeError unless the scale is a whole number 1 … SCALE_MAX and the seed a whole number below 2^32. */
export function gridOf(seed: number, scale: number): Grid {
  if (!Number.isInteger(scale) || scale < 1 || scale > SCALE_MAX) throw new RangeError(`scale: a whole number from 1 to ${SCALE_MAX}`);
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) throw new RangeError("seed: a whole number from 0 to 4294967295");

  const [customers, transformers] = [1_000 * scale, 500 * scale];
  const [metersEach, transformersEach, substationsEach] = [200 * scale, 100 * scale, 50 * scale];
  const meter = ([region, number]: Numbered): number => region * metersEach + number - 1;

  const holders = permutation(seed, "holders", customers, [
    [123 - 1, meter(SM_N_00042)],
    [789 - 1, meter(SM_W_00134)],
  ]);
  const feeders = REGIONS.map((_, region) => permutation(seed, `feeders_${region}`, metersEach, FEEDER_PINS[region]));
  const closed = 20 * scale;
  const accounts = permutation(seed, "accounts", customers, [
    [123 - 1, closed],
    [789 - 1, closed + 1],
  ]);

  const placeOf = (substation: number): Place => {
    const region = regionAt(Math.floor(substation / substationsEach));
    const within = substation % substationsEach;
    return {
      region: region.name,
      state: region.states[within % region.states.length] ?? "",
      gridZone: `ZONE-${(Math.floor(within / 5) % 5) + 1}`,
    };
  };
  const regionalId = (prefix: string, each: number, width: number) => (entity: number) =>
    `${prefix}-${regionAt(Math.floor(entity / each)).letter}-${padded((entity % each) + 1, width)}`;

  return {
    seed,
    scale,
    customers,
    transformers,
    plantsPerType: 30 * scale,
    openAccounts: customers - closed,

    customerId: (customer) => `CUST-${padded(customer + 1, 6)}`,
    meterId: regionalId("SM", metersEach, 5),
    transformerId: regionalId("TRF", transformersEach, 4),
    substationId: regionalId("SUB", substationsEach, 3),
    plantId: (type, plant) => `REN-${type}-${padded(plant + 1, 3)}`,

    meterOf: holders.forward,
    transformerOf: (entity) => {
      const region = Math.floor(entity / metersEach);
      const seat = feeders[region]?.forward(entity % metersEach) ?? 0;
      return region * transformersEach + Math.floor(seat / 2);
    },
    substationOf: (transformer) => Math.floor(exchanged(transformer) / 2),
    placeOf,
    plantPlace: (plant) => {
      const region = (plant + 2) % REGIONS.length;
      const { states, name } = regionAt(region);
      const nth = Math.floor(plant / REGIONS.length);
      return { region: name, state: states[nth % states.length] ?? "", gridZone: `ZONE-${(nth % 5) + 1}` };
    },

    openAccount: (rank) => accounts.inverse(closed + rank),
    isOpen: (customer) => accounts.forward(customer) >= closed,
  };
}

/** A number with at least `width` digits. */
export function padded(number: number, width: number): string {
  return String(number).padStart(width, "0");
}

type Numbered = readonly [region: number, number: number];

interface Region {
  readonly letter: string;
  readonly name: RegionName;
  readonly states: readonly string[];
}

// The order of the states puts the equipment of the guide's samples where the guide has it.
const REGIONS: readonly [Region, ...Region[]] = [
  { letter: "N", name: "NORTH", states: ["Punjab", "Delhi", "Haryana", "Uttar Pradesh", "Uttarakhand"] },
  { letter: "S", name: "SOUTH", states: ["Tamil Nadu", "Kerala", "Karnataka", "Telangana", "Andhra Pradesh"] },
  { letter: "E", name: "EAST", states: ["West Bengal", "Odisha", "Bihar", "Jharkhand", "Assam"] },
  { letter: "W", name: "WEST", states: ["Gujarat", "Maharashtra", "Rajasthan", "Goa"] },
  { letter: "C", name: "CENTRAL", states: ["Madhya Pradesh", "Chhattisgarh"] },
];

const SM_N_00042: Numbered = [0, 42];
const SM_W_00134: Numbered = [3, 134];

// Each transformer has two seats for meters: seats 66 and 67 of a region belong to its transformer 0034, 132 and 133 to 0067.
const FEEDER_PINS: readonly (readonly (readonly [number, number])[])[] = [[[42 - 1, 66]], [], [], [[134 - 1, 132]], []];

function regionAt(region: number): Region {
  return REGIONS[region] ?? REGIONS[0];
}

/** TRF-N-0034 and TRF-N-0024 change places, since the guide has TRF-N-0034 in SUB-N-012; all others stand two by two, in order. */
function exchanged(transformer: number): number {
  if (transformer === 34 - 1) return 24 - 1;
  return transformer === 24 - 1 ? 34 - 1 : transformer;
}
