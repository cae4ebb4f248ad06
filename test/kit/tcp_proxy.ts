import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises"; // pace: a slow network is slow in time; no test waits for it
import { bell } from "../../engine/bell.ts";

/** What the network does to bytes: `pass`, `stall` (nothing comes through, nobody is told), `stall answers` (requests arrive, answers do not), or so many bytes a second. */
export type Weather = "pass" | "stall" | "stall answers" | number;

/** Starts a relay on a free port of loopback. Where it leads to is said by `leadTo`. */
export async function tcpProxy(): Promise<TcpProxy> {
  const proxy = new TcpProxy();
  await proxy.listen();
  return proxy;
}

/** A network between a client and a server on this machine that can be bad: slow, silent, or cut. */
export class TcpProxy {
  readonly #server: Server = createServer({ pauseOnConnect: true }, (socket) => this.#accept(socket));
  readonly #pairs = new Set<Pair>();
  readonly #forgotten = new WeakSet<Pair>();
  readonly #changes = bell();
  #weather: Weather = "pass";
  #targetPort = 0;
  /** Connections so far, and bytes that came from the server and went on to clients. */
  accepted = 0;
  answeredBytes = 0;

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  leadTo(port: number): void {
    this.#targetPort = port;
  }

  /** From now on, for connections that are open and for new ones. */
  set weather(weather: Weather) {
    this.#weather = weather;
    this.#changes.ring();
  }

  /** All connections end, as when a process dies (`cut`) or a firewall loses patience (`reset`). New ones are taken. */
  end(how: "cut" | "reset"): void {
    for (const pair of this.#pairs) {
      for (const socket of pair) {
        if (how === "reset") socket.resetAndDestroy();
        else socket.destroy();
      }
    }
    this.#pairs.clear();
  }

  /** Open connections lead nowhere any more, and nobody is told, as when a router forgets them. New ones are as the weather is. */
  forget(): void {
    for (const pair of this.#pairs) this.#forgotten.add(pair);
  }

  /** Resolves once bytes have come through, or connections were made, until this is so. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await this.#changes.heard();
  }

  async close(): Promise<void> {
    this.#weather = "pass";
    this.#changes.ring();
    this.end("cut");
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }

  #accept(client: Socket): void {
    this.accepted += 1;
    const server = connect(this.#targetPort, "127.0.0.1");
    const pair: Pair = [client, server];
    this.#pairs.add(pair);
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on("error", () => {}); // Of a connection that was reset; its end is what follows.
      socket.once("close", () => {
        this.#pairs.delete(pair);
        client.destroy();
        server.destroy();
      });
    }
    void this.#relay(pair, false);
    void this.#relay(pair, true);
    this.#changes.ring();
  }

  async #relay(pair: Pair, isAnswer: boolean): Promise<void> {
    const [from, to] = isAnswer ? [pair[1], pair[0]] : pair;
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) if (!this.#forgotten.has(pair)) await this.#carry(chunk, to, isAnswer);
      to.end();
    } catch {
      to.destroy(); // It was reset, or cut, on either side.
    }
  }

  async #carry(chunk: Buffer, to: Socket, isAnswer: boolean): Promise<void> {
    for (let sent = 0; sent < chunk.length; ) {
      while (this.#weather === "stall" || (this.#weather === "stall answers" && isAnswer)) await this.#changes.heard();
      const bytesPerSecond = typeof this.#weather === "number" ? this.#weather : null;
      const part = chunk.subarray(
        sent,
        bytesPerSecond === null ? undefined : sent + Math.max(1, Math.ceil(bytesPerSecond / SLICES_A_SECOND)),
      );
      if (to.destroyed) return;
      if (!to.write(part)) await Promise.race([once(to, "drain"), once(to, "close")]);
      sent += part.length;
      if (isAnswer) this.answeredBytes += part.length;
      this.#changes.ring();
      if (bytesPerSecond !== null) await wait(1_000 / SLICES_A_SECOND);
    }
  }
}

type Pair = readonly [client: Socket, server: Socket];

const SLICES_A_SECOND = 20;
