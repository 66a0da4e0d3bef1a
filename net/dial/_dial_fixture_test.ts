/**
 * A server to dial, and what to expect of a dial. No tests here.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Address } from "../../protocol/address.ts";
import { never } from "../_engines_fixture_test.ts";
import { dialServer, type ServerTarget } from "./server.ts";
import type { Engine } from "../socket.ts";
import type { Transport } from "../transport.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { portOf, untilGone } from "../tls/_tls_fixture_test.ts";

/** A server that sends back what comes first and then sees to it that the peer lets go. */
export class Echo {
  readonly #done: Promise<unknown>;

  constructor(readonly listener: Deno.Listener<Deno.Conn>) {
    this.#done = this.#run();
  }

  get address(): Address {
    return { host: "127.0.0.1", port: portOf(this.listener) };
  }

  /** Waits until all who came have gone. */
  async close(): Promise<void> {
    this.listener.close();
    await this.#done;
  }

  async #run(): Promise<void> {
    const serving: Promise<void>[] = [];
    try {
      for await (const conn of this.listener) serving.push(this.#serve(conn));
    } catch {
      // It was closed.
    }
    await Promise.all(serving);
  }

  async #serve(conn: Deno.Conn): Promise<void> {
    try {
      const buffer = new Uint8Array(99);
      const count = await conn.read(buffer);
      if (count !== null) await conn.write(buffer.subarray(0, count));
      await untilGone(conn);
    } catch {
      // Its handshake failed.
    } finally {
      conn.close();
    }
  }
}

/** Says hello to an {@linkcode Echo}, and closes. */
export async function sayHello({ duplex }: Transport): Promise<void> {
  await duplex.write(new TextEncoder().encode("hello"));
  const into = new Uint8Array(99);
  const count = await duplex.read(into);
  assert.equal(new TextDecoder().decode(into.subarray(0, count ?? 0)), "hello");
  duplex.close();
}

/** Dials, and expects an error of this class with this line; sees that the deadline is off. */
export async function refused(
  engine: Engine,
  target: ServerTarget,
  type: new (message: string) => Error,
  line: RegExp,
): Promise<void> {
  const clock = new FakeClock();
  await assert.rejects(dialServer(target, engine, clock, 10_000, never), (error) => {
    assert(error instanceof type, `${error}`);
    assert.match(error.message, line);
    assert(!error.message.includes("\n"));
    return true;
  });
  assert.equal(clock.pending, 0);
}
