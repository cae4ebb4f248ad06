import type { Commit } from "../../engine/commit.ts";
import type { Store } from "../../engine/store.ts";
import type { Seeded } from "../kit/seeded.ts";
import { type Life, Planned, perhaps } from "./life.ts";

export interface MortalStoreOptions {
  /** What outlives the process. */
  readonly disk: Store;
  readonly life: Life;
  readonly chance: Seeded;
  /** In percent of the commits. */
  readonly fails: number;
  readonly lies: number;
  /** Told when a commit is stored, whether or not its maker ever hears of it. */
  readonly onStored: (commit: Commit) => void;
}

/** The store as one process sees it. What it commits is whole or not there, also when it dies meanwhile, or is told that it failed. */
export function mortalStore({ disk, life, chance, fails, lies, onStored }: MortalStoreOptions): Store {
  const error = (): Error => new Planned("the disk");
  return {
    ...disk,
    get nextSequence() {
      return disk.nextSequence;
    },
    commit: (commit) =>
      perhaps(
        life,
        async () => {
          await disk.commit(commit);
          onStored(commit);
        },
        { chance, fails, lies, error },
      ),
    async readLog(stream, from, bytesMax) {
      await life.pass();
      return disk.readLog(stream, from, bytesMax);
    },
    async cutLog(stream, cut) {
      await life.pass();
      return disk.cutLog(stream, cut);
    },
    settle: (sink, cursor) => perhaps(life, () => disk.settle(sink, cursor), { chance, fails: fails / 4, lies: lies / 4, error }),
    close: async () => {},
  };
}
