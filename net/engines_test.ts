import assert from "node:assert/strict";
import {
  connectedEnds,
  deadPort,
  engines,
  engineTest,
  LOCAL,
  never,
  readAll,
  writeAll,
} from "./_engines_fixture_test.ts";
import { libc } from "./kernel/libc.ts";
import { kernelAddress } from "./kernel/socket_address.ts";
import type { Engine, ListeningSocket, Socket } from "./socket.ts";
import { errorCode } from "../base/errors.ts";
import { noise } from "../tests/rig/bytes.ts";
import { isSettled, pause, settled } from "../tests/rig/wait.ts";
import { test } from "../tests/rig/test.ts";

engineTest("both ends of a connection know both addresses, on IPv4, on IPv6 and across them", async (engine) => {
  for (
    const [host, dialled, seen] of [
      ["127.0.0.1", "127.0.0.1", "127.0.0.1"],
      ["::1", "::1", "::1"],
      ["0.0.0.0", "127.0.0.9", "127.0.0.9"],
      ["::", "127.0.0.1", "::ffff:127.0.0.1"],
    ] as const
  ) {
    const listener = engine.listen({ host, port: 0 });
    assert.equal(listener.address.host, host);
    const { port } = listener.address;
    const client = await engine.connect({ host: dialled, port }, { signal: never });
    const server = await listener.accept();
    assert.deepEqual(client.remoteAddress, { host: dialled, port });
    assert.deepEqual(server.localAddress, { host: seen, port });
    assert.equal(server.remoteAddress.port, client.localAddress.port);
    assert.equal(server.remoteAddress.host.replace("::ffff:", ""), client.localAddress.host);
    for (const each of [client, server, listener]) each.close();
  }
});

/** What the system calls an error, and which class of the runtime's it has. */
async function failure(fn: () => unknown): Promise<string> {
  try {
    await fn();
    return "none";
  } catch (error) {
    return `${error instanceof Error && error.constructor.name} ${errorCode(error)}`;
  }
}

engineTest("errors have the system's word and the runtime's class", async (engine) => {
  const taken = engine.listen(LOCAL);
  assert.deepEqual([
    await failure(() => engine.connect({ host: "127.0.0.1", port: deadPort() }, { signal: never })),
    await failure(() => engine.listen(taken.address)),
    await failure(() => engine.listen({ host: "192.0.2.1", port: 0 })),
  ], ["ConnectionRefused ECONNREFUSED", "AddrInUse EADDRINUSE", "AddrNotAvailable EADDRNOTAVAIL"]);
  taken.close();
});

test("the native engine listens at the address of a name, and dials none: that is looked up before", async () => {
  const [native] = engines;
  if (native?.name !== "native") return;
  const listener = native.listen({ host: "localhost", port: 0 });
  assert.match(listener.address.host, /^(127\.0\.0\.1|::1)$/);
  listener.close();
  assert.throws(() => native.listen({ host: "no-such-name.invalid", port: 0 }));
  await assert.rejects(native.connect({ host: "localhost", port: 1 }, { signal: never }), /no IP address/);
});

/** A port of this machine at which a connection is neither taken nor refused. */
async function withSilence(fn: (port: number) => Promise<void>): Promise<void> {
  const calls = libc()!;
  const fd = calls.socket(2, 1, 0);
  const { bytes } = kernelAddress(LOCAL);
  calls.bind(fd, bytes, bytes.length);
  calls.listen(fd, 0);
  calls.getsockname(fd, bytes, Uint32Array.of(bytes.length));
  const port = bytes[2]! << 8 | bytes[3]!;
  using _first = await Deno.connect({ hostname: "127.0.0.1", port }); // all that may wait
  try {
    await fn(port);
  } finally {
    calls.close(fd);
  }
}

engineTest(
  "a connect that nobody answers is given up with the signal's reason, and its socket is closed",
  async (engine) => {
    await withSilence(async (port) => {
      const abort = new AbortController();
      const dialled = engine.connect({ host: "127.0.0.1", port }, { signal: abort.signal });
      dialled.catch(() => {});
      await pause(20);
      assert.equal(await isSettled(dialled), false);
      const reason = new Error("enough");
      abort.abort(reason);
      await assert.rejects(dialled, reason);
      await assert.rejects(engine.connect({ host: "127.0.0.1", port }, { signal: abort.signal }), reason);
    });
  },
  { ignore: !libc() },
);

engineTest("an accept that waits fails when its socket is closed, and the port is free", async (engine) => {
  const listener = engine.listen(LOCAL);
  const accepting = assert.rejects(async () => await listener.accept());
  await settled();
  listener.close();
  listener.close();
  await accepting;
  await assert.rejects(async () => await listener.accept());
  engine.listen(listener.address).close();
});

engineTest("a flood of clients comes in whole, and each has its own", async (engine) => {
  const listener = engine.listen(LOCAL);
  const served = serve(listener, 300);
  const clients = await Promise.all(
    Array.from({ length: 300 }, () => engine.connect(listener.address, { signal: never })),
  );
  await Promise.all(clients.map(async (client, n) => {
    await writeAll(client, Uint8Array.of(n & 255, n >> 8));
    await client.closeWrite();
    assert.deepEqual(await readAll(client), Uint8Array.of(n & 255, n >> 8));
    client.close();
  }));
  await served;
  listener.close();
});

