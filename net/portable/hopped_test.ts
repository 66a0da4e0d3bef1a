import assert from "node:assert/strict";
import { LINGER_MS } from "../limits.ts";
import { systemClock } from "../../base/clock.ts";
import { HoppedTls } from "./hopped.ts";
import { LoopbackHop } from "./loopback_hop.ts";
import { connectedEnds } from "../_engines_fixture_test.ts";
import { portableEngine } from "./engine.ts";
import { PortableSocket } from "./tcp_socket.ts";
import type { TlsSocket } from "../socket.ts";
import { PINNED_NAME, pinnedAnchor } from "../tls/certificate.ts";
import { ALPN, handshakeTls, ServerCertificate } from "../tls/listening.ts";
import { tcpTransport, type Transport } from "../transport.ts";
import { FakeDuplex } from "../../relay/_fakes_test.ts";
import { newKey, rawKey, shake } from "../tls/_tls_fixture_test.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { isSettled, settled } from "../../tests/rig/wait.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { test } from "../../tests/rig/test.ts";

test("TLS is spoken behind a hop, with the addresses of the outer connection, and strangers on the inner port are let go", async () => {
  const keyPair = await newKey();
  const certificate = await ServerCertificate.open(
    { kind: "pinned", keyPair },
    portableEngine.tls,
    new FakeClock(),
    new RecordingLogger(),
  );
  const came = Promise.withResolvers<{ transport: Transport; conn: TlsSocket }>();
  let count = 0;
  const listen = portableEngine.tls.listen!;
  const log = new RecordingLogger();
  const hopped = new HoppedTls(portableEngine, listen, certificate, systemClock, log, (transport, conn) => {
    count++;
    came.resolve({ transport, conn });
  });

  using stranger = await Deno.connect({ hostname: "127.0.0.1", port: hopped.port });
  await stranger.closeWrite(); // the runtime lets go of a silent one only when it ends
  assert.equal(await stranger.read(new Uint8Array(1)).catch(() => null), null);
  assert.equal(count, 0);

  using ends = await connectedEnds(portableEngine);
  const entered = hopped.enter({ ...tcpTransport(ends.server), remote: "203.0.113.7:4711" });
  assert(ends.client instanceof PortableSocket);
  const shaking = shake(ends.client.conn, {
    hostname: PINNED_NAME,
    caCerts: [pinnedAnchor(await rawKey(keyPair))],
    alpnProtocols: [ALPN],
  });
  const { transport, conn } = await came.promise;
  await entered;
  assert.deepEqual([transport.kind, transport.remote], ["tls", "203.0.113.7:4711"]);
  assert.match(transport.local, /^127\.0\.0\.1:/);
  await handshakeTls(conn, systemClock, 10_000);
  const { tls, result } = await shaking;
  assert.equal(result, ALPN);
  await tls.write(Uint8Array.of(9));
  const into = new Uint8Array(4);
  assert.equal(await transport.duplex.read(into), 1);
  transport.cut();
  hopped.close();
  await hopped.ended();
  assert.equal(await tls.read(into).catch(() => null), null);
  tls.close();
});

test("a hop whose inner side is done waits a bounded time for a peer that stands still", async () => {
  const clock = new FakeClock();
  const [outside, inside] = [new FakeDuplex(), new FakeDuplex()];
  const hop = new LoopbackHop(outside, inside, clock);
  await settled();
  hop.finish();
  hop.finish();
  await clock.advance(LINGER_MS - 1);
  assert.equal(await isSettled(hop.ended), false);
  await clock.advance(1);
  await hop.ended;
  assert.equal(clock.pending, 0);
});

test("a hop ends when both sides have, and at once when one fails", async () => {
  const clock = new FakeClock();
  const [outside, inside] = [new FakeDuplex(), new FakeDuplex()];
  const hop = new LoopbackHop(outside, inside, clock);
  outside.feed(null);
  assert.equal(await isSettled(hop.ended), false);
  inside.feed(null);
  await hop.ended;
  const broken = new FakeDuplex();
  const other = new LoopbackHop(broken, new FakeDuplex(), clock);
  broken.close();
  await other.ended;
  assert.equal(clock.pending, 0);
});
