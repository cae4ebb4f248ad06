// timeout: 120 s
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { blobPlace } from "../../sources/blob_place.ts";
import { glob } from "../../sources/glob.ts";
import { amqpHub } from "../kit/amqp_hub.ts";
import { startAzurite } from "../kit/azurite.ts";
import { HubReading, hubEvents, hubSource } from "../kit/hub_source.ts";
import { notRun, suite } from "../kit/suite.ts";
import { newTempFolder, removeFolder } from "../kit/temp_folder.ts";

const whole = suite("credentials of the environment");

/** A token as the service of identities makes them; nobody checks its signature here. */
function token(audience: string): string {
  const nowS = Math.floor(Date.now() / 1_000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const tenant = "00000000-0000-0000-0000-000000000001";
  const claims = {
    aud: audience,
    iss: `https://sts.windows.net/${tenant}/`,
    iat: nowS - 10,
    nbf: nowS - 10,
    exp: nowS + 3_600,
    tid: tenant,
  };
  return `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}.c2ln`;
}

const TOKENS = { blobs: token("https://storage.azure.com"), hubs: token("https://eventhubs.azure.net") };
const SETTINGS = ["IDENTITY_ENDPOINT", "IDENTITY_HEADER", "NODE_TLS_REJECT_UNAUTHORIZED", "AZURE_TOKEN_CREDENTIALS"] as const;
const MISSING = opensslMissing();

let folder: string;
let identity: Server;
/** What tokens were asked for. */
const asked: string[] = [];
const before = new Map(SETTINGS.map((name) => [name, process.env[name]]));

whole.before(async () => {
  if (MISSING !== null) return;
  folder = await newTempFolder();
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...subject, ...files], { stdio: "ignore" });
  // A managed identity, as a machine of the cloud has it.
  identity = createServer((request, answer) => {
    const { searchParams } = new URL(request.url ?? "", "http://localhost");
    const resource = searchParams.get("resource") ?? "";
    if (request.headers["x-identity-header"] !== "a-header") return void answer.writeHead(401).end();
    asked.push(resource);
    const access_token = resource.includes("storage") ? TOKENS.blobs : TOKENS.hubs;
    const expires_on = String(Math.floor(Date.now() / 1_000) + 3_600);
    answer.setHeader("Content-Type", "application/json");
    return void answer.end(JSON.stringify({ access_token, expires_on, resource, token_type: "Bearer" }));
  }).listen(0, "127.0.0.1");
  await once(identity, "listening");
  process.env["IDENTITY_ENDPOINT"] = `http://127.0.0.1:${(identity.address() as AddressInfo).port}/token`;
  process.env["IDENTITY_HEADER"] = "a-header";
  process.env["AZURE_TOKEN_CREDENTIALS"] = "ManagedIdentityCredential";
  process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0"; // The servers of this test have signed themselves.
});
whole.after(async () => {
  for (const [name, value] of before) if (value === undefined) delete process.env[name];
  for (const [name, value] of before) if (value !== undefined) process.env[name] = value;
  identity?.close();
  if (folder !== undefined) await removeFolder(folder);
});

function test(title: string, body: () => Promise<void>): void {
  whole(title, () => (MISSING === null ? body() : notRun(title, MISSING)));
}

test("blobs are read with a token of whoever runs the process, and with no other", async () => {
  const tls = ["--cert", join(folder, "cert.pem"), "--key", join(folder, "key.pem"), "--oauth", "basic"];
  const azurite = await startAzurite(tls);
  const container = await azurite.container();
  await container.write("landing/a.json", "1\n");
  const { endpoint, container: name } = container.address;
  const place = blobPlace({ address: { endpoint, container: name, sas: null }, prefix: "landing", archive: null });
  const { signal } = new AbortController();
  const listed = await place.list([glob("*.json")], signal);
  assert.equal(
    listed.map(({ path, sizeBytes }) => [path, sizeBytes]),
    [["a.json", 2]],
  );
  assert.ok(
    asked.some((resource) => resource.includes("storage.azure.com")),
    asked.join(" "),
  );
  const file = await place.open("a.json", signal);
  assert.is(file?.sizeBytes, 2);
  await file?.close();
});

test("a hub is read with a token of whoever runs the process, and one that is not taken is an outage", async () => {
  const pem = (name: string): string => readFileSync(join(folder, name), "utf8");
  const hub = await amqpHub({ partitions: 1, tls: { cert: pem("cert.pem"), key: pem("key.pem"), token: TOKENS.hubs } });
  hub.append(0, hubEvents(["a", "b"]));
  const access = { namespace: "ours.servicebus.windows.net", endpoint: hub.endpoint };
  const reading = new HubReading(hubSource(hub, { access }));
  await reading.until((texts) => texts.length === 2);
  assert.equal(reading.texts(), ["0:a", "0:b"]);
  assert.ok(
    asked.some((resource) => resource.includes("eventhubs.azure.net")),
    asked.join(" "),
  );
  await reading.stop();
  hub.refusesTokens = true;
  const refused = await new HubReading(hubSource(hub, { access })).next().catch(String);
  assert.match(String(refused), /the event hub telemetry at .*: its credentials are refused/);
  await hub.close();
});

function opensslMissing(): string | null {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return null;
  } catch {
    return "openssl";
  }
}
