/**
 * A disk that is full, or can only be read, and a state of somebody else's: what the server and its commands do then.
 *
 * @module
 */

import assert from "node:assert/strict";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { outcome, succeed } from "../rig/processes/commands.ts";
import { startDevice } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { poll } from "../rig/wait.ts";
import { echoRelay, enrol, joinArgs, serviceOpen, startV2Server } from "../rig/processes/relay.ts";
import { portOf } from "../rig/ports.ts";

/** The exit code for trouble of the machine, on which units start again. */
const TROUBLE = 5;

/** A disk of 256 KiB in a folder. */
class Disk implements AsyncDisposable {
  readonly #folder = new TempFolder();
  readonly path = this.#folder.path;

  static async mount(): Promise<Disk> {
    const disk = new Disk();
    await run("mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs", disk.path);
    return disk;
  }

  fill(): void {
    using file = Deno.openSync(`${this.path}/fill`, { write: true, create: true });
    try {
      for (;;) file.writeSync(new Uint8Array(4096));
    } catch {
      // It is full.
    }
  }

  clear(): void {
    Deno.removeSync(`${this.path}/fill`);
  }

  readOnly(): Promise<void> {
    return run("mount", "-o", "remount,ro", this.path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("umount", "-l", this.path);
    this.#folder[Symbol.dispose]();
  }
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args }).output();
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

processTest(
  "a server with a full disk, or one that can only be read, serves what is there",
  ["mounts (root, mount)"],
  async () => {
    await using disk = await Disk.mount();
    await using echo = echoService();
    const services = [`echo=127.0.0.1:${echo.port}`];
    using here = new TempFolder();
    {
      await using server = await startV2Server(disk.path);
      const text = await enrol(disk.path, server.address, ["echo"]);
      await using device = startDevice(joinArgs(here.path, text, services));
      await serviceOpen(device, "echo");
    }
    disk.fill();
    for (const readOnly of [false, true]) {
      if (readOnly) await disk.readOnly();
      await using server = await startV2Server(disk.path);
      await using device = startDevice(["--state", here.path, "--server", server.address]);
      using client = await Stream.connect(portOf(await serviceOpen(device, "echo")));
      await client.write("still here");
      assert.equal(await client.readText(10), "still here");
      const [line] = await succeed("server", ["devices", "--state", disk.path, "--json"]);
      assert.equal(JSON.parse(line!)[0].name, "gw1");
      if (readOnly) {
        const enroll = [
          "enroll",
          "gw2",
          "--state",
          disk.path,
          "--service",
          "a=127.0.0.1:0",
          "--public-address",
          "a.example",
        ];
        const refused = await outcome("server", enroll);
        assert.deepEqual([refused.code, refused.stdout], [TROUBLE, []]);
        assert.match(refused.stderr, /Cannot write .*Read-only file system/);
      } else {
        await succeed("server", ["disable", "gw1", "--state", disk.path]);
        await succeed("server", ["enable", "gw1", "--state", disk.path]);
      }
      server.child.signal("SIGTERM");
      assert.equal(await server.child.end(), 0);
    }
  },
);

processTest("a device is revoked though the disk is full, and its link ends", ["mounts (root, mount)"], async () => {
  await using disk = await Disk.mount();
  using here = new TempFolder();
  await using server = await startV2Server(disk.path);
  const text = await enrol(disk.path, server.address, ["echo"]);
  await using device = startDevice(joinArgs(here.path, text, ["echo=127.0.0.1:9"]));
  await device.child.line(/^online /);
  disk.fill();
  await succeed("server", ["revoke", "gw1", "--state", disk.path]);
  await device.child.line(/^lost .* revoked$/);
});

processTest(
  "an audit on a full disk stops no client, and goes on when there is room",
  ["mounts (root, mount)"],
  async () => {
    await using disk = await Disk.mount();
    const path = `${disk.path}/audit.log`;
    await using relay = await echoRelay({ server: ["--audit", path] });
    const visit = async () => {
      using client = await Stream.connect(relay.relay.hostPort);
      await client.write("hello");
      assert.equal(await client.readText(5), "hello");
    };
    await visit();
    const has = (event: string) => Deno.readTextFileSync(path).includes(`"event":"${event}"`);
    await poll(() => has("client-end"), () => Deno.readTextFileSync(path));
    disk.fill();
    const { server } = relay.relay;
    for (let n = 0; n < 50; n++) await visit();
    await server.logged(/the audit .* cannot be written: .*No space left/);
    for (let n = 0; n < 50; n++) await visit();
    disk.clear();
    await server.logged(/the audit .* is written again; 0 lines were lost/);
    const whole = /^\{.*"event":"client-end".*\}$/gm; // one was cut short when the disk was full, and is there again
    const ends = () => Deno.readTextFileSync(path).match(whole)?.length;
    await poll(() => ends() === 101, () => `${ends()} of 101 ends`);
    assert.equal(server.child.stderr.filter((line) => line.includes("cannot be written")).length, 1);
  },
);

processTest("a first start without room for a key is trouble of the machine, before anything is served", [
  "mounts (root, mount)",
], async () => {
  await using disk = await Disk.mount();
  disk.fill();
  for (const readOnly of [false, true]) {
    if (readOnly) await disk.readOnly();
    for (const role of ["server", "device"] as const) {
      const { code, stdout, stderr } = await outcome(role, ["key", "--state", disk.path]);
      assert.deepEqual([code, stdout], [TROUBLE, []], stderr);
    }
    const { code, stdout } = await outcome("server", ["--state", disk.path, "--listen", "127.0.0.1:0"]);
    assert.deepEqual([code, stdout], [TROUBLE, []]);
  }
});
