import { createHmac } from "node:crypto";

const ENCODED = "whsec_";

/**
 * The headers of Standard Webhooks: what the receiver checks, and by which it tells a repetition. One signature for each secret, so that a secret can
 * be changed without a gap. A secret is `whsec_` and base64 of the key, or the key as text. `atMs`: when it is sent.
 */
export function signedHeaders(id: string, atMs: number, body: string, secrets: readonly string[]): Readonly<Record<string, string>> {
  const seconds = String(Math.floor(atMs / 1_000));
  const signatures = secrets.map((secret) => {
    return `v1,${createHmac("sha256", keyOf(secret)).update(`${id}.${seconds}.${body}`).digest("base64")}`;
  });
  return { "webhook-id": id, "webhook-timestamp": seconds, "webhook-signature": signatures.join(" ") };
}

function keyOf(secret: string): Buffer {
  return secret.startsWith(ENCODED) ? Buffer.from(secret.slice(ENCODED.length), "base64") : Buffer.from(secret);
}
