/**
 * States of releases, as they were recorded: this program goes on with them, and says what to do with those of later ones.
 *
 * @module
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { outcome, succeed } from "../rig/processes/commands.ts";
import { startDevice, startServer } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { serviceOpen } from "../rig/processes/relay.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { TempFolder } from "../rig/temp_folder.ts";

const RECORDED = fileURLToPath(new URL("../rig/states/v1", import.meta.url));

/** What the recorded state was made with: addresses of loopback that nothing else here uses. */
const HOST = "127.0.0.86";
const LISTEN = `${HOST}:47443`;

/** A copy of the recorded state; those of before versions had no file for it. */
function recorded(isOlder = false): TempFolder {
  const folder = new TempFolder();
  for (const role of ["server", "device"]) {
    Deno.mkdirSync(`${folder.path}/${role}`, { mode: 0o700 });
    for (const { name } of Deno.readDirSync(`${RECORDED}/${role}`)) {
      if (isOlder && name === "version.toml") continue;
      folder.write(`${role}/${name}`, Deno.readTextFileSync(`${RECORDED}/${role}/${name}`));
    }
  }
  return folder;
}

for (const isOlder of [false, true]) {
  processTest(`a server and a device go on with a recorded state${isOlder ? " of no version" : ""}`, [], async () => {
    using folder = recorded(isOlder);
    await using echo = echoService({ hostname: HOST, port: 47460 });
    assert.equal(echo.port, 47460);
    await using _server = await startServer(["--listen", LISTEN, "--state", folder.path]);
    await using device = startDevice(["--state", folder.path]);
    assert.equal(await serviceOpen(device, "echo"), `${HOST}:47444`);
    assert.equal(await serviceOpen(device, "free"), `${HOST}:47453`, "the port that was kept");
    assert.equal(await serviceOpen(device, "web-3"), `${HOST}:47452`, "a range");
    assert.equal(await serviceOpen(device, "far"), `${HOST}:47445`, "it is open for a time");
    using client = await Stream.connect(47445, HOST);
    await client.write("x");
    assert.equal((await client.read(1)).length, 1);
    const list = (await succeed("server", ["devices", "--json", "--state", folder.path])).join("");
    const devices = JSON.parse(list) as { name: string; state: string; comment: string; tags: string[] }[];
    assert.deepEqual(devices.map(({ name, state }) => [name, state]), [["gw1", "active"], ["gw2", "enrolling"]]);
    assert.deepEqual(devices[0]!.tags, ["site:berlin"]);
    for (const role of ["server", "device"]) {
      assert.match(Deno.readTextFileSync(`${folder.path}/${role}/version.toml`), /^version = 1$/m);
    }
  });
}

processTest("a state and a configuration of a later release are refused with what to do, and stay", [], async () => {
  using folder = recorded();
  for (const role of ["server", "device"]) folder.write(`${role}/version.toml`, "version = 2\n");
  const before = Deno.readTextFileSync(`${folder.path}/server/devices.toml`);
  const state = ["--state", folder.path];
  const says = /version\.toml:1:1: .* has files of version 2, and this program \(.*\) knows 1 at most; install a newer/;
  for (
    const [role, args] of [
      ["server", ["--listen", LISTEN, ...state]],
      ["server", ["enroll", "gw3", "--service", "a=0", ...state]],
      ["server", ["revoke", "gw1", ...state]],
      ["server", ["devices", ...state]],
      ["server", ["key", ...state]],
      ["device", state],
      ["device", ["service", "list", ...state]],
      ["device", ["key", ...state]],
    ] as const
  ) {
    const { code, stderr } = await outcome(role, args);
    assert.deepEqual([code, says.test(stderr)], [2, true], `${role} ${args.join(" ")}: ${stderr}`);
  }
  assert.equal(Deno.readTextFileSync(`${folder.path}/server/devices.toml`), before);

  const later = folder.write("later.toml", 'log-level = "info"\nversion = 2\n');
  for (const role of ["server", "device"] as const) {
    const { code, stderr } = await outcome(role, ["--config", later, "--check"]);
    assert.equal(code, 2);
    assert.match(stderr, /later\.toml:2:1: this file is of version 2, .* or write it as version 1 has it/);
  }
  const devices = folder.write("devices.toml", "version = 2\n");
  const { code, stderr } = await outcome("server", ["--devices", devices, "--state", `${folder.path}/new`, "--check"]);
  assert.deepEqual([code, /devices\.toml:1:1: this file is of version 2/.test(stderr)], [2, true], stderr);
  const now = folder.write("now.toml", "version = 1\n");
  assert.equal((await outcome("server", ["--config", now, "--state", `${folder.path}/new`, "--check"])).code, 0);
});
