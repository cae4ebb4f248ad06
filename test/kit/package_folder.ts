import { spawn } from "node:child_process";
import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./grid_folder.ts";
import { newTempFolder } from "./temp_folder.ts";

/** A folder of somebody who has installed the package, made from its tarball. */
export interface PackageFolder {
  readonly path: string;
  /** Where the package is in it. */
  readonly installed: string;
  /** Paths of all files in the tarball. */
  readonly files: readonly string[];
}

export interface ToolEnding {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Builds, packs and installs, in a new temp folder. Packages it depends on are those of the checkout. */
export async function newPackageFolder(): Promise<PackageFolder> {
  const path = await newTempFolder();
  const source = join(path, "source");
  await mkdir(source);
  for (const name of ["package.json", "README.md", "LICENSE", "schemas", "asyncapi.yaml", "gridactor.yaml", "contrib", "engine", "test"])
    await cp(join(ROOT, name), join(source, name), { recursive: true }); // Also what must stay outside.
  await buildInto(join(source, "dist"));
  const packed = await tool("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", path], source);
  if (packed.code !== 0) throw new Error(`npm pack: ${packed.stderr}`);
  const [{ filename, files }] = JSON.parse(packed.stdout) as [{ filename: string; files: readonly { readonly path: string }[] }];
  const modules = join(path, "node_modules");
  await mkdir(modules);
  await tool("tar", ["-xzf", join(path, filename), "-C", modules], path);
  const installed = join(modules, "gridactor");
  await tool("mv", [join(modules, "package"), installed], path);
  await symlink(join(ROOT, "node_modules"), join(installed, "node_modules"));
  await symlink(join(ROOT, "node_modules/@types"), join(modules, "@types"));
  await writeFile(join(path, "package.json"), `${JSON.stringify({ name: "somebody", private: true, type: "module" })}\n`);
  return { path, installed, files: files.map((file) => file.path) };
}

/** Builds the checkout into a folder; what the types say is the business of `npm run check`. */
export async function buildInto(outDir: string): Promise<void> {
  const { stdout, stderr } = await tool(
    "node",
    [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json", "--outDir", outDir],
    ROOT,
  );
  const isBuilt = await tool("test", ["-f", join(outDir, "main.js")], ROOT);
  if (isBuilt.code !== 0) throw new Error(`the build failed: ${stdout}${stderr}`);
}

/** Runs a program to its end. */
export function tool(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = process.env): Promise<ToolEnding> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}
