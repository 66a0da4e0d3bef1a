import assert from "node:assert/strict";
import { pinnedCertificate } from "../tls/certificate.ts";
import { systemClock } from "../../base/clock.ts";
import { dialServer, type ServerTarget } from "./server.ts";
import { ServerIdentityError, type ServerSecurity } from "../tls/proof.ts";
import { deadPort, engineTest, never } from "../_engines_fixture_test.ts";
import { ProxyError } from "./http_proxy.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { Echo, refused, sayHello } from "./_dial_fixture_test.ts";
import { TestProxy } from "./_proxy_fixture_test.ts";
import { listenTls, newKey, rawKey, TestAuthority } from "../tls/_tls_fixture_test.ts";

const PINNED: ServerSecurity = { kind: "pinned", serverKey: new Uint8Array(32).fill(7) };

const OK = "HTTP/1.1 200 Connection established\r\n\r\n";

engineTest("a server is reached through a proxy, which resolves its name and sees nothing but TLS", async (engine) => {
  const keyPair = await newKey();
  const echo = new Echo(listenTls(await pinnedCertificate(keyPair)));
  const proxy = new TestProxy(OK, echo.address);
  const target: ServerTarget = {
    server: { host: "relay.example", port: 7443 },
    security: { kind: "pinned", serverKey: await rawKey(keyPair) },
    proxy: { address: proxy.address, credentials: { user: "me", password: "secret" } },
  };
  const clock = new FakeClock();
  const transport = await dialServer(target, engine, clock, 1_000, never);
  assert.equal(transport.kind, "tls");
  assert.equal(clock.pending, 0);
  await sayHello(transport);
  assert.equal(proxy.requests.length, 1);
  assert.match(proxy.requests[0]!, /^CONNECT relay.example:7443 HTTP\/1.1\r\n[^]*Basic bWU6c2VjcmV0\r\n/);
  await echo.close();
  await proxy.close();
});

engineTest(
  "through a proxy a plain server is reached as well, and a CA's certificate has to be for the server's name",
  async (engine) => {
    const plain = new Echo(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
    const first = new TestProxy(OK, plain.address);
    const server = { host: "relay.example.", port: 7443 };
    await sayHello(
      await dialServer(
        { server, security: { kind: "plain" }, proxy: { address: first.address } },
        engine,
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
      if (fits) await sayHello(await dialServer(target, engine, systemClock, 10_000, never));
      else {await refused(
          engine,
          target,
          ServerIdentityError,
          /^the certificate of the server at relay.example.:7443 is not for relay/,
        );}
      await echo.close();
      await proxy.close();
    }
  },
);

engineTest("a proxy that refuses is an error with what it said, and without the credentials", async (engine) => {
  const proxy = new TestProxy("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
  const credentials = { user: "me", password: "secret" };
  await refused(
    engine,
    { server: { host: "relay.example", port: 1 }, security: PINNED, proxy: { address: proxy.address, credentials } },
    ProxyError,
    /^the proxy does not take these credentials: it said "HTTP\/1.1 407 Proxy Authentication Required"$/,
  );
  await proxy.close();
});

engineTest("a proxy that nobody is at is an error that names it", async (engine) => {
  const port = deadPort();
  await refused(
    engine,
    { server: { host: "relay.example", port: 1 }, security: PINNED, proxy: { address: { host: "127.0.0.1", port } } },
    ProxyError,
    new RegExp(`^cannot reach the proxy at 127.0.0.1:${port}: Connection refused$`),
  );
});

engineTest("a proxy is dialled from the uplink, too", async (engine) => {
  const plain = new Echo(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const proxy = new TestProxy(OK, plain.address);
  const server = { host: "relay.example", port: 7443 };
  const target = { server, security: { kind: "plain" }, proxy: { address: proxy.address } } as const;
  const dialled = dialServer({ ...target, uplink: "127.0.0.9" }, engine, systemClock, 10_000, never);
  if (engine.isTunable) {
    const transport = await dialled;
    assert.match(transport.local, /^127\.0\.0\.9:/);
    await sayHello(transport);
  } else await assert.rejects(dialled, /cannot be bound to 127\.0\.0\.9/);
  await plain.close();
  await proxy.close();
});
