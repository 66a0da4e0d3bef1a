/**
 * What is on disk: modes, damage, and what people write by hand.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Stream } from "../rig/stream.ts";
import { outcome, succeed } from "../rig/processes/commands.ts";
import { startDevice } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { echoSession } from "../rig/processes/session.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { echoRelay, serviceOpen, startV2Server } from "../rig/processes/relay.ts";
import { portOf } from "../rig/ports.ts";

processTest("files of the state are 0600, folders 0700, whatever the umask says", [], async () => {
  const old = Deno.umask(0); // its children inherit it
  try {
    await using echo = await echoRelay();
    const { relay } = echo;
    await relay.command("rename", "gw1", "gw2");
    for (const role of ["server", "device"]) {
      const folder = `${relay.folder.path}/${role}`;
      assert.equal(modeOf(folder), 0o700);
      const files = [...Deno.readDirSync(folder)].filter(({ isFile }) => isFile).map(({ name }) => name);
      assert.ok(files.includes("identity.pem"), files.join());
      for (const name of files) assert.equal(modeOf(`${folder}/${name}`), 0o600, name);
    }
  } finally {
    Deno.umask(old);
  }
});

processTest(
  "a bad devices file changes nothing for the running server, and the line and column are told",
  [],
  async () => {
    await using echo = await echoRelay();
    const { relay } = echo;
    const file = `${relay.folder.path}/server/devices.toml`;
    using client = await Stream.connect(relay.hostPort);
    const good = await Deno.readTextFile(file);
    await Deno.writeTextFile(file, `${good}\n[gw2]\nkee = "x"\n`);
    const line = good.split("\n").length + 2;
    const error = await relay.server.logged(/the devices stay as they were$/);
    assert.equal(error.level, "error");
    assert.ok(error.message.includes(`devices.toml:${line}:1: unknown key "kee"`), error.message);
    await client.write("still here");
    assert.equal(await client.readText(10), "still here");
    await echoSession(relay.hostPort);
    for (const args of [["devices"], ["disable", "gw1"]]) {
      const { code, stderr } = await outcome("server", [...args, "--state", relay.folder.path]);
      assert.equal(code, 2);
      assert.ok(stderr.includes(`devices.toml:${line}:1: unknown key "kee"`), stderr);
    }
    const from = relay.server.child.stderr.length;
    await Deno.writeTextFile(file, good.replace(/^\[gw1\]$/m, "[north]"));
    await relay.server.logged(/^devices reread: .* 1 changed/, from);
  },
);

const DAMAGE: [what: string, role: "server" | "device", file: string, text: string, says: RegExp][] = [
  ["the server's devices", "server", "devices.toml", "[gw1]\nkey = 7\n", /devices\.toml:2:1: /],
  ["the server's key", "server", "identity.pem", "-----BEGIN\n", /identity\.pem:1: .*; restore it, or remove it/],
  ["the device's server", "device", "device.toml", "server = [\n", /device\.toml:\d+:\d+: /],
  ["the device's key", "device", "identity.pem", "", /identity\.pem:1: .*; restore it, or remove it/],
];

for (const [what, role, name, text, says] of DAMAGE) {
  processTest(`a state in which ${what} is damaged: one clear line with the place, and exit code 2`, [], async () => {
    await using echo = await echoRelay();
    const { relay } = echo;
    await relay.device.child.kill();
    await relay.server.child.kill();
    const file = `${relay.folder.path}/${role}/${name}`;
    await Deno.writeTextFile(file, text);
    const { code, stderr } = await outcome(role, ["--state", relay.folder.path, ...listen(role)]);
    assert.equal(code, 2);
    assert.match(stderr.split("\n")[0]!, says);
    assert.equal(await Deno.readTextFile(file), text, "nobody overwrites what could be restored");
  });
}

processTest("a key that others can read is refused with the command that helps", [], async () => {
  using folder = new TempFolder();
  await succeed("server", ["key", "--state", folder.path]);
  const file = `${folder.path}/server/identity.pem`;
  await Deno.chmod(file, 0o644);
  const { code, stderr } = await outcome("server", ["--state", folder.path, ...listen("server")]);
  assert.equal(code, 2);
  assert.ok(stderr.includes(`run: chmod 600 ${file}`), stderr);
});

processTest("by hand, as with SSH: keys, devices.toml, --server and --server-key", [], async () => {
  using folder = new TempFolder();
  const [there, here] = [`${folder.path}/there`, `${folder.path}/here`];
  const [deviceKey] = await succeed("device", ["key", "--state", here]);
  const [serverKey] = await succeed("server", ["key", "--state", there]);
  assert.match(deviceKey!, /^ed25519:[\w-]{43}$/);
  assert.deepEqual(await succeed("device", ["key", "--state", here]), [deviceKey]);
  await using echo = await echoRelay();
  const devices = folder.write(
    "devices.toml",
    `[hand]\nkey = "${deviceKey}"\nservices = { echo = "127.0.0.1:0" }\n`,
  );
  await using server = await startV2Server(there, ["--devices", devices]);
  const args = ["--state", here, "--server", server.address, "--service", `echo=127.0.0.1:${echo.service.port}`];
  await using device = startDevice([...args, "--server-key", serverKey!]);
  await device.child.line(/^online .* as hand$/);
  await echoSession(portOf(await serviceOpen(device, "echo")));

  // A grant that is taken away closes its port; one that is added opens.
  const from = device.child.stdout.length;
  await Deno.writeTextFile(devices, `[hand]\nkey = "${deviceKey}"\nservices = { other = "127.0.0.1:0" }\n`);
  await device.child.line(/^service echo not-granted: granted to hand: other$/, from);
  await Deno.writeTextFile(devices, `[hand]\nkey = "${deviceKey}"\nservices = { echo = "127.0.0.1:0" }\n`);
  await echoSession(portOf(await serviceOpen(device, "echo", from)));
  assert.equal(device.child.stdout.filter((line) => line.startsWith("online ")).length, 1);
});

processTest("a server whose state nobody made says nothing to a device whose key it does not know", [], async () => {
  using folder = new TempFolder();
  const [there, here] = [`${folder.path}/there`, `${folder.path}/here`];
  await using server = await startV2Server(there);
  const [serverKey] = await succeed("server", ["key", "--state", there]);
  const [deviceKey] = await succeed("device", ["key", "--state", here]);
  const args = ["--state", here, "--server", server.address, "--server-key", serverKey!, "--service", "a=127.0.0.1:9"];
  await using device = startDevice(args);
  const refused = await device.logged(/refused this device: unknown-device/);
  assert.ok(refused.message.includes(`nobody authorized ${deviceKey}`));
  assert.ok(Number(refused["retryIn"]) >= 2_000);
});

function listen(role: "server" | "device"): string[] {
  return role === "server" ? ["--listen", "127.0.0.1:0"] : [];
}

function modeOf(path: string): number {
  return (Deno.statSync(path).mode ?? 0) & 0o777;
}
