import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { find } from "../../tests/rig/processes/programs.ts";
import { within } from "../../tests/rig/wait.ts";
import { startService } from "../processes.ts";
import { bore } from "./bore.ts";
import { chisel } from "./chisel.ts";
import { frp } from "./frp.ts";
import { ratholePlain, ratholeTls } from "./rathole.ts";
import { HERE, type Target, type TargetContext } from "./target.ts";

const FAKE = fileURLToPath(new URL("./_fake_relay.ts", import.meta.url));
const TARGETS = [ratholePlain, ratholeTls, bore, frp, chisel];
const linux = Deno.build.os === "linux";

/** A test with stand-ins for the relays on the PATH, and variables that tell them how to fail. */
function withFakes(
  name: string,
  run: (context: TargetContext) => Promise<void>,
  env: (folder: string) => Record<string, string> = () => ({}),
): void {
  Deno.test({
    name,
    ignore: !linux || find("openssl") === undefined,
    sanitizeOps: true,
    sanitizeResources: true,
    fn: async () => {
      const folder = await Deno.makeTempDir({ prefix: "sallyport-fakes-" });
      const variables = { ...env(folder), PATH: `${folder}:${Deno.env.get("PATH")}` };
      const before = Object.keys(variables).map((name) => [name, Deno.env.get(name)] as const);
      const directory = `${folder}/files`;
      await Deno.mkdir(directory);
      for (const program of ["rathole", "bore", "frps", "frpc", "chisel"]) {
        const script = `#!/bin/sh\nexec '${Deno.execPath()}' run --quiet -A '${FAKE}' ${program} "$@"\n`;
        await Deno.writeTextFile(`${folder}/${program}`, script, { mode: 0o755 });
      }
      for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
      try {
        const note = (text: string) => assert.fail(text);
        await run({ directory, server: HERE, device: HERE, binaries: undefined, note });
        assert.deepEqual([...Deno.readDirSync(directory)], [], "files were left behind");
      } finally {
        for (const [name, value] of before) value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

for (const target of TARGETS) {
  withFakes(`${target.name} relays, and leaves nothing behind`, async (context) => {
    assert.equal(target.needs?.(), undefined);
    const echo = await startService("echo");
    try {
      // Two at once, as a run has them.
      const instances = [await target.start(echo.port, context), await target.start(echo.port, context)];
      for (const { hostPort, failure } of instances) {
        assert.equal(failure?.(), undefined);
        assert.equal(await ask(hostPort, "question"), "question");
      }
      for (const instance of instances) await instance.stop();
      assert.deepEqual(instances.flatMap(({ pids }) => pids.filter(isAlive)), []);
    } finally {
      await echo.child.stop();
    }
  });
}

for (const role of ["server", "device"]) {
  withFakes(`a ${role} that ends at its start is told in its own words`, async (context) => {
    await assert.rejects(frp.start(9, context), /does not like it here/);
  }, () => ({ FAKE_FAILS: role }));
}

withFakes("a start that failed is tried again", async (context) => {
  const instance = await chisel.start(9, context);
  await instance.stop();
}, (folder) => ({ FAKE_FAILS_ONCE: `${folder}/failed` }));

withFakes("a relay whose server is gone says so", async (context) => {
  const instance = await ratholePlain.start(9, context);
  Deno.kill(instance.pids[0]!, "SIGKILL");
  const words = async () => {
    let failure = instance.failure?.();
    while (failure === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      failure = instance.failure?.();
    }
    return failure;
  };
  assert.match(await within(words(), "a failure", 10_000), /^rathole --server ended/);
  await instance.stop();
});

Deno.test("a relay that is not on the PATH is named with the programs that are missing", () => {
  const before = Deno.env.get("PATH")!;
  Deno.env.set("PATH", "/nonexistent");
  try {
    const missing = (target: Target) => target.needs?.();
    assert.equal(missing(frp), "no frps, frpc on the PATH");
    assert.equal(missing(bore), "no bore on the PATH");
    assert.match(missing(ratholeTls)!, /^no rathole/);
  } finally {
    Deno.env.set("PATH", before);
  }
});

async function ask(port: number, text: string): Promise<string> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    await conn.write(new TextEncoder().encode(text));
    const buffer = new Uint8Array(100);
    const count = await within(conn.read(buffer), "an answer", 10_000);
    return new TextDecoder().decode(buffer.subarray(0, count ?? 0));
  } finally {
    conn.close();
  }
}

function isAlive(pid: number): boolean {
  try {
    Deno.statSync(`/proc/${pid}`);
    return true;
  } catch {
    return false;
  }
}