async function serve(listener: ListeningSocket, count: number): Promise<void> {
  const all: Promise<void>[] = [];
  for (let n = 0; n < count; n++) all.push(echo(await listener.accept()));
  await Promise.all(all);
}

async function echo(socket: Socket): Promise<void> {
  await writeAll(socket, await readAll(socket));
  socket.close();
}

engineTest("a socket with endless data does not starve another", async (engine) => {
  using greedy = await connectedEnds(engine);
  using modest = await connectedEnds(engine);
  let stop = false;
  const flood = (async () => {
    const bytes = new Uint8Array(1024 * 1024);
    while (!stop) await greedy.client.write(bytes);
  })();
  let swallowed = 0;
  const swallow = (async () => {
    const into = new Uint8Array(64 * 1024);
    for (;;) {
      const read = greedy.server.read(into);
      const count = read instanceof Promise ? await read : read;
      if (count === null) return;
      swallowed += count;
    }
  })();
  const echoing = echoBytes(modest.server);
  for (let round = 0, before = 0; round < 50 || swallowed === before; round++) {
    before = swallowed;
    await writeAll(modest.client, Uint8Array.of(round));
    assert.equal(await modest.client.read(new Uint8Array(1)), 1);
  }
  stop = true;
  await flood;
  greedy.client.close();
  await swallow;
  modest.client.close();
  await echoing;
});

/** Sends back what comes, as it comes. */
async function echoBytes(socket: Socket): Promise<void> {
  const into = new Uint8Array(100);
  for (let count = await socket.read(into); count !== null; count = await socket.read(into)) {
    await writeAll(socket, into.subarray(0, count));
  }
}

/** What a peer has of a connection: bytes, and how it ended. */
async function endSeen(by: Socket): Promise<[bytes: number, end: string]> {
  const into = new Uint8Array(4_096);
  for (let bytes = 0;;) {
    try {
      const count = await by.read(into);
      if (count === null) return [bytes, "end"];
      bytes += count;
    } catch (error) {
      return [bytes, `${errorCode(error)}`];
    }
  }
}

/** How a peer sees the reset of a connection of `engine`. */
const resetOf = (engine: Engine) => engine.name === "native" ? "ECONNRESET" : "end";

for (const peers of engines) {
  engineTest(`a reset is seen by the ${peers.name} engine as what its peer's can do`, async (engine) => {
    for (const side of ["client", "server"] as const) {
      using ends = side === "client" ? await connectedEnds(peers, engine) : await connectedEnds(engine, peers);
      const peer = side === "client" ? ends.server : ends.client;
      await writeAll(ends[side], noise(1_000, 1));
      assert.equal(await peer.read(new Uint8Array(1_000)), 1_000);
      ends[side].reset();
      ends[side].reset();
      assert.deepEqual(await endSeen(peer), [0, resetOf(engine)]);
      await assert.rejects(async () => await ends[side].read(new Uint8Array(1)));
    }
  });
}

engineTest("a reset ends a read and a write of its peer that wait", async (engine) => {
  if (engine.name !== "native") return;
  using ends = await connectedEnds(engine);
  const writing = assert.rejects(async () => {
    for (;;) await ends.client.write(new Uint8Array(256 * 1024));
  }, (error) => ["ECONNRESET", "EPIPE"].includes(errorCode(error)!));
  const reading = assert.rejects(async () => await ends.client.read(new Uint8Array(1)), Deno.errors.ConnectionReset);
  await pause(0);
  ends.server.reset();
  await Promise.all([writing, reading]);
});

engineTest(
  "whether a close resets can be set and taken back, and a listening socket sets it for all",
  async (engine) => {
    for (
      const [listensSo, sets, wanted] of [
        [false, [], "end"],
        [false, [true], resetOf(engine)],
        [false, [true, false], "end"],
        [true, [], resetOf(engine)],
        [true, [false], "end"],
        [true, [false, true], resetOf(engine)],
      ] as const
    ) {
      using ends = await connectedEnds(engine, engine, { listen: { resets: listensSo } });
      for (const set of sets) ends.server.setResetAtClose(set);
      ends.server.close();
      assert.deepEqual(await endSeen(ends.client), [0, wanted], `${listensSo} ${sets}`);
    }
  },
);

engineTest("an end that was written outlives a close, also with bytes that were not read", async (engine) => {
  using ends = await connectedEnds(engine);
  await writeAll(ends.server, noise(1_000, 1));
  await writeAll(ends.client, noise(1_000, 1)); // which nobody reads
  assert.equal(await ends.client.read(new Uint8Array(1_000)), 1_000);
  await pause(10);
  ends.server.close();
  const [bytes, end] = await endSeen(ends.client);
  assert.equal(bytes, 0);
  if (engine.name === "native") assert.equal(end, "end");
});

engineTest("what can still be asked of a socket that is closed is nothing, and no error", async (engine) => {
  using ends = await connectedEnds(engine);
  const { client } = ends;
  client.close();
  client.setResetAtClose(true);
  client.setKeepAlive({ idle: 1, interval: 1, probes: 1 });
  assert.deepEqual([client.unacknowledged(), client.keepAlive(), client.signs(), client.tcp()], [
    0,
    undefined,
    undefined,
    undefined,
  ]);
  await assert.rejects(client.closeWrite());
});
