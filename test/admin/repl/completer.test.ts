import * as assert from "uvu/assert";
import { type CompletionSources, complete } from "../../../admin/repl/completer.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("completion in the REPL");

const IDS = ["SM-N-00042", "SM-N-00043", "SUB-N-012"];
const sources: CompletionSources = {
  kinds: ["meter", "transformer"],
  rules: ["meter.spike", "meter.near_zero"],
  feeds: ["smart_meter", "billing"],
  stored: async (what, word, kind) => {
    if (what === "field") return kind === "meter" ? ["openAlerts", "status"] : [];
    return what === "id" ? IDS.filter((id) => id.startsWith(word.toUpperCase())) : [];
  },
};

const completed = async (line: string): Promise<readonly string[]> => (await complete(line, sources)).words;

test("each place of a line has its words", async () => {
  const cases: readonly (readonly [line: string, words: readonly string[]])[] = [
    ["ins", ["inspect"]],
    ["he", ["help"]],
    ["help his", ["history"]],
    ["\\ti", ["\\timing"]],
    ["inspect sm-n-0004", ["SM-N-00042", "SM-N-00043"]],
    ["inspect SM-N-00042 --a", ["--as-of"]],
    ["inspect SM-N-00042 as of ", ["now", "15m", "6h", "7d"]],
    ["alerts sev", ["severity"]],
    ["alerts severity maj", ["major", "major+"]],
    ["alerts --rule meter.n", ["meter.near_zero"]],
    ["alerts under SUB", ["SUB-N-012"]],
    ["ls m", ["meter"]],
    ["ls meter where op", ["openAlerts"]],
    ["ls meter where openAlerts > 0 an", ["and"]],
    ["ls meter where openAlerts > 0 and st", ["status"]],
    ["ls transformer where op", []],
    ["quarantine sh", ["show"]],
    ["quarantine ls feed b", ["billing"]],
    ["schema show sm", ["smart_meter"]],
    ["count by re", ["region"]],
    ["count | js", ["json", "jsonl"]],
    ["count | json ", []],
    ["nonsense SM", []],
    ["alerts rule 'meter.s", []],
  ];
  for (const [line, words] of cases) assert.equal(await completed(line), words, line);
});

test("a flag that is said is not offered again, and at most 50 words are", async () => {
  assert.not.ok((await completed("alerts severity major ")).includes("severity"));
  const many: CompletionSources = { ...sources, stored: async () => Array.from({ length: 200 }, (_, n) => `SM-${n}`) };
  assert.is((await complete("inspect SM", many)).words.length, 50);
});

test("the word that is completed is the last one", async () => {
  assert.is((await complete("inspect sm-n", sources)).of, "sm-n");
  assert.is((await complete("count |js", sources)).of, "js");
});
