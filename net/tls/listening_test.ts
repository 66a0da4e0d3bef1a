import assert from "node:assert/strict";
import { CERTIFICATE_CUT_LOOKS, CERTIFICATE_POLL_MS } from "../limits.ts";
import { PINNED_NAME, pinnedAnchor, pinnedCertificate } from "./certificate.ts";
import { systemClock } from "../../base/clock.ts";
import { CertificateError } from "./certificate_files.ts";
import { ALPN, handshakeTls, ServerCertificate, TlsHandshakeError } from "./listening.ts";
import { engine, engineTest, LOCAL } from "../_engines_fixture_test.ts";
import type { Engine, TlsEngine, TlsSocket } from "../socket.ts";
import { tcpTransport, type Transport } from "../transport.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { type CertificateFields, newKey, rawKey, shake, TestAuthority, untilGone } from "./_tls_fixture_test.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { test } from "../../tests/rig/test.ts";
import { TempFolder } from "../../tests/rig/temp_folder.ts";

let moment = 1_700_000_000;

/** Writes a file a second after the one before, as far as its time tells: tests are faster than file systems. */
function write(file: string, text: string): void {
  Deno.writeTextFileSync(file, text);
  Deno.utimeSync(file, moment, moment);
  moment++;
}

/** A directory with a certificate and its key. */
class Files {
  readonly certFile: string;
  readonly keyFile: string;
  readonly source: { kind: "files"; certFile: string; keyFile: string };

  constructor(readonly directory: string, readonly authority: TestAuthority) {
    this.certFile = `${directory}/cert.pem`;
    this.keyFile = `${directory}/key.pem`;
    this.source = { kind: "files", certFile: this.certFile, keyFile: this.keyFile };
  }

  async put(fields: Partial<CertificateFields> = {}): Promise<{ cert: string; key: string }> {
    const pair = await this.authority.certify(["relay.example"], fields);
    write(this.certFile, pair.cert);
    write(this.keyFile, pair.key);
    return pair;
  }
}

async function withFiles(fn: (files: Files) => Promise<void>): Promise<void> {
  using temporary = new TempFolder();
  const directory = temporary.path;
  await fn(new Files(directory, await TestAuthority.make()));
}

/** What is read from files, with all that a test looks at. */
async function watching(files: Files, tls: Pick<TlsEngine, "demandUsable"> = engine.tls) {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const certificate = await ServerCertificate.open(files.source, tls, clock, logger);
  let changes = 0;
  certificate.subscribe(() => changes++);
  const look = () => clock.jump(CERTIFICATE_POLL_MS);
  return { clock, logger, certificate, look, changes: () => changes };
}

test("the name of the profile in TLS is sallyport/2", () => {
  assert.equal(ALPN, "sallyport/2");
});

test("a pinned certificate is made from the key, and nothing is watched", async () => {
  const keyPair = await newKey();
  const clock = new FakeClock();
  const certificate = await ServerCertificate.open(
    { kind: "pinned", keyPair },
    engine.tls,
    clock,
    new RecordingLogger(),
  );
  assert.deepEqual(certificate.pair, await pinnedCertificate(keyPair));
  assert.equal(clock.timersSet, 0);
  certificate.close();
});

test("new files are taken up when they have stood still for one look, and said once", async () => {
  await withFiles(async (files) => {
    const first = await files.put();
    const { clock, logger, certificate, look, changes } = await watching(files);
    assert.deepEqual(certificate.pair, first);
    look();
    look();
    assert.deepEqual([certificate.pair, changes(), logger.lines], [first, 0, []]);

    const second = await files.put();
    look();
    assert.deepEqual([certificate.pair, changes()], [first, 0], "nobody waited for the writer to be done");
    look();
    assert.deepEqual([certificate.pair, changes()], [second, 1]);
    look();
    look();
    assert.equal(changes(), 1);
    assert.equal(logger.lines.length, 1);
    assert.match(logger.lines[0]!, /^info new connections get the new certificate/);
    certificate.close();
    assert.equal(clock.pending, 0);
  });
});

