import { type Seeded, seeded } from "../kit/seeded.ts";

/** How often each trouble comes in one trial, in percent. Drawn per seed, many of them as none: troubles hide one another where all are always on. */
export interface Swarm {
  readonly repeat: number;
  readonly late: number;
  readonly poison: number;
  readonly future: number;
  readonly idle: number;
  /** A source is not there. */
  readonly outage: number;
  /** A commit fails; a commit is stored, and reports that it failed. */
  readonly commitFails: number;
  readonly commitLies: number;
  /** A sink is not there; a sink holds what it was given, and reports that it does not. */
  readonly sinkFails: number;
  readonly sinkLies: number;
  /** Lives that end before the faults do. */
  readonly lives: number;
  /** Passages of I/O until a life ends by itself. */
  readonly passagesMax: number;
  readonly batchMax: number;
}

export function swarmOf(seed: number): Swarm {
  const chance = seeded(seed ^ 0x5157a23);
  const upTo = (most: number): number => (chance.chance(50) ? 0 : chance.below(most + 1));
  return {
    repeat: upTo(30),
    late: upTo(30),
    poison: upTo(2),
    future: upTo(2),
    idle: upTo(5),
    outage: upTo(10),
    commitFails: upTo(5),
    commitLies: upTo(5),
    sinkFails: upTo(20),
    sinkLies: upTo(10),
    lives: 1 + chance.below(12),
    passagesMax: 20 + chance.below(400),
    batchMax: chance.pick([1, 5, 40, 400]),
  };
}

/** Draws for one part of a trial: each has its own, so that a change in one leaves the others as they were. */
export function drawsFor(seed: number, part: string): Seeded {
  let mixed = seed >>> 0;
  for (const letter of part) mixed = Math.imul(mixed ^ letter.charCodeAt(0), 0x01000193) >>> 0;
  return seeded(mixed);
}
