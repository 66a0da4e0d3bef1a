/**
 * Ends that are not orderly: sockets that reset, which `Deno.Conn` cannot do, and a listener that answers nobody.
 *
 * @module
 */

import { connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { within } from "../wait.ts";

/** A client that ends with a reset. */
export class ResettingClient implements Disposable {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => {}); // whoever resets may be reset
  }

  /** Connects to a port of this machine. */
  static async connect(port: number): Promise<ResettingClient> {
    const socket = connect({ host: "127.0.0.1", port });
    await within(once(socket, "connect"), "a connection");
    return new ResettingClient(socket);
  }

  /** Sends text. */
  write(text: string): void {
    this.#socket.write(text);
  }

  /** Resolves when some bytes have come. */
  async readSome(): Promise<void> {
    await within(once(this.#socket, "data"), "bytes");
  }

  /** Ends its side. */
  async closeWrite(): Promise<void> {
    this.#socket.end();
    await within(once(this.#socket, "finish"), "its end to be sent");
  }

  /** Resets the connection; what was not sent is dropped. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

/** A service that answers the first bytes of each client with `reply`, and the next ones with a reset. */
export class ResettingService implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(server: Server, sockets: Set<Socket>) {
    this.#server = server;
    this.#sockets = sockets;
  }

  /** Starts on a free port. `endsFirst`: after the reply it ends its side, and resets when it is told to. */
  static async start(reply: string, { endsFirst = false } = {}): Promise<ResettingService> {
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("data", () => {
        socket.write(reply);
        if (endsFirst) socket.end();
        else socket.once("data", () => socket.resetAndDestroy());
      });
    });
    server.listen(0, "127.0.0.1");
    await within(once(server, "listening"), "a listener");
    return new ResettingService(server, sockets);
  }

  /** Resets all its connections. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** The port that it listens on. */
  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await within(once(this.#server, "close"), "the end of a service");
  }
}

/** A port that takes no more connections and refuses none: dials to it hang. */
export class FullPort implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #filling: Deno.TcpConn[];

  private constructor(listener: Deno.TcpListener, filling: Deno.TcpConn[]) {
    this.#listener = listener;
    this.#filling = filling;
  }

  /** Fills the queue of a listener that accepts nobody. */
  static async open(): Promise<FullPort> {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
    const dial = () => Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
    return new FullPort(listener, [await dial(), await dial()]);
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const conn of this.#filling) conn.close();
    this.#listener.close();
    return Promise.resolve();
  }
}
