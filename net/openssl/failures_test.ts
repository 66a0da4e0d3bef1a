import assert from "node:assert/strict";
import fc from "fast-check";
import { ALPN } from "../tls/listening.ts";
import { pinnedCertificate } from "../tls/certificate.ts";
import { issue, keyPem, newKey, rawKey, TestAuthority } from "../tls/_tls_fixture_test.ts";
import { test } from "../../tests/rig/test.ts";
import { TempFolder } from "../../tests/rig/temp_folder.ts";
import { TlsSession } from "./session.ts";
import { TlsContext, type Trust } from "./context.ts";
import { type CertificateFault, TlsError } from "./errors.ts";
import { clientContext, hasOpenSsl, outcomes, PINNED, pinnedPair, socketPair, Two } from "./_openssl_fixture_test.ts";

const ignore = !hasOpenSsl;
const HOST = { serverName: "127.0.0.1", verifyName: "127.0.0.1" };
const TEXT = new TextEncoder();

/** Shakes hands between contexts that are made for it. @returns what client and server have come to. */
function shaken(client: TlsContext, server: TlsContext, names = HOST): (string | undefined | TlsError)[] {
  try {
    using two = new Two(client, server, names);
    return outcomes(two.client, two.server);
  } finally {
    client.close();
    server.close();
  }
}

function serverWith(pair: { cert: string; key: string }, alpn = ALPN): TlsContext {
  return TlsContext.server(pair, { alpn });
}

/** A session that has begun and waits for its peer, from which nothing has come. */
function begun(role: "server" | "client", pair: Awaited<ReturnType<typeof pinnedPair>>) {
  const [mine, theirs] = socketPair();
  const session = role === "server"
    ? TlsSession.accept(pair.server, mine.fd)
    : TlsSession.connect(pair.client, mine.fd, PINNED);
  assert.equal(session.handshake(), "want-read");
  theirs.receive();
  return { mine, theirs, session };
}

function failure(outcome: string | undefined | TlsError): TlsError {
  assert(outcome instanceof TlsError, String(outcome));
  assert(!outcome.message.includes("\n"));
  return outcome;
}

const CERTIFICATES: readonly [
  what: string,
  certify: (authority: TestAuthority) => Promise<{ cert: string; key: string }>,
  fault: CertificateFault,
][] = [
  ["of an unknown CA", async () => (await TestAuthority.make("Other")).certify(["127.0.0.1"]), "unknown-issuer"],
  ["of a CA with the same name", async () => (await TestAuthority.make()).certify(["127.0.0.1"]), "bad-signature"],
  ["for other names", (authority) => authority.certify(["relay.example", "127.0.0.2"]), "name"],
  ["that has expired", (authority) => authority.certify(["127.0.0.1"], { notAfter: "240201000000Z" }), "expired"],
  ["of the future", (authority) => authority.certify(["127.0.0.1"], { notBefore: "480101000000Z" }), "not-yet-valid"],
  ["of a CA itself", (authority) => authority.certify(["127.0.0.1"], { isAuthority: true }), "is-authority"],
  ["that others pin", async () => await pinnedCertificate(await newKey()), "unknown-issuer"],
];

for (const [what, certify, fault] of CERTIFICATES) {
  test(`a certificate ${what} is refused, and both sides know why`, async () => {
    const authority = await TestAuthority.make();
    const pair = await certify(authority);
    const client = clientContext({ kind: "ca", pem: authority.cert });
    const [mine, theirs] = shaken(client, serverWith(pair)).map((outcome, n) => n === 0 ? failure(outcome) : outcome);
    assert(mine instanceof TlsError);
    assert.equal(mine.kind, "certificate");
    assert.equal(mine.fault, fault, mine.message);
    assert.match(mine.message, /^invalid peer certificate: /);
    if (fault === "is-authority") return; // OpenSSL took it: this is one more look
    assert.equal(failure(theirs).kind, "refused-certificate");
    assert.match(failure(theirs).message, /^the peer refused: fatal alert: /);
  }, { ignore });
}

