import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

// `npm run bench`: cost of rules, and the end to end rates; `npm run bench -- --report`: everything, as a document (`report.ts`).

const words = process.argv.slice(2);
const isReport = words[0] === "--report";
const programs = isReport ? [["report", words.slice(1)] as const] : [["rules", []] as const, ["end_to_end", words] as const];
for (const [name, args] of programs) {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const program = fileURLToPath(new URL(`./${name}.${extension}`, import.meta.url));
  const { status } = spawnSync(process.execPath, [...process.execArgv, program, ...args], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
