import assert from "node:assert/strict";
import { ALPN } from "../tls/listening.ts";
import { certificateKey, PINNED_NAME, pinnedAnchor, pinnedCertificate } from "../tls/certificate.ts";
import { listenTls, newKey, portOf, rawKey } from "../tls/_tls_fixture_test.ts";
import { test } from "../../tests/rig/test.ts";
import { CHANNEL_BINDING_LABEL, TlsSession, WANT_READ } from "./session.ts";
import { TlsContext } from "./context.ts";
import { TlsError } from "./errors.ts";
import {
  accept,
  clientContext,
  dial,
  hasOpenSsl,
  listen,
  PINNED,
  pinnedPair,
  readSome,
  shake,
  shakeAlone,
  socketPair,
  tcpPair,
  Two,
  writeAll,
} from "./_openssl_fixture_test.ts";

const ignore = !hasOpenSsl;
const HELLO = new TextEncoder().encode("hello");

test("two sessions agree on TLS 1.3, the protocol, a cipher and a binding that nobody else has", async () => {
  using pair = await pinnedPair();
  const bindings: string[] = [];
  for (let n = 0; n < 2; n++) {
    using two = new Two(pair.client, pair.server);
    assert.equal(two.server.hasReceived, false);
    shake(two.client, two.server);
    for (const each of [two.client, two.server]) {
      assert.equal(each.alpn, ALPN);
      assert.equal(each.version, "TLSv1.3");
      assert.equal(each.cipher, "TLS_AES_128_GCM_SHA256");
      assert.equal(each.hasReceived, true);
      bindings.push(each.exporter(CHANNEL_BINDING_LABEL, 32).join());
    }
    assert.deepEqual(certificateKey(two.client.peerCertificate()!), pair.key);
    assert.equal(two.server.peerCertificate(), undefined);
  }
  assert.equal(bindings[0], bindings[1]);
  assert.equal(bindings[2], bindings[3]);
  assert.notEqual(bindings[0], bindings[2]);
}, { ignore });

test("nothing can be derived, and nothing read, before the handshake is done", async () => {
  using pair = await pinnedPair();
  using two = new Two(pair.client, pair.server);
  assert.throws(() => two.client.exporter(CHANNEL_BINDING_LABEL, 32), /before its handshake is done/);
  assert.equal(two.server.handshake(), "want-read");
  assert.equal(two.client.handshake(), "want-read");
  assert.equal(two.client.closeWrite(), "done");
}, { ignore });

test("a client of the runtime's speaks with a session, byte for byte, and takes its end for one", async () => {
  const keyPair = await newKey();
  const context = TlsContext.server(await pinnedCertificate(keyPair), { alpn: ALPN });
  using listener = listen();
  const dialled = Deno.connect({ hostname: "127.0.0.1", port: listener.port });
  using accepted = await accept(listener);
  const server = TlsSession.accept(context, accepted.fd);
  using conn = await Deno.startTls(await dialled, {
    hostname: PINNED_NAME,
    alpnProtocols: ["h2", ALPN],
    caCerts: [pinnedAnchor(await rawKey(keyPair))],
  });
  await Promise.all([shakeAlone(server, accepted.fd), conn.handshake()]);
  assert.equal((await conn.handshake()).alpnProtocol, ALPN);
  await conn.write(HELLO);
  assert.deepEqual(await readSome(server, accepted.fd), HELLO);
  const much = crypto.getRandomValues(new Uint8Array(65_536));
  const sent = (async () => {
    for (let n = 0; n < 40; n++) await writeAll(server, accepted.fd, much);
    assert.equal(server.closeWrite(), "done");
  })();
  const got = await new Response(conn.readable).bytes();
  await sent;
  assert.equal(got.length, 40 * much.length);
  for (let n = 0; n < 40; n++) assert.deepEqual(got.subarray(n * much.length, (n + 1) * much.length), much);
  server.free();
  context.close();
}, { ignore });

