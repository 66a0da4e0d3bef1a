import assert from "node:assert/strict";
import { ENROLL_LOOKUP_MS } from "../limits.ts";
import { createIdentity } from "../../net/tls/identity.ts";
import { PINNED_NAME, pinnedCertificate } from "../../net/tls/certificate.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { folderTest, test } from "../../tests/rig/test.ts";
import { parseGrant } from "../devices/service_grant.ts";
import { certificateWarning, type Machine, serviceWarnings } from "./enroll_warnings.ts";

/** A machine that has 192.0.2.1, and name servers that know some names. */
class FakeMachine implements Machine {
  readonly clock = new FakeClock();
  has(address: string): boolean {
    return address === "192.0.2.1";
  }
  lookup(name: string): Promise<string[]> {
    if (name === "slow.example") return new Promise(() => {});
    if (name === "gone.example") return Promise.reject(new Error("cannot find the address of gone.example"));
    return Promise.resolve([name === "here.example" ? "192.0.2.1" : "192.0.2.9"]);
  }
}

test("services whose host address is not this machine's are told, each with its reason", async () => {
  const machine = new FakeMachine();
  const grants = ["a=192.0.2.1:1", "b=192.0.2.9:2", "c=here.example:3", "d=there.example:4-9", "e=gone.example:0"];
  assert.deepEqual(await serviceWarnings(grants.map(parseGrant), undefined, machine), [
    '192.0.2.9 is no address of this host: "b" cannot open at 192.0.2.9:2 on this host',
    'there.example is 192.0.2.9, no address of this host: "d" cannot open at there.example:4-9 on this host',
    'cannot find the address of gone.example: "e" cannot open at gone.example:0 on this host',
  ]);
  assert.equal(machine.clock.pending, 0);
  const slow = serviceWarnings([parseGrant("s=slow.example:1")], undefined, machine);
  machine.clock.tick(ENROLL_LOOKUP_MS);
  assert.match((await slow)[0]!, /^the address of slow\.example is not found in time: "s" cannot open/);
});

test("every address of this machine can be had, and one for documents cannot", async () => {
  const grants = ["a=127.0.0.1:1", "b=0.0.0.0:1", "c=127.9.9.9:0", "d=192.0.2.77:0"].map(parseGrant);
  const lines = await serviceWarnings(grants, undefined);
  if (Deno.build.os !== "linux") return; // others have one address of their own only
  assert.deepEqual(lines, ['192.0.2.77 is no address of this host: "d" cannot open at 192.0.2.77:0 on this host']);
});

folderTest("a certificate that is not for what devices are to dial is told", async (folder) => {
  const { cert } = await pinnedCertificate((await createIdentity()).keyPair);
  const certificate = `${folder}/cert.pem`;
  await Deno.writeTextFile(certificate, cert);
  const facts = { addresses: [], security: "pki" as const, certificate };
  const named = { host: PINNED_NAME, port: 1 };
  const others = [{ host: "127.0.0.1", port: 2 }, named, { host: "relay.example", port: 3 }];
  assert.equal(certificateWarning([named], facts), undefined);
  assert.equal(
    certificateWarning(others, facts),
    `the server's certificate is for ${PINNED_NAME}: devices that dial 127.0.0.1:2 and relay.example:3 refuse it`,
  );
  assert.equal(certificateWarning(others, { ...facts, security: "pinned" }), undefined);
  assert.equal(certificateWarning(others, undefined), undefined);
  assert.equal(certificateWarning(others, { ...facts, certificate: `${folder}/gone.pem` }), undefined);
});
