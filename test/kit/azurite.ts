import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { Socket } from "node:net";
import { createInterface } from "node:readline";
import { ContainerClient, ContainerSASPermissions, generateBlobSASQueryParameters, StorageSharedKeyCredential } from "@azure/storage-blob";
import type { ContainerAddress } from "../../sources/blob_address.ts";
import { blobPlace } from "../../sources/blob_place.ts";
import type { LandingPlace } from "../../sources/landing_place.ts";

// The account that every Azurite has; its key is in the documentation, and no secret.
const ACCOUNT = "devstoreaccount1";
const KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const OPTIONS = [
  "--blobHost",
  "127.0.0.1",
  "--blobPort",
  "0",
  "--inMemoryPersistence",
  "--skipApiVersionCheck",
  "--disableTelemetry",
  "--silent",
];

/** An Azure storage account in memory, on a free port of this machine. It ends with this process. */
export interface Azurite {
  readonly endpoint: string;
  /** A new, empty container. */
  container(): Promise<LandingContainer>;
}

/** Starts the server that comes with the package of that name. Takes some seconds. `more`: options of its own. */
export async function startAzurite(more: readonly string[] = []): Promise<Azurite> {
  const main = createRequire(import.meta.url).resolve("azurite/dist/src/blob/main.js");
  const server = spawn(process.execPath, [main, ...OPTIONS, ...more], { stdio: ["ignore", "pipe", "inherit"] });
  process.once("exit", () => server.kill("SIGKILL"));
  const endpoint = `${await listening(server)}/${ACCOUNT}`;
  server.unref();
  if (server.stdout instanceof Socket) server.stdout.resume().unref(); // Closed, it would end the server that writes to it.
  let made = 0;
  return {
    endpoint,
    async container() {
      made += 1;
      const container = new LandingContainer(endpoint, `lake${made}`);
      await container.client.create();
      return container;
    },
  };
}

/** The URL that it says it listens on. */
async function listening(server: ChildProcess): Promise<string> {
  const { stdout } = server;
  if (stdout === null) throw new Error("Azurite has no output");
  for await (const line of createInterface({ input: stdout })) {
    const url = /successfully listens on (https?:\S+)/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error("Azurite ended before it listened");
}

/** A container, written to with the key of the account and read with a signature for it alone. */
export class LandingContainer {
  readonly client: ContainerClient;
  readonly address: ContainerAddress;

  constructor(endpoint: string, container: string) {
    const credential = new StorageSharedKeyCredential(ACCOUNT, KEY);
    this.client = new ContainerClient(`${endpoint}/${container}`, credential);
    const expiresOn = new Date(Date.now() + 3_600_000); // The server's clock is the wall's.
    const permissions = ContainerSASPermissions.parse("rwdlc");
    const sas = generateBlobSASQueryParameters({ containerName: container, permissions, expiresOn }, credential).toString();
    this.address = { endpoint, container, sas };
  }

  /** What lies below a prefix, as a landing zone sees it; archived below `done/`. */
  place(prefix = "landing", more: { readonly pageSize?: number } = {}): LandingPlace {
    return blobPlace({ address: this.address, prefix, archive: { address: this.address, prefix: "done" }, ...more });
  }

  async write(name: string, content: string | Buffer): Promise<void> {
    const bytes = Buffer.from(content);
    await this.client.getBlockBlobClient(name).upload(bytes, bytes.length);
  }

  /** As uploads of large files do: in blocks, with which no MD5 comes. */
  async writeInBlocks(name: string, ...blocks: readonly string[]): Promise<void> {
    const blob = this.client.getBlockBlobClient(name);
    const ids = blocks.map((_, n) => Buffer.from(String(n).padStart(6, "0")).toString("base64"));
    for (const [n, block] of blocks.entries()) await blob.stageBlock(ids[n] ?? "", block, Buffer.byteLength(block));
    await blob.commitBlockList(ids);
  }

  async makeAppendBlob(name: string): Promise<void> {
    await this.client.getAppendBlobClient(name).create();
  }

  async append(name: string, text: string): Promise<void> {
    await this.client.getAppendBlobClient(name).appendBlock(text, Buffer.byteLength(text));
  }

  async names(): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const { name } of this.client.listBlobsFlat()) names.push(name);
    return names;
  }

  async read(name: string): Promise<string> {
    return (await this.client.getBlobClient(name).downloadToBuffer()).toString();
  }
}
