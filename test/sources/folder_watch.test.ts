import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { folderWatch } from "../../sources/folder_watch.ts";
import { suite } from "../kit/suite.ts";
import { inTempFolder } from "../kit/temp_folder.ts";

const test = suite("folder watch");

test("files that appear give a hint, and nothing does once it is closed", () =>
  inTempFolder(async (folder) => {
    let hints = 0;
    const close = folderWatch(folder, () => {
      hints += 1;
    });
    for (let n = 0; hints === 0; n += 1) await writeFile(join(folder, `${n % 100}.json`), String(n)); // Until it watches.
    await close();
  }));

test("a folder that is not there gives no hint and no error", () =>
  inTempFolder(async (folder) => {
    await folderWatch(join(folder, "gone"), () => {})();
  }));
