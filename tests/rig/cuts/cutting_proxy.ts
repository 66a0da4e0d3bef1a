/**
 * Stands between a device and its server, and cuts the link at a chosen byte.
 *
 * @module
 */

import { connect, createServer, type Server, type Socket } from "node:net";
import { within } from "../wait.ts";

/** Which way bytes go. */
export type Direction = "to server" | "to device";

/** How a link is cut: in order, or as a crash does it. */
export type CutKind = "end" | "reset";

/** A running proxy. */
export class CuttingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cut: { direction: Direction; left: number; kind: CutKind; done: () => void } | undefined;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Starts a proxy to a port on 127.0.0.1. */
  static async start(serverPort: number): Promise<CuttingProxy> {
    const server = createServer({ noDelay: true }, (device) => proxy.#onDevice(device, serverPort));
    const proxy = new CuttingProxy(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  /** Where the device dials. */
  get address(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("Cannot happen: a TCP server has an address");
    return `127.0.0.1:${address.port}`;
  }

  /** Lets `bytes` more through in a direction, then cuts. Resolves when the cut is made. */
  cutAfter(bytes: number, direction: Direction, kind: CutKind): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#cut = { direction, left: bytes, kind, done: resolve };
    return within(promise, `${bytes} bytes ${direction}`);
  }

  #onDevice(device: Socket, serverPort: number): void {
    const server = connect({ port: serverPort, host: "127.0.0.1", noDelay: true });
    this.#join(device, server, "to server");
    this.#join(server, device, "to device");
  }

  #join(from: Socket, to: Socket, direction: Direction): void {
    this.#sockets.add(from);
    from.on("data", (bytes: Uint8Array) => {
      const cut = this.#cut?.direction === direction ? this.#cut : undefined;
      if (cut && bytes.length > cut.left) {
        this.#cut = undefined;
        // The bytes before the cut have to arrive: with a reset right behind them they might not.
        to.write(bytes.subarray(0, cut.left), () => {
          for (const socket of [from, to]) cut.kind === "reset" ? socket.resetAndDestroy() : socket.destroy();
          cut.done();
        });
        from.pause();
        return;
      }
      if (cut) cut.left -= bytes.length;
      if (!to.write(bytes)) {
        from.pause();
        to.once("drain", () => from.resume());
      }
    });
    from.on("end", () => to.end());
    from.on("error", () => to.destroy());
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
