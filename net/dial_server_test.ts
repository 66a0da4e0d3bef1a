import assert from "node:assert/strict";
import type { Address } from "../protocol/address.ts";
import { pinnedCertificate } from "./certificate.ts";
import { systemClock } from "./clock.ts";
import { canCut } from "./cut_socket.ts";
import { DialTimeout } from "./dial.ts";
import { dialServer, ServerIdentityError, type ServerSecurity, type ServerTarget } from "./dial_server.ts";
import { ProxyError } from "./http_proxy.ts";
import { HandshakeError } from "./tls.ts";
import type { Transport } from "./transport.ts";
import { FakeClock, settled, test } from "./_fakes_test.ts";
import { TestProxy } from "./_proxy_fixture_test.ts";
import { listenTls, newKey, portOf, rawKey, TestAuthority, untilGone } from "./_tls_fixture_test.ts";

const never = new AbortController().signal;

/** A server that sends back what comes first and then sees to it that the peer lets go. */
class Echo {
  readonly #done: Promise<unknown>;

  constructor(readonly listener: Deno.Listener<Deno.Conn>) {
    this.#done = this.#run();
  }

  get address(): Address {
    return { host: "127.0.0.1", port: portOf(this.listener) };
  }

  /** Waits until all who came have gone. */
  async close(): Promise<void> {
    this.listener.close();
    await this.#done;
  }

  async #run(): Promise<void> {
    const serving: Promise<void>[] = [];
    try {
      for await (const conn of this.listener) serving.push(this.#serve(conn));
    } catch {
      // It was closed.
    }
    await Promise.all(serving);
  }

  async #serve(conn: Deno.Conn): Promise<void> {
    try {
      const buffer = new Uint8Array(99);
      const count = await conn.read(buffer);
      if (count !== null) await conn.write(buffer.subarray(0, count));
      await untilGone(conn);
    } catch {
      // Its handshake failed.
    } finally {
      conn.close();
    }
  }
}

async function sayHello({ duplex }: Transport): Promise<void> {
  await duplex.write(new TextEncoder().encode("hello"));
  const into = new Uint8Array(99);
  const count = await duplex.read(into);
  assert.equal(new TextDecoder().decode(into.subarray(0, count ?? 0)), "hello");
  duplex.close();
}

/** Dials, and expects an error of this class with this line; sees that the deadline is off. */
async function refused(target: ServerTarget, type: new (message: string) => Error, line: RegExp): Promise<void> {
  const clock = new FakeClock();
  await assert.rejects(dialServer(target, clock, 10_000, never), (error) => {
    assert(error instanceof type, `${error}`);
    assert.match(error.message, line);
    assert(!error.message.includes("\n"));
    return true;
  });
  assert.equal(clock.pending, 0);
}

