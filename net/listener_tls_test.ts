import assert from "node:assert/strict";
import { CERTIFICATE_POLL_MS, MAX_ACCEPT_PAUSE_MS, MIN_ACCEPT_PAUSE_MS } from "./limits.ts";
import { Listener, ListenError } from "./listener.ts";
import { PINNED_NAME, pinnedAnchor } from "./tls/certificate.ts";
import { systemClock } from "../base/clock.ts";
import { portableEngine } from "./portable/engine.ts";
import type { TlsSocket } from "./socket.ts";
import { ALPN, handshakeTls, ServerCertificate } from "./tls/listening.ts";
import { FakeClock } from "../tests/rig/clock.ts";
import { newKey, rawKey, shake, TestAuthority } from "./tls/_tls_fixture_test.ts";
import { RecordingLogger } from "../tests/rig/logger.ts";
import { settled } from "../tests/rig/wait.ts";
import { test } from "../tests/rig/test.ts";

const LOCAL = { host: "127.0.0.1", port: 0 };
const portOf = (listener: { address: string }) => Number(listener.address.split(":").at(-1));

const listenTls = portableEngine.tls.listen!; // the native engine needs no such listener

/** A TLS listener, and the connections that it hands over, in their order. */
function openTls(
  certificate: ServerCertificate,
  clock = new FakeClock(),
  logger = new RecordingLogger(),
  listen = listenTls,
) {
  const conns: TlsSocket[] = [];
  let wake = () => {};
  const listener = Listener.openTls(LOCAL, certificate, listen, clock, logger, (conn) => {
    conns.push(conn);
    wake();
  });
  const next = async () => {
    while (conns.length === 0) await new Promise<void>((resolve) => wake = resolve);
    return conns.shift()!;
  };
  return { listener, next, clock, logger };
}

/** Connects; while the port is opened anew it is refused for a moment. */
async function connectAgain(port: number): Promise<Deno.TcpConn> {
  for (let tries = 0;; tries++) {
    try {
      return await Deno.connect({ hostname: "127.0.0.1", port });
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused) || tries === 1_000) throw error;
    }
  }
}

/** Dials and goes through the handshake on both sides. @returns both ends, and what the client has to say of it. */
async function talk(port: number, next: () => Promise<TlsSocket>, hostname: string, caCert: string) {
  const client = await connectAgain(port);
  const server = await next();
  const shaken = handshakeTls(server, systemClock, 10_000).then(() => true, () => false);
  const { tls, result } = await shake(client, { hostname, caCerts: [caCert], alpnProtocols: [ALPN] });
  return { tls, server, result, shaken: await shaken };
}

test("a TLS listener hands over connections that wait for their handshake, and frees its port", async () => {
  const keyPair = await newKey();
  const certificate = await ServerCertificate.open(
    { kind: "pinned", keyPair },
    portableEngine.tls,
    new FakeClock(),
    new RecordingLogger(),
  );
  const { listener, next } = openTls(certificate);
  const port = portOf(listener);
  const { tls, server, result, shaken } = await talk(port, next, PINNED_NAME, pinnedAnchor(await rawKey(keyPair)));
  assert.deepEqual([result, shaken], [ALPN, true]);
  tls.close();
  server.close();
  listener.close();
  await listener.ended;
  await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port }), Deno.errors.ConnectionRefused);
});

test("a TLS listener that cannot have its address says so like any other", async () => {
  const source = { kind: "pinned", keyPair: await newKey() } as const;
  const certificate = await ServerCertificate.open(source, portableEngine.tls, new FakeClock(), new RecordingLogger());
  const { listener } = openTls(certificate);
  const address = { ...LOCAL, port: portOf(listener) };
  assert.throws(
    () => Listener.openTls(address, certificate, listenTls, new FakeClock(), new RecordingLogger(), () => {}),
    (error) => error instanceof ListenError && error.code === "EADDRINUSE",
  );
  listener.close();
  await listener.ended;
});