test("a session speaks with a listener of the runtime's, byte for byte", async () => {
  const keyPair = await newKey();
  const trusting = clientContext({ kind: "pinned", keys: [await rawKey(keyPair)] });
  using listener = listenTls(await pinnedCertificate(keyPair), ["h2", ALPN]);
  using socket = dial(portOf(listener));
  using peer = await listener.accept();
  const shaken = peer.handshake();
  const client = TlsSession.connect(trusting, socket.fd, PINNED);
  await shakeAlone(client, socket.fd);
  assert.equal((await shaken).alpnProtocol, ALPN);
  assert.equal(client.alpn, ALPN);
  assert.equal(client.version, "TLSv1.3");
  const much = new Uint8Array(1_000_000).map((_, at) => at * 7 + (at >> 8));
  const echo = (async () => {
    const chunk = new Uint8Array(30_000);
    for (let count = await peer.read(chunk); count !== null; count = await peer.read(chunk)) {
      for (let at = 0; at < count;) at += await peer.write(chunk.subarray(at, count));
    }
  })();
  const written = writeAll(client, socket.fd, much);
  for (let at = 0; at < much.length;) {
    const some = await readSome(client, socket.fd);
    assert.deepEqual(some, much.subarray(at, at += some.length));
  }
  await written;
  assert.equal(client.closeWrite(), "done");
  await echo;
  client.free();
  trusting.close();
}, { ignore });

test("a side that has ended its writing goes on reading, and only such an end is an orderly one", async () => {
  using pair = await pinnedPair();
  const into = new Uint8Array(99);
  using two = new Two(pair.client, pair.server, PINNED, await tcpPair());
  const { client, server, clientSocket } = two;
  await Promise.all([shakeAlone(client, two.clientSocket.fd), shakeAlone(server, two.serverSocket.fd)]);
  assert.equal(client.write(HELLO), HELLO.length);
  assert.equal(client.closeWrite(), "done");
  assert.equal((await readSome(server, two.serverSocket.fd)).length, HELLO.length);
  assert.equal((await readSome(server, two.serverSocket.fd)).length, 0);
  assert.equal(server.read(into), 0);
  assert.equal(server.write(HELLO), HELLO.length);
  assert.equal((await readSome(client, clientSocket.fd)).length, HELLO.length);
  two.serverSocket.shutdown();
  await assert.rejects(
    readSome(client, clientSocket.fd),
    (error) => error instanceof TlsError && error.kind === "truncated" && error.message.includes("close_notify"),
  );
  assert.throws(() => client.read(into), TlsError);
  assert.throws(() => client.write(HELLO), TlsError);
}, { ignore });

test("a peer that resets is told with the system's word, and writing to it kills nobody", async () => {
  using pair = await pinnedPair();
  using two = new Two(pair.client, pair.server, PINNED, await tcpPair());
  const { client, server, clientSocket, serverSocket } = two;
  await Promise.all([shakeAlone(client, clientSocket.fd), shakeAlone(server, serverSocket.fd)]);
  clientSocket.reset();
  const failed = (error: unknown) => error instanceof TlsError && error.kind === "socket";
  await assert.rejects(
    readSome(server, serverSocket.fd),
    (error) => failed(error) && (error as TlsError).code === "ECONNRESET",
  );
  using other = new Two(pair.client, pair.server);
  shake(other.client, other.server);
  other.clientSocket.close();
  assert.throws(() => other.server.write(new Uint8Array(300_000)), failed);
  using third = new Two(pair.client, pair.server);
  shake(third.client, third.server);
  third.clientSocket.close();
  assert.throws(() => third.server.write(HELLO), failed);
}, { ignore });

