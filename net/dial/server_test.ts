import assert from "node:assert/strict";
import type { Address } from "../../protocol/address.ts";
import { PINNED_NAME, pinnedCertificate } from "../tls/certificate.ts";
import { systemClock } from "../../base/clock.ts";
import { DialTimeout } from "./dial.ts";
import { dialServer, type ServerTarget } from "./server.ts";
import { ServerIdentityError, type ServerSecurity } from "../tls/proof.ts";
import { deadPort, engineTest, never } from "../_engines_fixture_test.ts";
import type { Engine } from "../socket.ts";
import { TlsHandshakeError } from "../tls/listening.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { Echo, refused, sayHello } from "./_dial_fixture_test.ts";
import { issue, keyPem, listenTls, newKey, rawKey, TestAuthority, untilGone } from "../tls/_tls_fixture_test.ts";
import { settled } from "../../tests/rig/wait.ts";

engineTest("a plain server is reached over TCP", async (engine) => {
  const echo = new Echo(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const clock = new FakeClock();
  const transport = await dialServer(
    { server: echo.address, security: { kind: "plain" } },
    engine,
    clock,
    1_000,
    never,
  );
  assert.equal(transport.kind, "tcp");
  assert.equal(clock.pending, 0);
  await sayHello(transport);
  await echo.close();
});

engineTest("a server is reached by its pinned key, whatever its address", async (engine) => {
  const keyPair = await newKey();
  const echo = new Echo(listenTls(await pinnedCertificate(keyPair)));
  const security = { kind: "pinned", serverKey: await rawKey(keyPair) } as const;
  for (const host of ["127.0.0.1", "localhost"]) {
    const clock = new FakeClock();
    const server = { host, port: echo.address.port };
    const transport = await dialServer({ server, security }, engine, clock, 1_000, never);
    assert.equal(transport.kind, "tls");
    assert.equal(transport.remote, `127.0.0.1:${server.port}`);
    assert.equal(clock.pending, 0);
    await sayHello(transport);
  }
  await echo.close();
});

engineTest("a server is reached by a certificate of a CA for its name or its address", async (engine) => {
  const authority = await TestAuthority.make();
  const echo = new Echo(listenTls(await authority.certify(["localhost", "127.0.0.1"])));
  for (const host of ["127.0.0.1", "localhost"]) {
    const server = { host, port: echo.address.port };
    const security = { kind: "pki", caCerts: [authority.cert] } as const;
    await sayHello(await dialServer({ server, security }, engine, systemClock, 10_000, never));
  }
  await echo.close();
});

engineTest("a server that owns another key than the pinned one is told apart", async (engine) => {
  const other = new Echo(listenTls(await pinnedCertificate(await newKey())));
  const security = { kind: "pinned", serverKey: await rawKey(await newKey()) } as const;
  const { port } = other.address;
  const line = new RegExp(
    `^the server at 127.0.0.1:${port} proved another key than the one this device was joined to \\(`,
  );
  await refused(engine, { server: other.address, security }, ServerIdentityError, line);
  await other.close();
});

engineTest("a server with a CA's certificate does not pass for the owner of a pinned key", async (engine) => {
  const authority = await TestAuthority.make();
  const other = new Echo(listenTls(await authority.certify(["127.0.0.1", "relay.sallyport.invalid"])));
  const security = { kind: "pinned", serverKey: await rawKey(await newKey()) } as const;
  await refused(engine, { server: other.address, security }, ServerIdentityError, /another key than the one/);
  await other.close();
});

engineTest(
  "a pinned server's certificate that does not hold now is told with the time that this machine takes it for",
  async (engine) => {
    const keyPair = await newKey();
    for (const dates of [{ notAfter: "240201000000Z" }, { notBefore: "480101000000Z" }]) {
      const fields = { subject: PINNED_NAME, names: [PINNED_NAME], ...dates };
      const cert = await issue(fields, keyPair, { name: PINNED_NAME, keyPair });
      const echo = new Echo(listenTls({ cert, key: await keyPem(keyPair) }));
      const security = { kind: "pinned", serverKey: await rawKey(keyPair) } as const;
      const line =
        /^the certificate of the server at \S+ does not hold now: this machine's clock says \d{4}-\d\d-\d\dT/;
      await refused(engine, { server: echo.address, security }, ServerIdentityError, line);
      await echo.close();
    }
  },
);

/** Certificates that prove nothing, and the line that says so. */
const CERTIFICATES: readonly [
  what: string,
  certify: (authority: TestAuthority) => Promise<{ cert: string; key: string }>,
  line: RegExp,
][] = [
  [
    "of a CA that the device does not know",
    async () => (await TestAuthority.make("Other CA")).certify(["127.0.0.1"]),
    /^the certificate of the server at 127.0.0.1:\d+ is from a CA that this device does not know/,
  ],
  [
    "of a CA with the right name and another key",
    async () => (await TestAuthority.make()).certify(["127.0.0.1"]),
    /^the certificate of the server at 127.0.0.1:\d+ is not signed by the CA that it names/,
  ],
  [
    "for another name",
    (authority) => authority.certify(["relay.example", "127.0.0.2"]),
    /^the certificate of the server at 127.0.0.1:\d+ is not for 127.0.0.1/,
  ],
  [
    "that has expired",
    (authority) => authority.certify(["127.0.0.1"], { notAfter: "240201000000Z" }),
    /^the certificate of the server at 127.0.0.1:\d+ has expired: this machine's clock says \d{4}-\d\d-\d\dT[\d:]+Z/,
  ],
  [
    "that is not valid yet",
    (authority) => authority.certify(["127.0.0.1"], { notBefore: "480101000000Z" }),
    /^the certificate of the server at 127.0.0.1:\d+ is not valid yet: this machine's clock says \d{4}-/,
  ],
  [
    "of a CA itself",
    (authority) => authority.certify(["127.0.0.1"], { isAuthority: true }),
    /^the certificate of the server at 127.0.0.1:\d+ is that of a CA itself/,
  ],
  [
    "that is pinned by others",
    async () => await pinnedCertificate(await newKey()),
    /^the certificate of the server at 127.0.0.1:\d+ is /,
  ],
];

for (const [what, certify, line] of CERTIFICATES) {
  engineTest(`a certificate ${what} is refused with what that means`, async (engine) => {
    const authority = await TestAuthority.make();
    const echo = new Echo(listenTls(await certify(authority)));
    const security: ServerSecurity = { kind: "pki", caCerts: [authority.cert] };
    await refused(engine, { server: echo.address, security }, ServerIdentityError, line);
    await echo.close();
  });
}

for (const [what, alpn] of [["another protocol", ["h2"]], ["no protocol", []]] as const) {
  engineTest(`TLS that speaks ${what} is refused with what that means`, async (engine) => {
    const keyPair = await newKey();
    const echo = new Echo(listenTls(await pinnedCertificate(keyPair), [...alpn]));
    const security = { kind: "pinned", serverKey: await rawKey(keyPair) } as const;
    await refused(
      engine,
      { server: echo.address, security },
      TlsHandshakeError,
      /^what answers at .* speaks TLS, but not sally/,
    );
    await echo.close();
  });
}

/** A listener whose first client is given to `serve`. */
async function withServer(
  serve: (conn: Deno.TcpConn) => Promise<void>,
  fn: (server: Address) => Promise<void>,
): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const served = listener.accept().then(async (conn) => {
    await serve(conn);
    conn.close();
  });
  await fn({ host: "127.0.0.1", port: listener.addr.port });
  await served;
}

