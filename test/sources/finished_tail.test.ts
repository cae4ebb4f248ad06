import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { SourceId } from "../../engine/ids.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import { decodeQuarantine } from "../../engine/quarantine.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import { Turn } from "../../engine/turn.ts";
import { World } from "../../engine/world.ts";
import { landingZone } from "../../sources/landing_zone.ts";
import { inLandingFolder } from "../kit/landing_folder.ts";
import { PUPPET_RULES, PUPPETS } from "../kit/puppets.ts";
import { suite } from "../kit/suite.ts";

const test = suite("finished tail");

test("a tail in quarantine is settled there when its file goes on, and stays open when the file is another one", () =>
  inLandingFolder(async (folder) => {
    const store = openMemoryStore();
    const options = { domain: PUPPETS, rules: new RuleTable(PUPPET_RULES), schemas: new Map(), limits: DEFAULT_LIMITS, name: "main" };
    const turn = new Turn(new World(options, store));
    const intake = { source: SourceId("zone"), feed: "ticks", mode: "delta", origin: "live" } as const;
    const drain = async (): Promise<readonly string[]> => {
      for await (const batch of landingZone(folder.zone()).read(folder.positions, new AbortController().signal)) {
        await store.commit(turn.run(intake, batch));
        folder.store([batch]);
      }
      return [...store.range("quarantine", "")]
        .map(([, bytes]) => decodeQuarantine(bytes))
        .map((row) => `${row.reason} ${row.status}`)
        .sort();
    };
    await folder.write("a.json", '{"cut":');
    await folder.write("b.json", '[{"cut":');
    assert.equal(await drain(), ["truncated open", "truncated open"]);
    await appendFile(join(folder.path, "a.json"), "1}\n");
    await folder.write("b.json", '{"other":');
    const rows = await drain(); // The finished record is no tick, which is another matter.
    assert.equal(
      rows.filter((row) => row.startsWith("truncated")),
      ["truncated open", "truncated open", "truncated retried"],
    );
  }));
