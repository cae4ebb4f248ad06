import { Worker } from "node:worker_threads";

/** Starts a module of ours, named by its `import.meta.url`, in a thread of its own, with `data` as its `workerData`. */
export function startThread(module: string, data: unknown): Worker {
  // Run from its sources, a thread must be taught TypeScript: it does not inherit the loader of the main thread.
  const teach = (): string => `data:text/javascript,import { register } from "${import.meta.resolve("tsx/esm/api")}"; register();`;
  return new Worker(new URL(module), { workerData: data, ...(module.endsWith(".ts") ? { execArgv: ["--import", teach()] } : {}) });
}
