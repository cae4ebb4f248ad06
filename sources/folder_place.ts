import { stat } from "node:fs/promises";
import { invariant, orUnavailable } from "../engine/fault.ts";
import type { Watch } from "./folder_watch.ts";
import type { LandingPlace } from "./landing_place.ts";
import { listing } from "./listing.ts";
import { openFile } from "./open_file.ts";

export interface FolderPlaceOptions {
  readonly folder: string;
  /** The folder of the archive; null if nothing is archived. */
  readonly archive: string | null;
  /** Null: there are no hints. */
  readonly watch: Watch | null;
}

/** Files of a local folder. What lies on another device than the folder itself is not read. */
export function folderPlace({ folder, archive, watch }: FolderPlaceOptions): LandingPlace {
  let device: number | null = null;
  return {
    settles: true,
    origin: ({ contentId }) => `file:${contentId}/`,
    async list(globs) {
      const { dev } = await orUnavailable(folder, stat(folder)); // Each time: a mount comes and goes.
      device = dev;
      return orUnavailable(folder, listing(folder, globs));
    },
    open(path) {
      invariant(device !== null, "what is opened was listed");
      return openFile(folder, path, device, archive);
    },
    watch: (hint) => watch?.(folder, hint) ?? (async () => {}),
  };
}
