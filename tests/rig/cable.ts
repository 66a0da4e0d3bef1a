/**
 * What is between a device and its server: a path that can die without a word.
 *
 * @module
 */

import { ascii } from "./bytes.ts";
import { Stream } from "./stream.ts";

/** One connection through the cable. */
interface Strand {
  readonly ends: readonly [Deno.TcpConn, Deno.TcpConn];
  readonly dropped: PromiseWithResolvers<void>;
  cut: boolean;
}

/** Forwards connections to a port of this machine, until it is cut: then bytes get stuck, and no socket hears of it. */
export class Cable implements AsyncDisposable {
  /** Where to dial. */
  readonly port: number;
  /** When a byte last came out at the end that dialled, and at the other one, by `performance.now()`. */
  readonly lastOut = { dialler: 0, server: 0 };
  /** Bytes that came out at either end. */
  carried = 0;
  /** Whether new connections are hung up on. */
  refusing = false;

  readonly #listener: Deno.TcpListener;
  readonly #target: number;
  readonly #strands = new Set<Strand>();
  readonly #work: Promise<void>[] = [];

  /** Forwards at once. */
  constructor(target: number) {
    this.#target = target;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#work.push(this.#run());
  }

  /** Connections that are there, cut or not. */
  get strands(): number {
    return this.#strands.size;
  }

  /** Lets nothing through on the connections that there are; new ones work. Silent: the sockets stay open. */
  cut(): void {
    for (const strand of this.#strands) strand.cut = true;
  }

  /** Ends all connections at once. */
  drop(): void {
    for (const { ends, dropped } of this.#strands) {
      dropped.resolve();
      for (const end of ends) closeQuietly(end);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.drop();
    await Promise.all(this.#work);
  }

  async #run(): Promise<void> {
    for (;;) {
      let dialler: Deno.TcpConn;
      try {
        dialler = await this.#listener.accept();
      } catch {
        return; // closed
      }
      this.#work.push(this.#join(dialler));
    }
  }

  async #join(dialler: Deno.TcpConn): Promise<void> {
    if (this.refusing) return dialler.close();
    let server: Deno.TcpConn;
    try {
      server = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
    } catch {
      return dialler.close();
    }
    for (const end of [dialler, server]) end.setNoDelay(true);
    const strand: Strand = { ends: [dialler, server], dropped: Promise.withResolvers(), cut: false };
    this.#strands.add(strand);
    await Promise.all([
      this.#carry(strand, dialler, server, "server"),
      this.#carry(strand, server, dialler, "dialler"),
    ]);
    this.#strands.delete(strand);
    closeQuietly(dialler);
    closeQuietly(server);
  }

  async #carry(strand: Strand, from: Deno.TcpConn, to: Deno.TcpConn, at: "dialler" | "server"): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (strand.cut) return await strand.dropped.promise; // lost on the way, and what follows gets stuck
        if (count === null) return await to.closeWrite();
        for (let sent = 0; sent < count;) sent += await to.write(buffer.subarray(sent, count));
        this.lastOut[at] = performance.now();
        this.carried += count;
      }
    } catch {
      // An end broke: so does the other, unless the cable is cut and cannot tell it.
      if (strand.cut) return await strand.dropped.promise;
      for (const end of strand.ends) closeQuietly(end);
    }
  }
}

/** Waits until what is in the kernel's hands has been read: round trips on loopback, through the same event loop. */
export async function socketsSettled(): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = listener.accept();
  using near = await Stream.connect(listener.addr.port);
  using far = new Stream(await accepting);
  listener.close();
  for (let round = 0; round < 20; round++) {
    await near.write(ascii("x"));
    await far.read(1);
    await far.write(ascii("y"));
    await near.read(1);
  }
}

function closeQuietly(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // Closed before.
  }
}
