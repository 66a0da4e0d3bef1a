/**
 * Ranges of ports in one line, on the server and on the device.
 *
 * @module
 */

import assert from "node:assert/strict";
import { outcome, succeed } from "../rig/processes/commands.ts";
import { startDevice, startServer } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { enrol, joinArgs, serviceOpen, startV2Server } from "../rig/processes/relay.ts";
import { freePort } from "../rig/ports.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { TempFolder } from "../rig/temp_folder.ts";

/** The first of `count` ports of an address that are free now. */
function freeRange(host: string, count: number): number {
  for (;;) {
    const first = freePort(host);
    const listeners: Deno.Listener[] = [];
    try {
      for (let n = 0; n < count; n++) listeners.push(Deno.listen({ hostname: host, port: first + n }));
      return first;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse || error instanceof TypeError)) throw error;
    } finally {
      for (const listener of listeners) listener.close();
    }
  }
}

async function talk(port: number, host: string): Promise<void> {
  using client = await Stream.connect(port, host);
  await client.write("hello");
  assert.equal((await client.read(5)).length, 5);
}

processTest("a range in one line is as many services on both sides, each at its own port", [], async () => {
  using folder = new TempFolder();
  const host = "127.0.0.83";
  const at = freeRange(host, 3);
  const here = freeRange("127.0.0.84", 3);
  await using first = echoService({ hostname: "127.0.0.84", port: here });
  await using last = echoService({ hostname: "127.0.0.84", port: here + 2 });
  await using server = await startV2Server(folder.path);
  const text = await enrol(folder.path, server.address, [`web=${host}:${at}-${at + 2},each`, "ssh=127.0.0.1:0"]);
  const local = `web=127.0.0.84:${here}-${here + 2}`;
  await using device = startDevice(joinArgs(folder.path, text, [local]));
  for (let n = 0; n < 3; n++) assert.equal(await serviceOpen(device, `web-${n + 1}`), `${host}:${at + n}`);
  await talk(at, host);
  await talk(at + 2, host);
  assert.ok(first.port !== last.port);
  const file = `${folder.path}/server/devices.toml`;
  assert.match(Deno.readTextFileSync(file), new RegExp(`web = "${host}:${at}-${at + 2},each"`), "it stays one line");
  assert.match(Deno.readTextFileSync(`${folder.path}/device/device.toml`), new RegExp(`"${local}"`));

  // The range can be edited as the one service that it is.
  const moved = freeRange(host, 2);
  await succeed("server", ["service", "remove", "gw1", "web", "--state", folder.path]);
  await device.child.line(/^service web-1 .*(not granted|granted)/);
  await succeed("server", ["service", "add", "gw1", `web=${host}:${moved}-${moved + 1},each`, "--state", folder.path]);
  assert.equal(await serviceOpen(device, "web-2", device.child.stdout.length), `${host}:${moved + 1}`);
  const { stderr } = await outcome("server", [
    ...["service", "add", "gw1", `more=${host}:${moved + 1}`, "--state", folder.path],
  ]);
  assert.match(stderr, /has 127\.0\.0\.83:\d+-\d+,each for "web"/, "its ports are taken");
});

processTest("ranges that are not as long, or one port of a range, are told of on both sides", [], async () => {
  using folder = new TempFolder();
  const host = "127.0.0.85";
  const at = freeRange(host, 3);
  await using server = await startServer(["--listen", "127.0.0.1:0", "--state", folder.path]);
  const services = [`web=${host}:${at}-${at + 2},each`, `any=${host}:40000-40009`];
  const text = await enrol(folder.path, server.address, services);
  const locals = ["web=127.0.0.1:9000-9001", "any=127.0.0.1:9100-9101"];
  await using device = startDevice(joinArgs(folder.path, text, locals));
  await serviceOpen(device, "web-2");
  await server.logged(/device gw1 offers 2 of the 3 ports of web; the ranges of both sides have to be as long/);
  await device.logged(/granted to gw1: web-1 to web-3, any; any is one free port of .*: with ",each" behind it/);
  for (
    const [role, args, says] of [
      ["server", ["enroll", "x", "--service", "a=0.0.0.0:1-300,each"], /has 300 ports; 256 can be/],
      ["server", ["enroll", "x", "--service", "a=0.0.0.0:80,each"], /"each" in .* is for a range of ports/],
      ["server", ["enroll", "x", "--service", "a=1-2,each", "--service", "a-2=80"], /a-2 is given twice/],
      ["device", ["join", text, "--service", "a=127.0.0.1:9-8"], /is not a range; write one as in 9000-9010/],
      ["device", ["join", text, "--service", "a=127.0.0.1:1000-1300"], /has 301 ports; a device can offer 256/],
    ] as const
  ) {
    const { code, stderr } = await outcome(role, [...args, "--state", `${folder.path}/other`]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, says);
  }
});