const PINNED: ServerSecurity = { kind: "pinned", serverKey: new Uint8Array(32).fill(7) };

engineTest("a server that does not speak TLS is refused with what that means", async (engine) => {
  const banner = async (conn: Deno.TcpConn) => {
    await conn.write(new TextEncoder().encode("SSH-2.0-OpenSSH_9.9\r\n"));
    await untilGone(conn);
  };
  await withServer(
    banner,
    (server) =>
      refused(
        engine,
        { server, security: PINNED },
        TlsHandshakeError,
        /^what answers at 127.0.0.1:\d+ does not speak TLS; does it listen with --plain, /,
      ),
  );
});

engineTest("a server that closes in the handshake is refused with what that means", async (engine) => {
  const hello = async (conn: Deno.TcpConn) => {
    await conn.read(new Uint8Array(4096)); // all of it: otherwise closing would be a reset
  };
  await withServer(
    hello,
    (server) =>
      refused(
        engine,
        { server, security: PINNED },
        TlsHandshakeError,
        /^what answers at .* closed in the TLS handshake; does it listen with --plain, /,
      ),
  );
});

engineTest("a server that nobody is at is refused with what the runtime says", async (engine) => {
  const server = { host: "127.0.0.1", port: deadPort() };
  await refused(engine, { server, security: PINNED }, Deno.errors.ConnectionRefused, /refused/);
});

