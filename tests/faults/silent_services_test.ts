/**
 * Services that do not answer, and names that nobody answers for: what they cost the others of the same device.
 *
 * @module
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Child } from "../e2e/support/child.ts";
import { processTest } from "../e2e/support/harness.ts";
import { Namespaces } from "../e2e/support/namespaces.ts";
import { TempFolder } from "../e2e/support/temp_folder.ts";

/** An address on the cable that nobody has, and that nobody is asked for. */
const SILENT = "10.77.0.9";

const MAIN = fileURLToPath(new URL("../e2e/support/silent_services_main.ts", import.meta.url));

processTest(
  "services that answer are reached at once while many dials wait for a silent address and a silent name server",
  ["network namespaces (root, ip, nft)", "mounts (root, mount)"],
  async () => {
    using folder = new TempFolder();
    const resolver = folder.write("resolv.conf", `nameserver ${SILENT}\n`, 0o644);
    await using net = await Namespaces.create();
    await net.run("device", "ip", "neighbor", "add", SILENT, "lladdr", "02:00:00:00:00:09", "dev", "cable");
    const script = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"';
    const deno = [Deno.execPath(), "run", "-A", "--no-check", MAIN, SILENT];
    // In a mount namespace of its own, which `ip netns exec` makes.
    await using dials = Child.start("dials", [...net.on("device"), "sh", "-c", script, "sh", resolver, ...deno]);
    await dials.line(/^gave up$/);
    assert.deepEqual(dials.stdout, ["served", "gave up"]);
  },
);