test(
  "a certificate of a CA that was named is taken, for a name and an address, and behind one in between",
  async () => {
    const authority = await TestAuthority.make();
    const between = await authority.authorize("Between");
    const other = await TestAuthority.make("Other");
    const direct = await authority.certify(["relay.example", "127.0.0.1"]);
    const leaf = await between.certify(["127.0.0.1"]);
    const chain = { cert: leaf.cert + between.cert, key: leaf.key };
    const name = { serverName: "relay.example", verifyName: "relay.example" };
    const root = { kind: "ca", pem: other.cert + authority.cert } as const;
    assert.deepEqual(shaken(clientContext(root), serverWith(direct)), [ALPN, ALPN]);
    assert.deepEqual(shaken(clientContext(root), serverWith(direct), name), [ALPN, ALPN]);
    assert.deepEqual(shaken(clientContext(root), serverWith(chain)), [ALPN, ALPN]);
    const named = { kind: "ca", pem: between.cert } as const; // it stands for itself
    assert.deepEqual(shaken(clientContext(named), serverWith(leaf)), [ALPN, ALPN]);
    assert.equal(failure(shaken(clientContext(root), serverWith(leaf))[0]).fault, "unknown-issuer");
    const wrong = { serverName: "relay.example", verifyName: "other.example" };
    assert.equal(failure(shaken(clientContext(root), serverWith(direct), wrong)[0]).fault, "name");
  },
  { ignore },
);

test("a pinned key is taken and no other, also with a CA that this machine trusts", async () => {
  using folder = new TempFolder();
  const authority = await TestAuthority.make();
  const file = `${folder.path}/ca.pem`;
  Deno.writeTextFileSync(file, authority.cert);
  Deno.env.set("SSL_CERT_FILE", file);
  try {
    const theirs = await authority.certify(["127.0.0.1", PINNED.serverName]);
    assert.deepEqual(shaken(clientContext({ kind: "system" }), serverWith(theirs)), [ALPN, ALPN]); // it is trusted
    const [mine, keyPair] = [await newKey(), await newKey()];
    const pins = { kind: "pinned", keys: [await rawKey(mine), await rawKey(keyPair)] } as const;
    for (const names of [PINNED, HOST]) {
      const names2 = names as typeof HOST;
      const refused = shaken(clientContext(pins), serverWith(theirs), names2);
      assert.equal(failure(refused[0]).kind, "pin");
      assert.equal(failure(refused[1]).kind, "refused-certificate");
      const stranger = await pinnedCertificate(await newKey());
      assert.equal(failure(shaken(clientContext(pins), serverWith(stranger), names2)[0]).kind, "pin");
      assert.deepEqual(shaken(clientContext(pins), serverWith(await pinnedCertificate(mine)), names2), [ALPN, ALPN]);
      assert.deepEqual(shaken(clientContext(pins), serverWith(await pinnedCertificate(keyPair)), names2), [ALPN, ALPN]);
    }
    const none: Trust = { kind: "pinned", keys: [] };
    assert.throws(() => clientContext(none), RangeError);
  } finally {
    Deno.env.delete("SSL_CERT_FILE");
  }
}, { ignore });

test("the certificate of a pinned key has to hold now", async () => {
  const keyPair = await newKey();
  const trust = { kind: "pinned", keys: [await rawKey(keyPair)] } as const;
  for (
    const [dates, fault] of [[{ notAfter: "240201000000Z" }, "expired"], [
      { notBefore: "480101000000Z" },
      "not-yet-valid",
    ]] as const
  ) {
    const cert = await issue({ subject: "x", ...dates }, keyPair, { name: "x", keyPair });
    const [mine] = shaken(clientContext(trust), serverWith({ cert, key: await keyPem(keyPair) }));
    assert.equal(failure(mine).fault, fault);
  }
}, { ignore });

test("who has another protocol (ALPN), or none, is told so on both sides", async () => {
  using pair = await pinnedPair();
  const trust = { kind: "pinned", keys: [pair.key] } as const;
  using two = new Two(TlsContext.client({ alpn: "h2", trust }), pair.server);
  const [client, server] = outcomes(two.client, two.server);
  assert.deepEqual([failure(client).kind, failure(server).kind], ["alpn", "alpn"]);

  // Without ALPN at all: a context of the library's that was not told any.
  const { ssl } = pair.client.library;
  const bare = TlsContext.client({ alpn: ALPN, trust });
  ssl.SSL_CTX_set_alpn_protos(bare.pointer, new Uint8Array(1), 0);
  using plain = new Two(bare, pair.server);
  for (const outcome of outcomes(plain.client, plain.server)) {
    assert.equal(failure(outcome).kind, "alpn");
    assert.match(failure(outcome).message, /^the peer speaks TLS, but not sallyport\/2$/);
  }
  bare.close();
}, { ignore });

