/**
 * The examples for the library, as they are, each in a process with no permission but the network.
 *
 * @module
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { test } from "./rig/test.ts";

/** Runs an example to its end. */
async function run(name: string): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--allow-net",
      fileURLToPath(new URL(`../examples/${name}`, import.meta.url)),
    ],
    env: { NO_COLOR: "1" },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.deepEqual([code, err], [0, ""], out);
  return out!;
}

test("examples: the library on v2, with keys, TLS, events, and a device that is revoked", async () => {
  const out = await run("library.ts");
  assert.match(out, /^client: hello through the relay$/m);
  assert.match(out, /^ {2}gw1\/echo: (client|service)-closed, 23 B up, 23 B down$/m);
  assert.match(out, /^server: gw1 online$/m);
  assert.match(out, /^device: goodbye, revoked: gw1 was revoked$/m);
});

test("examples: the library on v1", async () => {
  const out = await run("library_v1.ts");
  assert.match(out, /^client: hello through the relay$/m);
  assert.match(out, /^ {2}(client|service)-closed, 23 B up, 23 B down$/m);
});

test("a program outside of the clone is checked once its deno.json links to it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const clone = fileURLToPath(new URL("../", import.meta.url));
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ links: [clone] }));
    const program = `import { DeviceList, serve } from "${clone}mod.ts";\nexport const all = [DeviceList, serve];\n`;
    await Deno.writeTextFile(`${folder}/main.ts`, program);
    const options = { args: ["check", "--quiet", "main.ts"], cwd: folder, env: { NO_COLOR: "1" } };
    const { code, stderr } = await new Deno.Command(Deno.execPath(), options).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
