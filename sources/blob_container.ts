import { ContainerClient, RestError } from "@azure/storage-blob";
import { seconds } from "../engine/duration.ts";
import { Unavailable } from "../engine/fault.ts";
import type { Credential } from "./azure_credential.ts";
import type { ContainerAddress } from "./blob_address.ts";

/** One container of blobs. Each request has a deadline, and one attempt: who asked tries again. */
export class BlobContainer {
  readonly client: ContainerClient;
  readonly #name: string;

  /** `credential`: for an address without a signature. */
  constructor({ endpoint, container, sas }: ContainerAddress, credential: Credential | null) {
    const url = `${endpoint.replace(/\/$/, "")}/${container}`;
    const signed = sas === null ? url : `${url}?${sas.replace(/^\?/, "")}`;
    this.client = new ContainerClient(signed, credential ?? undefined, { retryOptions: { maxTries: 1 } });
    this.#name = url;
  }

  /** Does `work`, and ends it when `signal` fires or it takes too long. Throws `Unavailable`, without the request: that holds the signature. */
  async request<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>, withinMs = seconds(60)): Promise<T> {
    const ending = new AbortController();
    const end = (): void => ending.abort();
    const deadline = setTimeout(end, withinMs);
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
    try {
      return await work(ending.signal);
    } catch (error) {
      if (error instanceof RestError && isAnswer(error)) throw error;
      throw new Unavailable(this.#name, new Error(reasonOf(error)));
    } finally {
      clearTimeout(deadline);
      signal.removeEventListener("abort", end);
    }
  }
}

/** Whether a blob's condition did not hold any more, or it is gone: it is the answer to a question. */
function isAnswer({ statusCode, code }: RestError): boolean {
  return statusCode === 412 || statusCode === 409 || statusCode === 416 || (statusCode === 404 && code !== "ContainerNotFound");
}

/** Whether an error is one of these answers. */
export function isStatus(error: unknown, ...codes: readonly number[]): boolean {
  return error instanceof RestError && codes.includes(error.statusCode ?? 0);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === "AbortError" ? "no answer in time" : (error.message.split("\n")[0] ?? error.name);
}