test("who has no TLS 1.3 is told so on both sides", async () => {
  for (const old of ["client", "server"] as const) {
    using pair = await pinnedPair();
    const { ssl } = pair.client.library;
    ssl.SSL_CTX_ctrl(pair[old].pointer, 123, 0x303n, null);
    ssl.SSL_CTX_ctrl(pair[old].pointer, 124, 0x303n, null);
    using two = new Two(pair.client, pair.server);
    for (const outcome of outcomes(two.client, two.server)) assert.equal(failure(outcome).kind, "version");
  }
}, { ignore });

const OPENINGS = [
  ["PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "proxy", "a PROXY protocol header"],
  ["\r\n\r\n\x00\r\nQUIT\n", "proxy", "a PROXY protocol header"],
  ["GET / HTTP/1.1\r\n\r\n", "other", "an HTTP request"],
  ["CONNECT a:1 HTTP/1.1\r\n\r\n", "other", "an HTTP request"],
  ["SSH-2.0-x\r\n", "other", "an SSH client"],
  ["\x00\x00\x04\x00", "v1", "the LISTEN of a v1 device"],
  ["S", "other", "the bytes 53"],
] as const;

for (const role of ["server", "client"] as const) {
  test(`a ${role} says what somebody begins with who does not speak TLS`, async () => {
    using pair = await pinnedPair();
    for (const [text, speaks, what] of OPENINGS) {
      const { mine, theirs, session } = begun(role, pair);
      theirs.send(TEXT.encode(text));
      const error = failure(outcomes(session)[0]);
      assert.equal(error.kind, "not-tls");
      assert.equal(error.speaks, speaks);
      assert.equal(error.message, `the peer does not speak TLS: it began with ${what}`);
      if (role === "server") assert.deepEqual([...theirs.receive().subarray(0, 2)], [0x15, 3], "an alert tells them");
      session.free();
      mine.close();
      theirs.close();
    }
  }, { ignore });

  test(`a ${role} whose peer goes in the handshake says so, and whether it ever said a thing`, async () => {
    using pair = await pinnedPair();
    for (const words of [[], [0x16], [0x16, 3, 1, 2, 0, 1, 0, 1]]) {
      const { mine, theirs, session } = begun(role, pair);
      theirs.send(Uint8Array.from(words));
      theirs.close();
      const error = failure(outcomes(session)[0]);
      assert.equal(error.kind, "eof", error.message);
      assert.equal(session.hasReceived, words.length > 0);
      session.free();
      mine.close();
    }
  }, { ignore });

  test(
    `a ${role} that is sent garbage fails with one line, waits, or has shaken hands; never anything else`,
    async () => {
      using pair = await pinnedPair();
      using model = new Two(pair.client, pair.server);
      model.client.handshake();
      const hello = model.serverSocket.receive();
      model.serverSocket.close();
      const bytes = fc.uint8Array({ maxLength: 400 });
      const record = bytes.map((body) => Uint8Array.from([22, 3, 3, body.length >> 8, body.length & 255, ...body]));
      const spoilt = fc.tuple(fc.nat(hello.length - 1), fc.nat(255)).map(([at, byte]) => {
        const copy = hello.slice();
        copy[at] = byte;
        return copy;
      });
      fc.assert(
        fc.property(fc.array(fc.oneof(bytes, record, spoilt), { minLength: 1, maxLength: 4 }), (pieces) => {
          const [mine, theirs] = socketPair();
          const session = role === "server"
            ? TlsSession.accept(pair.server, mine.fd)
            : TlsSession.connect(pair.client, mine.fd, PINNED);
          try {
            session.handshake();
            for (const piece of pieces) {
              theirs.send(piece as Uint8Array<ArrayBuffer>);
              session.handshake();
            }
          } catch (error) {
            failure(error instanceof TlsError ? error : String(error));
            assert.throws(() => session.handshake(), TlsError);
          }
          session.free();
          mine.close();
          theirs.close();
        }),
        { numRuns: 300 },
      );
    },
    { ignore },
  );
}

test("bytes that are changed on the way are found", async () => {
  using pair = await pinnedPair();
  for (const at of [0, 1, 3, 5, 20, 110]) {
    using two = new Two(pair.client, pair.server);
    outcomes(two.client, two.server);
    two.client.write(new Uint8Array(100).fill(7));
    const sent = two.serverSocket.receive(); // below TLS
    sent[at] = sent[at]! ^ 0x40;
    two.clientSocket.send(sent);
    two.clientSocket.close(); // so that a length that is too long does not wait for more
    assert.throws(() => two.server.read(new Uint8Array(200)), (error) => {
      assert(error instanceof TlsError);
      assert.ok(
        error.kind === "protocol" || error.kind === "not-tls" || at === 3 && error.kind === "truncated",
        error.message,
      );
      return true;
    });
  }
}, { ignore });