test("the key changes while bytes flow, as often as it is told", async () => {
  const keyPair = await newKey();
  const options = { alpn: ALPN, recordsPerKey: 3 };
  const server = TlsContext.server(await pinnedCertificate(keyPair), options);
  const trust = { kind: "pinned", keys: [await rawKey(keyPair)] } as const;
  const client = TlsContext.client({ ...options, trust });
  {
    using two = new Two(client, server);
    shake(two.client, two.server);
    const into = new Uint8Array(70_000);
    for (let n = 0; n < 50; n++) {
      const bytes = crypto.getRandomValues(new Uint8Array(n % 2 === 0 ? 100 : 40_000));
      for (const [from, to] of [[two.client, two.server], [two.server, two.client]] as const) {
        assert.equal(from.write(bytes), bytes.length);
        let count = 0;
        while (count < bytes.length) count += Math.max(0, to.read(into.subarray(count)));
        assert.deepEqual(into.subarray(0, count), bytes);
      }
    }
  }
  client.close();
  server.close();
}, { ignore });

test("a session that has read all knows that it has", async () => {
  using pair = await pinnedPair();
  using two = new Two(pair.client, pair.server);
  shake(two.client, two.server);
  const into = new Uint8Array(4_096);
  assert.equal(two.server.read(into), WANT_READ);
  assert.equal(two.server.isDrained, true);
  two.client.write(HELLO);
  assert.equal(two.server.read(into), HELLO.length);
  assert.equal(two.server.isDrained, true);
  two.client.write(new Uint8Array(10_000));
  assert.equal(two.server.read(into), into.length);
  assert.equal(two.server.hasPending, true);
  assert.equal(two.server.isDrained, false);
  two.client.write(HELLO); // for which the socket changes, and nobody will be told of that again
  const large = new Uint8Array(20_000);
  assert.equal(two.server.read(large), 10_000 - into.length);
  assert.equal(two.server.isDrained, false);
  assert.equal(two.server.read(large), HELLO.length);
  assert.equal(two.server.isDrained, true);
}, { ignore });

for (const cut of [1, 4, 5, 6, 3_000, 10_021]) {
  test(`a session that had ${cut} bytes of a record does not take the rest of it for all that there is`, async () => {
    using pair = await pinnedPair();
    const [[near, out], [into, far]] = [socketPair(), socketPair()];
    const [client, server] = [TlsSession.connect(pair.client, near.fd, PINNED), TlsSession.accept(pair.server, far.fd)];
    for (let states = ""; states !== "done,done";) {
      states = [client.handshake(), server.handshake()].join();
      for (const [from, to] of [[out, into], [into, out]] as const) {
        const bytes = from.receive();
        if (bytes.length > 0) to.send(bytes);
      }
    }
    const room = new Uint8Array(20_000);
    client.write(new Uint8Array(10_000));
    const record = out.receive();
    into.send(record.slice(0, cut));
    assert.equal(server.read(room), WANT_READ);
    client.write(HELLO);
    into.send(record.slice(cut));
    into.send(out.receive());
    if (cut >= 5) { // the header is there, and a receive asks for the rest of that record alone
      assert.equal(server.read(room), 10_000);
      assert.equal(server.isDrained, false, "there is more");
      assert.equal(server.read(room), HELLO.length);
    } else {
      assert.equal(server.read(room), 10_000 + HELLO.length);
      assert.equal(server.isDrained, false, "it is not known");
      assert.equal(server.read(room), WANT_READ);
    }
    assert.equal(server.isDrained, true);
    client.free();
    server.free();
    for (const socket of [near, out, into, far]) socket.close();
  }, { ignore });
}

test("what is freed is freed once, and says so to whoever goes on", async () => {
  using pair = await pinnedPair();
  using two = new Two(pair.client, pair.server);
  shake(two.client, two.server);
  pair.server.close(); // its sessions go on
  assert.equal(two.server.write(HELLO), HELLO.length);
  two.server.free();
  two.server.free();
  assert.throws(() => two.server.write(HELLO), /was freed/);
  assert.throws(() => two.server.read(new Uint8Array(9)), /was freed/);
  assert.throws(() => two.server.alpn, /was freed/);
  assert.equal(two.server.hasPending, false);
  assert.throws(() => TlsSession.accept(pair.server, two.serverSocket.fd), /the context is closed/);
}, { ignore });
