import assert from "node:assert/strict";
import { createIdentity, fingerprint, verify } from "../net/tls/identity.ts";
import { systemCrypto } from "./handshake.ts";
import { isSettled } from "../tests/rig/wait.ts";
import { test } from "../tests/rig/test.ts";

/** As many as the runtime has threads for work that blocks. */
const BLOCKING_THREADS = 32;

/** Does `work` while all of those threads wait: each reads from a pipe that nobody has written to. */
async function whileThreadsWait(work: () => Promise<void>): Promise<void> {
  const libc = Deno.dlopen("libc.so.6", {
    pipe: { parameters: ["buffer"], result: "i32" },
    read: { parameters: ["i32", "buffer", "usize"], result: "isize", nonblocking: true },
    write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    close: { parameters: ["i32"], result: "i32" },
  });
  const { pipe, read, write, close } = libc.symbols;
  const ends = new Int32Array(2);
  assert.equal(pipe(ends), 0);
  const [from, to] = [ends[0]!, ends[1]!];
  const bytes = Array.from({ length: BLOCKING_THREADS }, () => new Uint8Array(1)); // kept until they are read into
  const waits = bytes.map((byte) => read(from, byte, 1n));
  try {
    await work();
  } finally {
    write(to, new Uint8Array(BLOCKING_THREADS).fill(1), BigInt(BLOCKING_THREADS));
    await Promise.all(waits);
    assert.ok(bytes.every(([byte]) => byte === 1));
    close(from);
    close(to);
    libc.close();
  }
}

test("a handshake does not wait for the runtime's threads, which sleep where many links end", async () => {
  const identity = await createIdentity();
  const bytes = Uint8Array.of(1, 2, 3);
  const all: Promise<unknown>[] = [];
  const done: boolean[] = [];
  await whileThreadsWait(async () => {
    all.push(
      crypto.subtle.digest("SHA-256", bytes), // wants a thread
      identity.sign(bytes),
      verify(identity.publicKey, new Uint8Array(64), bytes),
      systemCrypto.hmac(bytes, bytes),
      fingerprint(identity.publicKey),
    );
    for (const promise of all) done.push(await isSettled(promise));
  });
  await Promise.all(all);
  assert.deepEqual(done, [false, true, true, true, true]);
});
