/**
 * Serial lines behind a relay, with real clients: pyserial, telnet, socat.
 *
 * @module
 */

import assert from "node:assert/strict";
import { unmeantEnd } from "../rig/engine.ts";
import { Child } from "../rig/processes/child.ts";
import { processTest } from "../rig/processes/harness.ts";
import { pySerial } from "../rig/processes/python.ts";
import { startDevice, startServer, v1DeviceArgs, v1ServerArgs } from "../rig/processes/daemons.ts";
import { V2Relay } from "../rig/processes/relay.ts";
import { portOf } from "../rig/ports.ts";
import { Pty } from "../rig/pty.ts";
import { Stream } from "../rig/stream.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { poll } from "../rig/wait.ts";

/** Echoes what comes from the line, and notes how that is set, until it is closed. */
async function echo(far: Pty, settings: Set<string>): Promise<void> {
  for (;;) {
    const bytes = await far.read().catch(() => undefined);
    if (!bytes || bytes.length === 0) return;
    const { baud, stopBits, flow } = far.settings;
    settings.add(`${baud} ${stopBits} ${flow}`);
    await far.write(bytes);
  }
}

for (const engine of ["auto", "portable"]) {
  processTest(
    `pyserial sets a line through a relay, and talks over it, engine ${engine}`,
    ["python-can 4"],
    async () => {
      using far = new Pty();
      await using relay = await V2Relay.start([`console=serial:${far.path},115200,8n1,control=rfc2217`], {
        device: ["--engine", engine],
      });
      const settings = new Set<string>();
      const echoed = echo(far, settings);
      await using child = await Child.run("pyserial", pySerial("line", relay.hostPort), 30_000);
      assert.equal(await child.exited, 0, child.tail);
      assert.deepEqual(child.stdout, [
        ...["at 9600 whole", "at 57600 whole", "at 31250 whole"],
        "modem False False False False",
        "after a break whole",
        "a second one has not",
        "reopened again",
      ]);
      assert.deepEqual([...settings], ["9600 1 none", "57600 1 none", "31250 2 none", "31250 2 rts", "115200 1 none"]);
      far.close();
      await echoed;
    },
  );
}

processTest("pyserial sets a line through a relay on v1", ["python-can 4"], async () => {
  using far = new Pty();
  const named = "127.0.0.1:7001"; // what the server names; the device has the line in its place
  // v1 has no half-close: a client that has ended would else keep the line for 5 s.
  await using server = await startServer([...v1ServerArgs([named]), "--half-close-timeout", "0"]);
  await using _device = startDevice(v1DeviceArgs(server.address, [`${named}=serial:${far.path},control=rfc2217`]));
  const echoed = echo(far, new Set());
  const port = portOf(await server.host(named));
  await using child = await Child.run("pyserial", pySerial("line", port), 30_000);
  assert.equal(await child.exited, 0, child.tail);
  assert.equal(child.stdout.length, 7);
  assert.deepEqual(child.stdout.slice(-2), ["a second one has not", "reopened again"]);
  far.close();
  await echoed;
});

processTest("telnet is at a console behind a relay: Enter is one character, and a second one is told why not", [
  "telnet",
  "socat",
], async () => {
  using far = new Pty();
  await using relay = await V2Relay.start([`console=serial:${far.path},9600,control=rfc2217`]);
  // telnet wants a terminal; socat gives it one, and passes what is typed.
  const telnet = ["socat", "-t1", "-", `EXEC:telnet 127.0.0.1 ${relay.hostPort},pty,setsid,ctty,raw,echo=0`];
  await using child = Child.start("telnet", telnet, { input: true });
  await relay.device.logged(/client .* has /);
  await far.write("\r\nlogin:\r\n");
  await child.line(/^login:/);
  await child.type("root\r");
  assert.equal(await far.text(5), "root\r");
  assert.equal(far.settings.baud, 9600);
  await using second = Child.start("telnet", telnet, { input: true });
  await second.line(/is in use by another client/);
  await second.end();
  await child.kill();
});

processTest("socat has a line as bytes, and a second client is refused", ["socat"], async () => {
  using far = new Pty();
  await using relay = await V2Relay.start([`console=serial:${far.path},115200,8n1,flow=rts`]);
  await using child = Child.start("socat", ["socat", "-", `TCP:127.0.0.1:${relay.hostPort}`], { input: true });
  await child.type("uname\r\n");
  assert.equal(await far.text(7), "uname\r\n");
  await far.write("Linux\n");
  await child.line(/^Linux$/);
  using second = await Stream.connect(relay.hostPort);
  assert.equal((await second.readToItsEnd()).end, unmeantEnd);
  await relay.device.logged(/cannot reach console: service-refused \(.* is in use by another client\)/);
  await child.closeInput();
});

processTest(
  "a line that is pulled out and put in again goes on for its client, and is gone for none",
  ["socat"],
  async () => {
    using folder = new TempFolder();
    const path = `${folder.path}/ttyUSB0`;
    const plug = () =>
      Child.start("adapter", ["socat", "-", `PTY,link=${path},raw,echo=0,wait-slave`], { input: true });
    let adapter = plug();
    const isThere = () => poll(async () => await Deno.lstat(path).then(() => true, () => false), () => "no adapter");
    await isThere();
    await using relay = await V2Relay.start([`console=serial:${path}`]);
    using client = await Stream.connect(relay.hostPort);
    await client.write("one\n");
    await adapter.line(/^one$/);
    await adapter.stop();
    await relay.device.logged(/its clients wait for it/);
    await client.write("two\n");
    adapter = plug();
    await using _adapter = adapter;
    await adapter.line(/^two$/);
    await relay.device.logged(/is back, at 115200 8n1/);
    await adapter.type("three\n");
    assert.equal(await client.readText(6), "three\n");
  },
);

processTest("what waits at a line when it is opened is for who opened it", [], async () => {
  using far = new Pty();
  await using relay = await V2Relay.start([`console=serial:${far.path}`]);
  await far.write("login: ");
  using client = await Stream.connect(relay.hostPort);
  assert.equal(await client.readText(7), "login: ");
});

processTest("a line that is not there refuses its clients, and is told at the start", [], async () => {
  await using relay = await V2Relay.start(["console=serial:/dev/no-such-line"]);
  await relay.device.logged(/service console: there is no \/dev\/no-such-line; is the adapter plugged in\?; clients/);
  using client = await Stream.connect(relay.hostPort);
  assert.equal((await client.readToItsEnd()).end, unmeantEnd);
});
