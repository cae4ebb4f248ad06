import { resolve } from "node:path";
import { type Backup, BadBackup, backUp, restore } from "../../engine/backup.ts";
import { DamagedStore, NoStore } from "../../engine/damaged_store.ts";
import { Locked } from "../../engine/directory_lock.ts";
import { CommandError } from "../errors.ts";
import { grouped } from "../format.ts";
import type { CommandLine } from "./command_line.ts";

/** `backup DIR`: a consistent copy of the state with its digest, also of a running engine. `restore DIR`: the way back. */
export function backupCommands({ program, config, answer }: CommandLine): void {
  program
    .command("backup")
    .description("copy the state, also of a running engine, into a new folder, with its digest")
    .argument("<dir>", "a new or empty folder")
    .action(async (dir: string) => {
      const { stateDir } = await config();
      const backup = await backUp(stateDir, resolve(dir)).catch(asCommandError("gridactor backup NEW_DIR: a new or empty folder"));
      answer(backup, () => backupText(backup, `copied to ${dir}`));
    });
  program
    .command("restore")
    .description("put a backup where the state is, once it has been read and has its digest")
    .argument("<dir>", "a folder that backup has made")
    .option("--force", "in place of the state that is there")
    .action(async (dir: string, { force = false }: { force?: boolean }) => {
      const { stateDir } = await config();
      const backup = await restore(resolve(dir), stateDir, force).catch(
        asCommandError(
          force
            ? "another backup: this one cannot be used"
            : "a whole backup; where only a state is in the way, --force puts the backup in its place",
        ),
      );
      answer(backup, () => backupText(backup, `restored to ${stateDir}`));
    });
}

function backupText({ digest, epoch, files }: Backup, what: string): string {
  const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
  return `${what}: ${Object.keys(files).length} files, ${grouped(bytes)} bytes, epoch ${epoch}, digest ${digest}\n`;
}

/** `hint`: what helps where a folder is not as it has to be. */
function asCommandError(hint: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof NoStore) throw new CommandError("UNREACHABLE", error.message, { hint: "gridactor run --drain" });
    if (error instanceof Locked) throw new CommandError("RETRY", error.message, { hint: "stop the engine first" });
    if (error instanceof BadBackup) throw new CommandError("CONFIG", error.message, { hint });
    if (error instanceof DamagedStore) throw new CommandError("CONFIG", error.message, { hint: "gridactor restore DIR" });
    throw error;
  };
}
