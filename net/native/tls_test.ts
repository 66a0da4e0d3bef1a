import assert from "node:assert/strict";
import { LOCAL, never } from "../_engines_fixture_test.ts";
import { NativeEngine } from "./engine.ts";
import { socketCalls } from "./calls.ts";
import { ENDS_KEPT } from "./limits.ts";
import { TlsContext } from "../openssl/context.ts";
import { openSsl } from "../openssl/library.ts";
import { TlsSession } from "../openssl/session.ts";
import type { TlsSecurity } from "../tls/proof.ts";
import { test } from "../../tests/rig/test.ts";

const calls = socketCalls();
const ignore = !calls || !openSsl();

/** Counts calls of a method while `fn` runs. */
async function counted<K extends string>(
  of: Record<K, () => void>,
  method: K,
  fn: () => Promise<void>,
): Promise<number> {
  const before = of[method];
  let count = 0;
  of[method] = function (this: unknown) {
    count++;
    before.call(this);
  };
  try {
    await fn();
  } finally {
    of[method] = before;
  }
  return count;
}

/** Dials somebody who speaks no TLS, in `engine`. */
async function dial(engine: NativeEngine, security: TlsSecurity): Promise<unknown> {
  const listener = engine.listen(LOCAL);
  const socket = await engine.connect(listener.address, { signal: never });
  const peer = await listener.accept();
  peer.close();
  listener.close();
  const failure = await engine.tls.connect(socket, { server: LOCAL, security, wallClock: 0 }, () => {})
    .then(() => undefined, (error: unknown) => error);
  socket.close();
  return failure;
}

const pinned = (n: number): TlsSecurity => ({ kind: "pinned", serverKey: new Uint8Array(32).fill(n) });

test("the means of proof are kept for so many servers, and made once for each of them", async () => {
  const engine = new NativeEngine(calls!);
  const closed = await counted(TlsContext.prototype, "close", async () => {
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < ENDS_KEPT; n++) assert(await dial(engine, pinned(n)) instanceof Error);
    }
  });
  assert.equal(closed, 0);
  const dropped = await counted(TlsContext.prototype, "close", async () => {
    for (let n = 0; n < 3; n++) await dial(engine, pinned(100 + n));
  });
  assert.equal(dropped, 3);
  await engine.quiet();
}, { ignore });

test("where the kernel cannot watch one more socket, its session and its descriptor are let go", async () => {
  let isFull = false;
  let open = 0;
  const full = {
    ...calls!,
    socket: (...args: [number, number, number]) => (open++, calls!.socket(...args)),
    accept4: (...args: Parameters<NonNullable<typeof calls>["accept4"]>) => {
      const fd = calls!.accept4(...args);
      if (fd >= 0) open++;
      return fd;
    },
    close: (fd: number) => (open--, calls!.close(fd)),
    epoll_ctl: (...args: Parameters<NonNullable<typeof calls>["epoll_ctl"]>) =>
      isFull && args[1] === 1 ? -1 : calls!.epoll_ctl(...args),
  };
  const engine = new NativeEngine(full);
  const freed = await counted(TlsSession.prototype, "free", async () => {
    const listener = engine.listen(LOCAL);
    const socket = await engine.connect(listener.address, { signal: never });
    (await listener.accept()).close();
    isFull = true;
    const dialled = engine.tls.connect(socket, { server: LOCAL, security: pinned(1), wallClock: 0 }, () => {});
    await assert.rejects(dialled);
    isFull = false;
    listener.close();
  });
  assert.deepEqual([freed, open], [1, 0]);
  await engine.quiet();
}, { ignore });
