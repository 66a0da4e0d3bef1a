import assert from "node:assert/strict";
import { TempFolder } from "../tests/rig/temp_folder.ts";
import { loadIdentity } from "./files/state.ts";
import { formatPublicKey } from "../net/tls/identity.ts";

/** What a compiled binary has. */
const PERMISSIONS = ["--no-prompt", "--allow-read", "--allow-write", "--allow-env"];

const PROGRAM = `
import { runProcess } from "./app/run.ts";
import { keyCommand } from "./app/key_cli.ts";
await runProcess("sallyport device", async () => {
  await keyCommand("sallyport device", "device").parseAsync(Deno.args, { from: "user" });
});
`;

Deno.test("a device's key is made once, and printed alone for scripts", {
  sanitizeOps: true,
  sanitizeResources: true,
}, async () => {
  using temporary = new TempFolder();
  const folder = temporary.path;
  const run = async () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-check", ...PERMISSIONS, "-", "--state", folder],
      cwd: new URL("..", import.meta.url),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const input = child.stdin.getWriter();
    await input.write(new TextEncoder().encode(PROGRAM));
    await input.close();
    const { code, stdout, stderr } = await child.output();
    return [code, new TextDecoder().decode(stdout), new TextDecoder().decode(stderr)];
  };
  const first = await run();
  const key = formatPublicKey((await loadIdentity(`${folder}/device`)).publicKey);
  assert.deepEqual(first, [0, `${key}\n`, `made a new key in ${folder}/device\n`]);
  assert.deepEqual(await run(), [0, `${key}\n`, ""]);
  await Deno.chmod(`${folder}/device/identity.pem`, 0o644);
  const [code, out, err] = await run();
  assert.deepEqual([code, out], [2, ""]);
  assert.match(String(err), /run: chmod 600/);
});
