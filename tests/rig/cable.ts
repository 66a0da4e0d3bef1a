/**
 * What is between a device and its server: a path that can be watched, be cut at any byte, or die without a word.
 *
 * @module
 */

import { writeAll } from "./stream.ts";
import { settled, within } from "./wait.ts";
import { engine, never } from "./engine.ts";
import type { Engine, ListeningSocket, Socket } from "../../net/socket.ts";

/** Which way bytes go. */
export type Direction = "to server" | "to device";

/** How connections are cut: in order, or as a crash does it. */
export type CutKind = "end" | "reset";

/** Who looks at what goes by. */
export interface CableOptions {
  /** A connection was made. @returns who sees its bytes in one direction before they go on. */
  readonly watch?: (direction: Direction) => (bytes: Uint8Array) => void;
  /** Whoever looks has thrown. */
  readonly onFault?: (error: unknown) => void;
  /** What it is made with. @default {the one that tests run on} to cut with resets may take another */
  readonly engine?: Engine;
}

/** One connection through the cable. */
interface Strand {
  readonly ends: readonly [Socket, Socket];
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

  readonly #listener: ListeningSocket;
  readonly #engine: Engine;
  readonly #target: number;
  readonly #options: CableOptions;
  #planned: { readonly direction: Direction; readonly kind: CutKind; left: number; done: () => void } | undefined;
  readonly #strands = new Set<Strand>();
  readonly #work: Promise<void>[] = [];

  /** Forwards at once. */
  constructor(target: number, options: CableOptions = {}) {
    this.#target = target;
    this.#options = options;
    this.#engine = options.engine ?? engine;
    this.#listener = this.#engine.listen({ host: "127.0.0.1", port: 0 });
    this.port = this.#listener.address.port;
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

  /** Lets `bytes` more through in a direction, then cuts that connection. Resolves when that is done. */
  cutAfter(bytes: number, direction: Direction, kind: CutKind): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#planned = { direction, kind, left: bytes, done: resolve };
    return within(promise, `${bytes} bytes ${direction}`);
  }

  /** Ends all connections at once. */
  drop(): void {
    for (const { ends, dropped } of this.#strands) {
      dropped.resolve();
      for (const end of ends) end.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.drop();
    await Promise.all(this.#work);
  }

  async #run(): Promise<void> {
    for (;;) {
      let dialler: Socket;
      try {
        dialler = await this.#listener.accept();
      } catch {
        return; // closed
      }
      this.#work.push(this.#join(dialler));
    }
  }

  async #join(dialler: Socket): Promise<void> {
    if (this.refusing) return dialler.close();
    let server: Socket;
    try {
      server = await this.#engine.connect({ host: "127.0.0.1", port: this.#target }, { signal: never });
    } catch {
      return dialler.close();
    }
    const strand: Strand = { ends: [dialler, server], dropped: Promise.withResolvers(), cut: false };
    this.#strands.add(strand);
    await Promise.all([
      this.#carry(strand, dialler, server, "to server"),
      this.#carry(strand, server, dialler, "to device"),
    ]);
    this.#strands.delete(strand);
    dialler.close();
    server.close();
  }

  async #carry(strand: Strand, from: Socket, to: Socket, direction: Direction): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    const look = this.#options.watch?.(direction);
    const at = direction === "to server" ? "server" : "dialler";
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (strand.cut) return await strand.dropped.promise; // lost on the way, and what follows gets stuck
        if (count === null) return await to.closeWrite();
        const bytes = buffer.subarray(0, count);
        if (look) this.#look(look, bytes);
        const planned = this.#planned?.direction === direction ? this.#planned : undefined;
        if (planned && count > planned.left) return await this.#break(strand, to, bytes.subarray(0, planned.left));
        if (planned) planned.left -= count;
        await writeAll(to, bytes);
        this.lastOut[at] = performance.now();
        this.carried += count;
      }
    } catch {
      // An end broke: so does the other, unless the cable is cut and cannot tell it.
      if (strand.cut) return await strand.dropped.promise;
      for (const end of strand.ends) end.close();
    }
  }

  /** Makes the cut that was planned, behind these bytes. */
  async #break(strand: Strand, to: Socket, last: Uint8Array): Promise<void> {
    const { kind, done } = this.#planned!;
    this.#planned = undefined;
    await writeAll(to, last);
    for (const end of strand.ends) {
      if (kind === "end") end.close();
      else end.reset();
    }
    done();
  }

  #look(look: (bytes: Uint8Array) => void, bytes: Uint8Array): void {
    try {
      look(bytes);
    } catch (error) {
      this.#options.onFault?.(error);
    }
  }
}

/** Waits until what is in the kernel's hands has been read: round trips on loopback, through the same loops of events. */
export async function socketsSettled(): Promise<void> {
  const listener = engine.listen({ host: "127.0.0.1", port: 0 });
  const accepting = Promise.resolve(listener.accept());
  const near = await engine.connect(listener.address, { signal: never });
  const far = await accepting;
  listener.close();
  for (let round = 0; round < 20; round++) {
    for (const [from, to] of [[near, far], [far, near]] as const) {
      const heard = to.read(new Uint8Array(1)); // before it is there: it takes a pass of the loop
      await writeAll(from, new Uint8Array(1));
      await heard;
    }
    if (round % 5 === 4) await settled(); // the native engine lets the runtime's loop wait
  }
  near.close();
  far.close();
}
