import { seconds } from "../engine/duration.ts";
import { Unavailable } from "../engine/fault.ts";
import { environmentCredential } from "./azure_credential.ts";
import type { ContainerAddress } from "./blob_address.ts";

/** Why a container cannot be listed; null: it can. Tries once. */
export async function containerProblem(address: ContainerAddress, withinMs = seconds(10)): Promise<string | null> {
  const { BlobContainer } = await import("./blob_container.ts");
  const container = new BlobContainer(address, address.sas === null ? await environmentCredential() : null);
  try {
    await container.request(
      new AbortController().signal,
      (abortSignal) => container.client.listBlobsFlat({ abortSignal }).byPage({ maxPageSize: 1 }).next(),
      withinMs,
    );
    return null;
  } catch (error) {
    if (error instanceof Unavailable) return error.message;
    throw error;
  }
}
