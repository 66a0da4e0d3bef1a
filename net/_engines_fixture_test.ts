/**
 * Tests over both engines, where both are to be had. No tests here.
 *
 * @module
 */

import { nativeEngine } from "./native/engine.ts";
import { portableEngine } from "./portable/engine.ts";
import type { ConnectOptions, Engine, ListenOptions, Socket } from "./socket.ts";
import { test, type TestOptions } from "../tests/rig/test.ts";

/** Any port of this machine's own. */
export const LOCAL = { host: "127.0.0.1", port: 0 };

/** A signal that never aborts. */
export const never = new AbortController().signal;

/** Those that this machine has. */
export const engines: readonly Engine[] = [nativeEngine(), portableEngine].filter((each) => each !== undefined);

/** The best of them. */
export const engine: Engine = engines[0]!;

/** A test for each engine. */
export function engineTest(name: string, fn: (engine: Engine) => void | Promise<void>, options?: TestOptions): void {
  for (const engine of engines) test(`${engine.name}: ${name}`, () => fn(engine), options);
}

/** Both ends of a connection of this machine. */
export interface Ends extends Disposable {
  readonly client: Socket;
  readonly server: Socket;
}

/** Connects `dialling` to a socket of `listening`. Both ends are closed at the end of the block, if not before. */
export async function connectedEnds(
  listening: Engine,
  dialling: Engine = listening,
  { listen, connect }: { readonly listen?: ListenOptions; readonly connect?: Partial<ConnectOptions> } = {},
): Promise<Ends> {
  const listener = listening.listen(LOCAL, listen);
  try {
    const [server, client] = await Promise.all([
      listener.accept(),
      dialling.connect(listener.address, { signal: never, ...connect }),
    ]);
    return {
      client,
      server,
      [Symbol.dispose]: () => {
        client.close();
        server.close();
      },
    };
  } finally {
    listener.close();
  }
}

/** Writes all of `bytes`. */
export async function writeAll(to: { write: Socket["write"] }, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}

/** Reads to the end. */
export async function readAll(from: { read: Socket["read"] }): Promise<Uint8Array> {
  const all: number[] = [];
  const into = new Uint8Array(4_096);
  for (let count = await from.read(into); count !== null; count = await from.read(into)) {
    for (const byte of into.subarray(0, count)) all.push(byte);
  }
  return Uint8Array.from(all);
}

/** A port on which nobody listens. */
export function deadPort(): number {
  const listener = portableEngine.listen(LOCAL);
  listener.close();
  return listener.address.port;
}