for (
  const [what, replace, says] of [
    ["a pipe", (file: string) => new Deno.Command("mkfifo", { args: [file] }).outputSync(), /it is not a file/],
    ["a huge file", (file: string) => {
      Deno.writeTextFileSync(file, "");
      Deno.truncateSync(file, 2 ** 40);
    }, /bytes, more than 1 MiB/],
  ] as const
) {
  test(`${what} in the place of a certificate is told, waited for by nobody, and can be mended`, async () => {
    await withFiles(async (files) => {
      const first = await files.put();
      const { logger, certificate, look } = await watching(files);
      Deno.removeSync(files.certFile);
      replace(files.certFile);
      for (let looks = 0; looks < 4; looks++) look();
      assert.equal(logger.lines.length, 1, logger.lines.join("\n"));
      assert.match(logger.lines[0]!, says);
      assert.match(logger.lines[0]!, /^error .*the certificate in use stays/);
      assert.deepEqual(certificate.pair, first);
      Deno.removeSync(files.certFile);
      const second = await files.put();
      for (let looks = 0; looks < 2; looks++) look();
      assert.deepEqual(certificate.pair, second);
      certificate.close();
      await assert.rejects(async () => {
        Deno.removeSync(files.keyFile);
        replace(files.keyFile);
        (await ServerCertificate.open(files.source, engine.tls, new FakeClock(), logger)).close();
      }, says);
    });
  });
}

test("files that are written one after the other are read when both are there", async () => {
  await withFiles(async (files) => {
    await files.put();
    const { logger, certificate, look, changes } = await watching(files);
    const { cert, key } = await files.authority.certify(["relay.example"]);
    write(files.certFile, cert);
    look();
    write(files.keyFile, key);
    look();
    assert.deepEqual([changes(), logger.lines], [0, []]);
    look();
    assert.deepEqual(certificate.pair, { cert, key });
    certificate.close();
  });
});

test("a chain that has become shorter is told as an error, and believed when it has stood still for ten looks", async () => {
  await withFiles(async (files) => {
    const { cert, key } = await files.put();
    write(files.certFile, cert + cert);
    const { logger, certificate, look, changes } = await watching(files);
    const renewed = await files.authority.certify(["relay.example"]);
    write(files.certFile, renewed.cert);
    write(files.keyFile, renewed.key);
    for (let looks = 0; looks < CERTIFICATE_CUT_LOOKS; looks++) look();
    assert.deepEqual([certificate.pair, changes()], [{ cert: cert + cert, key }, 0]);
    assert.match(logger.lines.join(), /^error [^,]* is not taken up yet/);
    write(files.certFile, renewed.cert + cert);
    look();
    look();
    assert.equal(certificate.pair.cert, renewed.cert + cert);
    write(files.certFile, renewed.cert);
    for (let looks = 0; looks <= CERTIFICATE_CUT_LOOKS; looks++) look();
    assert.equal(certificate.pair.cert, renewed.cert);
    assert.equal(logger.lines.filter((line) => line.startsWith("error")).length, 2);
    certificate.close();
  });
});

test("a link that is set to other files counts as a change", async () => {
  await withFiles(async (files) => {
    const first = await files.put();
    const { certFile } = files;
    Deno.renameSync(certFile, `${certFile}.1`);
    Deno.symlinkSync(`${certFile}.1`, certFile);
    const { certificate, look } = await watching(files);
    assert.deepEqual(certificate.pair, first);
    const { cert, key } = await files.authority.certify(["relay.example"]);
    write(`${certFile}.2`, cert);
    Deno.removeSync(certFile);
    Deno.symlinkSync(`${certFile}.2`, certFile);
    write(files.keyFile, key);
    look();
    look();
    assert.deepEqual(certificate.pair, { cert, key });
    certificate.close();
  });
});

/** A time of the wall as certificates have it. */
function asn1(wall: number): string {
  return new Date(wall).toISOString().replaceAll(/[-:T]|\.\d+/g, "").slice(2);
}

test("a certificate that ends soon is told at the start and daily, until a renewed one has been read", async () => {
  await withFiles(async (files) => {
    const day = 86_400_000;
    await files.put({ notAfter: asn1(Date.now() + 1.5 * day) });
    const { clock, logger, certificate, look } = await watching(files);
    const said = () => logger.said.splice(0);
    const line = /^warn: the certificate in \S+cert\.pem ends in 1 day, on \d{4}-\d\d-\d\d: put a new one there/;
    assert.match(said().join(), line);
    assert.match(`warn: ${certificate.warning}`, line);
    for (let looks = 0; looks < 10; looks++) look();
    assert.deepEqual(said(), []);
    clock.jump(day);
    assert.match(said().join(), /ends in less than a day/);
    clock.jump(day / 2);
    assert.match(said().join(), /^error: the certificate in \S+cert\.pem ended on \S+, and devices refuse it: put/);
    clock.jump(day);
    assert.match(said().join(), /^error: the certificate in \S+ ended/);
    await files.put();
    look();
    look();
    assert.match(said().join(), /^info: new connections get the new certificate of \S+$/);
    clock.jump(3 * day);
    assert.deepEqual([said(), certificate.warning], [[], undefined]);
    certificate.close();
    assert.equal(clock.pending, 0);
  });
});

