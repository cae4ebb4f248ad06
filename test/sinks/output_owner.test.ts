import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { BrokenInvariant, Unavailable } from "../../engine/fault.ts";
import { ownOutput } from "../../sinks/output_owner.ts";
import { suite } from "../kit/suite.ts";
import { inTempFolder } from "../kit/temp_folder.ts";

const test = suite("owner of an output");

test("what another store wrote is moved aside under that store's id, a file as well as a folder", () =>
  inTempFolder(async (folder) => {
    for (const kind of ["file", "folder"]) {
      const path = join(folder, kind);
      await owned(path, "store-a");
      if (kind === "folder") await mkdir(join(path, "table"), { recursive: true });
      else await writeFile(path, "of a");
      await owned(path, "store-b");
    }
    assert.equal((await readdir(folder)).sort(), ["file.owner", "file.store-a", "folder.owner", "folder.store-a"]);
    assert.is(await readFile(join(folder, "file.store-a"), "utf8"), "of a");
  }));

test("a store that comes back finds its own output again", () =>
  inTempFolder(async (folder) => {
    const path = join(folder, "out");
    await owned(path, "store-a");
    await writeFile(path, "of a");
    await owned(path, "store-b");
    await writeFile(path, "of b");
    await owned(path, "store-a");
    assert.is(await readFile(path, "utf8"), "of a");
    assert.is(await readFile(`${path}.store-b`, "utf8"), "of b");
  }));

test("a move back that a crash prevented is made up for", () =>
  inTempFolder(async (folder) => {
    const path = join(folder, "out");
    await owned(path, "store-a");
    await writeFile(`${path}.store-a`, "of a");
    await owned(path, "store-a");
    assert.is(await readFile(path, "utf8"), "of a");
  }));

test("an output stays where it is for the store that owns it", () =>
  inTempFolder(async (folder) => {
    const path = join(folder, "out");
    await owned(path, "store-a");
    await writeFile(path, "of a");
    await owned(path, "store-a");
    assert.is(await readFile(path, "utf8"), "of a");
  }));

test("what nobody owns is moved aside, too", () =>
  inTempFolder(async (folder) => {
    const path = join(folder, "out");
    await writeFile(path, "of a person");
    await owned(path, "store-a");
    assert.is(await readFile(`${path}.unowned`, "utf8"), "of a person");
  }));

test("nothing is overwritten by a move", () =>
  inTempFolder(async (folder) => {
    const path = join(folder, "out");
    await writeFile(path, "new");
    await writeFile(`${path}.unowned`, "old");
    assert.instance(await ownOutput(path, "store-a").catch((error: unknown) => error), BrokenInvariant);
    assert.is(await readFile(`${path}.unowned`, "utf8"), "old");
  }));

test("an output whose store is live is unavailable, until it is released", () =>
  inTempFolder(async (folder) => {
    const path = join(folder, "out");
    const ownership = await ownOutput(path, "store-a");
    await writeFile(path, "of a");
    assert.instance(await ownOutput(path, "store-b").catch((error: unknown) => error), Unavailable);
    assert.is(await readFile(path, "utf8"), "of a");
    await ownership.release();
    await owned(path, "store-b");
  }));

test("a process that is gone, or another one that got its number, owns nothing", () =>
  inTempFolder(async (folder) => {
    for (const [name, owner] of [
      ["gone", { storeId: "store-a", pid: 2 ** 22 + 1, born: null }],
      ["other", { storeId: "store-a", pid: process.pid, born: "1" }],
      ["unknown", { storeId: "store-a", pid: process.pid, born: null }],
    ] as const) {
      await writeFile(join(folder, name), "of a");
      await writeFile(join(folder, `${name}.owner`), JSON.stringify(owner));
      await owned(join(folder, name), "store-b");
      assert.is(await readFile(join(folder, `${name}.store-a`), "utf8"), "of a");
    }
  }));

/** Takes the output and releases it. */
async function owned(path: string, storeId: string): Promise<void> {
  await (await ownOutput(path, storeId)).release();
}
