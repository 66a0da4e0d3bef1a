/**
 * Mistakes that are told at once, and not when somebody needs what they spoil: `--check`, the environment, options that
 * stand twice; and secrets that are not for command lines.
 *
 * @module
 */

import assert from "node:assert/strict";
import { loadDevice } from "../../device/state.ts";
import { Child } from "./support/child.ts";
import { outcome } from "./support/commands.ts";
import { sallyport, startDevice } from "./support/daemons.ts";
import { processTest } from "./support/harness.ts";
import { poll } from "./support/poll.ts";
import { echoSession } from "./support/session.ts";
import { TempFolder } from "./support/temp_folder.ts";
import { echoRelay, enrol, joinArgs, startV2Server } from "./support/v2_relay.ts";

const KEY = "ed25519:MoD09p63cAgdgkm0O067tDTnLifseMfHK1AG6FJOtp4";
const DEVICE = ["--server", "relay.example", "--server-key", KEY, "--service", "ssh=127.0.0.1:22"];

/** Runs a command that has to end with 2 and one line that matches. */
async function mistaken(says: RegExp, ...given: Parameters<typeof outcome>): Promise<void> {
  const { code, stdout, stderr } = await outcome(...given);
  assert.deepEqual([code, stdout], [2, []], stderr);
  assert.match(stderr.split("\n")[0]!, says);
  assert.doesNotMatch(stderr, /^ +at /m, "a stack trace is not for users");
}

processTest("an option that has one value and stands twice is refused, and so is --config", [], async () => {
  const listen = ["--listen", "127.0.0.1:1", "--listen", "127.0.0.1:2"];
  await mistaken(/--listen.* is invalid\. It is given twice; give it once/, "server", [...listen, "--check"]);
  await mistaken(/--config.* is invalid\. It is given twice/, "device", ["--config", "/a", "--config", "/b"]);
});

processTest("what is on the command line once and in the environment too is no repetition", [], async () => {
  using folder = new TempFolder();
  const env = { SALLYPORT_LISTEN: "127.0.0.1:1" };
  const args = ["--listen", "127.0.0.1:2", "--state", folder.path, "--check"];
  const { code, stdout } = await outcome("server", args, { env });
  assert.deepEqual([code, stdout[0]], [0, "listen 127.0.0.1:2 profile=v2 security=pinned"]);
});

processTest("a variable of the environment that is not UTF-8 is one line, and exit code 2", [], async () => {
  const prefix = ["sh", "-c", `SALLYPORT_LOG_LEVEL="$(printf '\\377')" exec "$@"`, "sh"];
  await mistaken(/a variable of the environment is not UTF-8: "\\xFF"; set it anew$/, "server", ["--check"], {
    prefix,
  });
});

processTest("--check prints the keep-alive times as they are in force: whole seconds", [], async () => {
  using folder = new TempFolder();
  const times = ["--idle-timeout", "1500ms", "--probe-interval", "200ms", "--state", folder.path, "--check"];
  for (const [role, args] of [["server", times], ["device", [...DEVICE, ...times]]] as const) {
    const { code, stdout, stderr } = await outcome(role, args);
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.filter((line) => /^(idle|probe)/.test(line)), [
      "idle-timeout 2s",
      "probe-interval 1s",
      "probe-count 2",
    ]);
  }
});

processTest("--check reads the files that a server will need", [], async () => {
  using folder = new TempFolder();
  const state = ["--state", folder.path, "--check"];
  const devices = folder.write("devices.toml", "[gw1]\nkee = 1\n");
  await mistaken(/devices\.toml:2:1: unknown key "kee"/, "server", ["--devices", devices, ...state]);
  const tls = ["--tls-cert", `${folder.path}/no.pem`, "--tls-key", `${folder.path}/no.key`];
  await mistaken(/Cannot read a certificate from .*no\.pem: /, "server", [...tls, ...state]);
});

processTest("a --ca that is no certificate is refused by --check, and by the device's start", [], async () => {
  using folder = new TempFolder();
  const damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  for (
    const [file, says] of [
      [folder.write("rubbish.pem", "rubbish"), /Cannot use .*rubbish\.pem as --ca: it has no certificate as PEM$/],
      [folder.write("damaged.pem", damaged), /Cannot use .*damaged\.pem as --ca: it has a damaged certificate$/],
      [`${folder.path}/none.pem`, /Cannot read .*none\.pem: /],
    ] as const
  ) {
    const args = [...DEVICE, "--ca", file, "--state", folder.path];
    await mistaken(says, "device", [...args, "--check"]);
    await mistaken(says, "device", args);
  }
});