engineTest("a pair that what speaks TLS does not take leaves the one in use, which newcomers get", async (engine) => {
  await withFiles(async (files) => {
    const first = await files.put();
    const { logger, certificate, look, changes } = await watching(files, engine.tls);
    const { cert, key } = await files.authority.certify(["relay.example"]);
    const damaged = cert.replace(/\n[^-\n]{8}/, "\nAAAAAAAA"); // PEM, and no certificate inside
    write(files.certFile, damaged);
    write(files.keyFile, key);
    for (let looks = 0; looks < 4; looks++) look();
    assert.deepEqual([certificate.pair, changes()], [first, 0]);
    assert.match(
      logger.said.join(),
      /^error: the certificate in \S+ and the key in \S+ cannot be used: [^,]*; the cert/,
    );
    write(files.certFile, damaged); // once more, and nothing else to say of it
    for (let looks = 0; looks < 4; looks++) look();
    assert.equal(logger.said.length, 1, logger.said.join("\n"));
    certificate.close();
  });
});

test("a chain that is cut within its second certificate is not whole, however long it stands still", async () => {
  await withFiles(async (files) => {
    const { cert, key } = await files.put();
    write(files.certFile, cert + files.authority.cert);
    const { logger, certificate, look } = await watching(files);
    const renewed = await files.authority.certify(["relay.example"]);
    write(files.certFile, renewed.cert + files.authority.cert.slice(0, 200));
    write(files.keyFile, renewed.key);
    for (let looks = 0; looks < CERTIFICATE_CUT_LOOKS + 2; looks++) look();
    assert.deepEqual(certificate.pair, { cert: cert + files.authority.cert, key });
    assert.match(logger.said.join(), /^error: .* it is not whole: a block in it is damaged, or has no end; the cert/);
    certificate.close();
  });
});

/** Ways to spoil the files, and the line that says so. */
const FAULTS: readonly [what: string, spoil: (files: Files, other: { cert: string; key: string }) => void, RegExp][] = [
  [
    "a certificate that is gone",
    (files) => Deno.removeSync(files.certFile),
    /a certificate from \S+cert\.pem \(tls-cert\): there is no such file/,
  ],
  [
    "a key that is gone",
    (files) => Deno.removeSync(files.keyFile),
    /a private key from \S+key\.pem \(tls-key\): there is no such file/,
  ],
  [
    "text",
    (files) => write(files.certFile, "hello"),
    /from \S+cert\.pem \(tls-cert\): it is not PEM, or not whole/,
  ],
  ["nothing", (files) => write(files.keyFile, ""), /from \S+key\.pem \(tls-key\): it is not PEM, or not whole/],
  [
    "half a certificate",
    (files) => write(files.certFile, Deno.readTextFileSync(files.certFile).slice(0, 200)),
    /from \S+cert\.pem \(tls-cert\): it is not PEM, or not whole/,
  ],
  [
    "a key in place of a certificate",
    (files, other) => write(files.certFile, other.key),
    /a certificate from \S+cert\.pem \(tls-cert\): it has PRIVATE KEY/,
  ],
  [
    "a certificate in place of a key",
    (files, other) => write(files.keyFile, other.cert),
    /a private key from \S+key\.pem \(tls-key\): it has CERTIFICATE/,
  ],
  [
    "a key with a passphrase",
    (files, other) => write(files.keyFile, other.key.replaceAll("PRIVATE", "ENCRYPTED PRIVATE")),
    /from \S+key\.pem \(tls-key\): it is encrypted/,
  ],
  [
    "the key of another certificate",
    (files, other) => write(files.keyFile, other.key),
    /the key in \S+key\.pem is not that of the certificate in \S+cert\.pem/,
  ],
  [
    "PEM with something else inside",
    (files, other) => write(files.keyFile, other.key.replace(/\n.*\n/, "\nAAAA\n")),
    /the certificate in \S+cert\.pem and the key in \S+key\.pem cannot be used/,
  ],
];

for (const [what, spoil, line] of FAULTS) {
  test(`${what}: a running server keeps what it has and says why once; one that starts does not`, async () => {
    await withFiles(async (files) => {
      const first = await files.put();
      const { logger, certificate, look, changes } = await watching(files);
      spoil(files, await files.authority.certify(["relay.example"]));
      for (let n = 0; n < 4; n++) look();
      assert.deepEqual([certificate.pair, changes(), logger.lines.length], [first, 0, 1]);
      assert.match(logger.lines[0]!, /^error \{error\}; the certificate in use stays/);
      assert.match(logger.lines[0]!, line);
      await assert.rejects(
        ServerCertificate.open(files.source, engine.tls, new FakeClock(), logger),
        (error) => error instanceof CertificateError && line.test(error.message) && !error.message.includes("\n"),
      );
      const good = await files.put();
      look();
      look();
      assert.deepEqual([certificate.pair, changes()], [good, 1], "a good one is not taken up afterwards");
      certificate.close();
    });
  });
}

