/**
 * Stock clients of what is no port of TCP, or of one that is seldom tried: docker at a Unix socket, picocom at a serial
 * line, Modbus.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Child } from "../rig/processes/child.ts";
import { processTest } from "../rig/processes/harness.ts";
import { find } from "../rig/processes/programs.ts";
import { pyModbus } from "../rig/processes/python.ts";
import { startDevice, startServer, v1DeviceArgs, v1ServerArgs } from "../rig/processes/daemons.ts";
import { V2Relay } from "../rig/processes/relay.ts";
import { Pty } from "../rig/pty.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { poll } from "../rig/wait.ts";

/** An engine for containers at a Unix socket, with nothing in it: podman's, which speaks docker's API. */
async function startPodman(folder: string): Promise<Child> {
  const socket = `${folder}/podman.sock`;
  const store = ["--root", `${folder}/root`, "--runroot", `${folder}/run`, "--tmpdir", `${folder}/tmp`];
  const plain = ["--storage-driver", "vfs", "--events-backend", "file", "--cgroup-manager", "cgroupfs"];
  const serve = ["system", "service", "--time=0", `unix://${socket}`];
  const child = Child.start("podman", [find("podman")!, ...store, ...plain, ...serve], { env: { HOME: folder } });
  await poll(() => isSocket(socket), () => `no socket: ${child.tail}`);
  return child;
}

async function isSocket(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(({ isSocket }) => isSocket === true, () => false);
}

processTest(
  "docker asks an engine behind a device, and its events go on over a cut",
  ["docker", "podman"],
  async () => {
    using folder = new TempFolder();
    await using _podman = await startPodman(folder.path);
    await using relay = await V2Relay.start([`docker=unix:${folder.path}/podman.sock`]);
    const env = { HOME: folder.path, DOCKER_CONFIG: folder.path };
    const command = (...args: string[]) => [find("docker")!, "-H", `tcp://${relay.hosts[0]}`, ...args];
    const docker = async (...args: string[]) => {
      await using child = Child.start(`docker ${args[0]}`, command(...args), { env });
      assert.equal(await child.end(20_000), 0, child.tail);
      return child.stdout;
    };
    assert.match((await docker("version")).join("\n"), /Server:[^]*Podman Engine/);
    assert.match((await docker("info")).join("\n"), /Containers: 0/);
    await using events = Child.start(
      "docker events",
      command("events", "--format", "{{.Type}} {{.Action}} {{.Actor.ID}}"),
      {
        env,
      },
    );
    const follows = () => relay.command("clients").then((lines) => lines.some((line) => /gw1\/docker/.test(line)));
    await poll(follows, () => "nobody follows the events");
    await docker("volume", "create", "before");
    await events.line(/^volume create/);
    await relay.command("drop", "gw1");
    await relay.server.child.line(/^link-resumed gw1 /);
    const seen = events.stdout.length;
    await docker("volume", "create", "after");
    await events.line(/^volume create/, seen);
    assert.deepEqual((await docker("volume", "ls", "-q")).toSorted(), ["after", "before"]);
    await events.kill();
  },
);

for (const [profile, start] of [["v2", startV2], ["v1", startV1]] as const) {
  const needs = ["picocom", "socat"] as const;
  processTest(`${profile}: picocom is at a serial console behind a device`, needs, async () => {
    using far = new Pty();
    using folder = new TempFolder();
    await using relay = await start(`serial:${far.path},57600`);
    const path = `${folder.path}/console`;
    // picocom wants a terminal to open, and one to be in; socat makes both.
    await using line = Child.start("line", ["socat", `PTY,link=${path},raw,echo=0,wait-slave`, `TCP:${relay.host}`]);
    await poll(async () => await Deno.lstat(path).then(() => true, () => false), () => `no line: ${line.tail}`);
    const inTerminal = `EXEC:picocom --noreset --quiet ${path},pty,setsid,ctty,raw,echo=0`;
    await using picocom = Child.start("picocom", ["socat", "-t1", "-", inTerminal], { input: true });
    await relay.used();
    assert.equal(far.settings.baud, 57_600);
    await far.write("\r\nswitch>\r\n");
    await picocom.line(/^switch>/);
    await picocom.type("show\r");
    assert.equal(await far.text(5), "show\r");
    await far.write("port 1 up\r\n");
    await picocom.line(/^port 1 up/);
    await picocom.type("\x01\x18"); // C-a C-x
    await picocom.end();
  });
}

/** A relay to a console, and when it is in use. */
interface ConsoleRelay extends AsyncDisposable {
  readonly host: string;
  used(): Promise<unknown>;
}

async function startV2(endpoint: string): Promise<ConsoleRelay> {
  const relay = await V2Relay.start([`console=${endpoint}`]);
  const used = () => relay.device.logged(/client .* has /);
  return { host: relay.host, used, [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose]() };
}

/** On v1 the server names an address, and the device has the line in its place. */
async function startV1(endpoint: string): Promise<ConsoleRelay> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startServer(v1ServerArgs(["127.0.0.1:7001"])));
  const device = stack.use(startDevice(v1DeviceArgs(server.address, [`127.0.0.1:7001=${endpoint}`])));
  const host = await server.host("127.0.0.1:7001");
  const end = stack.move();
  return { host, used: () => device.logged(/client .* has /), [Symbol.asyncDispose]: () => end.disposeAsync() };
}

processTest("pymodbus reads and writes the registers of a machine behind a device", ["pymodbus"], async () => {
  await using machine = Child.start("modbus", pyModbus("modbus", "serve"));
  const [port] = await machine.line(/^\d+$/);
  await using relay = await V2Relay.start([`plc=127.0.0.1:${port}`]);
  await using child = await Child.run("pymodbus", pyModbus("modbus", "ask", relay.hostPort), 30_000);
  assert.equal(await child.exited, 0, child.tail);
  assert.deepEqual(child.stdout, ["read 103 104 105 106", "again 4711 1 2 3", "polled 200"]);
});
