import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { certificateKey, der, pem, PINNED_NAME, pinnedAnchor, pinnedCertificate } from "./certificate.ts";
import { ALPN } from "./listening.ts";
import { test } from "../../tests/rig/test.ts";
import { connected, listenTls, newKey, rawKey, shake, TestAuthority } from "./_tls_fixture_test.ts";
import { unhex } from "../../tests/rig/bytes.ts";

// The key of RFC 8032 §7.1, test 1.
const SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const PUBLIC_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

const GOLDEN_BODY = `-----BEGIN CERTIFICATE-----
MIIBJTCB2KADAgECAgEBMAUGAytlcDAiMSAwHgYDVQQDDBdyZWxheS5zYWxseXBv
cnQuaW52YWxpZDAgFw03MDAxMDEwMDAwMDBaGA85OTk5MTIzMTIzNTk1OVowIjEg
MB4GA1UEAwwXcmVsYXkuc2FsbHlwb3J0LmludmFsaWQwKjAFBgMrZXADIQDXWpgB
grEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGqMxMC8wIgYDVR0RBBswGYIXcmVs
YXkuc2FsbHlwb3J0LmludmFsaWQwCQYDVR0TBAIwADAFBgMrZXADQQ`;

const GOLDEN_CERTIFICATE = `${GOLDEN_BODY}D1zFMJD98m
IIslKtdG6QZJpcU7OzCLssktgqFqeuBh6OYm3dUB/6uCKJ4XpRZD18ry3CRsQlgp
8/gUb/jaqYMN
-----END CERTIFICATE-----
`;

const GOLDEN_ANCHOR = `${GOLDEN_BODY}AAAAAAAAAA
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
AAAAAAAAAAAA
-----END CERTIFICATE-----
`;

async function goldenKey(): Promise<CryptoKeyPair> {
  const pkcs8 = unhex(`302e020100300506032b657004220420${SEED}`);
  return {
    privateKey: await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]),
    publicKey: await crypto.subtle.importKey("raw", unhex(PUBLIC_KEY), "Ed25519", true, ["verify"]),
  };
}

test("the certificate of a known key is the known one, and its key is that key", async () => {
  const { cert, key } = await pinnedCertificate(await goldenKey());
  assert.equal(cert, GOLDEN_CERTIFICATE);
  const inside = atob(key.replace(/-----.*-----|\s/g, ""));
  assert.equal(inside.slice(-32), String.fromCharCode(...unhex(SEED)));
});

test("the anchor of a known key is the same certificate without a signature", () => {
  assert.equal(pinnedAnchor(unhex(PUBLIC_KEY)), GOLDEN_ANCHOR);
});

test("no clock that counts from 1970 on is too early or too late for the certificate", async () => {
  const { validFrom, validTo } = new X509Certificate((await pinnedCertificate(await newKey())).cert);
  assert.match(validFrom, /^Jan +1 00:00:00 1970/);
  assert.match(validTo, /^Dec 31 23:59:59 9999/);
});

test("a key of another length is refused", () => {
  assert.throws(() => pinnedAnchor(new Uint8Array(31)), /^RangeError: Cannot pin a key of 31 bytes/);
});

test("the name can be certified by nobody", () => {
  assert.equal(PINNED_NAME, "relay.sallyport.invalid");
});

test("lengths are written in as few bytes as they need", () => {
  const head = (length: number) => [...der(4, new Uint8Array(length)).subarray(0, 4)];
  assert.deepEqual(head(0x7f), [4, 0x7f, 0, 0]);
  assert.deepEqual(head(0x80), [4, 0x81, 0x80, 0]);
  assert.deepEqual(head(0xff), [4, 0x81, 0xff, 0]);
  assert.deepEqual(head(0x100), [4, 0x82, 1, 0]);
});

test("PEM has lines of 64 characters and no empty one", () => {
  assert.equal(pem("X", new Uint8Array(48)), `-----BEGIN X-----\n${"A".repeat(64)}\n-----END X-----\n`);
  assert.equal(pem("X", new Uint8Array(51)), `-----BEGIN X-----\n${"A".repeat(64)}\nAAAA\n-----END X-----\n`);
});

/** A handshake of a client that pins `pinned` with a server that has `owned`. @returns ALPN or the error of the client. */
async function handshake(owned: CryptoKeyPair, pinned: Uint8Array, hostname: string): Promise<string | null> {
  using listener = listenTls(await pinnedCertificate(owned));
  const { client, server } = await connected(listener);
  using _server = server;
  const shaken = server.handshake().catch(() => {});
  const options = { hostname, caCerts: [pinnedAnchor(pinned)], alpnProtocols: [ALPN] };
  const { tls, result } = await shake(client, options);
  await shaken;
  tls.close();
  return result;
}

test("a client that knows only the key gets through to its owner", async () => {
  const key = await newKey();
  assert.equal(await handshake(key, await rawKey(key), PINNED_NAME), ALPN);
});

test("a server with another key is refused", async () => {
  const result = await handshake(await newKey(), await rawKey(await newKey()), PINNED_NAME);
  assert.match(String(result), /^error: invalid peer certificate/);
});

test("a pinned certificate proves no other name", async () => {
  const key = await newKey();
  assert.match(String(await handshake(key, await rawKey(key), "relay.example")), /^error: invalid peer certificate/);
});

function bytesOf(certificate: string): Uint8Array {
  return Uint8Array.from(atob(certificate.replace(/-----[^-]+-----|\s/g, "")), (c) => c.charCodeAt(0));
}

test("the key of a certificate is read from where it stands, not from what merely looks like it", async () => {
  const keyPair = await newKey();
  const authority = await TestAuthority.make();
  const mine = await rawKey(keyPair);
  assert.deepEqual(certificateKey(bytesOf((await pinnedCertificate(keyPair)).cert)), mine);
  assert.deepEqual(certificateKey(bytesOf(pinnedAnchor(mine))), mine);
  const other = bytesOf((await authority.certify(["relay.example"], { subject: String.fromCharCode(...mine) })).cert);
  assert.notDeepEqual(certificateKey(other), mine);
});

test("damaged certificates have no key, or the one they state, and cost no error", async () => {
  const whole = bytesOf((await pinnedCertificate(await newKey())).cert);
  for (let size = 0; size < whole.length; size++) assert.equal(certificateKey(whole.subarray(0, size)), undefined);
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
      const damaged = whole.slice();
      damaged[at] = byte;
      const key = certificateKey(damaged);
      assert(key === undefined || key.length === 32);
    }),
  );
});
