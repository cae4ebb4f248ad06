import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFile, link, mkdir, stat, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { FileChanged } from "../../sources/format.ts";
import { openFile } from "../../sources/open_file.ts";
import { suite } from "../kit/suite.ts";
import { inTempFolder } from "../kit/temp_folder.ts";

const test = suite("open file");
const NEVER = new AbortController().signal;

test("only a regular file with one link on the device of the root is opened, and nothing else blocks or is followed", () =>
  inTempFolder(async (root) => {
    const { dev } = await stat(root);
    await writeFile(join(root, "file"), "x");
    await symlink(join(root, "file"), join(root, "link"));
    await mkdir(join(root, "folder"));
    execFileSync("mkfifo", [join(root, "pipe")]);
    for (const path of ["gone", "link", "folder", "pipe", "file/below"]) assert.is(await openFile(root, path, dev), null, path);
    assert.is(await openFile(root, "file", dev + 1), null);
    await (await openFile(root, "file", dev))?.close();
    await link(join(root, "file"), join(root, "twin"));
    assert.is(await openFile(root, "file", dev), null);
  }));

test("one pass hashes the whole and its beginning", () =>
  inTempFolder(async (root) => {
    const content = Buffer.alloc(2_500_000, "gridactor ");
    await writeFile(join(root, "file"), content);
    const file = await openFile(root, "file", (await stat(root)).dev);
    assert.ok(file !== null);
    for (const prefix of [0, 1, 1_048_576, 1_048_577, 2_499_999, 2_500_000]) {
      assert.equal(await file.hashes(prefix, NEVER), { sha256: sha256(content), prefixSha256: sha256(content.subarray(0, prefix)) });
    }
    assert.equal(await file.hashes(null, NEVER), { sha256: sha256(content), prefixSha256: null });
    await file.close();
  }));

test("a file that was rewritten or cut has changed; one that has only become longer has not", () =>
  inTempFolder(async (root) => {
    const path = join(root, "file");
    await writeFile(path, "0123456789");
    const file = await openFile(root, "file", (await stat(root)).dev);
    assert.ok(file !== null);
    await appendFile(path, "more");
    await file.mustBeSame();
    assert.is(file.sizeBytes, 10);
    await truncate(path, 10);
    await utimes(path, 1, 1);
    await rejects(file.mustBeSame());
    await truncate(path, 5);
    await rejects(file.mustBeSame());
    await rejects(file.fill(Buffer.alloc(10), 0));
    await file.close();
  }));

async function rejects(work: Promise<unknown>): Promise<void> {
  assert.instance(await work.catch((error: unknown) => error), FileChanged);
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
