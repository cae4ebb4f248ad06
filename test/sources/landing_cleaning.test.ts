import { existsSync, statSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { days, hours, seconds } from "../../engine/duration.ts";
import { Unavailable } from "../../engine/fault.ts";
import type { Batch } from "../../engine/source.ts";
import type { CleanRule } from "../../sources/landing_cleaning.ts";
import { landingZone } from "../../sources/landing_zone.ts";
import { type FolderZone, Follower, inLandingFolder, type LandingFolder } from "../kit/landing_folder.ts";
import { readToIdle } from "../kit/source_reading.ts";
import { suite } from "../kit/suite.ts";
import { inTempFolder, removeFolder } from "../kit/temp_folder.ts";

const test = suite("cleaning of a landing zone");
const DAY = "2025/06/15";

/** A zone that archives beside its folder, or deletes. */
function inCleanedFolder(
  rule: CleanRule,
  body: (folder: LandingFolder, archive: string) => Promise<void>,
  more: FolderZone = {},
): Promise<void> {
  return inTempFolder((archive) => inLandingFolder((folder) => body(folder, archive), { clean: rule, archive, ...more }));
}

test("a file goes to the archive by its commit date once it was kept long enough, and not before", () =>
  inCleanedFolder({ mode: "archive", retentionMs: days(30) }, async (folder, archive) => {
    await folder.write("a/b.json", "1\n");
    const follower = new Follower(folder);
    await follower.after(seconds(2));
    await follower.after(days(30) - seconds(3));
    assert.is(folder.entry("a/b.json").state, "committed");
    await follower.after(seconds(10));
    const { state, archivedAtMs, rows } = folder.entry("a/b.json");
    assert.equal([state, archivedAtMs, rows], ["archived", folder.clock.now(), 1]);
    assert.is(await readFile(join(archive, DAY, "a/b.json"), "utf8"), "1\n");
    assert.equal(await readdir(join(folder.path, "a")), []);
    await follower.stop();
    assert.equal(follower.texts, ["1"]);
  }));

test("a deleted file is known for ever: the same content gives nothing, another one is the next generation", () =>
  inCleanedFolder({ mode: "delete", retentionMs: hours(1) }, async (folder) => {
    await folder.write("a.json", "1\n2\n");
    assert.equal(await folder.drain(), ["1", "2"]);
    folder.clock.advance(hours(1));
    assert.equal(await folder.drain(), []);
    assert.equal([await readdir(folder.path), folder.entry("a.json").state], [[], "archived"]);
    await folder.write("a.json", "1\n2\n");
    await folder.write("copy.json", "1\n2\n");
    assert.equal(await folder.drain(), []);
    assert.equal(await readdir(folder.path), ["copy.json"]); // Not a new file: it is due. The copy was seen just now.
    await folder.write("a.json", "3\n");
    assert.equal(await folder.drain(), ["3"]);
    assert.equal([folder.entry("a.json").generation, folder.entry("a.json").state], [1, "committed"]);
  }));

test("a file that grew, changed in secret, waits, was quarantined or passed over stays", () =>
  inCleanedFolder(
    { mode: "delete", retentionMs: 0 },
    async (folder) => {
      await folder.write("old.json", "0\n");
      await readToIdle(landingZone(folder.zone()), folder.positions).then((batches) => folder.store(batches)); // Passed over.
      await folder.write("bad.json", '[{"a":1},{"b":tru}]');
      await folder.write("cut.json", '1\n{"cut":');
      const secret = join(folder.path, "secret.json");
      await writeFile(secret, "1\n");
      await utimes(secret, 1_000, 1_000);
      await folder.write("grows.json", "1\n2\n");
      const follower = new Follower(folder, { clean: { mode: "off" } });
      await follower.after(seconds(2));
      await follower.stop();
      await writeFile(secret, "2\n");
      await utimes(secret, 1_000, 1_000);
      await appendFile(join(folder.path, "grows.json"), "3\n");
      const cleaning = new Follower(folder);
      await cleaning.quiet();
      assert.equal((await readdir(folder.path)).sort(), ["bad.json", "cut.json", "grows.json", "old.json", "secret.json"]);
      await cleaning.stop();
    },
    { includeExistingFiles: false },
  ));

test("nothing is cleaned before the word that its rows are used is flushed", () =>
  inCleanedFolder({ mode: "delete", retentionMs: 0 }, async (folder) => {
    await folder.write("a.json", "1\n");
    const batches: Batch[] = [];
    for await (const batch of landingZone(folder.zone()).read(new Map(), new AbortController().signal)) batches.push(batch); // None is stored.
    assert.ok(batches.at(-1)?.idle);
    assert.equal(await readdir(folder.path), ["a.json"]);
    folder.store(batches);
    await folder.drain();
    assert.equal(await readdir(folder.path), []);
  }));

test("what is in the archive stays: another content of that name goes beside it, the same one is there already", () =>
  inCleanedFolder({ mode: "archive", retentionMs: 0 }, async (folder, archive) => {
    await mkdir(join(archive, DAY), { recursive: true });
    await writeFile(join(archive, DAY, "a.json"), "other\n");
    await writeFile(join(archive, DAY, "b.json"), "2\n"); // A crash came between copy and removal.
    await folder.write("a.json", "1\n");
    await folder.write("b.json", "2\n");
    await folder.drain();
    const { contentId } = folder.entry("a.json");
    assert.equal((await readdir(join(archive, DAY))).sort(), ["a.json", `a.json.${contentId.slice(0, 12)}`, "b.json"]);
    assert.is(await readFile(join(archive, DAY, "a.json"), "utf8"), "other\n");
    assert.equal(await readdir(folder.path), []);
  }));

test("a crash between the move and the commit leaves the file in the archive, and no row is read again", () =>
  inCleanedFolder({ mode: "archive", retentionMs: 0 }, async (folder, archive) => {
    await folder.write("a.json", "1\n");
    assert.equal(await folder.drain({ clean: { mode: "off" } }), ["1"]);
    await rm(archive, { recursive: true });
    await mkdir(join(archive, DAY), { recursive: true });
    await rename(join(folder.path, "a.json"), join(archive, DAY, "a.json"));
    assert.equal(await folder.drain(), []);
    assert.is(folder.entry("a.json").state, "committed");
  }));

const DEVICE = "/dev/shm"; // A device of its own, where there is one.
const isElsewhere = statSync(DEVICE, { throwIfNoEntry: false })?.dev !== statSync(tmpdir()).dev && existsSync(DEVICE);
(isElsewhere ? test : test.skip)("an archive on another device gets a copy, and then the file goes", async () => {
  const archive = await mkdtemp(join(DEVICE, "gridactor-"));
  try {
    const rule = { clean: { mode: "archive", retentionMs: 0 }, archive } as const;
    await inLandingFolder(async (folder) => {
      await folder.write("a.json", "1\n");
      await folder.drain();
      assert.equal([await readdir(folder.path), await readdir(join(archive, DAY))], [[], ["a.json"]]);
      assert.is(await readFile(join(archive, DAY, "a.json"), "utf8"), "1\n");
    }, rule);
  } finally {
    await removeFolder(archive);
  }
});

test("an archive that cannot be written to is an outage, and the file stays", () =>
  inCleanedFolder({ mode: "archive", retentionMs: 0 }, async (folder, archive) => {
    await folder.write("a.json", "1\n");
    const blocked = join(archive, "file");
    await writeFile(blocked, "no folder");
    const error = await folder.drain({ archive: blocked }).catch((thrown: unknown) => thrown);
    assert.instance(error, Unavailable);
    assert.equal(await readdir(folder.path), ["a.json"]);
  }));

test("many files are cleaned in one go", () =>
  inCleanedFolder({ mode: "delete", retentionMs: 0 }, async (folder) => {
    for (let n = 0; n < 250; n += 1) await folder.write(`${n}.json`, `"${n}"\n`);
    await folder.drain();
    assert.equal(await readdir(folder.path), []);
    assert.is(folder.entry("249.json").state, "archived");
  }));
