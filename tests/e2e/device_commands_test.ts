/**
 * The commands that ask a device while it runs, and what it reads anew.
 *
 * @module
 */

import assert from "node:assert/strict";
import { outcome, succeed } from "../rig/processes/commands.ts";
import { startDevice } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { echoRelay, enrol, joinArgs, startV2Server } from "../rig/processes/relay.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { TempFolder } from "../rig/temp_folder.ts";

processTest("status, clients and events of a device show what there is, and acts touch it", [], async () => {
  await using echo = await echoRelay();
  const { relay } = echo;
  const state = ["--state", relay.folder.path];
  const run = (...args: string[]) => outcome("device", [...args, ...state]);
  using client = await Stream.connect(relay.hostPort);
  await client.write("hello");
  await client.read(5);
  const status = (await succeed("device", ["status", ...state])).join("\n");
  assert.match(status, /^state +online as gw1, for \d+s\nserver +127\.0\.0\.1:\d+, v2; /m);
  assert.match(
    status,
    /^clients +1 now, 1 since it runs\nservice +echo at 127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+, 1 client; reached 1$/m,
  );
  const facts = JSON.parse((await succeed("device", ["status", "--json", ...state]))[0]!) as { services: unknown[] };
  assert.equal(facts.services.length, 1);
  const [, row] = await succeed("device", ["clients", ...state]);
  assert.match(row!, /^1 +echo +127\.0\.0\.1:\d+ +127\.0\.0\.1:\d+ +open +\d+s +5 B +5 B$/);
  await succeed("device", ["keepalive", "--idle-timeout", "30s", ...state]);
  assert.match((await run("reconnect")).stderr, /^dialling anew$/m);
  await relay.device.child.line(/^resumed /);
  await client.write("again");
  await client.read(5);
  assert.match((await run("close", "1")).stderr, /^client 1 is ended$/m);
  assert.equal(await client.readSome(), null);
  const events = await succeed("device", ["events", "--type", "resumed,channel-end", ...state]);
  assert.match(events.at(-1)!, /^20\S+Z channel-end .*reason=closed-by-admin /);
  await succeed("device", ["mode", "config", "--drain", "1m", ...state]);
  await relay.device.logged(/mode config/);
  const failures: [string[], RegExp][] = [
    [["close", "99"], /there is no client 99/],
    [["keepalive"], /nothing is set/],
    [["mode", "sleep"], /none of config, run/],
  ];
  for (const [args, pattern] of failures) {
    const { code, stderr } = await run(...args);
    assert.deepEqual([code, pattern.test(stderr)], [2, true], `${args.join(" ")}: ${code} ${stderr}`);
  }
});

processTest(
  "a device reads its file anew: what can change does, its clients stay, and a mistake changes nothing",
  [],
  async () => {
    await using folder = new TempFolder();
    await using echo = echoService();
    await using server = await startV2Server(folder.path);
    const text = await enrol(folder.path, server.address, ["echo", "more"]);
    await succeed("device", [...joinArgs(folder.path, text, [`echo=127.0.0.1:${echo.port}`]), "--no-run"]);
    const file = `${folder.path}/device.toml`;
    const write = (...lines: string[]) => Deno.writeTextFile(file, lines.join("\n"));
    await write(`service = ["echo=127.0.0.1:${echo.port}"]`);
    const state = ["--state", folder.path];
    await using device = startDevice(["--config", file, ...state]);
    await device.child.line(/^online /);
    const [, host] = await device.child.line(/^service echo (\S+)/);
    using client = await Stream.connect(Number(host!.split(":").at(-1)));
    await client.write("x");
    await client.read(1);

    await write(
      `service = ["echo=127.0.0.1:${echo.port},max-clients=5", "more=127.0.0.1:${echo.port}"]`,
      'log-level = "debug"',
      'connect-timeout = "3s"',
    );
    assert.deepEqual(await succeed("device", ["reload", ...state]), [
      `changed service echo=127.0.0.1:${echo.port},max-clients=5`,
      `changed services: more=127.0.0.1:${echo.port} is new`,
      "changed connect-timeout 10s -> 3s, for links and clients to come",
      "changed log-level info -> debug",
    ]);
    await device.child.line(/^service more /);
    await client.write("y");
    await client.read(1);

    await write("service = []", 'log-level = "loud"');
    const { code, stderr } = await outcome("device", ["reload", ...state]);
    assert.equal(code, 1);
    assert.match(stderr, /device\.toml:2:\d+.*loud.*\n {2}2 \| log-level = "loud"\n +\^$/m);
    device.child.signal("SIGHUP");
    await device.logged(/SIGHUP: nothing was changed: .*loud/);
    await client.write("z");
    await client.read(1);

    await write(`service = ["more=127.0.0.1:${echo.port}"]`, 'connect-timeout = "3s"');
    device.child.signal("SIGHUP");
    await device.logged(/reloaded: services: echo is offered no more/);
    assert.equal(await client.readSome(), null);
    const { code: same } = await outcome("device", ["reload", ...state]);
    assert.equal(same, 0);
  },
);
