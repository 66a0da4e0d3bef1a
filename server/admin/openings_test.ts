import assert from "node:assert/strict";
import { connectDevice, createIdentity, formatPublicKey, parseAllow } from "../../mod.ts";
import { loadIdentity } from "../../app/files/state.ts";
import { engineChoice } from "../../tests/rig/engine.ts";
import { portOf } from "../../tests/rig/ports.ts";
import { echoService } from "../../tests/rig/service.ts";
import { Stream } from "../../tests/rig/stream.ts";
import { folderTest } from "../../tests/rig/test.ts";
import { poll, within } from "../../tests/rig/wait.ts";
import { OPENING_ROUTES, refused, served } from "./_served_test.ts";
import type { Device } from "./schemas.ts";

interface Opened {
  readonly service: string;
  readonly to: string | null;
  readonly hostAddress: string | null;
  readonly by: string | null;
}

folderTest(
  "services and addresses are opened, listed and closed by the API, and what cannot be is a conflict",
  async (folder) => {
    const identity = await createIdentity();
    await Deno.writeTextFile(
      `${folder}/devices.toml`,
      `[gw1]\nkey = "${formatPublicKey(identity.publicKey)}"\n` +
        `[gw1.services]\necho = { listen = "127.0.0.1:0", closed = true }\nopen = "127.0.0.1:0"\n`,
      { mode: 0o600 },
    );
    await using server = await served(folder);
    const { client, handle } = server;
    await using echo = echoService();
    const list = async () => (await client.get<{ items: Opened[] }>("/v1/openings")).items;
    const connect = { address: `127.0.0.1:${echo.port}`, reason: "ticket 7", by: "alice" };
    await refused(client.post("/v1/devices/gw1/connect", connect), 409, /Cannot reach gw1: there is no link now/);
    const { port } = new URL(`http://${handle.addresses[0]}`);
    const device = connectDevice({
      profile: "v2",
      engine: engineChoice,
      server: { host: "127.0.0.1", port: Number(port) },
      serverKey: await keyOf(folder),
      security: "plain",
      identity,
      services: [],
      allow: [parseAllow("127.0.0.1:*")],
    });
    try {
      await poll(async () => (await client.get<Device>("/v1/devices/gw1")).mode === "run", () => "it does not run");
      assert.deepEqual((await client.get<Device>("/v1/devices/gw1")).versions, [2, 2]);
      const made = await client.post<Opened>("/v1/devices/gw1/connect", connect);
      assert.deepEqual([made.to, made.by], [connect.address, "alice"]);
      using conn = await Stream.connect(portOf(made.hostAddress!));
      await conn.write("x");
      assert.equal(await conn.readText(1), "x");
      const opened = await client.post<Opened>("/v1/devices/gw1/open", { service: "echo", for: 60_000 });
      assert.deepEqual([opened.service, opened.to], ["echo", null]);
      const seen = (await client.get<Device>("/v1/devices/gw1")).services;
      assert.deepEqual(seen.map(({ name, closed, opening }) => [name, closed, opening?.reason, opening?.by]), [
        ["echo", true, null, null],
        ["open", false, undefined, undefined],
        [made.service, true, "ticket 7", "alice"],
      ]);
      assert.deepEqual((await list()).map(({ service }) => service), [made.service, "echo"]);
      const { items } = await client.get<{ items: { type: string; to?: string }[] }>("/v1/events?type=service-opened");
      assert.deepEqual(items.map(({ to }) => to), [connect.address, undefined]);
      await client.post("/v1/devices/gw1/shut", { service: made.service, by: "bob" });
      assert.equal(await conn.readSome(), null);
      await client.post("/v1/devices/gw1/shut", { service: "echo" });
      assert.deepEqual(await list(), []);
      const refusals = await client.get<{ items: { reason: string }[] }>("/v1/refusals");
      assert.deepEqual(refusals.items.map(({ reason }) => reason), ["access-closed"]);
      const post = (word: string, body: unknown) => client.post(`/v1/devices/gw1/${word}`, body);
      await refused(post("shut", { service: "echo" }), 409, /was not opened, or is closed again/);
      await refused(post("open", { service: "open", for: 1_000 }), 409, /gw1\/open is not closed/);
      await refused(post("open", { service: "none", for: 1_000 }), 404, /has no service "none"; there are: echo/);
      await refused(post("shut", { service: "none" }), 404, /has no service "none"; there are: echo/);
      await refused(post("connect", { address: "10.0.0.7" }), 400, /body\.address/);
      await refused(post("connect", { address: "10.0.0.7:23", from: ["x"] }), 400, /body\.from/);
      await refused(post("connect", { address: "10.0.0.7:23", listen: "x" }), 400, /body\.listen/);
      assert.deepEqual(OPENING_ROUTES.filter((id) => !server.asked.has(id)), []);
      await refused(client.post("/v1/devices/gw9/connect", connect), 404, /there is no device/);
    } finally {
      device.close();
      await within(device.closed, "the end of the device");
    }
  },
);

/** The key of the server with a state. */
async function keyOf(folder: string): Promise<Uint8Array> {
  return (await loadIdentity(folder)).publicKey;
}
