import { execFileSync } from "node:child_process";
import { appendFile, link, mkdir, readFile, rename, rm, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { minutes, seconds } from "../../engine/duration.ts";
import { Unavailable } from "../../engine/fault.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import type { Batch, Lookahead } from "../../engine/source.ts";
import { csv } from "../../sources/formats/csv.ts";
import { jsonLines } from "../../sources/formats/json_lines.ts";
import { parquet } from "../../sources/formats/parquet.ts";
import { landingZone } from "../../sources/landing_zone.ts";
import { Follower, inLandingFolder, type LandingFolder, START_MS } from "../kit/landing_folder.ts";
import { readToIdle, texts } from "../kit/source_reading.ts";
import { suite } from "../kit/suite.ts";

const test = suite("landing zone");
const PARQUET = join(import.meta.dirname, "../fixtures/parquet/pyarrow_plain.parquet");

// What is a file, and in which order. ----------------------------------------------------------------------------------------------------

test("files are taken in byte order of their paths, in time order if wanted", () =>
  inLandingFolder(async (folder) => {
    for (const name of ["b.json", "B.json", "a/z.json", "a.json", "\u{1f600}.json", "\uff5e.json"]) await folder.write(name, `"${name}"\n`);
    const byName = ["B", "a", "a/z", "b", "\uff5e", "\u{1f600}"].map((name) => `"${name}.json"`);
    assert.equal(texts(await readToIdle(landingZone(folder.zone()))), byName);
    await utimes(join(folder.path, "b.json"), 1, 1);
    await utimes(join(folder.path, "a.json"), 2, 2);
    const byTime = texts(await readToIdle(landingZone(folder.zone({ order: "modified" }))));
    assert.equal(byTime.slice(0, 2), ['"b.json"', '"a.json"']);
  }));

test("hidden names, names of files being written, links, pipes and what the globs do not mean are never read", () =>
  inLandingFolder(async (folder) => {
    await folder.write("good.json", "good\n");
    for (const name of [".x.json", "_x.json", "~x.json", "_temporary/x.json", ".git/x.json", "x.txt"]) await folder.write(name, "bad\n");
    for (const end of ["tmp", "part", "partial", "crdownload"]) await folder.write(`x.json.${end}`, "bad\n");
    const outside = join(folder.path, "outside.txt");
    await writeFile(outside, "bad\n");
    await symlink(outside, join(folder.path, "link.json"));
    await mkdir(join(folder.path, "real"));
    await symlink(join(folder.path, "real"), join(folder.path, "folder_link"));
    await folder.write("real/in.json", "in\n");
    await writeFile(join(folder.path, "twice.txt"), "bad\n");
    await link(join(folder.path, "twice.txt"), join(folder.path, "twice.json"));
    execFileSync("mkfifo", [join(folder.path, "pipe.json")]);
    assert.equal(await folder.drain({ include: ["**/*.json", "**/*.json.*"] }), ["good", "in"]);
  }));

test("a name that could not be shown is one fault, and the others are read (corpus 118)", () =>
  inLandingFolder(async (folder) => {
    for (const name of ["-x.json", "CON.json", "é.json", "e\u0301.json", "\u{1f600}.json", "x..json", `${"n".repeat(250)}.json`]) {
      await folder.write(name, `"good ${name}"\n`);
    }
    for (const name of ["a\nb.json", "\u001b[2J.json"]) await folder.write(name, "bad\n");
    const records = await folder.drain();
    assert.is(records.filter((text) => text.startsWith('"good')).length, 7);
    assert.is(records.filter((text) => text === "!bad_id").length, 2);
    assert.equal(await folder.drain(), []);
  }));

test("a folder that is not there is an outage", () =>
  inLandingFolder(async (folder) => {
    const error = await readToIdle(landingZone(folder.zone({ location: join(folder.path, "gone") }))).catch((thrown: unknown) => thrown);
    assert.instance(error, Unavailable);
  }));

// The ledger. ----------------------------------------------------------------------------------------------------------------------------

test("a file is in the ledger before any row of it is used, and committed with its last rows", () =>
  inLandingFolder(async (folder) => {
    await folder.write("a.json", "1\n2\n3\n");
    const batches = await readToIdle(landingZone(folder.zone()));
    const states = batches.map((batch) => {
      folder.store([batch]);
      const { state, row, rows } = folder.entry("a.json");
      return [batch.records.length, state, row, rows];
    });
    assert.equal(states, [
      [0, "discovered", 0, 0],
      [2, "processing", 2, 2],
      [1, "committed", 3, 3],
      [0, "committed", 3, 3],
    ]);
    const { contentId, ...entry } = folder.entry("a.json");
    assert.match(contentId, /^[0-9a-f]{64}$/);
    assert.is(entry.sizeBytes, 6);
    assert.is(entry.discoveredAtMs, START_MS);
    assert.equal([entry.generation, entry.faults, entry.offset, entry.sameAs, entry.error], [0, 0, 6, null, null]);
    for (const { origin, path, records } of batches.slice(1, 3)) {
      assert.is(origin, `file:${contentId}/`);
      assert.is(path, "a.json");
      for (const { arrivedAtMs } of records) assert.is(arrivedAtMs, START_MS);
    }
  }));

test("rows and faults of the ledger are those of the file", () =>
  inLandingFolder(async (folder) => {
    await folder.write("a.json", `1\n${"x".repeat(1_100_000)}\n3\n{"cut`);
    assert.equal(await folder.drain(), ["1", "!too_large", "3", "!truncated"]);
    const { rows, faults, state } = folder.entry("a.json");
    assert.equal([rows, faults, state], [4, 2, "committed"]);
  }));

test("touching, renaming and copying a file, or sending it again, gives no record (P-22)", () =>
  inLandingFolder(async (folder) => {
    await folder.write("a.json", "1\n2\n3\n");
    assert.equal(await folder.drain(), ["1", "2", "3"]);
    await utimes(join(folder.path, "a.json"), 1, 1);
    await folder.write("copy.json", "1\n2\n3\n");
    assert.equal(await folder.drain(), []);
    await rename(join(folder.path, "a.json"), join(folder.path, "renamed.json"));
    await rm(join(folder.path, "copy.json"));
    await folder.write("copy.json", "1\n2\n3\n");
    assert.equal(await folder.drain(), []);
    const { rows, state, sameAs } = folder.entry("renamed.json");
    assert.equal([rows, state, sameAs !== null], [0, "committed", true]);
    assert.equal(await folder.drain(), []);
  }));

test("a file that is renamed while it is half read goes on under its new name", () =>
  inLandingFolder(async (folder) => {
    await folder.write("a.json", "1\n2\n3\n4\n5\n");
    const batches = await readToIdle(landingZone(folder.zone()));
    folder.store(batches.slice(0, 2)); // Killed behind the first two rows.
    await rename(join(folder.path, "a.json"), join(folder.path, "b.json"));
    assert.equal(await folder.drain(), ["3", "4", "5"]);
    const { rows, state, sameAs } = folder.entry("b.json");
    assert.equal([rows, state, sameAs], [3, "committed", "a.json"]);
  }));

test("a copy of a file that could be read in part only gives its fault again, and none of its rows", () =>
  inLandingFolder(async (folder) => {
    await folder.write("a.json", '[{"a":1},{"b":tru}]');
    assert.equal(await folder.drain(), ['{"a":1}', "!bad_json"]);
    await folder.write("b.json", '[{"a":1},{"b":tru}]');
    assert.equal(await folder.drain(), ["!bad_json"]);
    assert.is(folder.entry("b.json").state, "quarantined");
  }));

test("a copy that grows gives only what is new in it", () =>
  inLandingFolder(async (folder) => {
    await folder.write("a.json", "1\n2\n");
    await folder.write("b.json", "1\n2\n");
    await folder.drain();
    await appendFile(join(folder.path, "b.json"), "3\n");
    assert.equal(await folder.drain(), ["3"]);
    assert.is(folder.entry("b.json").generation, 0);
  }));

test("files that are there at the first start are passed over if so wanted, and what comes later is read", () =>
  inLandingFolder(
    async (folder) => {
      await folder.write("a.json", "1\n2\n");
      assert.equal(await folder.drain(), []);
      assert.is(folder.entry("a.json").error, "pre_existing");
      await appendFile(join(folder.path, "a.json"), "3\n");
      await folder.write("b.json", "4\n");
      assert.equal(await folder.drain(), ["3", "4"]);
    },
    { includeExistingFiles: false },
  ));

test("a first start over an empty folder is the first start", () =>
  inLandingFolder(
    async (folder) => {
      assert.equal(await folder.drain(), []);
      await folder.write("a.json", "1\n");
      assert.equal(await folder.drain(), ["1"]);
    },
    { includeExistingFiles: false },
  ));

// Growing. -------------------------------------------------------------------------------------------------------------------------------

test("a file that grows is read on, and what is new arrives when it is found", () =>
  inLandingFolder(async (folder) => {
    await folder.write("a.json", "1\n2\n");
    await folder.drain();
    folder.clock.advance(minutes(60));
    await appendFile(join(folder.path, "a.json"), "3\n4\n");
    const batches = await readToIdle(landingZone(folder.zone()), folder.positions);
    folder.store(batches);
    assert.equal(texts(batches), ["3", "4"]);
    const [first] = batches.flatMap(({ records }) => records);
    assert.equal([first?.at, first?.arrivedAtMs], [2, START_MS + minutes(60)]);
    const { generation, rows, sizeBytes } = folder.entry("a.json");
    assert.equal([generation, rows, sizeBytes], [0, 4, 8]);
  }));

test("a tail given up is tried again when its file grows, and counted once", () =>
  inLandingFolder(async (folder) => {
    await folder.write("a.json", '1\n{"cut":');
    assert.equal(await folder.drain(), ["1", "!truncated"]);
    assert.equal(await folder.drain(), []);
    await appendFile(join(folder.path, "a.json"), "2}\n");
    assert.equal(await folder.drain(), ['{"cut":2}']);
    const { rows, faults, row } = folder.entry("a.json");
    assert.equal([rows, faults, row], [2, 0, 2]);
  }));

for (const [title, content, more] of [
  ["JSON lines", '{"a":1}\r\n{"b":"°"}\n\n{"c":3}', {}],
  ["an array", '[{"a":1},\n {"b":[2]}, {"c":3}]\n', {}],
  ["pretty-printed objects", '{\n "a": 1\n}\n{\n "b": 2\n}', {}],
  ["CSV", 'h,i\r\n1,"2\n2"\r\n3,4\n', { format: csv(DEFAULT_LIMITS) }],
] as const) {
  test(`${title}: a file fed byte by byte gives the same records as the whole (P-20)`, () =>
    inLandingFolder(async (folder) => {
      await folder.write("whole/a.json", content);
      const whole = texts(await readToIdle(landingZone(folder.zone({ location: join(folder.path, "whole"), ...more }))));
      await folder.write("slow/a.json", "");
      const follower = new Follower(folder, { location: join(folder.path, "slow"), settleMs: 0, ...more });
      for (const byte of Buffer.from(content)) {
        await appendFile(join(folder.path, "slow/a.json"), Buffer.from([byte]));
        await follower.after(seconds(10));
      }
      await follower.after(minutes(10));
      await follower.after(minutes(10));
      assert.equal(follower.texts, whole);
      const { rows, state } = folder.entry("a.json");
      assert.equal([rows, state], [whole.length, "committed"]);
      await follower.stop();
    }));
}

test("an unfinished tail waits ten minutes, and its file stays in its state", () =>
  inLandingFolder(async (folder) => {
    await folder.write("a.json", '1\n{"cut":');
    const follower = new Follower(folder);
    await follower.after(seconds(2));
    assert.equal(follower.texts, ["1"]);
    assert.is(folder.entry("a.json").state, "processing");
    for (let n = 0; n < 59; n += 1) await follower.after(seconds(10));
    assert.equal(follower.texts, ["1"]);
    await follower.after(seconds(10));
    assert.equal(follower.texts, ["1", "!truncated"]);
    assert.is(folder.entry("a.json").state, "committed");
    await follower.stop();
  }));

test("a last line of CSV without its end is a record once its writer has paused for half a minute, or for three looks if they are rare", async () => {
  for (const [pollMs, waitMs] of [
    [seconds(10), seconds(30)],
    [seconds(60), minutes(3)],
  ] as const) {
    await inLandingFolder(
      async (folder) => {
        await folder.write("a.csv", "h,i\n1,2\n3,4");
        const follower = new Follower(folder);
        await follower.quiet();
        for (let at = 0; at < waitMs; at += seconds(10)) {
          assert.equal(follower.texts, ["1,2"]);
          await follower.after(seconds(10));
        }
        assert.equal(follower.texts, ["1,2", "3,4"]);
        assert.is(folder.entry("a.csv").state, "committed");
        await follower.stop();
      },
      { format: csv(DEFAULT_LIMITS), include: ["*.csv"], settleMs: 0, pollMs },
    );
  }
});

test("a last line that is gone on with after all is read again as a whole, in the place of the first", () =>
  inLandingFolder(
    async (folder) => {
      await folder.write("a.csv", "h,i\n1,2\n3,4");
      assert.equal(await folder.drain(), ["1,2", "3,4"]);
      await appendFile(join(folder.path, "a.csv"), "5\n6,7\n");
      assert.equal(await folder.drain(), ["3,45", "6,7"]);
      const { rows, faults, row, generation } = folder.entry("a.csv");
      assert.equal([rows, faults, row, generation], [3, 0, 3, 0]);
    },
    { format: csv(DEFAULT_LIMITS), include: ["*.csv"] },
  ));

test("a file that grows keeps the time at which it was discovered, and its tail is waited for from its last change on", () =>
  inLandingFolder(async (folder) => {
    await folder.write("a.json", "1\n");
    const follower = new Follower(folder, { settleMs: 0 });
    await follower.after(minutes(20));
    await appendFile(join(folder.path, "a.json"), '{"cut":');
    await follower.after(seconds(10));
    await follower.after(minutes(5));
    await appendFile(join(folder.path, "a.json"), "12");
    await follower.after(minutes(5));
    await follower.after(minutes(5));
    assert.equal(follower.texts, ["1"]);
    await follower.after(minutes(5));
    assert.equal(follower.texts, ["1", "!truncated"]);
    const { discoveredAtMs, foundAtMs } = folder.entry("a.json");
    assert.equal([discoveredAtMs, foundAtMs > START_MS + minutes(25)], [START_MS, true]);
    await follower.stop();
  }));

test("a Parquet file without its end waits, is quarantined as a whole, and is read once it is complete", () =>
  inLandingFolder(
    async (folder) => {
      const whole = await readFile(PARQUET);
      await folder.write("a.parquet", whole.subarray(0, 3_000));
      const follower = new Follower(folder);
      await follower.after(seconds(2));
      assert.is(folder.entry("a.parquet").state, "discovered");
      await follower.after(minutes(10));
      assert.equal(follower.texts, ["!bad_parquet"]);
      assert.is(folder.entry("a.parquet").state, "quarantined");
      await folder.write("a.parquet", whole);
      await follower.after(seconds(10));
      await follower.after(seconds(10));
      assert.is(follower.texts.length, 5);
      const { state, rows } = folder.entry("a.parquet");
      assert.equal([state, rows], ["committed", 4]);
      await follower.stop();
    },
    { format: parquet(DEFAULT_LIMITS), include: ["*.parquet"] },
  ));

// Overwriting. ---------------------------------------------------------------------------------------------------------------------------

test("another content at a path is a new generation, read whole", () =>
  inLandingFolder(async (folder) => {
    await folder.write("a.json", "1\n2\n");
    await folder.drain();
    await folder.write("a.json", "1\n3\n4\n");
    const batches = await readToIdle(landingZone(folder.zone()), folder.positions);
    folder.store(batches);
    assert.equal(texts(batches), ["1", "3", "4"]);
    assert.ok(batches.filter(({ records }) => records.length > 0).every(({ generation }) => generation === 1));
    const { generation, rows } = folder.entry("a.json");
    assert.equal([generation, rows], [1, 3]);
  }));

test("by policy another content is passed over, and only what is appended to it is read", () =>
  inLandingFolder(
    async (folder) => {
      await folder.write("a.json", "1\n2\n");
      await folder.drain();
      await folder.write("a.json", "1\n3\n4\n");
      assert.equal(await folder.drain(), []);
      assert.match(folder.entry("a.json").error ?? "", "overwritten_file");
      await appendFile(join(folder.path, "a.json"), "5\n");
      assert.equal(await folder.drain(), ["5"]);
    },
    { onOverwrite: "ignore" },
  ));

test("by policy another content is one fault (corpus 55)", () =>
  inLandingFolder(
    async (folder) => {
      await folder.write("a.csv", "h,i\n1,2\n3,");
      assert.equal(await folder.drain(), ["1,2", "3,"]);
      await folder.write("a.csv", "x,y,z\n1,2,3\n4,5,6\n");
      assert.equal(await folder.drain(), ["!overwritten_file"]);
      const { state, rows, faults } = folder.entry("a.csv");
      assert.equal([state, rows, faults], ["quarantined", 1, 1]);
      assert.equal(await folder.drain(), []);
      await folder.write("b.csv", "x,y,z\n1,2,3\n4,5,6\n"); // Under a name of its own it is welcome: nothing of it was used.
      assert.equal(await folder.drain(), ["1,2,3", "4,5,6"]);
    },
    { onOverwrite: "quarantine", format: csv(DEFAULT_LIMITS), include: ["*.csv"] },
  ));

test("a file in quarantine is read again if somebody asks for that, its refusal is settled, and no other file can be asked for", () =>
  inLandingFolder(
    async (folder) => {
      await folder.write("a.csv", "h,i\n1,2\n");
      await folder.drain();
      await folder.write("a.csv", "h,i\n5,6\n7,8\n");
      const follower = new Follower(folder);
      await follower.after(seconds(2));
      assert.equal(follower.texts, ["!overwritten_file"]);
      const refused = follower.batches.find(({ records }) => records.length > 0);
      const again = follower.source.again?.("a.csv") ?? assert.unreachable("it was given up");
      assert.equal(again?.settles, [{ position: `${refused?.origin}0`, reason: "overwritten_file" }]);
      folder.store([again as Batch]);
      assert.equal([folder.entry("a.csv").state, folder.entry("a.csv").faults], ["discovered", 0]);
      await follower.after(seconds(1));
      assert.equal(follower.texts, ["!overwritten_file", "5,6", "7,8"]);
      const { state, rows, faults, generation } = folder.entry("a.csv");
      assert.equal([state, rows, faults, generation], ["committed", 2, 0, 1]);
      assert.equal([follower.source.again?.("a.csv"), follower.source.again?.("b.csv")], [null, null]);
      await follower.stop();
    },
    { onOverwrite: "quarantine", format: csv(DEFAULT_LIMITS), include: ["*.csv"] },
  ));

test("a file that is read again and is given up again is one fault, as before", () =>
  inLandingFolder(
    async (folder) => {
      await folder.write("b.csv", `h,h\n1,2\n`);
      const follower = new Follower(folder);
      await follower.after(seconds(2));
      assert.equal(follower.texts, ["!bad_csv"]);
      folder.store([follower.source.again?.("b.csv") as Batch]);
      await follower.after(seconds(1));
      assert.equal(follower.texts, ["!bad_csv", "!bad_csv"]);
      const { state, rows, faults } = folder.entry("b.csv");
      assert.equal([state, rows, faults], ["quarantined", 1, 1]);
      await follower.stop();
    },
    { format: csv(DEFAULT_LIMITS), include: ["*.csv"] },
  ));

test("a file that becomes shorter than what was used of it is one fault; restored it is read as a new generation", () =>
  inLandingFolder(async (folder) => {
    await folder.write("a.json", "1\n2\n3\n");
    await folder.drain();
    await truncate(join(folder.path, "a.json"), 2);
    assert.equal(await folder.drain(), ["!shrunk_file"]);
    assert.is(folder.entry("a.json").state, "quarantined");
    await folder.write("a.json", "1\n2\n3\n4\n");
    assert.equal(await folder.drain(), ["1", "2", "3", "4"]);
  }));

test("a file that is replaced while it is read keeps the rows that were handed over, and follows the policy", () =>
  inLandingFolder(async (folder) => {
    await folder.write("a.json", "1\n2\n3\n4\n5\n6\n");
    const batches: Batch[] = [];
    for await (const batch of landingZone(folder.zone()).read(new Map(), new AbortController().signal)) {
      batches.push(batch);
      if (batches.length === 2) await folder.write("a.json", "7\n8\n9\n");
    }
    folder.store(batches);
    assert.equal(texts(batches), ["1", "2", "7", "8", "9"]);
    const { generation, state, rows } = folder.entry("a.json");
    assert.equal([generation, state, rows], [1, "committed", 3]);
  }));

test("corpus 76: a Parquet file that is replaced between its footer and its pages gives no row of a mixture", () =>
  inLandingFolder(
    async (folder) => {
      const fixtures = join(PARQUET, "..");
      await writeFile(join(folder.path, "a.parquet"), await readFile(PARQUET));
      const whole = await readFile(join(fixtures, "duckdb.parquet"));
      const batches: Batch[] = [];
      for await (const batch of landingZone(folder.zone()).read(new Map(), new AbortController().signal)) {
        batches.push(batch);
        if (batches.length === 1) await writeFile(join(folder.path, "a.parquet"), whole); // Known, and none of its rows handed over.
      }
      folder.store(batches);
      assert.is(texts(batches).filter((text) => text.startsWith("!")).length, 0);
      const { generation, rows, state } = folder.entry("a.parquet");
      assert.equal([generation, rows, state], [0, 4, "committed"]);
    },
    { format: parquet(DEFAULT_LIMITS), include: ["*.parquet"] },
  ));

test("a file that grows while it is read is read to its old end first", () =>
  inLandingFolder(async (folder) => {
    await folder.write("a.json", "1\n2\n3\n4\n5\n6\n");
    const batches: Batch[] = [];
    for await (const batch of landingZone(folder.zone()).read(new Map(), new AbortController().signal)) {
      batches.push(batch);
      if (batches.length === 2) await appendFile(join(folder.path, "a.json"), "7\n8\n");
    }
    folder.store(batches);
    assert.equal([...texts(batches), ...(await folder.drain())], ["1", "2", "3", "4", "5", "6", "7", "8"]);
  }));

// Following. -----------------------------------------------------------------------------------------------------------------------------

test("a file is taken once it was the same in two looks", () =>
  inLandingFolder(async (folder) => {
    await folder.write("a.json", "1\n");
    const follower = new Follower(folder);
    await follower.quiet();
    assert.equal(follower.texts, []);
    await appendFile(join(folder.path, "a.json"), "2\n");
    await follower.after(seconds(2));
    assert.equal(follower.texts, []); // It has changed since.
    assert.is(follower.idles, 0);
    await follower.after(seconds(2));
    assert.equal(follower.texts, ["1", "2"]);
    await follower.stop();
  }));

for (const [format, name] of [
  [jsonLines(DEFAULT_LIMITS), "a.json"],
  [csv(DEFAULT_LIMITS), "a.csv"],
  [parquet(DEFAULT_LIMITS), "a.parquet"],
] as const) {
  test(`${name}: a file that is written slowly is read once, as a whole`, () =>
    inLandingFolder(
      async (folder) => {
        const bytes = name === "a.parquet" ? await readFile(PARQUET) : Buffer.from("h,i\n1,2\n3,4\n5,6\n");
        const follower = new Follower(folder);
        const step = Math.ceil(bytes.length / 20);
        for (let at = 0; at < bytes.length; at += step) {
          await appendFile(join(folder.path, name), bytes.subarray(at, at + step));
          await follower.after(seconds(1));
          assert.equal(follower.texts, []);
        }
        for (let n = 0; n < 4; n += 1) await follower.after(seconds(10));
        assert.is(follower.texts.length, name === "a.csv" ? 3 : 4);
        const found = follower.batches.filter(({ path, records }) => path === name && records.length === 0);
        assert.is(found.length, 1); // It was looked into once.
        await follower.stop();
      },
      { format, include: [name] },
    ));
}

test("2,000 small files are found once each, with no watch (P-21)", () =>
  inLandingFolder(async (folder) => {
    const names = Array.from({ length: 2_000 }, (_, n) => `f${String(n).padStart(4, "0")}.json`);
    for (const name of names) await folder.write(name, `"${name}"\n`);
    const follower = new Follower(folder);
    await follower.after(seconds(2));
    assert.is(follower.texts.length, 2_000); // In two rounds, between which nobody waits.
    await folder.write("last.json", "1\n");
    await follower.after(seconds(10));
    await follower.after(seconds(10));
    assert.equal(follower.texts, [...names.map((name) => `"${name}"`), "1"]);
    await follower.stop();
  }));

test("between two listings at most so many files and bytes are taken, then a smaller name is next", async () => {
  for (const bound of [{ maxFiles: 1 }, { maxBytes: 1 }]) {
    await inLandingFolder(async (folder) => {
      for (const name of ["b", "c", "d"]) await folder.write(`${name}.json`, `"${name}"\n`);
      const stop = new AbortController();
      const batches: Batch[] = [];
      for await (const batch of landingZone(folder.zone({ follow: true, settleMs: 0, ...bound })).read(new Map(), stop.signal)) {
        batches.push(batch);
        if (batches.length === 1) await folder.write("a.json", '"a"\n');
        if (batch.idle) stop.abort();
      }
      assert.equal(texts(batches), ['"b"', '"a"', '"c"', '"d"']);
    });
  }
});

test("it says once that there is nothing to read, and again after there was something", () =>
  inLandingFolder(async (folder) => {
    const follower = new Follower(folder);
    for (let n = 0; n < 3; n += 1) await follower.after(seconds(10));
    assert.is(follower.idles, 1);
    await folder.write("a.json", "1\n");
    await follower.after(seconds(10));
    assert.is(follower.idles, 1); // A file that has not come to rest is something to read.
    await follower.after(seconds(2));
    assert.equal(follower.texts, ["1"]);
    for (let n = 0; n < 3; n += 1) await follower.after(seconds(10));
    assert.is(follower.idles, 2);
    await follower.stop();
  }));

test("a hint makes a listing at once, and a flood of hints one listing a second", () =>
  inLandingFolder(async (folder) => {
    const hints = hintsOf(folder);
    const follower = new Follower(folder, { settleMs: 0, watch: hints.watch });
    await follower.after(seconds(5));
    await folder.write("a.json", "1\n");
    hints.ring();
    await folder.clock.asleep();
    await until(() => follower.texts.length === 1);
    await follower.quiet(); // It has looked again, and found nothing.
    await folder.write("b.json", "2\n");
    for (let n = 0; n < 100; n += 1) hints.ring();
    await follower.after(999);
    assert.equal(follower.texts, ["1"]);
    await follower.after(1);
    await until(() => follower.texts.length === 2);
    await follower.stop();
    assert.ok(hints.isClosed());
  }));

test("the signal ends it in the middle of a wait", () =>
  inLandingFolder(async (folder) => {
    const follower = new Follower(folder);
    await follower.quiet();
    await follower.stop();
    assert.is(follower.idles, 1);
  }));

function hintsOf(_folder: LandingFolder) {
  let hint = (): void => {};
  let isClosed = false;
  return {
    watch: (_path: string, ring: () => void) => {
      hint = ring;
      return async () => {
        isClosed = true;
      };
    },
    ring: () => hint(),
    isClosed: () => isClosed,
  };
}

/** Waits for work that is under way, not for time: the clock of the folder stands still. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

// Looking ahead. ------------------------------------------------------------------------------------------------------------------------

/** Sees the texts of all records; a person has to decide on a file as long as one says `held` and `isHeld` is true. */
function watcher(seen: string[][], state: { isHeld: boolean }): () => Lookahead {
  return () => {
    const texts: string[] = [];
    seen.push(texts);
    return {
      add: ({ bytes }) => void texts.push(Buffer.from(bytes).toString()),
      sights: () => new Map(texts.map((text) => [text, ["string"]])),
      holdup: () => (state.isHeld && texts.includes(`"held"`) ? new Unavailable("a decision", "held") : null),
    };
  };
}

test("a file is looked at whole before its first row is handed over, and only then", () =>
  inLandingFolder(async (folder) => {
    await folder.write("a.json", `"1"\n"2"\n"3"\n"4"\n"5"\n`);
    const seen: string[][] = [];
    const lookAhead = watcher(seen, { isHeld: true });
    const batches = await readToIdle(landingZone(folder.zone({ lookAhead })));
    assert.equal(seen, [[`"1"`, `"2"`, `"3"`, `"4"`, `"5"`]]);
    const first = batches.findIndex(({ records }) => records.length > 0);
    assert.equal([batches[first - 1]?.ahead?.sights.size, batches[first - 1]?.ahead?.at, first], [5, 0, 1]);
    assert.ok(batches.slice(1).every(({ ahead }) => ahead === undefined));
    folder.store(batches.slice(0, 2)); // Some rows are stored, and a new start goes on behind them without another look.
    assert.equal(await folder.drain({ lookAhead }), [`"3"`, `"4"`, `"5"`]);
    assert.is(seen.length, 1);
    await appendFile(join(folder.path, "a.json"), `"6"\n`);
    assert.equal(await folder.drain({ lookAhead }), [`"6"`]);
    assert.equal(seen[1], [`"6"`]);
  }));

test("a file on which a person has to decide is known as such, and none of its rows is handed over until then", () =>
  inLandingFolder(async (folder) => {
    await folder.write("a.json", `"1"\n"held"\n`);
    await folder.write("b.json", `"2"\n`);
    const state = { isHeld: true };
    const lookAhead = watcher([], state);
    const batches: Batch[] = [];
    const reading = async (): Promise<void> => {
      for await (const batch of landingZone(folder.zone({ lookAhead })).read(folder.positions, new AbortController().signal)) {
        batches.push(batch);
      }
    };
    for (let n = 0; n < 2; n += 1) {
      await reading().then(
        () => assert.unreachable(),
        (error: unknown) => assert.instance(error, Unavailable),
      );
      folder.store(batches);
      assert.equal([folder.entry("a.json").state, folder.entry("a.json").error], ["discovered", "a decision is unavailable: held"]);
    }
    assert.equal(texts(batches), []);
    state.isHeld = false;
    assert.equal(await folder.drain({ lookAhead }), [`"1"`, `"held"`, `"2"`]);
    assert.equal([folder.entry("a.json").state, folder.entry("a.json").error], ["committed", null]);
  }));
