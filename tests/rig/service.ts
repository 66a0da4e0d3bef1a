/**
 * TCP services for clients to reach.
 *
 * @module
 */

import { Stream } from "./stream.ts";
import { within } from "./wait.ts";

/** Where and how a service listens. */
export interface ServiceOptions {
  /** Of this machine. @default {"127.0.0.1"} */
  readonly hostname?: string;
  /** 0 for any free one. @default {0} */
  readonly port?: number;
}

/** A service that hands its connections to a handler, or to the test that asks for them. */
export class Service implements AsyncDisposable {
  /** The port that it listens on. */
  readonly port: number;

  readonly #listener: Deno.TcpListener;
  readonly #handler: ((stream: Stream) => Promise<void>) | undefined;
  readonly #streams: Stream[] = [];
  readonly #waiting: Stream[] = [];
  readonly #askers: ((stream: Stream) => void)[] = [];
  readonly #work: Promise<void>[] = [];
  #closed = false;

  /** Starts at once. Without a handler connections wait for {@linkcode Service.accept}. */
  constructor(handler?: (stream: Stream) => Promise<void>, options: ServiceOptions = {}) {
    this.#handler = handler;
    this.#listener = Deno.listen({ hostname: options.hostname ?? "127.0.0.1", port: options.port ?? 0 });
    this.port = this.#listener.addr.port;
    this.#work.push(this.#run());
  }

  /** Connections so far. */
  get accepted(): number {
    return this.#streams.length;
  }

  /** The next connection that nobody has taken. */
  accept(): Promise<Stream> {
    const stream = this.#waiting.shift();
    if (stream) return Promise.resolve(stream);
    return within(new Promise((resolve) => this.#askers.push(resolve)), "a connection to the service");
  }

  /** Closes the listener and every connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#listener.close();
    for (const stream of this.#streams) stream.close();
    await Promise.all(this.#work);
  }

  async #run(): Promise<void> {
    for (;;) {
      let conn: Deno.TcpConn;
      try {
        conn = await this.#listener.accept();
      } catch {
        if (this.#closed) return;
        continue; // who reset before it was accepted is gone, and others may come
      }
      const stream = new Stream(conn);
      this.#streams.push(stream);
      if (this.#closed) return stream.close(); // it was accepted as the service ended
      const handler = this.#handler;
      if (handler) {
        // What a handler's peer breaks shows at the client, where the test looks.
        this.#work.push(handler(stream).catch(() => {}).finally(() => stream.close()));
      } else {
        const asker = this.#askers.shift();
        if (asker) asker(stream);
        else this.#waiting.push(stream);
      }
    }
  }
}

/** A service that sends back what it gets, then ends. */
export function echoService(options: ServiceOptions = {}): Service {
  return new Service(async (stream) => {
    for (;;) {
      const piece = await stream.readSome();
      if (piece === null) return;
      await stream.write(piece);
    }
  }, options);
}
