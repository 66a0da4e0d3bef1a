/**
 * The commands about devices, while the server runs: what they show, and how soon they take effect.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Stream } from "../rig/stream.ts";
import { outcome } from "../rig/processes/commands.ts";
import { startDevice } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { echoSession } from "../rig/processes/session.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { poll, within } from "../rig/wait.ts";
import {
  copyDeviceState,
  DEVICE,
  echoRelay,
  enrol,
  joinArgs,
  serviceOpen,
  startV2Server,
} from "../rig/processes/relay.ts";
import { portOf } from "../rig/ports.ts";

/** A device that is no longer welcome is off within this many milliseconds by its own log, and what a busy machine adds. */
const OFF_MS = 1_000 + 500;

processTest("devices shows who may link up, who may enrol, and where; --json the same for scripts", [], async () => {
  await using echo = await echoRelay({ enrol: ["--expires", "90d", "--comment", "north gate"] });
  const { relay } = echo;
  await enrol(relay.folder.path, relay.server.address, ["ssh=0.0.0.0:2200-2299"], { device: "gw2" });
  let shown: string[] = [];
  const shows = (pattern: RegExp) =>
    poll(async () => pattern.test((shown = await relay.command("devices"))[1]!), () => shown.join("\n"));
  await shows(/^gw1 .* online \d+s .* echo=127\.0\.0\.1:[1-9]/);
  const [head, first, second, ...more] = await relay.command("devices");
  assert.match(head!, /^NAME +KEY +STATE +LINK +EXPIRES +COMMENT +SERVICES$/);
  assert.match(
    first!,
    /^gw1 +\S+ +active +online \d+s +20\S+Z +north gate +echo=127\.0\.0\.1:[1-9]\d*$/,
  );
  assert.match(second!, /^gw2 +- +enrolling +- +never +until 20\d\d-\S+ +ssh=0\.0\.0\.0:2200-2299$/);
  assert.deepEqual(more, []);
  const [text] = await relay.command("devices", "--json");
  const rows = JSON.parse(text!) as Record<string, unknown>[];
  assert.deepEqual(rows.map(({ name, state }) => [name, state]), [["gw1", "active"], ["gw2", "enrolling"]]);
  assert.match(String(rows[0]!["key"]), /^ed25519:/);
  const times = [rows[0]!["since"], rows[0]!["expires"], rows[1]!["validUntil"]];
  for (const time of times) assert.equal(time, new Date(String(time)).toISOString());
  assert.deepEqual(rows[0]!["services"], { echo: "127.0.0.1:0" });
  assert.deepEqual([rows[0]!["online"], rows[0]!["bound"]], [true, { echo: relay.host }]);
  assert.deepEqual([rows[0]!["mode"], rows[0]!["versions"], rows[0]!["incompatible"]], ["run", [2, 2], null]);
  assert.match(String(rows[0]!["software"]), /sallyport/i);
  assert.ok(rows[0]!["clockOffset"] === null || Math.abs(Number(rows[0]!["clockOffset"])) < 1_000);
  await relay.device.child.kill();
  await shows(/ interrupted \d+s /);
  // A binary may be of an older runtime, which cannot tell that a server was killed; one that ended in order it can.
  relay.server.child.signal(Deno.env.has("SALLYPORT_BINARIES") ? "SIGTERM" : "SIGKILL");
  await relay.server.child.end();
  const { stdout, stderr } = await outcome("server", ["devices", "--state", relay.folder.path]);
  assert.match(stdout[1]!, /^gw1 +\S+ +active +unknown /);
  assert.match(stderr, /^whether devices are online is unknown: the server is not running$/m);
});

const BARRED: [command: string, reason: string, says: RegExp][] = [
  ["disable", "disabled", /^disabled: gw1 is disabled$/],
  ["revoke", "revoked", /^revoked: gw1 was revoked$/],
];

for (const [command, code, says] of BARRED) {
  processTest(`${command}: the device is off within 1 s, its clients with it, and its port is closed`, [], async () => {
    await using echo = await echoRelay();
    const { relay } = echo;
    using client = await Stream.connect(relay.hostPort);
    await client.write("hello");
    assert.equal(await client.readText(5), "hello");
    await relay.command(command, DEVICE);
    const since = Date.now();
    assert.equal((await client.readToEnd()).length, 0);
    await relay.device.child.line(new RegExp(`^lost .* goodbye ${code}$`));
    const down = await relay.device.logged(/^link down/);
    const took = Date.parse(down.time) - since;
    assert.ok(took < OFF_MS, `it took ${took} ms`);
    assert.match(String(down["detail"]), says);
    assert.ok(Number(down["retryIn"]) >= 2_000, "it does not come back by itself at once");
    await relay.server.logged(/^link down/);
    await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port: relay.hostPort }), Deno.errors.ConnectionRefused);
    await using again = startDevice(["--state", await copyDeviceState(relay.folder.path)]);
    const refused = await again.logged(/refused this device/);
    assert.ok(String(refused["error"]).startsWith(command === "revoke" ? "unknown-device" : code));
  });
}

