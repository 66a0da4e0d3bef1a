/**
 * An HTTP proxy on this machine, for tests. No tests here.
 *
 * @module
 */

import { type Address, parseAddress } from "../../protocol/address.ts";
import { closeQuietly } from "../../tests/rig/close_quietly.ts";

/** Answers every CONNECT with `answer`, and joins what it may to `target`. */
export class TestProxy {
  readonly address: Address;
  /** The heads of the requests that came. */
  readonly requests: string[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Deno.Conn>();
  readonly #done: Promise<unknown>;

  /** `answer` is sent as it is; with 200 in it a tunnel to `target` follows; without one nothing is said at all. */
  constructor(readonly answer: string | undefined, readonly target?: Address) {
    this.address = { host: "127.0.0.1", port: this.#listener.addr.port };
    this.#done = this.#run();
  }

  /** Ends it and all that goes through it. */
  async close(): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) closeQuietly(conn);
    await this.#done;
  }

  async #run(): Promise<void> {
    const serving: Promise<void>[] = [];
    try {
      for await (const conn of this.#listener) serving.push(this.#serve(conn).catch(() => {}));
    } catch {
      // It was closed.
    }
    await Promise.all(serving);
  }

  async #serve(conn: Deno.TcpConn): Promise<void> {
    this.#conns.add(conn);
    let head = "";
    while (!head.endsWith("\r\n\r\n")) {
      const byte = new Uint8Array(1);
      if (await conn.read(byte) === null) return conn.close();
      head += String.fromCharCode(byte[0]!);
    }
    this.requests.push(head);
    if (this.answer !== undefined) await conn.write(new TextEncoder().encode(this.answer));
    if (!this.answer?.includes(" 200 ")) return await drain(conn);
    const { host, port } = this.target ?? parseAddress(head.split(" ")[1] ?? "");
    const onward = await Deno.connect({ hostname: host, port });
    this.#conns.add(onward);
    await Promise.all([pipe(conn, onward), pipe(onward, conn)]);
    closeQuietly(conn);
    closeQuietly(onward);
  }
}

async function drain(conn: Deno.Conn): Promise<void> {
  try {
    while (await conn.read(new Uint8Array(4096)) !== null);
  } finally {
    closeQuietly(conn);
  }
}

async function pipe(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(16_384);
  try {
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
      for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
    }
    await to.closeWrite();
  } catch {
    // Either side has gone, or the proxy was closed.
  }
}
