/**
 * Devices that come with a token, and servers that prove themselves with a CA's certificate.
 *
 * @module
 */

import assert from "node:assert/strict";
import { TestAuthority } from "../../net/tls/_tls_fixture_test.ts";
import { createIdentity, formatPublicKey } from "../../net/tls/identity.ts";
import { parseGrant } from "../../server/devices/service_grant.ts";
import { echoService } from "../rig/service.ts";
import { test } from "../rig/test.ts";
import { Desk, Directory } from "../rig/v2/directory.ts";
import { authorized, enlist, local, SECURITIES, startV2Device, startV2Server, type V2Server } from "../rig/v2/relay.ts";
import { Stream } from "../rig/stream.ts";
import { portOf } from "../rig/ports.ts";
import { within } from "../rig/wait.ts";
import { TempFolder } from "../rig/temp_folder.ts";

/** A server with a desk that has one token for a device `gw1` with an echo. */
async function startDesk(security: "plain" | "tls"): Promise<V2Server & { desk: Desk }> {
  const directory = new Directory();
  const desk = new Desk(directory, (key) => ({
    name: "gw1",
    key,
    disabled: false,
    services: [parseGrant("echo=127.0.0.1:0")],
  }));
  return { ...await startV2Server({ security, directory, enrolments: desk }), desk };
}

for (const security of SECURITIES) {
  test(`v2 enrolment, ${security}: a device with a token is let in, and comes back with its key alone`, async () => {
    await using echo = echoService();
    await using server = await startDesk(security);
    const identity = await createIdentity();
    {
      await using device = startV2Device(server, identity, [local("echo", echo)], { enrolment: server.desk.token });
      const enrolled = await server.events.next("enrolled");
      assert.deepEqual([enrolled.device, enrolled.key], ["gw1", formatPublicKey(identity.publicKey)]);
      using client = await Stream.connect(portOf((await device.events.next("service")).hostAddress!));
      await client.write("x");
      assert.equal(await client.readText(1), "x");
      assert.equal(device.handle.status.name, "gw1");
    }
    await server.events.next("link-up");
    await using device = startV2Device(server, identity, []);
    await device.events.next("online");
    assert.equal((await server.events.next("link-up")).device, "gw1");
    assert.equal(server.log.matching(/device gw1 is enrolled/).length, 1);
  });
}

test("v2 enrolment: the same key may use its token again, another may not, and stays away for good", async () => {
  await using server = await startDesk("plain");
  const { desk } = server;
  const identity = await createIdentity();
  for (let round = 0; round < 3; round++) {
    if (round === 2) server.directory.remove(authorized("gw1", identity, [])); // as if WELCOME and all had been lost
    await using device = startV2Device(server, identity, [], { enrolment: desk.token });
    await device.events.next("online");
    await device.handle.shutdown();
  }
  await using thief = startV2Device(server, await createIdentity(), [], { enrolment: desk.token });
  const failed = await thief.events.next("dial-failed");
  assert.deepEqual([failed.goodbye, failed.error], [
    "bad-enrolment",
    "bad-enrolment: this enrolment string was used already",
  ]);
  await within(thief.handle.closed, "the end of the device");
  assert.match((await server.events.next("refused")).why, /^bad-enrolment: this enrolment string was used already/);
  assert.equal(server.events.types.filter((type) => type === "enrolled").length, 2);
});

test("v2 enrolment: a wrong secret and an unknown token are the same to whoever tries, and use nothing up", async () => {
  await using server = await startDesk("plain");
  const { token } = server.desk;
  const errors = new Set<string>();
  for (const enrolment of [{ ...token, key: new Uint8Array(32) }, { ...token, id: new Uint8Array(8) }]) {
    await using device = startV2Device(server, await createIdentity(), [], { enrolment });
    const failed = await device.events.next("dial-failed");
    assert.equal(failed.goodbye, "bad-enrolment");
    errors.add(failed.error);
    await within(device.handle.closed, "the end of the device");
  }
  assert.equal(errors.size, 1);
  assert.equal(server.events.types.includes("enrolled"), false);
  await using device = startV2Device(server, await createIdentity(), [], { enrolment: token });
  await device.events.next("online");
});

test("v2 enrolment: a server without a desk takes no tokens", async () => {
  await using server = await startV2Server();
  const enrolment = { id: new Uint8Array(8), key: new Uint8Array(32) };
  await using device = startV2Device(server, await createIdentity(), [], { enrolment });
  assert.equal((await device.events.next("dial-failed")).goodbye, "bad-enrolment");
});

test("v2 pki: a server with a certificate of a private CA is taken for its name, and for no other", async () => {
  const authority = await TestAuthority.make();
  const other = await TestAuthority.make("Another CA");
  using temporary = new TempFolder();
  const folder = temporary.path;
  const { cert, key } = await authority.certify(["127.0.0.1"]);
  const certificate = { kind: "files", certFile: `${folder}/cert.pem`, keyFile: `${folder}/key.pem` } as const;
  await Deno.writeTextFile(certificate.certFile, cert);
  await Deno.writeTextFile(certificate.keyFile, key);
  await using server = await startV2Server({ security: "tls", certificate });
  const identity = await enlist(server, "gw1", []);
  assert.equal((await server.events.next("listening")).security, "pki");
  const pki = { security: "pki", caCerts: [authority.cert], reconnect: false } as const;
  {
    await using device = startV2Device(server, identity, [], pki);
    await device.events.next("online");
  }
  const wrong = [
    [{ ...pki, caCerts: [other.cert] }, /from a CA that this device does not know/],
    [{ ...pki, server: { host: "localhost", port: server.port } }, /is not for localhost/],
    [{ security: "pinned", reconnect: false }, /proved another key|is not/],
  ] as const;
  for (const [options, why] of wrong) {
    await using device = startV2Device(server, identity, [], options);
    assert.match((await device.events.next("dial-failed")).error, why);
  }
  // The CA's word is not enough: the handshake still wants the key that the device knows.
  await using device = startV2Device({ ...server, identity: await createIdentity() }, identity, [], pki);
  assert.match((await device.events.next("dial-failed")).error, /the server did not prove the key/);
});
