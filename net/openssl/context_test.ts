import assert from "node:assert/strict";
import { ALPN } from "../tls/listening.ts";
import { pem, pinnedCertificate } from "../tls/certificate.ts";
import { newKey, TestAuthority } from "../tls/_tls_fixture_test.ts";
import { folderTest, test } from "../../tests/rig/test.ts";
import { TlsContext } from "./context.ts";
import { TlsSetupError } from "./errors.ts";
import { openSsl, whyNoOpenSsl } from "./library.ts";
import { clientContext, hasOpenSsl, outcomes, Two } from "./_openssl_fixture_test.ts";

const ignore = !hasOpenSsl;
type Pair = { cert: string; key: string };

test("OpenSSL is there, or a line says why it is not", () => {
  assert.equal(openSsl() === undefined, whyNoOpenSsl() !== undefined);
  assert(!whyNoOpenSsl()?.includes("\n"));
  assert.equal(openSsl(), openSsl());
});

folderTest("without the permission a line says so, and nobody is asked", async (folder) => {
  const program = `${folder}/ask.ts`;
  const library = JSON.stringify(import.meta.resolve("./library.ts"));
  Deno.writeTextFileSync(
    program,
    `import { openSsl, whyNoOpenSsl } from ${library}; console.log(openSsl(), whyNoOpenSsl());`,
  );
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", program],
    env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
  }).output();
  assert.match(new TextDecoder().decode(stdout), /^undefined to use OpenSSL takes the permission ffi/);
});

/** Ways to spoil a pair, and what is said. */
const SPOILT: readonly [
  what: string,
  spoil: (pair: Pair, other: Pair) => Pair,
  kind: TlsSetupError["kind"],
  of: TlsSetupError["of"],
][] = [
  ["no certificate", (pair) => ({ ...pair, cert: "" }), "not-pem", "certificate"],
  ["a key for a certificate", (pair) => ({ ...pair, cert: pair.key }), "not-pem", "certificate"],
  ["half a certificate", (pair) => ({ ...pair, cert: pair.cert.slice(0, 200) }), "damaged", "certificate"],
  ["another body", (pair) => ({ ...pair, cert: pem("CERTIFICATE", new Uint8Array(9)) }), "damaged", "certificate"],
  [
    "a second one that is spoilt",
    (pair) => ({ ...pair, cert: pair.cert + pair.cert.slice(0, 99) }),
    "damaged",
    "certificate",
  ],
  ["no key", (pair) => ({ ...pair, key: "" }), "not-pem", "key"],
  ["a certificate for a key", (pair) => ({ ...pair, key: pair.cert }), "not-pem", "key"],
  ["half a key", (pair) => ({ ...pair, key: pair.key.slice(0, 60) }), "damaged", "key"],
  ["a key of nothing", (pair) => ({ ...pair, key: pem("PRIVATE KEY", new Uint8Array(9)) }), "damaged", "key"],
  ["another's key", (pair, other) => ({ ...pair, key: other.key }), "mismatch", "key"],
  [
    "a key that takes a passphrase",
    (pair) => ({ ...pair, key: pem("ENCRYPTED PRIVATE KEY", new Uint8Array(99)) }),
    "encrypted",
    "key",
  ],
];

for (const [what, spoil, kind, of] of SPOILT) {
  test(`a server is told what is wrong with its files: ${what}`, async () => {
    const [pair, other] = [await pinnedCertificate(await newKey()), await pinnedCertificate(await newKey())];
    assert.throws(() => TlsContext.server(spoil(pair, other), { alpn: ALPN }), (error) => {
      assert(error instanceof TlsSetupError, String(error));
      assert.deepEqual([error.kind, error.of], [kind, of], error.message);
      assert(!error.message.includes("\n"));
      return true;
    });
  }, { ignore });
}

test("a client is told what is wrong with its CAs or its keys", async () => {
  const authority = await TestAuthority.make();
  for (const text of ["", "text", authority.cert.slice(0, 99), authority.cert + authority.cert.slice(0, 99)]) {
    assert.throws(() => clientContext({ kind: "ca", pem: text }), (error) => {
      assert(error instanceof TlsSetupError);
      assert.equal(error.of, "ca");
      return true;
    });
  }
  clientContext({ kind: "ca", pem: authority.cert + authority.cert }).close(); // twice the same does no harm
  for (const keys of [[], [new Uint8Array(31)], [new Uint8Array(32), new Uint8Array(33)]]) {
    assert.throws(() => clientContext({ kind: "pinned", keys }), RangeError);
  }
}, { ignore });

test("CAs of the system are taken up, and vouch for nobody of one's own", async () => {
  const authority = await TestAuthority.make();
  const client = clientContext({ kind: "system" });
  const server = TlsContext.server(await authority.certify(["127.0.0.1"]), { alpn: ALPN });
  {
    using two = new Two(client, server, { serverName: "127.0.0.1", verifyName: "127.0.0.1" });
    assert.match(String(outcomes(two.client, two.server)[0]), /invalid peer certificate/);
  }
  client.close();
  client.close();
  server.close();
}, { ignore });