test("a plain server is reached over TCP", async () => {
  const echo = new Echo(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const clock = new FakeClock();
  const transport = await dialServer({ server: echo.address, security: { kind: "plain" } }, clock, 1_000, never);
  assert.equal(transport.kind, "tcp");
  assert.equal(clock.pending, 0);
  await sayHello(transport);
  await echo.close();
});

test("a server is reached by its pinned key, whatever its address", async () => {
  const keyPair = await newKey();
  const echo = new Echo(listenTls(await pinnedCertificate(keyPair)));
  const security = { kind: "pinned", serverKey: await rawKey(keyPair) } as const;
  for (const host of ["127.0.0.1", "localhost"]) {
    const clock = new FakeClock();
    const server = { host, port: echo.address.port };
    const transport = await dialServer({ server, security }, clock, 1_000, never);
    assert.equal(transport.kind, "tls");
    assert.equal(transport.remote, `127.0.0.1:${server.port}`);
    assert.equal(clock.pending, 0);
    await sayHello(transport);
  }
  await echo.close();
});

test("a server is reached by a certificate of a CA for its name or its address", async () => {
  const authority = await TestAuthority.make();
  const echo = new Echo(listenTls(await authority.certify(["localhost", "127.0.0.1"])));
  for (const host of ["127.0.0.1", "localhost"]) {
    const server = { host, port: echo.address.port };
    const security = { kind: "pki", caCerts: [authority.cert] } as const;
    await sayHello(await dialServer({ server, security }, systemClock, 10_000, never));
  }
  await echo.close();
});

test("a server that owns another key than the pinned one is told apart", async () => {
  const other = new Echo(listenTls(await pinnedCertificate(await newKey())));
  const security = { kind: "pinned", serverKey: await rawKey(await newKey()) } as const;
  const { port } = other.address;
  const line = new RegExp(
    `^the server at 127.0.0.1:${port} proved another key than the one this device was joined to \\(`,
  );
  await refused({ server: other.address, security }, ServerIdentityError, line);
  await other.close();
});

test("a server with a CA's certificate does not pass for the owner of a pinned key", async () => {
  const authority = await TestAuthority.make();
  const other = new Echo(listenTls(await authority.certify(["127.0.0.1", "relay.sallyport.invalid"])));
  const security = { kind: "pinned", serverKey: await rawKey(await newKey()) } as const;
  await refused({ server: other.address, security }, ServerIdentityError, /another key than the one/);
  await other.close();
});

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
    /^the certificate of the server at 127.0.0.1:\d+ has expired, or this device's clock is wrong/,
  ],
  [
    "that is not valid yet",
    (authority) => authority.certify(["127.0.0.1"], { notBefore: "480101000000Z" }),
    /^the certificate of the server at 127.0.0.1:\d+ is not valid yet, or this device's clock is wrong/,
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
  test(`a certificate ${what} is refused with what that means`, async () => {
    const authority = await TestAuthority.make();
    const echo = new Echo(listenTls(await certify(authority)));
    const security: ServerSecurity = { kind: "pki", caCerts: [authority.cert] };
    await refused({ server: echo.address, security }, ServerIdentityError, line);
    await echo.close();
  });
}

