/**
 * `--engine`: which sockets a server and a device are made with, and what they say where there is a choice to explain.
 *
 * @module
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { bestEngine } from "../rig/engine.ts";
import { Child } from "../rig/processes/child.ts";
import { sallyport, startDevice, startServer, v1DeviceArgs, v1ServerArgs } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { echoRelay } from "../rig/processes/relay.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { TempFolder } from "../rig/temp_folder.ts";

const DEVICE = v1DeviceArgs("127.0.0.1:1", ["127.0.0.1:22"]);

/** The engine that `--check` shows. */
async function engineOf(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  await using child = Child.start("device", sallyport("device", [...args, "--check"]), { env });
  assert.equal(await child.end(), 0, child.tail);
  return child.stdout.find((line) => line.startsWith("engine ")) ?? "none";
}

/** A device from source, as somebody runs it who does not give it the permission `ffi`. */
function withoutFfi(args: readonly string[]): Child {
  const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
  const permissions = ["--allow-net", "--allow-read", "--allow-write", "--allow-env", "--allow-sys"];
  const command = [Deno.execPath(), "run", "--quiet", "--no-prompt", ...permissions, main, "device", ...args];
  return Child.start("device", command, { env: { SALLYPORT_ENGINE: "" } });
}

processTest("--engine is taken from the command line, the environment and the file, in this order", [], async () => {
  using folder = new TempFolder();
  const file = folder.write("device.toml", 'engine = "portable"\n');
  assert.equal(await engineOf([...DEVICE, "--engine", "portable"], { SALLYPORT_ENGINE: "auto" }), "engine portable");
  assert.equal(await engineOf(DEVICE, { SALLYPORT_ENGINE: "portable" }), "engine portable");
  assert.equal(await engineOf([...DEVICE, "--config", file], { SALLYPORT_ENGINE: "" }), "engine portable");
  assert.match(await engineOf([...DEVICE, "--config", file, "--engine", "auto"]), RegExp(`^engine ${bestEngine.name}`));
});

processTest("an engine that there is not is refused with those that there are", [], async () => {
  for (const [role, args] of [["server", v1ServerArgs(["127.0.0.1:22"])], ["device", DEVICE]] as const) {
    await using child = Child.start(role, sallyport(role, [...args, "--engine", "fast"]));
    assert.equal(await child.end(), 2);
    assert.match(child.stderr.join(), /--engine: "fast" is none of auto, native, portable$/);
  }
});

processTest(
  "without the permission ffi, the native engine is refused, and auto says what it has in its place",
  [],
  async () => {
    await using native = withoutFfi([...DEVICE, "--engine", "native"]);
    assert.equal(await native.end(), 2);
    assert.match(
      native.stderr.join(),
      /the native engine cannot be had: .*ffi.*; leave --engine out, or say --engine port/,
    );
    await using check = withoutFfi([...DEVICE, "--check"]);
    assert.equal(await check.end(), 0);
    const line = check.stdout.find((line) => line.startsWith("engine ")) ?? "";
    assert.match(line, /^engine portable, as the native one cannot be had: .*ffi/);
    await using runs = withoutFfi(DEVICE);
    const said = (text: string) => text.includes('"engine ') ? text : undefined;
    assert.ok((await runs.logLine(said, "a line about the engine")).includes(`${line.replaceAll('"', '\\"')}"`));
  },
);

for (const engine of ["portable", "auto"]) {
  processTest(`engine ${engine}: a server listens at the address of a name`, [], async () => {
    const args = v1ServerArgs(["localhost:0=127.0.0.1:22"], "localhost:0");
    await using server = await startServer([...args, "--engine", engine]);
    assert.match(server.address, /^(127\.0\.0\.1|\[::1\]):\d+$/);
    await using device = startDevice([...v1DeviceArgs(server.address, ["127.0.0.1:22"]), "--engine", engine]);
    await device.child.line(/^online /);
    await server.hostPort("127.0.0.1:22");
  });
}

for (const engines of [["portable", "auto"], ["auto", "portable"]] as const) {
  processTest(`v1: a server on ${engines[0]} and a device on ${engines[1]} work together`, [], async () => {
    await using echo = echoService();
    const target = `127.0.0.1:${echo.port}`;
    await using server = await startServer([...v1ServerArgs([target]), "--engine", engines[0]]);
    await using device = startDevice([...v1DeviceArgs(server.address, [target]), "--engine", engines[1]]);
    using client = await Stream.connect(await server.hostPort(target));
    await client.write("hello");
    assert.equal(await client.readText(5), "hello");
    const isPortable = (engine: string, { log }: typeof device) =>
      engine !== "portable" || log.filter(({ message }) => message === "engine portable").length === 1;
    assert.ok(isPortable(engines[0], server) && isPortable(engines[1], device));
  });

  processTest(`v2: a server on ${engines[0]} and a device on ${engines[1]} work together, in TLS`, [], async () => {
    const [server, device] = engines.map((engine) => ["--engine", engine]);
    await using made = await echoRelay({ server: server!, device: device! });
    using client = await Stream.connect(made.relay.hostPort);
    await client.write("hello");
    assert.equal(await client.readText(5), "hello");
  });
}

processTest("where OpenSSL 3 is not, auto has the runtime's TLS on the runtime's sockets, and native ones beside", [
  "mounts (root, mount)",
  "unshare",
], async () => {
  const library = /\s(\/\S*libssl\.so\.3)$/m.exec(Deno.readTextFileSync("/proc/self/maps"))?.[1];
  if (library === undefined) return; // there is none here, anyway
  const hide = ["unshare", "--mount", "/bin/sh", "-c", `mount --bind /dev/null ${library} && exec "$@"`, "sh"];
  const more = ["--engine", "auto"];
  await using made = await echoRelay({ server: more, device: more, onServer: hide, onDevice: hide });
  const { server, device, hostPort } = made.relay;
  using client = await Stream.connect(hostPort);
  await client.write("hello");
  assert.equal(await client.readText(5), "hello");
  for (const daemon of [server, device]) {
    await daemon.logged(/^engine native, with the runtime's TLS: OpenSSL 3 \(libssl\.so\.3\) cannot be loaded: /);
  }
  await using refused = Child.start("device", [...hide, ...sallyport("device", [...DEVICE, "--engine", "native"])]);
  assert.equal(await refused.end(), 2);
});

processTest("without the permission ffi, a serial line is refused at the start, with what would do", [], async () => {
  const service = ["--service", "127.0.0.1:7000=serial:/dev/ttyUSB0"];
  await using device = withoutFfi([...v1DeviceArgs("127.0.0.1:9", []), ...service]);
  assert.equal(await device.end(), 2);
  assert.match(
    device.stderr.join("\n"),
    /--service 127\.0\.0\.1:7000=\S+: \/dev\/ttyUSB0 takes Linux with glibc, and .*--allow-ffi.*ser2net or socat/,
  );
});
