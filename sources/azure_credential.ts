import type { TokenCredential } from "@azure/identity";

/** Tokens of whoever runs this process: of the environment, a managed identity, a workload, or a person who is logged in. */
export type Credential = TokenCredential;

let made: Promise<Credential> | null = null;

/** The one credential of this process. Loaded when it is first needed: the library takes half a second, and most engines never need it. */
export function environmentCredential(): Promise<Credential> {
  made ??= import("@azure/identity").then(({ DefaultAzureCredential }) => new DefaultAzureCredential());
  return made;
}
