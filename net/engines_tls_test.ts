import assert from "node:assert/strict";
import { engines, LOCAL, never, readAll, writeAll } from "./_engines_fixture_test.ts";
import { type SecurePair, securePair, TestCertificate, wayTest } from "./_ways_fixture_test.ts";
import type { Engine, TlsSocket } from "./socket.ts";
import { TlsHandshakeError } from "./tls/listening.ts";
import { ServerIdentityError, type TlsSecurity } from "./tls/proof.ts";
import { newKey, rawKey } from "./tls/_tls_fixture_test.ts";
import { tcpTransport } from "./transport.ts";
import { systemClock } from "../base/clock.ts";
import { noise } from "../tests/rig/bytes.ts";
import { RecordingLogger } from "../tests/rig/logger.ts";
import { test, type TestOptions } from "../tests/rig/test.ts";

/** A test for each pair of engines. */
function pairTest(
  name: string,
  fn: (client: Engine, server: Engine) => Promise<void>,
  options?: TestOptions,
): void {
  for (const client of engines) {
    for (const server of engines) {
      test(`TLS, ${client.name} to ${server.name}: ${name}`, () => fn(client, server), options);
    }
  }
}

const [native] = engines;
const hasBinding = native?.tls.binds === true;

test("what names a TLS connection is the same on both sides, and another one for each connection", async () => {
  const known = await TestCertificate.make();
  const pairs: SecurePair[] = [];
  for (let n = 0; n < 3; n++) pairs.push(await securePair(known, native!, native!));
  const names = pairs.map(({ clientTls, serverTls }) => {
    const [ours, theirs] = [clientTls.exporter()!, serverTls.exporter()!];
    assert.equal(ours.length, 32);
    assert.deepEqual(ours, theirs);
    return ours.toHex();
  });
  assert.equal(new Set(names).size, names.length);
  for (const pair of pairs) await pair.close();
}, { ignore: !hasBinding });

pairTest("a connection that cannot be named says so", async (client, server) => {
  const pair = await securePair(await TestCertificate.make(), client, server);
  for (const [engine, tls] of [[client, pair.clientTls], [server, pair.serverTls]] as const) {
    assert.equal(tls.exporter() !== undefined, engine.tls.binds);
  }
  await pair.close();
});

pairTest("a device knows when the certificate of its server ends", async (client, server) => {
  const pair = await securePair(await TestCertificate.make(), client, server);
  assert.equal(pair.clientTls.peerEnds(), Date.UTC(9999, 11, 31, 23, 59, 59));
  assert.equal(pair.serverTls.peerEnds(), undefined, "devices have none");
  await pair.close();
});

pairTest(
  "a server with another key than the pinned one is refused by both, and nothing is left",
  async (client, server) => {
    const known = await TestCertificate.make();
    const security = { kind: "pinned", serverKey: await rawKey(await newKey()) } as const;
    await withEntrance(known, server, async (port, next) => {
      const target = { server: { host: "127.0.0.1", port }, security, wallClock: Date.now() };
      const socket = await client.tls.sockets.connect(target.server, { signal: never });
      let ours: Pick<TlsSocket, "cut"> | undefined;
      const dialled = assert.rejects(client.tls.connect(socket, target, (tls) => ours = tls), ServerIdentityError);
      const tls = await next;
      const shaken = tls.handshake().then(async () => {
        assert.equal(await tls.read(new Uint8Array(1)), null, "the alert comes behind the server's part");
      });
      await dialled;
      ours!.cut();
      await assert.rejects(shaken);
      tls.cut();
    });
  },
);

/** An entrance to `server`, and who is the first to come to it. */
async function withEntrance(
  { certificate }: TestCertificate,
  server: Engine,
  fn: (port: number, next: Promise<TlsSocket>) => Promise<void>,
): Promise<void> {
  const came = Promise.withResolvers<TlsSocket>();
  const entrance = server.tls.entrance(certificate, systemClock, new RecordingLogger(), (_, tls) => came.resolve(tls));
  const listener = server.tls.sockets.listen(LOCAL);
  const entered = Promise.resolve(listener.accept()).then((socket) => entrance.enter(tcpTransport(socket)));
  await fn(listener.address.port, came.promise);
  await entered;
  listener.close();
  entrance.close();
  await entrance.ended();
}

