import assert from "node:assert/strict";
import { pinnedCertificate } from "./tls/certificate.ts";
import { closeQuietly, formatNetAddr, tcpTransport, tlsTransport, tuneSocket } from "./transport.ts";
import { FakeDuplex } from "../relay/_fakes_test.ts";
import { connected, listenTls, newKey, untilGone } from "./tls/_tls_fixture_test.ts";
import { test } from "../tests/rig/test.ts";

test("a TCP connection is a transport that knows both its addresses", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using peer = await listener.accept();
  const transport = tcpTransport(conn);
  assert.equal(transport.kind, "tcp");
  assert.equal(transport.remote, `127.0.0.1:${listener.addr.port}`);
  assert.equal(transport.local, formatNetAddr(peer.remoteAddr));
});

test("a TLS connection is a transport that knows both its addresses", async () => {
  using listener = listenTls(await pinnedCertificate(await newKey()));
  const { client, server } = await connected(listener);
  const shaken = server.handshake().catch(() => {});
  const transport = tlsTransport(server, false);
  assert.equal(transport.kind, "tls");
  assert.equal(transport.local, formatNetAddr(client.remoteAddr));
  assert.equal(transport.remote, formatNetAddr(client.localAddr));
  assert.equal(transport.duplex, server);
  await client.closeWrite();
  await shaken;
  server.close();
  await untilGone(client);
  client.close();
});

test("an IPv6 address is written in brackets", () => {
  assert.equal(formatNetAddr({ transport: "tcp", hostname: "::1", port: 22 }), "[::1]:22");
});

test("closing and tuning what is closed already is no error", async () => {
  const duplex = new FakeDuplex();
  closeQuietly(duplex);
  assert.equal(duplex.closed, true);
  closeQuietly(duplex);
  closeQuietly(undefined);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  conn.close();
  tuneSocket(conn);
});
