/**
 * Hooks in a configuration file.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Child } from "../rig/processes/child.ts";
import { outcome } from "../rig/processes/commands.ts";
import { sallyport } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { TempFolder } from "../rig/temp_folder.ts";

processTest("--check prints hooks, and a hook of another shape is refused with its place", [], async () => {
  using folder = new TempFolder();
  const check = (text: string) =>
    outcome("server", ["--config", folder.write("server.toml", text), "--state", folder.path, "--check"]);
  const good = await check('on-lost = ["/usr/local/bin/alert", "--now", "say \\"it\\""]\n');
  assert.equal(good.code, 0, good.stderr);
  assert.ok(good.stdout.includes('on-lost ["/usr/local/bin/alert", "--now", "say \\"it\\""]'), good.stdout.join("|"));
  const bad = await check('log-level = "info"\n  on-lost = "/usr/local/bin/alert --now"\n');
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /server\.toml:2:3: "on-lost" has to be a list of texts.*\n {2}2 \| .*\n +\^$/);
});

processTest(
  "without the permission to run programs, hooks are refused at the start with what would do",
  [],
  async () => {
    using folder = new TempFolder();
    const file = folder.write("device.toml", 'server = "a"\nprofile = "v1"\nservice = "a:1"\non-lost = ["alert"]\n');
    const [main] = sallyport("device", []).filter((word) => word.endsWith("main.ts"));
    const entry = main ?? new URL("../../main.ts", import.meta.url).pathname;
    const args = ["run", "--quiet", "--no-prompt", "--allow-read", "--allow-env", "--allow-net", "--allow-write"];
    await using child = Child.start("device", [Deno.execPath(), ...args, entry, "device", "--config", file]);
    assert.equal(await child.end(), 2);
    assert.match(
      child.stderr.join("\n"),
      /device\.toml:4:1: "on-lost": Deno was not given the permission to run alert; start it with --allow-run/,
    );
  },
);