/** A certificate in files of a CA, and what replaces it. */
async function withFiles(
  fn: (certificate: ServerCertificate, ca: string, replace: (names: string[]) => Promise<void>) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  const authority = await TestAuthority.make();
  const [certFile, keyFile] = [`${directory}/cert.pem`, `${directory}/key.pem`];
  const put = async (names: string[]) => {
    const { cert, key } = await authority.certify(names);
    Deno.writeTextFileSync(certFile, cert);
    Deno.writeTextFileSync(keyFile, key);
  };
  await put(["old.example"]);
  const clock = new FakeClock();
  const certificate = await ServerCertificate.open(
    { kind: "files", certFile, keyFile },
    portableEngine.tls,
    clock,
    new RecordingLogger(),
  );
  try {
    await fn(certificate, authority.cert, async (names) => {
      await put(names); // names of another length: the files differ in size, whatever their time
      clock.jump(CERTIFICATE_POLL_MS);
      clock.jump(CERTIFICATE_POLL_MS);
    });
  } finally {
    certificate.close();
    await Deno.remove(directory, { recursive: true });
  }
}

test("a new certificate is presented on the same port to new connections, and those there live on", async () => {
  await withFiles(async (certificate, ca, replace) => {
    const { listener, next, logger } = openTls(certificate);
    const port = portOf(listener);
    const old = await talk(port, next, "old.example", ca);
    assert.equal(old.result, ALPN);

    for (const name of ["renewed.example", "renewed-again.example"]) {
      await replace([name]);
      await settled();
      const renewed = await talk(port, next, name, ca);
      assert.deepEqual([renewed.result, renewed.shaken], [ALPN, true], name);
      renewed.tls.close();
      renewed.server.close();
    }
    const refused = await talk(port, next, "old.example", ca);
    assert.match(String(refused.result), /invalid peer certificate/);
    refused.tls.close();

    await old.tls.write(Uint8Array.of(9));
    const into = new Uint8Array(4);
    assert.equal(await old.server.read(into), 1);
    assert.equal(into[0], 9);
    old.tls.close();
    old.server.close();
    assert.deepEqual(logger.lines, []);
    listener.close();
    await listener.ended;
  });
});

test("a port that is lost while the certificate changes is said once and tried until it can be had", async () => {
  await withFiles(async (certificate, ca, replace) => {
    let port = 0;
    let isTaken = false;
    const busy: typeof listenTls = (address, pair) => {
      if (!isTaken) return listenTls(address, pair);
      assert.equal(address.port, port);
      throw Object.assign(new Deno.errors.AddrInUse("Address already in use (os error 98)"), { code: "EADDRINUSE" });
    };
    const { listener, next, clock, logger } = openTls(certificate, undefined, undefined, busy);
    port = portOf(listener);
    isTaken = true;
    await replace(["renewed.example"]);
    let pause = MIN_ACCEPT_PAUSE_MS;
    for (let n = 0; n < 6; n++) {
      while (clock.pending === 0) await settled(); // the runtime ends the accept that waits in its own time
      assert.equal(clock.pending, 1);
      assert.equal(logger.lines.length, 1);
      if (n < 5) await clock.advance(pause);
      pause = Math.min(MAX_ACCEPT_PAUSE_MS, pause * 2);
    }
    assert.match(logger.lines[0]!, /^error Cannot listen on .* again.*Address already in use/);
    isTaken = false;
    await clock.advance(MAX_ACCEPT_PAUSE_MS);
    const { tls, server, result } = await talk(port, next, "renewed.example", ca);
    assert.equal(result, ALPN);
    tls.close();
    server.close();
    listener.close();
    await listener.ended;
    assert.equal(clock.pending, 0);
  });
});

test("a listener that is closed with a new certificate on its way stays closed", async () => {
  await withFiles(async (certificate, _ca, replace) => {
    const { listener, clock } = openTls(certificate);
    await replace(["renewed.example"]);
    listener.close();
    await listener.ended;
    await replace(["renewed-again.example"]);
    const port = portOf(listener);
    await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port }), Deno.errors.ConnectionRefused);
    assert.equal(clock.pending, 0);
  });
});
