/**
 * Services that do not answer, and names that nobody answers for: what they cost others.
 *
 * @module
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Child } from "../rig/processes/child.ts";
import { processTest } from "../rig/processes/harness.ts";
import { Namespaces } from "../rig/machines/namespaces.ts";
import { TempFolder } from "../rig/temp_folder.ts";

/** An address on the cable that nobody has, and that nobody is asked for. */
const SILENT = "10.77.0.9";

const NEEDS = ["network namespaces (root, ip, nft)", "mounts (root, mount)"] as const;

/** Runs a program where addresses and name servers say nothing. */
async function inSilence(fn: (start: (main: string, ...args: string[]) => Child) => Promise<void>): Promise<void> {
  using folder = new TempFolder();
  const resolver = folder.write("resolv.conf", `nameserver ${SILENT}\noptions timeout:2 attempts:1\n`, 0o644);
  await using net = await Namespaces.create();
  await net.run("device", "ip", "neighbor", "add", SILENT, "lladdr", "02:00:00:00:00:09", "dev", "cable");
  // In a mount namespace of its own, which `ip netns exec` makes.
  const inside = [...net.on("device"), "sh", "-c", 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"', "sh"];
  await fn((main, ...args) => {
    const path = fileURLToPath(new URL(`../rig/mains/${main}`, import.meta.url));
    return Child.start(main, [...inside, resolver, Deno.execPath(), "run", "-A", "--no-check", path, ...args]);
  });
}

processTest(
  "services that answer are reached at once while many dials wait for a silent address and a silent name server",
  NEEDS,
  () =>
    inSilence(async (start) => {
      await using dials = start("silent_services.ts", SILENT);
      await dials.line(/^gave up$/);
      assert.deepEqual(dials.stdout, ["served", "gave up"]);
    }),
);

processTest(
  "a host port at a name that nobody answers for stops nothing else of the server",
  NEEDS,
  () =>
    inSilence(async (start) => {
      await using port = start("silent_name.ts");
      await port.line(/^failed$/);
      assert.deepEqual(port.stdout, ["turn", "failed"]);
    }),
);
