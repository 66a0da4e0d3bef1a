import assert from "node:assert/strict";
import { pinnedCertificate } from "../tls/certificate.ts";
import { canCut, cutTls } from "./socket.ts";
import { test } from "../../tests/rig/test.ts";
import { connected, listenTls, newKey, untilGone } from "../tls/_tls_fixture_test.ts";

/** Runs only where tests may use FFI: elsewhere there is nothing to test. */
function testCut(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: true, sanitizeResources: true, ignore: !canCut() });
}

testCut("a silent peer of an accepted connection sees its end at once, and those beside it do not", async () => {
  using listener = listenTls(await pinnedCertificate(await newKey()));
  const other = await connected(listener);
  const one = await connected(listener);
  const shaken = one.server.handshake().catch(() => "ended");
  cutTls(one.server);
  assert.equal(await one.client.read(new Uint8Array(9)), null);
  assert.equal(await shaken, "ended");
  one.client.close();

  // The other one still talks: it answers what is no TLS with an alert.
  const otherShaken = other.server.handshake().catch(() => {});
  await other.client.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  await otherShaken;
  other.server.close();
  await untilGone(other.client);
  other.client.close();
});

testCut("a peer in the midst of its hello sees the end at once", async () => {
  using listener = listenTls(await pinnedCertificate(await newKey()));
  const { client, server } = await connected(listener);
  const shaken = server.handshake().catch(() => "ended");
  await client.write(Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1));
  cutTls(server);
  await untilGone(client);
  assert.equal(await shaken, "ended");
  client.close();
});

testCut("it works over IPv6, and for IPv4 on a socket that takes both", async () => {
  const pair = await pinnedCertificate(await newKey());
  for (const [bound, dialled] of [["::1", "::1"], ["::", "127.0.0.1"]] as const) {
    using listener = Deno.listenTls({ hostname: bound, port: 0, ...pair });
    const accepted = listener.accept();
    using client = await Deno.connect({ hostname: dialled, port: (listener.addr as Deno.NetAddr).port });
    cutTls(await accepted);
    assert.equal(await client.read(new Uint8Array(9)), null, bound);
  }
});

testCut("a dialled connection is cut just so, and another one to the same address is not", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const other = await connected(listener);
  const { client, server } = await connected(listener);
  const tls = await Deno.startTls(client, { hostname: "relay.example" });
  const shaken = tls.handshake().catch(() => "ended");
  cutTls(tls);
  await untilGone(server);
  assert.equal(await shaken, "ended");
  server.close();
  assert.equal(await other.client.write(Uint8Array.of(1)), 1);
  assert.equal(await other.server.read(new Uint8Array(9)), 1);
  other.client.close();
  other.server.close();
});

test("cutting twice, or what its peer has closed, is no error", async () => {
  using listener = listenTls(await pinnedCertificate(await newKey()));
  const { client, server } = await connected(listener);
  const shaken = server.handshake().catch(() => "ended");
  client.close();
  assert.equal(await shaken, "ended");
  cutTls(server);
  cutTls(server);
  await assert.rejects(server.read(new Uint8Array(1)));
});
