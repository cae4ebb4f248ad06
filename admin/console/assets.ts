import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";

/** A file for browsers. */
export interface Asset {
  readonly type: string;
  readonly bytes: Uint8Array;
  readonly gzipped: Uint8Array;
}

/** All of them, under one address that changes when any of them does: a browser may keep what it has for ever. */
export interface Assets {
  /** `/assets/<hash>/`. */
  readonly base: string;
  /** Null: there is no such file. */
  find(path: string): Asset | null;
  readonly all: ReadonlyMap<string, Asset>;
}

/** Scripts and styles of ours, and the chart library, whose files are served as its package ships them. */
const OURS = ["chart.js", "console.css", "console.js", "favicon.svg", "feed.js", "keys.js", "page.js", "slider.js", "tree.js", "writes.js"];
const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Reads them, once. Throws if one is missing: then the build is broken. */
export function readAssets(): Assets {
  const { resolve } = createRequire(import.meta.url);
  const paths = [
    ...OURS.map((name) => [name, join(import.meta.dirname, "assets", name)] as const),
    ["uplot.js", resolve("uplot/dist/uPlot.iife.min.js")] as const,
    ["uplot.css", resolve("uplot/dist/uPlot.min.css")] as const,
  ];
  const all = new Map(paths.map(([name, path]) => [name, assetOf(name, readFileSync(path))]));
  const hash = createHash("sha256");
  for (const [name, { bytes }] of all) hash.update(`${name}\n`).update(bytes);
  const base = `/assets/${hash.digest("hex").slice(0, 16)}/`;
  return { base, all, find: (path) => (path.startsWith(base) ? (all.get(path.slice(base.length)) ?? null) : null) };
}

function assetOf(name: string, bytes: Uint8Array): Asset {
  return { type: TYPES[extname(name)] ?? "application/octet-stream", bytes, gzipped: gzipSync(bytes, { level: 9 }) };
}
