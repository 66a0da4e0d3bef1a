import assert from "node:assert/strict";
import { formatAddress } from "../protocol/address.ts";
import { connectedEnds, engineTest } from "./_engines_fixture_test.ts";
import { tcpTransport, tlsTransport } from "./transport.ts";
import type { TlsSocket } from "./socket.ts";
import { FakeSocket } from "../relay/_fakes_test.ts";
import { test } from "../tests/rig/test.ts";

engineTest("a TCP connection is a transport that knows both its addresses", async (engine) => {
  using ends = await connectedEnds(engine);
  const transport = tcpTransport(ends.client);
  assert.deepEqual([transport.kind, transport.noDelay, transport.duplex], ["tcp", true, ends.client]);
  assert.equal(transport.remote, formatAddress(ends.server.localAddress));
  assert.equal(transport.local, formatAddress(ends.server.remoteAddress));
  assert.match(transport.local, /^127\.0\.0\.1:\d+$/);
  transport.cut();
  transport.cut();
  assert.equal(await ends.server.read(new Uint8Array(1)), null);
});

/** A connection in TLS, of which nothing is asked but facts. */
class Tls extends FakeSocket implements TlsSocket {
  override readonly remoteAddress = { host: "::1", port: 22 };
  readonly noDelay = false;
  wasCut = false;

  handshake(): Promise<void> {
    return Promise.resolve();
  }

  cut(): void {
    this.wasCut = true;
  }

  exporter(): undefined {}

  peerEnds(): undefined {}
}

test("a TLS connection is a transport that knows both its addresses, IPv6 in brackets", () => {
  const tls = new Tls();
  const { kind, noDelay, local, remote, duplex, cut } = tlsTransport(tls);
  assert.deepEqual({ kind, noDelay, local, remote }, {
    kind: "tls",
    noDelay: false,
    local: "127.0.0.1:1",
    remote: "[::1]:22",
  });
  assert.equal(duplex, tls);
  cut();
  assert.deepEqual([tls.wasCut, tls.closed], [true, false]);
});
