/**
 * What a server keeps of devices: it follows a rename, and goes with a device that is revoked.
 *
 * @module
 */

import assert from "node:assert/strict";
import { succeed } from "../rig/processes/commands.ts";
import { startDevice } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { enrol, joinArgs, serviceOpen, startV2Server } from "../rig/processes/relay.ts";
import { freePort } from "../rig/ports.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { poll } from "../rig/wait.ts";

processTest("what is open follows a rename, and nothing is left of a device that is revoked", [], async () => {
  using folder = new TempFolder();
  const port = freePort("127.0.0.1");
  await using echo = echoService();
  await using server = await startV2Server(folder.path);
  const text = await enrol(folder.path, server.address, [`echo=127.0.0.1:${port}`, "free=127.0.0.1:0"]);
  const file = `${folder.path}/server/devices.toml`;
  const closed = `echo = { listen = "127.0.0.1:${port}", closed = true }`;
  const local = [`echo=127.0.0.1:${echo.port}`, `free=127.0.0.1:${echo.port}`];
  await using device = startDevice(joinArgs(folder.path, text, local));
  await serviceOpen(device, "free");
  Deno.writeTextFileSync(file, Deno.readTextFileSync(file).replace(/echo = "[^"]*"/, closed));
  await device.logged(/service echo is .*server open gw1\/echo/);
  const command = (...args: string[]) => succeed("server", [...args, "--state", folder.path]);
  await command("open", "gw1/echo", "--for", "1h");
  await server.child.line(new RegExp(`^open 127.0.0.1:${port} -> gw1/echo`));
  using client = await Stream.connect(port);
  const talk = async () => {
    await client.write("x");
    await client.read(1);
  };
  await talk();
  const state = (name: string) => {
    try {
      return Deno.readTextFileSync(`${folder.path}/server/${name}`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return ""; // it is written a moment after what it tells
      throw error;
    }
  };

  await command("rename", "gw1", "gw2");
  await poll(() => state("openings.toml").includes("[gw2.echo]"), () => state("openings.toml"));
  assert.doesNotMatch(state("openings.toml"), /gw1/);
  await talk(); // nobody was ended for it
  using another = await Stream.connect(port);
  await another.write("y");
  assert.equal((await another.read(1)).length, 1);
  await poll(() => /gw2/.test(state("ports.toml")), () => state("ports.toml"));

  const [key] = /ed25519:[\w-]+/.exec(state("devices.toml").replace(/^#.*$/gm, "")) ?? [];
  await poll(() => state("live.toml").includes(key!), () => state("live.toml"));
  await command("revoke", "gw2");
  await poll(() => !state("live.toml").includes(key!), () => state("live.toml"));
  for (const name of ["openings.toml", "ports.toml", "devices.toml"]) {
    await poll(() => !state(name).includes("[gw2") && !state(name).includes(key!), () => `${name}: ${state(name)}`);
  }
});