for (const [what, alpn] of [["another protocol", ["h2"]], ["no protocol", []]] as const) {
  test(`TLS that speaks ${what} is refused with what that means`, async () => {
    const keyPair = await newKey();
    const echo = new Echo(listenTls(await pinnedCertificate(keyPair), [...alpn]));
    const security = { kind: "pinned", serverKey: await rawKey(keyPair) } as const;
    await refused({ server: echo.address, security }, HandshakeError, /^what answers at .* speaks TLS, but not sally/);
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

test("a server that does not speak TLS is refused with what that means", async () => {
  const banner = async (conn: Deno.TcpConn) => {
    await conn.write(new TextEncoder().encode("SSH-2.0-OpenSSH_9.9\r\n"));
    await untilGone(conn);
  };
  await withServer(
    banner,
    (server) =>
      refused({ server, security: PINNED }, HandshakeError, /^what answers at 127.0.0.1:\d+ does not speak TLS$/),
  );
});

test("a server that closes in the handshake is refused with what that means", async () => {
  const hello = async (conn: Deno.TcpConn) => {
    await conn.read(new Uint8Array(4096)); // all of it: otherwise closing would be a reset
  };
  await withServer(
    hello,
    (server) =>
      refused({ server, security: PINNED }, HandshakeError, /^what answers at .* closed in the TLS handshake$/),
  );
});

test("a server that nobody is at is refused with what the runtime says", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const server = { host: "127.0.0.1", port };
  await refused({ server, security: PINNED }, Deno.errors.ConnectionRefused, /refused/);
});

/** Where a dial can hang. */
const STAGES = ["in the handshake", "at the proxy"] as const;

/** A dial that hangs there, ended in some way; the peer has to see it go. */
async function hanging(
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
  const dialled = dialServer(target, clock, 10_000, abort.signal);
  const checked = assert.rejects(dialled, wanted);
  const peer = await listener.accept();
  await peer.read(new Uint8Array(4096)); // its first words are here, so it waits for an answer
  end(clock, abort);
  await checked;
  assert.equal(clock.pending, 0);
  // Where sockets cannot be cut, the runtime lets go only when the peer does.
  if (stage === "at the proxy" || canCut()) await untilGone(peer);
  peer.close();
}

for (const stage of STAGES) {
  test(`a dial that hangs ${stage} ends with the one deadline, and its peer sees it go`, async () => {
    await hanging(
      stage,
      (clock) => clock.jump(10_000),
      (error) => error instanceof DialTimeout && error.message === "no answer within 10 s",
    );
  });

  test(`a dial that hangs ${stage} ends when it is aborted, with the signal's reason, and its peer sees it go`, async () => {
    const reason = new Error("enough");
    await hanging(stage, (_clock, abort) => abort.abort(reason), (error) => error === reason);
  });
}

test("a dial that is aborted at any turn rejects with the reason, and leaves nothing open", async () => {
  const keyPair = await newKey();
  const security = { kind: "pinned", serverKey: await rawKey(keyPair) } as const;
  const reason = new Error("enough");
  for (let turns = 0; turns < 12; turns++) {
    const echo = new Echo(listenTls(await pinnedCertificate(keyPair)));
    const abort = new AbortController();
    const clock = new FakeClock();
    const dialled = dialServer({ server: echo.address, security }, clock, 10_000, abort.signal)
      .then((transport) => transport.duplex.close(), (error) => assert.equal(error, reason));
    for (let turn = 0; turn < turns; turn++) await settled();
    abort.abort(reason);
    await dialled;
    assert.equal(clock.pending, 0);
    await echo.close();
  }
});

test("a dial whose signal has aborted does not begin", async () => {
  const clock = new FakeClock();
  const target = { server: { host: "127.0.0.1", port: 1 }, security: PINNED };
  await assert.rejects(dialServer(target, clock, 1_000, AbortSignal.abort(new Error("before"))), /before/);
  assert.equal(clock.timersSet, 0);
});

const OK = "HTTP/1.1 200 Connection established\r\n\r\n";

test("a server is reached through a proxy, which resolves its name and sees nothing but TLS", async () => {
  const keyPair = await newKey();
  const echo = new Echo(listenTls(await pinnedCertificate(keyPair)));
  const proxy = new TestProxy(OK, echo.address);
  const target: ServerTarget = {
    server: { host: "relay.example", port: 7443 },
    security: { kind: "pinned", serverKey: await rawKey(keyPair) },
    proxy: { address: proxy.address, credentials: { user: "me", password: "secret" } },
  };
  const clock = new FakeClock();
  const transport = await dialServer(target, clock, 1_000, never);
  assert.equal(transport.kind, "tls");
  assert.equal(clock.pending, 0);
  await sayHello(transport);
  assert.equal(proxy.requests.length, 1);
  assert.match(proxy.requests[0]!, /^CONNECT relay.example:7443 HTTP\/1.1\r\n[^]*Basic bWU6c2VjcmV0\r\n/);
  await echo.close();
  await proxy.close();
});

test("through a proxy a plain server is reached as well, and a CA's certificate has to be for the server's name", async () => {
  const plain = new Echo(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const first = new TestProxy(OK, plain.address);
  const server = { host: "relay.example.", port: 7443 };
  await sayHello(
    await dialServer(
      { server, security: { kind: "plain" }, proxy: { address: first.address } },
      systemClock,
      10_000,
      never,
    ),
  );
  await plain.close();
  await first.close();

  const authority = await TestAuthority.make();
  const security: ServerSecurity = { kind: "pki", caCerts: [authority.cert] };
  for (const [name, fits] of [["relay.example", true], ["127.0.0.1", false]] as const) {
    const echo = new Echo(listenTls(await authority.certify([name])));
    const proxy = new TestProxy(OK, echo.address);
    const target = { server, security, proxy: { address: proxy.address } };
    if (fits) await sayHello(await dialServer(target, systemClock, 10_000, never));
    else {await refused(
        target,
        ServerIdentityError,
        /^the certificate of the server at relay.example.:7443 is not for relay/,
      );}
    await echo.close();
    await proxy.close();
  }
});

test("a proxy that refuses is an error with what it said, and without the credentials", async () => {
  const proxy = new TestProxy("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
  const credentials = { user: "me", password: "secret" };
  await refused(
    { server: { host: "relay.example", port: 1 }, security: PINNED, proxy: { address: proxy.address, credentials } },
    ProxyError,
    /^the proxy does not take these credentials: it said "HTTP\/1.1 407 Proxy Authentication Required"$/,
  );
  await proxy.close();
});

test("a proxy that nobody is at is an error that names it", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await refused(
    { server: { host: "relay.example", port: 1 }, security: PINNED, proxy: { address: { host: "127.0.0.1", port } } },
    ProxyError,
    new RegExp(`^cannot reach the proxy at 127.0.0.1:${port}: Connection refused$`),
  );
});
