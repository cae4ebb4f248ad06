import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { csvLine } from "../../simulators/csv.ts";
import { writeTextFile } from "../../simulators/text_file.ts";
import { suite } from "../kit/suite.ts";

const test = suite("text_file");

let folder = "";
test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), "text_file-"));
});
test.after.each(() => rm(folder, { recursive: true, force: true }));

test("a file has its name only once it is complete, and then holds every line", async () => {
  const path = join(folder, "sub", "lines.json");
  const long = "x".repeat(300_000); // Five of them are more than is held back.
  const seen: string[] = [];
  const result = await writeTextFile(path, async (line) => {
    for (const text of ["first", long, long, long, long, long]) {
      await line(text);
      seen.push(...(await readdir(join(folder, "sub"))));
    }
    return 6;
  });
  assert.is(result, 6);
  assert.equal([...new Set(seen)], ["lines.json.tmp"]);
  assert.equal(await readdir(join(folder, "sub")), ["lines.json"]);
  assert.is(await readFile(path, "utf8"), `first\n${`${long}\n`.repeat(5)}`);
});

test("a writer that fails leaves the old file alone", async () => {
  const path = join(folder, "lines.json");
  await writeTextFile(path, (line) => line("old"));
  const failed = await writeTextFile(path, async (line) => {
    await line("new");
    throw new Error("no more");
  }).then(
    () => false,
    () => true,
  );
  assert.ok(failed);
  assert.is(await readFile(path, "utf8"), "old\n");
});

test("a CSV cell is quoted when it holds a comma, a quote or a line end; null is empty", () => {
  assert.is(csvLine(["a", 1.5, null, "b,c", 'say "x"', "two\nlines", false]), 'a,1.5,,"b,c","say ""x""","two\nlines",false');
});
