import assert from "node:assert/strict";
import { createIdentity } from "../../net/tls/identity.ts";
import { PINNED_NAME, pinnedCertificate } from "../../net/tls/certificate.ts";
import { certificateNames, isCertifiedFor } from "./certificate_names.ts";
import { test } from "../../tests/rig/test.ts";

test("a certificate is for the names that stand in it", async () => {
  const { cert } = await pinnedCertificate((await createIdentity()).keyPair);
  assert.deepEqual(certificateNames(cert), [PINNED_NAME]);
  assert.throws(() => certificateNames("no certificate"));
});

test("a certificate is for a name, a label below a name with a star, and an address in any spelling", () => {
  const names = ["relay.example", "*.iot.example", "192.0.2.1", "2001:db8::1"];
  for (const host of ["relay.example", "RELAY.example.", "gw.iot.example", "192.0.2.1", "2001:db8:0::1"]) {
    assert.equal(isCertifiedFor(names, host), true, host);
  }
  for (const host of ["example", "a.relay.example", "iot.example", "a.b.iot.example", "192.0.2.2", "localhost"]) {
    assert.equal(isCertifiedFor(names, host), false, host);
  }
  assert.equal(isCertifiedFor(["*."], "localhost"), false);
});
