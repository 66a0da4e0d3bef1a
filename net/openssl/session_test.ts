import assert from "node:assert/strict";
import { ALPN } from "../tls/listening.ts";
import { PINNED_NAME, pinnedAnchor, pinnedCertificate } from "../tls/certificate.ts";
import { listenTls, newKey, portOf, rawKey } from "../tls/_tls_fixture_test.ts";
import { test } from "../../tests/rig/test.ts";
import { CHANNEL_BINDING_LABEL, TlsSession } from "./session.ts";
import { TlsContext } from "./context.ts";
import {
  accept,
  clientContext,
  dial,
  hasOpenSsl,
  listen,
  pinnedPair,
  readSome,
  shake,
  shakeAlone,
  socketPair,
  writeAll,
} from "./_openssl_fixture_test.ts";

const ignore = !hasOpenSsl;
const PINNED = { serverName: PINNED_NAME, verifyName: undefined };
const HELLO = new TextEncoder().encode("hello");

test("two sessions agree on TLS 1.3, the protocol, a cipher and a binding that nobody else has", async () => {
  using pair = await pinnedPair();
  const sessions: TlsSession[] = [];
  const bindings = new Set<string>();
  for (let n = 0; n < 2; n++) {
    const [a, b] = socketPair();
    const [client, server] = [TlsSession.connect(pair.client, a.fd, PINNED), TlsSession.accept(pair.server, b.fd)];
    shake(client, server);
    for (const each of [client, server]) {
      assert.equal(each.alpn, ALPN);
      assert.equal(each.version, "TLSv1.3");
      assert.equal(each.cipher, "TLS_AES_128_GCM_SHA256");
      bindings.add(each.exporter(CHANNEL_BINDING_LABEL, 32).toHex());
      sessions.push(each);
    }
    for (const each of [client, server]) each.free();
    for (const each of [a, b]) each.close();
  }
  assert.equal(bindings.size, 2);
}, { ignore });

test("a client of the runtime's speaks with a session, and a session with a listener of the runtime's", async () => {
  const keyPair = await newKey();
  const key = await rawKey(keyPair);
  const pem = await pinnedCertificate(keyPair);

  const context = TlsContext.server(pem, { alpn: ALPN });
  using listener = listen();
  const dialled = Deno.connectTls({
    hostname: "127.0.0.1",
    port: listener.port,
    alpnProtocols: [ALPN],
    caCerts: [pinnedAnchor(key)],
    unsafelyDisableHostnameVerification: true,
  });
  using accepted = await accept(listener);
  const server = TlsSession.accept(context, accepted.fd);
  await shakeAlone(server, accepted.fd);
  using conn = await dialled;
  assert.equal((await conn.handshake()).alpnProtocol, ALPN);
  await conn.write(HELLO);
  assert.deepEqual(await readSome(server, accepted.fd), HELLO);
  await writeAll(server, accepted.fd, HELLO);
  const into = new Uint8Array(99);
  assert.equal(await conn.read(into), HELLO.length);
  assert.equal(server.closeWrite(), "done");
  assert.equal(await conn.read(into), null);
  server.free();
  context.close();

  using theirs = listenTls(pem);
  using socket = dial(portOf(theirs));
  using peer = await theirs.accept();
  const shaken = peer.handshake();
  const trusting = clientContext({ kind: "pinned", keys: [key] });
  const client = TlsSession.connect(trusting, socket.fd, PINNED);
  await shakeAlone(client, socket.fd);
  assert.equal((await shaken).alpnProtocol, ALPN);
  assert.equal(client.alpn, ALPN);
  await peer.write(HELLO);
  assert.deepEqual(await readSome(client, socket.fd), HELLO);
  await writeAll(client, socket.fd, HELLO);
  assert.equal(await peer.read(into), HELLO.length);
  client.free();
  trusting.close();
}, { ignore });