processTest("SIGHUP ends no daemon that has no terminal; a server reads devices.toml at once", [], async () => {
  await using echo = await echoRelay();
  const { server, device, hostPort } = echo.relay;
  const before = device.log.length;
  for (const daemon of [server, device]) {
    daemon.child.signal("SIGHUP");
    await daemon.logged(/^SIGHUP: going on/);
  }
  await echoSession(hostPort);
  assert.equal(device.log.slice(before).some(({ message }) => message.startsWith("link down")), false);
  for (const daemon of [device, server]) {
    daemon.child.signal("SIGTERM");
    daemon.child.signal("SIGHUP"); // nor does it cut the orderly end short
    assert.equal(await daemon.child.end(), 0);
  }
});

processTest("a server that nohup started ignores SIGHUP", [], async () => {
  if (Deno.env.has("SALLYPORT_BINARIES")) return; // they may not read what signals are ignored
  using folder = new TempFolder();
  await using kept = await startV2Server(folder.path, [], { prefix: ["nohup"] });
  kept.child.signal("SIGHUP");
  kept.child.signal("SIGTERM");
  assert.equal(await kept.child.end(), 0);
  await kept.logged(/^SIGTERM: shutting down/);
  assert.equal(kept.log.some(({ message }) => message.startsWith("SIGHUP")), false);
});

processTest("a terminal that goes away ends its server in order", ["script"], async () => {
  using folder = new TempFolder();
  const log = `${folder.path}/log`;
  const words = sallyport("server", ["--listen", "127.0.0.1:0", "--state", folder.path]).map((word) => `'${word}'`);
  await using terminal = Child.start("terminal", ["script", "-qec", `exec ${words.join(" ")} 2>'${log}'`, "/dev/null"]);
  await terminal.line(/^listening /);
  await terminal.kill();
  const logged = () => Deno.readTextFileSync(log);
  await poll(() => /"SIGHUP: shutting down/.test(logged()), logged);
  await poll(() => !hasLive(folder.path), logged);
});

/** Whether a server runs that has told what it sees. */
function hasLive(state: string): boolean {
  try {
    return Deno.statSync(`${state}/server/live.toml`).isFile;
  } catch {
    return false;
  }
}

processTest("the string of enroll can come from stdin or the environment, where nobody sees it", [], async () => {
  using folder = new TempFolder();
  const { path } = folder;
  const text = await enrol(`${path}/server`, "127.0.0.1:1", ["ssh"]);
  const join = (
    state: string,
    ...string: string[]
  ) => ["join", ...string, "--no-run", "--state", `${path}/${state}`, "--service", "ssh=127.0.0.1:22"];
  const prefix = ["sh", "-c", `printf '%s\\nmore' "$STRING" | "$@"`, "sh"];
  const piped = await outcome("device", join("piped", "-"), { prefix, env: { STRING: text } });
  assert.deepEqual([piped.code, piped.stdout], [0, [`stored ${path}/piped/device`]], piped.stderr);
  const named = await outcome("device", join("named"), { env: { SALLYPORT_JOIN: text } });
  assert.deepEqual([named.code, named.stdout], [0, [`stored ${path}/named/device`]], named.stderr);
  assert.deepEqual(await loadDevice(`${path}/named/device`), await loadDevice(`${path}/piped/device`));
  await mistaken(
    /the string of `server enroll` is missing; give it, or - to read it from stdin, or set SALLYPORT_JOIN$/,
    "device",
    join("none"),
  );
});

processTest("a device that runs leaves alone what was joined since: the join of another server", [], async () => {
  using folder = new TempFolder();
  const [one, two, state] = [`${folder.path}/one`, `${folder.path}/two`, `${folder.path}/state`] as const;
  const text = await enrol(two, "127.0.0.1:1", ["web"]);
  let server = await startV2Server(one);
  try {
    const { address } = server;
    await using device = startDevice(joinArgs(state, await enrol(one, address, ["ssh"]), ["ssh=127.0.0.1:9"]));
    await device.child.line(/^service ssh /);
    const other = [...joinArgs(state, text, ["web=127.0.0.1:9"]), "--no-run", "--replace"];
    assert.equal((await outcome("device", other)).code, 0);
    const joined = await loadDevice(`${state}/device`);
    assert.ok(joined?.enrolment);
    server.child.signal("SIGTERM");
    await server.child.end();
    const from = device.child.stdout.length;
    server = await startV2Server(one, [], { listen: address });
    await device.child.line(/^service ssh /, from);
    device.child.signal("SIGTERM");
    assert.equal(await device.child.end(), 0);
    assert.deepEqual(await loadDevice(`${state}/device`), joined);
  } finally {
    await server[Symbol.asyncDispose]();
  }
});
