import { Worker } from "node:worker_threads";

/** Starts a module of ours, named by its `import.meta.url`, in a thread of its own, with `data` as its `workerData`. Beyond `heapBytesMax` it ends. */
export function startThread(module: string, data: unknown, heapBytesMax?: number): Worker {
  // Run from its sources, a thread must be taught TypeScript: it does not inherit the loader of the main thread.
  const teach = (): string => `data:text/javascript,import { register } from "${import.meta.resolve("tsx/esm/api")}"; register();`;
  const limits = heapBytesMax === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: Math.ceil(heapBytesMax / 2 ** 20) } };
  return new Worker(new URL(module), {
    workerData: data,
    ...limits,
    ...(module.endsWith(".ts") ? { execArgv: ["--import", teach()] } : {}),
  });
}
