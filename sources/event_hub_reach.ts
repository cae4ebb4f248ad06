import { seconds } from "../engine/duration.ts";
import { environmentCredential } from "./azure_credential.ts";
import { hubErrorText } from "./event_hub_error.ts";
import type { HubAddress } from "./event_hub_library.ts";

/** Why a hub does not answer; null: it does. Tries once, and reads no event. */
export async function hubProblem(address: HubAddress, withinMs = seconds(10)): Promise<string | null> {
  const { hubClient } = await import("./event_hub_library.ts");
  const credential = "connectionString" in address.access ? null : await environmentCredential();
  const client = hubClient(address, credential, { retryOptions: { maxRetries: 0, timeoutInMs: withinMs } }, () => {});
  try {
    await client.getEventHubProperties({ abortSignal: AbortSignal.timeout(withinMs) });
    return null;
  } catch (error) {
    return `the event hub ${address.hub} does not answer: ${hubErrorText(error)}`;
  } finally {
    await client.close().catch(() => {}); // It never was open.
  }
}
