/**
 * Host addresses that are Unix sockets of the server's machine.
 *
 * @module
 */

import assert from "node:assert/strict";
import { engines } from "../../net/_engines_fixture_test.ts";
import { connectUnix, UnixService } from "../rig/unix_service.ts";
import { Child } from "../rig/processes/child.ts";
import { processTest } from "../rig/processes/harness.ts";
import { echoService } from "../rig/service.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { test } from "../rig/test.ts";
import { startV1Device } from "../rig/v1/relay.ts";
import { authorized, local, startV2Relay } from "../rig/v2/relay.ts";
import { serve } from "../../mod.ts";
import { Events } from "../rig/events.ts";
import { poll, within } from "../rig/wait.ts";
import type { ServerEvent } from "../../mod.ts";

const exists = (path: string) => {
  try {
    return Deno.lstatSync(path).isSocket;
  } catch {
    return false;
  }
};

for (const { name: engine } of engines) {
  test(`${engine}: local users reach a service at a Unix socket, and are known by their number`, async () => {
    using folder = new TempFolder();
    const path = `${folder.path}/ssh`;
    await using echo = echoService();
    await using relay = await startV2Relay({
      services: [local("echo", echo)],
      grants: [`echo=unix:${path},mode=0660`],
      serve: { engine },
    });
    const { server, device } = relay;
    const opened = await server.events.next("host-open");
    assert.deepEqual([opened.hostAddress, opened.localAddress], [`unix:${path}`, "echo"]);
    assert.equal((await device.events.next("service")).hostAddress, `unix:${path}`);
    assert.equal(device.handle.status.services[0]!.hostAddress, `unix:${path}`);
    assert.equal(Deno.lstatSync(path).mode! & 0o777, 0o660);
    using client = await connectUnix(path);
    await client.write("hello");
    assert.equal(await client.readText(5), "hello");
    await client.closeWrite();
    assert.equal((await client.readToEnd()).length, 0);
    const ended = await device.events.next("channel-end");
    assert.match(
      ended.client!,
      engine === "native" ? new RegExp(`^unix:uid=${Deno.uid()},pid=${Deno.pid}$`) : /^unix:uid=\?$/,
    );
    assert.equal(ended.reason, "client-closed");
    server.directory.put(authorized("gw1", device.identity, ["echo=127.0.0.1:0"]));
    await server.events.next("host-closed");
    await poll(() => !exists(path), () => `${path} is there`);
  });

  test(`${engine}: a socket that somebody else listens at is refused in one line, and had when he has gone`, async () => {
    using folder = new TempFolder();
    const path = `${folder.path}/ssh`;
    await using echo = echoService();
    const other = new UnixService(path);
    await using relay = await startV2Relay({
      services: [local("echo", echo)],
      grants: [`echo=unix:${path}`],
      serve: { engine },
    });
    const failed = await relay.server.events.next("host-failed");
    assert.equal(failed.hostAddress, `unix:${path}`);
    assert.match(failed.error, new RegExp(`^Cannot listen on unix:${path}: somebody listens at ${path} already`));
    const told = await relay.device.events.next("service");
    assert.match(told.error!, /^port-unavailable: on the server: Cannot listen on unix:/);
    other[Symbol.dispose]();
    await relay.server.events.next("host-open");
    assert.equal((await relay.device.events.next("service")).hostAddress, `unix:${path}`);
    using client = await connectUnix(path);
    await client.write("hello");
    assert.equal(await client.readText(5), "hello");
  });
}

test("v1: a forward may begin at a Unix socket", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/v1`;
  await using echo = echoService();
  const server = serve({
    listen: [{
      profile: "v1",
      address: { host: "127.0.0.1", port: 0 },
      forwards: [{ hostAddress: { unix: path }, localAddress: { host: "127.0.0.1", port: echo.port } }],
    }],
  });
  const events = new Events<ServerEvent>(server);
  await server.ready;
  {
    await using _device = startV1Device(Number(server.addresses[0]!.split(":")[1]), [`127.0.0.1:${echo.port}`]);
    assert.equal((await events.next("host-open")).hostAddress, `unix:${path}`);
    using client = await connectUnix(path);
    await client.write("hello");
    assert.equal(await client.readText(5), "hello");
  }
  server.close();
  await within(server.closed, "the end of the server");
  assert.ok(!exists(path));
});

for (const { name: engine } of engines) {
  processTest(`curl talks from one Unix socket to another through the relay, engine ${engine}`, ["curl"], async () => {
    using folder = new TempFolder();
    const [behind, path] = [`${folder.path}/docker.sock`, `${folder.path}/gw1-docker.sock`];
    const body = "x".repeat(1_000_000);
    const http = Deno.serve({ path: behind, transport: "unix", onListen: () => {} }, async (request) => {
      const { pathname } = new URL(request.url);
      if (request.method === "POST") return new Response(`${(await request.bytes()).length} B at ${pathname}\n`);
      return new Response(body);
    });
    {
      await using relay = await startV2Relay({
        services: [`docker=unix:${behind}`],
        grants: [`docker=unix:${path},mode=0600`],
        device: { engine },
        serve: { engine },
      });
      await relay.server.events.next("host-open");
      const curl = async (...args: string[]) => {
        const base = ["curl", "-sS", "--noproxy", "*", "--unix-socket", path];
        await using child = await Child.run("curl", [...base, ...args]);
        assert.equal(await child.exited, 0, child.tail);
        return child.stdout.join("\n");
      };
      assert.equal(await curl("http://localhost/images/json"), body);
      const upload = folder.write("upload", body);
      assert.equal(await curl("--data-binary", `@${upload}`, "http://localhost/build"), "1000000 B at /build");
    }
    await http.shutdown();
  });
}
