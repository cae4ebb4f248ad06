// timeout: 120 s
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { settableClock } from "../../engine/clock.ts";
import { days, minutes, seconds } from "../../engine/duration.ts";
import { Unavailable } from "../../engine/fault.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import type { Batch } from "../../engine/source.ts";
import { blobPlace } from "../../sources/blob_place.ts";
import { containerProblem } from "../../sources/blob_reach.ts";
import { csv } from "../../sources/formats/csv.ts";
import { parquet } from "../../sources/formats/parquet.ts";
import { landingZone } from "../../sources/landing_zone.ts";
import { sourceContract } from "../contract/source.ts";
import { type LandingContainer, startAzurite } from "../kit/azurite.ts";
import { BOUNDS, Follower, LandingFolder, START_MS } from "../kit/landing_folder.ts";
import { positionsBehind, readToIdle, texts } from "../kit/source_reading.ts";
import { suite } from "../kit/suite.ts";

const PARQUET = join(import.meta.dirname, "../fixtures/parquet/pyarrow_zstd.parquet");
const azurite = await startAzurite();
const test = suite("landing zone in a container of blobs");

sourceContract("blobs, also one that grows", async () => {
  const container = await azurite.container();
  await container.write("landing/1.json", "a\nb\nc\n");
  await container.writeInBlocks("landing/2.json", "d\ne", "e\n");
  await container.makeAppendBlob("landing/3.json");
  await container.append("landing/3.json", "f\ng\n");
  await container.write("landing/4/x.json", '[{"a":1},{"b":tru}]');
  return {
    open: (laterMs) => landingZone(new LandingFolder("", { place: container.place() }).zone({ clock: settableClock(START_MS + laterMs) })),
    expected: { "": ["a", "b", "c", "d", "ee", "f", "g", '{"a":1}', "!bad_json"] },
    bounds: BOUNDS,
    flooded: async (records) => {
      const { container: other, zone } = await landing();
      await other.write("landing/flood.json", `${records.join("\n")}\n`);
      return landingZone(zone.zone({ clock: settableClock(START_MS) }));
    },
    remove: async () => {},
  };
});

/** A container with a zone over `landing/`, and where that keeps its positions. */
async function landing(): Promise<{ readonly container: LandingContainer; readonly zone: LandingFolder }> {
  const container = await azurite.container();
  return { container, zone: new LandingFolder("", { place: container.place() }) };
}

// What is a file. ------------------------------------------------------------------------------------------------------------------------

test("blobs below the prefix are read in order; hidden ones, marks of folders and those of other prefixes are not", async () => {
  const { container, zone } = await landing();
  for (const name of ["landing/b.json", "landing/a/z ä.json", "landing/a.json"]) await container.write(name, `"${name}"\n`);
  for (const name of ["landing/_x/y.json", "landing/.x.json", "landing/x.json.tmp", "landing2/x.json", "x.json", "landing.json"]) {
    await container.write(name, "bad\n");
  }
  await container.client.getBlockBlobClient("landing/folder.json").upload("", 0, { metadata: { hdi_isfolder: "true" } });
  assert.equal(await zone.drain(), ['"landing/a.json"', '"landing/a/z ä.json"', '"landing/b.json"']);
  const whole = new LandingFolder("", { place: container.place("") });
  assert.equal(await whole.drain({ include: ["*.json"] }), ["bad"]); // Twice, but the content is the same.
});

test("more blobs than one answer lists are all found", async () => {
  const { container } = await landing();
  const zone = new LandingFolder("", { place: container.place("landing", { pageSize: 3 }) });
  const lines = Array.from({ length: 10 }, (_, n) => String(n));
  for (const line of lines) await container.write(`landing/${line}.json`, line);
  assert.equal(await zone.drain(), lines);
});

test("a blob is taken as soon as it is listed: it shows when it is complete", async () => {
  const { container, zone } = await landing();
  await container.write("landing/a.json", "1\n");
  const follower = new Follower(zone);
  await follower.quiet();
  assert.equal(follower.texts, ["1"]);
  await container.write("landing/b.json", "2\n");
  await follower.after(seconds(10));
  assert.equal(follower.texts, ["1", "2"]);
  await follower.stop();
});

