/** How a namespace is reached: with a key, or by name with the credential of the environment. `endpoint`: another address for it, of a private link. */
export type HubAccess = { readonly connectionString: string } | { readonly namespace: string; readonly endpoint?: string };

/**
 * What is wrong with a connection string for this hub, in words that hold nothing of it; null: nothing. Parts: `Endpoint=sb://HOST/`, a key with
 * its name or a signature, and perhaps the one hub it is for (`EntityPath`, which that of an IoT hub has).
 */
export function connectionStringProblem(connectionString: string, hub: string): string | null {
  const parts = new Map(
    connectionString.split(";").map((part) => [part.split("=", 1)[0]?.trim() ?? "", part.replace(/^[^=]*=/, "").trim()]),
  );
  const isPresent = (name: string): boolean => (parts.get(name) ?? "") !== "";
  if (!/^(?:sb|amqps?):\/\/[^/]+/i.test(parts.get("Endpoint") ?? "")) return "has no Endpoint=sb://HOST/";
  if (!(isPresent("SharedAccessKeyName") && isPresent("SharedAccessKey")) && !isPresent("SharedAccessSignature")) {
    return "has no SharedAccessKeyName and SharedAccessKey";
  }
  const path = parts.get("EntityPath");
  return path === undefined || path === hub ? null : `is for another hub than ${hub}`;
}