processTest(
  "a service that is added, moved or removed is so within a second or so, and nobody else notices",
  [],
  async () => {
    await using echo = await echoRelay();
    const { device, folder, hostPort } = echo.relay;
    using client = await Stream.connect(hostPort);
    await client.write("a");
    assert.equal(await client.readText(1), "a");
    device.child.signal("SIGTERM");
    await device.child.end();
    const local = `127.0.0.1:${echo.service.port}`;
    await using both = startDevice([
      "--state",
      folder.path,
      "--service",
      `echo=${local}`,
      "--service",
      `more=${local}`,
    ]);
    await both.child.line(/^service more not-granted/);
    await serviceOpen(both, "echo");
    using stays = await Stream.connect(hostPort);
    let from = both.child.stdout.length;
    await echo.relay.command("service", "add", DEVICE, "more=127.0.0.1:0");
    const first = portOf(await serviceOpen(both, "more", from));
    await echoSession(first);
    from = both.child.stdout.length;
    await echo.relay.command("service", "move", DEVICE, "more=127.0.0.2:0");
    assert.match(await serviceOpen(both, "more", from), /^127\.0\.0\.2:/);
    from = both.child.stdout.length;
    await echo.relay.command("service", "remove", DEVICE, "more");
    await both.child.line(/^service more not-granted/, from);
    await assert.rejects(Stream.connect(first), Deno.errors.ConnectionRefused);
    await stays.write("b");
    assert.equal(await stays.readText(1), "b");
    await echo.relay.command("expire", DEVICE, "1s");
    await both.child.line(/^lost /);
    from = both.child.stdout.length;
  },
);

processTest("enable lets a disabled device in again", [], async () => {
  await using echo = await echoRelay();
  const { relay } = echo;
  await relay.command("disable", DEVICE);
  await relay.device.child.line(/^lost /);
  await relay.device.child.kill();
  const from = relay.server.child.stderr.length;
  await relay.command("enable", DEVICE);
  await relay.server.logged(/^devices reread: .* 1 changed$/, from);
  await using device = startDevice(["--state", relay.folder.path]);
  assert.equal(await serviceOpen(device, "echo"), relay.host);
  await echoSession(relay.hostPort);
});

processTest("rename changes the name, and neither the link nor its clients notice", [], async () => {
  await using echo = await echoRelay();
  const { relay } = echo;
  using client = await Stream.connect(relay.hostPort);
  await client.write("before");
  assert.equal(await client.readText(6), "before");
  await relay.command("rename", DEVICE, "north");
  await relay.server.logged(/^devices reread: 0 added, 0 removed, 1 changed/);
  await client.write("after");
  assert.equal(await client.readText(5), "after");
  client.close();
  assert.equal((await relay.server.logged(/^client .* ended/))["device"], "north");
  await relay.device.child.kill();
  await using device = startDevice(["--state", relay.folder.path]);
  await device.child.line(/ as north$/);
  assert.equal(await serviceOpen(device, "echo"), relay.host, "the free port that it had is kept");
});

processTest("a device whose grant expires while it is linked is off within 1 s of that", [], async () => {
  using folder = new TempFolder();
  await using server = await startV2Server(folder.path);
  const expires = Date.now() + 2_000;
  const more = ["--expires", new Date(expires).toISOString()];
  const text = await enrol(folder.path, server.address, ["echo"], { more });
  await using device = startDevice(joinArgs(folder.path, text, ["echo=127.0.0.1:9"]));
  await device.child.line(/^service echo /);
  await device.child.line(/^lost .* goodbye expired$/);
  const down = await device.logged(/^link down/);
  const late = Date.parse(down.time) - expires;
  assert.ok(late >= -50 && late < OFF_MS, `${late} ms after it expired`);
  assert.match(String(down["detail"]), /^expired: /);
});

processTest("a service that the device was not granted is refused alone; the others work", [], async () => {
  using folder = new TempFolder();
  await using server = await startV2Server(folder.path);
  await using echo = await echoRelay();
  const text = await enrol(folder.path, server.address, ["echo"]);
  const services = ["more=127.0.0.1:9", `echo=127.0.0.1:${echo.service.port}`];
  await using device = startDevice(joinArgs(folder.path, text, services));
  await echoSession(portOf(await serviceOpen(device, "echo")));
  await device.child.line(/^service more not-granted: granted to gw1: echo$/);
  await server.logged(/device gw1 offers more, which it was not granted/);
});

processTest("commands about a device that is not there say which ones are, with exit code 2", [], async () => {
  using folder = new TempFolder();
  for (const args of [["revoke", "gw9"], ["disable", "gw9"], ["rename", "gw9", "gw8"]]) {
    const { code, stdout, stderr } = await outcome("server", [...args, "--state", folder.path]);
    assert.deepEqual([code, stdout], [2, []]);
    assert.match(stderr, /there is no device "gw9": no server has run with a state in /);
  }
  Deno.mkdirSync(`${folder.path}/server`, { mode: 0o700 });
  folder.write("server/devices.toml", "");
  const { code, stderr } = await outcome("server", ["devices", "--state", folder.path]);
  assert.equal(code, 0);
  assert.match(stderr, /no devices yet in .*\/server\/devices\.toml; enroll lets one in/);
});

processTest("commands given while the server is down hold from its start on", [], async () => {
  await using echo = await echoRelay();
  const { relay } = echo;
  await relay.server.child.kill();
  await relay.command("disable", DEVICE);
  await using server = await startV2Server(relay.folder.path, [], { listen: relay.server.address });
  await within(server.logged(/^refused .* disabled: gw1 is disabled$/), "the refusal");
});