/** Where a dial can hang. */
const STAGES = ["in the handshake", "at the proxy"] as const;

/** A dial that hangs there, ended in some way; the peer has to see it go. */
async function hanging(
  engine: Engine,
  stage: (typeof STAGES)[number],
  end: (clock: FakeClock, abort: AbortController) => unknown,
  wanted: (error: unknown) => boolean,
): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = { host: "127.0.0.1", port: listener.addr.port };
  const target: ServerTarget = stage === "at the proxy"
    ? { server: { host: "relay.example", port: 1 }, security: PINNED, proxy: { address } }
    : { server: address, security: PINNED };
  const clock = new FakeClock();
  const abort = new AbortController();
  const dialled = dialServer(target, engine, clock, 10_000, abort.signal);
  const checked = assert.rejects(dialled, wanted);
  const peer = await listener.accept();
  await peer.read(new Uint8Array(4096)); // its first words are here, so it waits for an answer
  end(clock, abort);
  await checked;
  assert.equal(clock.pending, 0);
  // The portable engine cannot cut TLS in its handshake: it lets go only when the peer does.
  if (stage === "at the proxy" || engine.name === "native") await untilGone(peer);
  peer.close();
}

for (const stage of STAGES) {
  engineTest(`a dial that hangs ${stage} ends with the one deadline, and its peer sees it go`, async (engine) => {
    await hanging(
      engine,
      stage,
      (clock) => clock.jump(10_000),
      (error) => error instanceof DialTimeout && error.message === "no answer within 10 s",
    );
  });

  engineTest(
    `a dial that hangs ${stage} ends when it is aborted, with the signal's reason, and its peer sees it go`,
    async (engine) => {
      const reason = new Error("enough");
      await hanging(engine, stage, (_clock, abort) => abort.abort(reason), (error) => error === reason);
    },
  );
}

engineTest("a dial that is aborted at any turn rejects with the reason, and leaves nothing open", async (engine) => {
  const keyPair = await newKey();
  const security = { kind: "pinned", serverKey: await rawKey(keyPair) } as const;
  const reason = new Error("enough");
  for (let turns = 0; turns < 12; turns++) {
    const echo = new Echo(listenTls(await pinnedCertificate(keyPair)));
    const abort = new AbortController();
    const clock = new FakeClock();
    const dialled = dialServer({ server: echo.address, security }, engine, clock, 10_000, abort.signal)
      .then((transport) => transport.duplex.close(), (error) => assert.equal(error, reason));
    for (let turn = 0; turn < turns; turn++) await settled();
    abort.abort(reason);
    await dialled;
    assert.equal(clock.pending, 0);
    await echo.close();
  }
});

engineTest("a dial whose signal has aborted does not begin", async (engine) => {
  const clock = new FakeClock();
  const target = { server: { host: "127.0.0.1", port: 1 }, security: PINNED };
  await assert.rejects(dialServer(target, engine, clock, 1_000, AbortSignal.abort(new Error("before"))), /before/);
  assert.equal(clock.timersSet, 0);
});
