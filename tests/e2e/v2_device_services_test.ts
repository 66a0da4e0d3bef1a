/**
 * What a device that has joined offers: `device service add`, `move`, `remove`, `list`, and `--service` beside what is stored.
 *
 * @module
 */

import assert from "node:assert/strict";
import { outcome, succeed } from "../rig/processes/commands.ts";
import { startDevice } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { portOf } from "../rig/ports.ts";
import { enrol, joinArgs, serviceOpen, startV2Server } from "../rig/processes/relay.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { TempFolder } from "../rig/temp_folder.ts";

processTest("a service is added to those of a joined device, and taken away again", [], async () => {
  using folder = new TempFolder();
  const place = ["--state", folder.path];
  const text = await enrol(folder.path, "127.0.0.1:1", ["ssh", "web"]);
  await succeed("device", [...joinArgs(folder.path, text, ["ssh=127.0.0.1:22"]), "--no-run"]);
  const change = (...args: string[]) => outcome("device", ["service", ...args, ...place]);
  const added = await change("add", "web=127.0.0.1:80,proxy=v2");
  assert.equal(added.code, 0, added.stderr);
  const offers = "from its next start on this device offers ssh=127.0.0.1:22 and web=127.0.0.1:80,proxy=v2, " +
    'unless its configuration says "service"';
  assert.equal(added.stderr, offers);
  assert.deepEqual((await change("list")).stdout, ["ssh=127.0.0.1:22", "web=127.0.0.1:80,proxy=v2"]);
  const check = await outcome("device", [...place, "--check"]);
  assert.ok(check.stdout.includes("service web=127.0.0.1:80,proxy=v2"), check.stdout.join("\n"));

  assert.equal((await change("remove", "ssh")).code, 0);
  for (
    const [args, says] of [
      [
        ["add", "web=127.0.0.1:81"],
        /the service "web" is there already, as web=127\.0\.0\.1:80,proxy=v2; "service move"/,
      ],
      [["add", "127.0.0.1:81"], /"127\.0\.0\.1:81" has no name; write NAME=HOST:PORT/],
      [["remove", "ssh"], /there is no service "ssh"; there are: web$/],
      [["remove", "web"], /"web" is the only service; "service move" gives it .* add one of them first$/],
      [["move", "ssh=127.0.0.1:22"], /there is no service "ssh"; there are: web; "service add" offers one more$/],
      [["move", "web"], /"web" has no name; write NAME=HOST:PORT/],
    ] as const
  ) {
    const { code, stderr } = await change(...args);
    assert.equal(code, 2);
    assert.match(stderr, says);
  }
  assert.deepEqual((await change("list")).stdout, ["web=127.0.0.1:80,proxy=v2"]);
  const moved = await change("move", "web=unix:/run/web.sock");
  assert.equal(moved.code, 0);
  assert.match(moved.stderr, /^from its next start on this device offers web=unix:\/run\/web\.sock, unless/);
  assert.match(moved.stderr, /\n"web" is without proxy=v2 now; to keep what it had, move it with that behind it$/);
  assert.deepEqual((await change("list")).stdout, ["web=unix:/run/web.sock"]);
});

processTest(
  "the one service of a device is moved while it runs: a reload has new clients at the right port",
  [],
  async () => {
    if (Deno.env.has("SALLYPORT_BINARIES")) return; // their runtime cannot see the lock
    using folder = new TempFolder();
    await using wrong = echoService();
    await using right = echoService();
    await using server = await startV2Server(`${folder.path}/server`);
    const state = ["--state", `${folder.path}/device`];
    const text = await enrol(`${folder.path}/server`, server.address, ["echo"]);
    await using device = startDevice(joinArgs(state[1]!, text, [`echo=127.0.0.1:${wrong.port}`]));
    const port = portOf(await serviceOpen(device, "echo"));
    using before = await Stream.connect(port);
    await before.write("a");
    await before.read(1);

    const { code, stderr } = await outcome("device", ["service", "move", `echo=127.0.0.1:${right.port}`, ...state]);
    const does =
      `stored: this device offers echo=127.0.0.1:${right.port}; "sallyport device reload" has the one that runs`;
    assert.deepEqual([code, stderr], [0, `${does} do so now`]);
    const seen = device.child.stdout.length;
    assert.deepEqual(await succeed("device", ["reload", ...state]), [`changed service echo=127.0.0.1:${right.port}`]);
    assert.equal(portOf(await serviceOpen(device, "echo", seen)), port, "its host port stays");
    using after = await Stream.connect(port);
    await after.write("b");
    await after.read(1);
    assert.deepEqual([wrong.accepted, right.accepted], [1, 1]);
    await before.write("c"); // who was there stays where it was
    await before.read(1);
  },
);

processTest("a device that has not joined has no services to change, and no folder is made for it", [], async () => {
  using folder = new TempFolder();
  const { code, stderr } = await outcome("device", ["service", "add", "a=127.0.0.1:9", "--state", folder.path]);
  assert.equal(code, 2);
  assert.match(
    stderr,
    /this device has not joined a server: \S+\/device has none; `join` stores its services as well$/,
  );
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
});

processTest(
  "stored services that --service leaves out are told, and none changes while the device runs",
  [],
  async () => {
    using folder = new TempFolder();
    await using server = await startV2Server(`${folder.path}/server`);
    const text = await enrol(`${folder.path}/server`, server.address, ["ssh", "web", "db"]);
    const state = `${folder.path}/device`;
    await succeed("device", [...joinArgs(state, text, ["ssh=127.0.0.1:9", "web=127.0.0.1:9"]), "--no-run"]);
    const args = ["--state", state, "--service", "db=127.0.0.1:9"];
    const warning =
      /ssh, web: stored, and not offered, as --service stands in place of all .* `device service add` adds/;
    assert.match((await outcome("device", [...args, "--check"])).stderr, warning);
    const again = await outcome("device", [...joinArgs(state, text, ["web=127.0.0.1:9"]), "--no-run"]);
    assert.equal(again.stderr, "not offered any more, as this join does not name them: ssh");
    await using device = startDevice(args);
    await device.logged(/^web: stored, and not offered/);
    await device.child.line(/^online /);
    if (Deno.env.has("SALLYPORT_BINARIES")) return; // their runtime cannot see the lock
    const { code, stderr } = await outcome("device", ["service", "add", "ssh=127.0.0.1:9", "--state", state]);
    assert.equal(code, 0);
    assert.match(stderr, /^stored, and of no effect on the device that runs: .* says "service", .*; change it there, /);
    device.child.signal("SIGTERM");
    await device.child.end();
    await using stored = startDevice(["--state", state]);
    await stored.child.line(/^online /);
    const now = await outcome("device", ["service", "remove", "ssh", "--state", state]);
    assert.match(now.stderr, /^stored: this device offers web=127\.0\.0\.1:9; "sallyport device reload" has/);
  },
);
