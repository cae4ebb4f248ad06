// timeout: 3 s
import { spawn } from "node:child_process";
import { suite } from "../suite.ts";

// Never ends, and neither does a process that it starts, whose id it prints.
const test = suite("hangs");
test("waits for ever, with company", async () => {
  const company = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" });
  console.log(`\ncompany ${company.pid}`);
  await new Promise(() => {});
});