// What is known of it. -------------------------------------------------------------------------------------------------------------------

test("records come from the etag of their blob", async () => {
  const { container, zone } = await landing();
  await container.write("landing/a.json", "1\n");
  const batches = await readToIdle(landingZone(zone.zone()));
  zone.store(batches);
  const { etag } = await container.client.getBlobClient("landing/a.json").getProperties();
  assert.is(zone.entry("a.json").etag, etag?.replaceAll('"', ""));
  assert.is(batches.find(({ records }) => records.length > 0)?.origin, `blob:${etag?.replaceAll('"', "")}/`);
});

test("a copy, a new name and a repeated upload of the same content give no record", async () => {
  const { container, zone } = await landing();
  await container.write("landing/a.json", "1\n2\n");
  assert.equal(await zone.drain(), ["1", "2"]);
  await container.write("landing/a.json", "1\n2\n");
  await container.write("landing/b.json", "1\n2\n");
  await container.client.getBlobClient("landing/a.json").setMetadata({ touched: "yes" });
  assert.equal(await zone.drain(), []);
  assert.equal([zone.entry("b.json").sameAs, zone.entry("a.json").generation], ["a.json", 0]);
});

test("another content is a new generation; without MD5 every upload is one", async () => {
  const { container, zone } = await landing();
  await container.writeInBlocks("landing/a.json", "1\n", "2\n");
  assert.equal(await zone.drain(), ["1", "2"]);
  await container.write("landing/a.json", "1\n3\n");
  assert.equal(await zone.drain(), ["1", "3"]);
  assert.is(zone.entry("a.json").generation, 1);
  await container.writeInBlocks("landing/a.json", "1\n", "3\n");
  assert.equal(await zone.drain(), ["1", "3"]);
  assert.is(zone.entry("a.json").generation, 2);
});

test("an append blob is read on where it grows; one that is made anew is another content", async () => {
  const { container, zone } = await landing();
  await container.makeAppendBlob("landing/a.json");
  await container.append("landing/a.json", '1\n{"cut":');
  assert.equal(await zone.drain(), ["1", "!truncated"]);
  await container.append("landing/a.json", "2}\n3\n");
  assert.equal(await zone.drain(), ['{"cut":2}', "3"]);
  const { generation, rows, faults } = zone.entry("a.json");
  assert.equal([generation, rows, faults], [0, 3, 0]);
  await container.client.deleteBlob("landing/a.json");
  const madeAt = (await container.client.getProperties()).date?.getTime() ?? 0;
  await until(async () => ((await container.client.getProperties()).date?.getTime() ?? 0) > madeAt); // Times of the service are whole seconds.
  await container.makeAppendBlob("landing/a.json");
  await container.append("landing/a.json", "1\n2\n3\n4\n5\n6\n7\n8\n");
  assert.equal(await zone.drain(), ["1", "2", "3", "4", "5", "6", "7", "8"]);
  assert.is(zone.entry("a.json").generation, 1);
});

test("a blob that is replaced while it is read keeps the rows that were handed over, and follows the policy", async () => {
  const { container, zone } = await landing();
  const line = `"${"x".repeat(700_000)}"\n`;
  await container.write("landing/a.json", line.repeat(9)); // More than is read ahead.
  const batches: Batch[] = [];
  for await (const batch of landingZone(zone.zone()).read(new Map(), new AbortController().signal)) {
    batches.push(batch);
    if (batches.length === 2) await container.write("landing/a.json", line.replaceAll("x", "y").repeat(10));
  }
  zone.store(batches);
  const letters = texts(batches).map((text) => text.slice(1, 2));
  assert.is(letters.join(""), `xxx${"y".repeat(10)}`); // What was read ahead is whole.
  assert.equal([zone.entry("a.json").generation, zone.entry("a.json").state], [1, "committed"]);
});

test("reading goes on in the middle of a blob after any batch, across the parts it is fetched in", async () => {
  const { container, zone } = await landing();
  const lines = Array.from({ length: 14 }, (_, n) => `"${String(n).repeat(700_000).slice(0, 700_000)}"`);
  await container.write("landing/a.json", `${lines.join("\n")}\n`);
  const batches = await readToIdle(landingZone(zone.zone()));
  assert.equal(texts(batches), lines);
  const before = batches.slice(0, 6);
  assert.equal([...texts(before), ...texts(await readToIdle(landingZone(zone.zone()), positionsBehind(before)))], lines);
});