for (const client of engines) {
  test(`TLS, ${client.name}: a handshake with a server that stands still ends when it is cut`, async () => {
    const listener = client.tls.sockets.listen(LOCAL);
    const { security } = await TestCertificate.make();
    const socket = await client.tls.sockets.connect(listener.address, { signal: never });
    const peer = await listener.accept();
    const begun = Promise.withResolvers<Pick<TlsSocket, "cut">>();
    const target = { server: listener.address, security, wallClock: Date.now() };
    const dialled = assert.rejects(client.tls.connect(socket, target, begun.resolve));
    assert(await peer.read(new Uint8Array(10_000)), "it has begun");
    const tls = await begun.promise;
    tls.cut();
    tls.cut();
    if (client.name === "portable") peer.close(); // the runtime lets go only when the peer does
    await dialled;
    if (client.name === "native") assert.equal(await peer.read(new Uint8Array(1)), null);
    peer.close();
    listener.close();
  });
}

test("the server's handshake that waits for a silent client ends when it is cut", async () => {
  const known = await TestCertificate.make();
  await withEntrance(known, native!, async (port, next) => {
    using client = await Deno.connect({ hostname: "127.0.0.1", port });
    const tls = await next;
    const shaken = assert.rejects(tls.handshake(), TlsHandshakeError);
    tls.cut();
    await shaken;
    await assert.rejects(tls.handshake());
    assert.equal(await client.read(new Uint8Array(1)).catch(() => null), null);
  });
}, { ignore: !hasBinding });

wayTest("a connection that is cut in the middle is a failure in TLS, never an end", async (way) => {
  if (!way.secure || way.server.name !== "native" || way.client.name !== "native") return;
  const pair = await securePair(await TestCertificate.make(), way.client, way.server);
  await writeAll(pair.server, noise(10_000, 1));
  const into = new Uint8Array(10_000);
  for (let at = 0; at < into.length;) at += (await pair.client.read(into.subarray(at)))!;
  pair.serverTls.cut();
  await assert.rejects(async () => await pair.client.read(into));
  await pair.close();
});

test("a certificate that has changed is what the next ones are given, and those there go on", async () => {
  const [known, other] = [await TestCertificate.make(), await TestCertificate.make()];
  let { pair } = known.certificate;
  const changing = Object.create(known.certificate, { pair: { get: () => pair } });
  const came: TlsSocket[] = [];
  const entrance = native!.tls.entrance(changing, systemClock, new RecordingLogger(), (_, tls) => void came.push(tls));
  const listener = native!.tls.sockets.listen(LOCAL);
  const dial = async (security: TlsSecurity) => {
    const socket = await native!.connect(listener.address, { signal: never });
    entrance.enter(tcpTransport(await listener.accept()));
    const target = { server: listener.address, security, wallClock: Date.now() };
    const [tls] = await Promise.all([native!.tls.connect(socket, target, () => {}), came.at(-1)!.handshake()]);
    return tls;
  };
  const first = await dial(known.security);
  pair = other.certificate.pair;
  const second = await dial(other.security);
  entrance.close();
  await writeAll(first, Uint8Array.of(1));
  assert.equal(await came[0]!.read(new Uint8Array(9)), 1);
  const late = await native!.connect(listener.address, { signal: never });
  entrance.enter(tcpTransport(await listener.accept()));
  assert.equal(await late.read(new Uint8Array(1)), null, "who comes too late is not let in");
  assert.equal(came.length, 2);
  for (const each of [first, second, late, listener, ...came]) each.close();
}, { ignore: !hasBinding });

pairTest("a session of many connections one after the other leaves nothing", async (client, server) => {
  const known = await TestCertificate.make();
  for (let n = 0; n < 10; n++) {
    const pair = await securePair(known, client, server);
    await writeAll(pair.client, noise(1_000, n));
    await pair.client.closeWrite();
    assert.deepEqual(await readAll(pair.server), noise(1_000, n));
    await pair.close();
  }
});
