/**
 * What another user of the machine can do to a server and a device: nothing, even where the folders around their states
 * are open to all, and their own were opened.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Child } from "../rig/processes/child.ts";
import { sallyport } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { echoRelay } from "../rig/processes/relay.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { poll } from "../rig/wait.ts";

/** What makes a command one of nobody's. */
const AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"];

/** Says of each path what can be done with it. */
const TRY = `for path; do
  [ -d "$path" ] && { ls -A "$path" >/dev/null && echo "lists $path"; touch "$path/mine" && echo "writes in $path"; continue; }
  if [ -S "$path" ]; then
    curl -sS --max-time 5 --unix-socket "$path" http://localhost/v1/health && echo "asks $path"; continue
  fi
  cat "$path" >/dev/null && echo "reads $path"
  (echo x >>"$path") && echo "writes $path"
done 2>/dev/null
exit 0`;

/** Everything below a folder, and itself; of files that are there for a moment some may be gone. */
function pathsOf(folder: string): string[] {
  return foldersOf(folder).flatMap((each) => {
    const files = [...Deno.readDirSync(each)].filter(({ isDirectory }) => !isDirectory);
    return [each, ...files.map(({ name }) => `${each}/${name}`)];
  });
}

/** All folders below one, and itself. */
function foldersOf(folder: string): string[] {
  const below = [...Deno.readDirSync(folder)].filter(({ isDirectory }) => isDirectory);
  return [folder, ...below.flatMap(({ name }) => foldersOf(`${folder}/${name}`))];
}

/** What nobody can do with these. */
async function possible(paths: readonly string[]): Promise<string[]> {
  const tried = await Child.run("nobody", [...AS_NOBODY, "/bin/sh", "-c", TRY, "sh", ...paths]);
  return tried.stdout;
}

processTest(
  "another user cannot reach an admin socket, a state, a history, an audit, nor a daemon",
  ["setpriv (as root)", "curl", "/proc"],
  async () => {
    using logs = new TempFolder();
    await Deno.chmod(logs.path, 0o755);
    const audit = `${logs.path}/audit.log`;
    await using echo = await echoRelay({ server: ["--audit", audit, "--log-level", "debug"] });
    const { relay } = echo;
    const { path } = relay.folder;
    await Deno.chmod(path, 0o755);
    const [server, device] = [relay.server.child.pid, relay.device.child.pid];
    const history = `${path}/server/history.sqlite`;
    await poll(() => pathsOf(path).includes(history), () => "there is no history");
    const paths = () => ["server", "device"].flatMap((role) => pathsOf(`${path}/${role}`));
    const found = paths();
    for (const name of ["server/admin.sock", "device/admin.sock", "server/identity.pem", "device/identity.pem"]) {
      assert.ok(found.includes(`${path}/${name}`), `${name} is there`);
    }
    const ofProcesses = [server, device].flatMap((pid) =>
      ["environ", "mem", "fd", "cwd"].map((name) => `/proc/${pid}/${name}`)
    );
    assert.deepEqual(await possible([...found, audit, ...ofProcesses]), []);

    // Each file is its owner's alone, also if somebody opens the folders.
    for (const folder of foldersOf(path)) if (!folder.endsWith("/.admin")) await Deno.chmod(folder, 0o755);
    const left = (await possible([...paths(), audit])).filter((line) => !line.startsWith("lists "));
    assert.deepEqual(left, []);

    for (const role of ["server", "device"] as const) {
      const command = [...AS_NOBODY, ...sallyport(role, ["status", "--state", path])];
      await using status = Child.start("status", command, { env: { DENO_DIR: "/tmp", HOME: "/tmp" } });
      assert.notEqual(await status.exited, 0);
      const said = status.stderr.join("\n");
      assert.match(said, /Permission denied|not readable|may not|EACCES|denied/i, said);
      assert.doesNotMatch(said, /\n\s+at /, "no stack");
    }
    for (const pid of [server, device]) {
      const killed = await Child.run("kill", [...AS_NOBODY, "/bin/sh", "-c", `kill ${pid} 2>/dev/null; echo $?`]);
      assert.deepEqual(killed.stdout, ["1"]);
    }

    // It is the rights that keep nobody out, and not how this test tries.
    const [socket, toml] = [`${path}/server/admin.sock`, `${path}/server/devices.toml`];
    await Deno.chmod(socket, 0o666);
    await Deno.chmod(toml, 0o644);
    assert.deepEqual(await possible([socket, toml]), [`{"ok":true}asks ${socket}`, `reads ${toml}`]);
  },
);
