import assert from "node:assert/strict";
import { runProgram } from "../tests/rig/processes/program.ts";
import { folderTest } from "../tests/rig/test.ts";
import { loadIdentity } from "./files/state.ts";
import { formatPublicKey } from "../net/tls/identity.ts";

const PROGRAM = `
import { runProcess } from "./app/run.ts";
import { keyCommand } from "./app/key_cli.ts";
await runProcess("sallyport device", async () => {
  await keyCommand("sallyport device", "device").parseAsync(Deno.args, { from: "user" });
});
`;

folderTest("a device's key is made once, and printed alone for scripts", async (folder) => {
  const run = () => runProgram(PROGRAM, ["--state", folder]);
  const first = await run();
  const key = formatPublicKey((await loadIdentity(`${folder}/device`)).publicKey);
  assert.deepEqual(first, { code: 0, out: key, err: `made a new key in ${folder}/device` });
  assert.deepEqual(await run(), { code: 0, out: key, err: "" });
  await Deno.chmod(`${folder}/device/identity.pem`, 0o644);
  const { code, out, err } = await run();
  assert.deepEqual([code, out], [2, ""]);
  assert.match(err, /run: chmod 600/);
});
