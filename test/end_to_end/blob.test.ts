// timeout: 120 s
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { Summary } from "../../admin/summary.ts";
import { startAzurite } from "../kit/azurite.ts";
import { DATA, inGridFolder, run } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";

const azurite = await startAzurite();
const test = suite("feeds from a container of blobs");

test("a drain reads what the configuration names, archives what is used, and reads none of it again", () =>
  inGridFolder(async (folder) => {
    const container = await azurite.container();
    const { endpoint, container: name, sas } = container.address;
    const readings = readFileSync(join(DATA, "smart_meter_kafka/smart_meter_stream.json"));
    await container.write("landing/meters/a.json", readings);
    await container.write(
      "landing/transformer/transformer_master.parquet",
      readFileSync(join(DATA, "transformer_parquet/transformer_master.parquet")),
    );
    const source = (feed: string, path: string, rest: string): string =>
      `  ${feed}: { feed: ${feed}, type: landing, location: "blob:lake/${name}/landing/${path}", ${rest}, cleanSource: { mode: archive, to: "blob:lake/${name}/done/${path}", retention: 0s } }`;
    const yaml = [
      "version: 1",
      "connections:",
      `  lake: { type: azure-blob, account: devstoreaccount1, endpoint: "${endpoint}", sas: "\${file:sas}" }`,
      "sources:",
      source("transformer_master", "transformer", "stage: 1, include: ['*.parquet'], format: parquet, mode: snapshot"),
      source("smart_meter", "meters", "include: ['*.json'], format: jsonl"),
    ];
    writeFileSync(folder.config, `${yaml.join("\n")}\n`);
    writeFileSync(join(folder.path, "sas"), `?${sas}\n`, { mode: 0o600 });
    const drain = async (): Promise<readonly number[]> => {
      const { code, stdout, stderr } = await run(["run", "--drain", "--json"], folder);
      assert.is(code, 0, stderr);
      assert.not.match(stdout + stderr, "sig=");
      const { feeds } = JSON.parse(stdout) as Summary;
      return [feeds["transformer_master"]?.accepted ?? 0, feeds["smart_meter"]?.accepted ?? 0];
    };
    assert.equal(await drain(), [500, 500]);
    const names = await container.names();
    assert.is(names.length, 2);
    assert.ok(
      names.every((each) => /^done\/(meters|transformer)\/\d{4}\/\d\d\/\d\d\/[a-z_]+\.(json|parquet)$/.test(each)),
      names.join(),
    );
    await container.write("landing/meters/again.json", readings);
    assert.equal(await drain(), [0, 0]);
  }));