test("a certificate that is closed by a subscriber is watched no more", async () => {
  await withFiles(async (files) => {
    await files.put();
    const { clock, certificate, look } = await watching(files);
    certificate.subscribe(() => certificate.close());
    await files.put();
    look();
    look();
    assert.equal(clock.pending, 0);
  });
});

/** Both ends of a connection over `engine`: one of a client of the runtime's, one that waits for its handshake. */
async function halfway(
  engine: Engine,
  keyPair: CryptoKeyPair,
  fn: (client: Deno.TcpConn, server: TlsSocket) => Promise<void>,
): Promise<void> {
  const certificate = await ServerCertificate.open(
    { kind: "pinned", keyPair },
    engine.tls,
    new FakeClock(),
    new RecordingLogger(),
  );
  const came = Promise.withResolvers<TlsSocket>();
  const onConn = (_transport: Transport, tls: TlsSocket) => came.resolve(tls);
  const entrance = engine.tls.entrance(certificate, systemClock, new RecordingLogger(), onConn);
  const listener = engine.listen(LOCAL);
  const client = await Deno.connect({ hostname: "127.0.0.1", port: listener.address.port });
  entrance.enter(tcpTransport(await listener.accept()));
  listener.close();
  const server = await came.promise;
  await fn(client, server);
  server.cut();
  entrance.close();
  await entrance.ended();
}

engineTest("a handshake that agrees on the profile goes through, and leaves no timer", async (engine) => {
  const keyPair = await newKey();
  await halfway(engine, keyPair, async (client, server) => {
    const clock = new FakeClock();
    const shaken = handshakeTls(server, clock, 1_000);
    const caCerts = [pinnedAnchor(await rawKey(keyPair))];
    const { tls } = await shake(client, { hostname: PINNED_NAME, caCerts, alpnProtocols: [ALPN] });
    await shaken;
    assert.equal(clock.pending, 0);
    await tls.write(Uint8Array.of(5));
    const into = new Uint8Array(4);
    assert.equal(await server.read(into), 1);
    assert.equal(into[0], 5);
    server.close();
    tls.close();
  });
});

for (const alpn of [undefined, ["h2", "http/1.1"]]) {
  engineTest(
    `TLS that ${alpn ? "speaks another protocol" : "names no protocol"} is refused and closed`,
    async (engine) => {
      const keyPair = await newKey();
      await halfway(engine, keyPair, async (client, server) => {
        const clock = new FakeClock();
        const refused = assert.rejects(
          handshakeTls(server, clock, 1_000),
          (error) => error instanceof TlsHandshakeError && /not sallyport\/2$|handshake failed: /.test(error.message),
        );
        const caCerts = [pinnedAnchor(await rawKey(keyPair))];
        const { tls } = await shake(client, { hostname: PINNED_NAME, caCerts, ...(alpn && { alpnProtocols: alpn }) });
        await refused;
        await untilGone(tls);
        tls.close();
        assert.equal(clock.pending, 0);
        await assert.rejects(async () => await server.read(new Uint8Array(1)));
      });
    },
  );
}

engineTest("what is no TLS is refused with why, and closed", async (engine) => {
  await halfway(engine, await newKey(), async (client, server) => {
    const refused = assert.rejects(
      handshakeTls(server, systemClock, 10_000),
      (error) => error instanceof TlsHandshakeError && /^the TLS handshake failed: .+--proxy-from/.test(error.message),
    );
    await client.write(new TextEncoder().encode("SSH-2.0-OpenSSH\r\n"));
    await refused;
    await untilGone(client);
    client.close();
  });
});

engineTest("who says nothing is refused when the time is up", async (engine) => {
  await halfway(engine, await newKey(), async (client, server) => {
    const clock = new FakeClock();
    const refused = assert.rejects(
      handshakeTls(server, clock, 10_000),
      (error) => error instanceof TlsHandshakeError && error.message === "no TLS handshake within 10 s",
    );
    clock.jump(9_999);
    assert.equal(clock.pending, 1);
    clock.jump(1);
    await refused;
    await assert.rejects(async () => await server.read(new Uint8Array(1)));
    if (engine.name === "native") await untilGone(client);
    client.close();
  });
});