test("Parquet and CSV are read from blobs as from files", async () => {
  const { container, zone } = await landing();
  await container.write("landing/a.parquet", await readFile(PARQUET));
  await container.write("landing/a.csv", "h,i\n1,2\n");
  assert.is((await zone.drain({ include: ["*.parquet"], format: parquet(DEFAULT_LIMITS) })).length, 4);
  assert.equal(await zone.drain({ include: ["*.csv"], format: csv(DEFAULT_LIMITS) }), ["1,2"]);
});

// Cleaning. ------------------------------------------------------------------------------------------------------------------------------

test("a used blob is copied to the archive and removed, and its path is free for another content", async () => {
  const { container, zone } = await landing();
  const clean = { mode: "archive", retentionMs: days(1) } as const;
  await container.write("landing/a/b.json", "1\n");
  const follower = new Follower(zone, { clean });
  await follower.quiet();
  await follower.after(days(1) - seconds(10));
  assert.equal(await container.names(), ["landing/a/b.json"]);
  await follower.after(seconds(10));
  assert.equal(await container.names(), ["done/2025/06/15/a/b.json"]);
  assert.is(await container.read("done/2025/06/15/a/b.json"), "1\n");
  assert.is(zone.entry("a/b.json").state, "archived");
  await container.write("landing/a/b.json", "2\n");
  await follower.after(seconds(10));
  assert.equal(follower.texts, ["1", "2"]);
  assert.is(zone.entry("a/b.json").generation, 1);
  await follower.stop();
});

test("what is in the archive is not replaced, and a blob that was changed is not removed", async () => {
  const { container, zone } = await landing();
  const clean = { mode: "archive", retentionMs: 0 } as const;
  await container.write("done/2025/06/15/a.json", "other\n");
  await container.write("landing/a.json", "1\n");
  await zone.drain({ clean });
  const [first, second, ...more] = await container.names();
  assert.equal([first, second?.startsWith("done/2025/06/15/a.json.0x"), more], ["done/2025/06/15/a.json", true, []]);
  const place = container.place();
  await container.write("landing/b.json", "1\n");
  const file = await place.open("b.json", new AbortController().signal);
  await container.write("landing/b.json", "2\n");
  assert.is(await file?.remove(new AbortController().signal), false);
  assert.is(await file?.archive("b.json", "", new AbortController().signal), false);
  assert.is(await container.read("landing/b.json"), "2\n");
});

// Outages. -------------------------------------------------------------------------------------------------------------------------------

test("a container that is not there, a wrong signature and a dead server are outages, and none tells the signature", async () => {
  const { container } = await landing();
  const { address } = container;
  const gone = { ...address, container: "gone" };
  const wrong = { ...address, sas: (address.sas ?? "").replace(/sig=[^&]*/, "sig=c2VjcmV0") };
  const dead = { ...address, endpoint: "http://127.0.0.1:1/a" };
  for (const each of [gone, wrong, dead]) {
    const zone = new LandingFolder("", { place: blobPlace({ address: each, prefix: "", archive: null }) });
    const error = await zone.drain().catch((thrown: unknown) => thrown);
    assert.instance(error, Unavailable);
    assert.not.match(JSON.stringify([String(error), error, error instanceof Error && error.cause]), /sig=/);
    const problem = await containerProblem(each);
    assert.match(problem ?? "", /is unavailable/);
    assert.not.match(problem ?? "", /sig=/);
  }
  assert.is(await containerProblem(address), null);
});

test("an unfinished tail in a blob waits, and is given up in the end", async () => {
  const { container, zone } = await landing();
  await container.write("landing/a.json", '1\n{"cut":');
  const follower = new Follower(zone);
  await follower.after(minutes(9));
  assert.equal(follower.texts, ["1"]);
  await follower.after(minutes(1));
  assert.equal(follower.texts, ["1", "!truncated"]);
  await follower.stop();
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds()));
}
