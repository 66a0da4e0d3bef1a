/**
 * Mistakes that are told at once, and not when somebody needs what they spoil: `--check`, the environment, options that
 * stand twice; and secrets that are not for command lines.
 *
 * @module
 */

import assert from "node:assert/strict";
import { OPTION_NAMES } from "../../app/environment.ts";
import { envName } from "../../app/options.ts";
import { loadDevice } from "../../device/cli/state.ts";
import { Child } from "../rig/processes/child.ts";
import { outcome, succeed } from "../rig/processes/commands.ts";
import { sallyport, startDevice } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { poll } from "../rig/wait.ts";
import { echoSession } from "../rig/processes/session.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { echoRelay, enrol, joinArgs, startV2Server } from "../rig/processes/relay.ts";

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
  await mistaken(/: --listen is given twice; give it once$/, "server", [...listen, "--check"]);
  await mistaken(/: --config is given twice; give it once$/, "device", ["--config", "/a", "--config", "/b"]);
});

processTest("what the daemon alone reads is refused in front of a task, which would leave it out", [], async () => {
  const does = (option: string, task: string) =>
    RegExp(`: --${option} does nothing for "${task}", which goes by its own`);
  await mistaken(does("config", "join"), "device", ["--config", "/no/such.toml", "join", "sp2_x"]);
  await mistaken(does("config", "list"), "device", ["--config", "/no/such.toml", "service", "list"]);
  await mistaken(does("config", "status"), "server", ["--config", "/no/such.toml", "status"]);
  await mistaken(does("check", "devices"), "server", ["--check", "devices"]);
});

processTest("what is on the command line once and in the environment too is no repetition", [], async () => {
  using folder = new TempFolder();
  const env = { SALLYPORT_LISTEN: "127.0.0.1:1" };
  const args = ["--listen", "127.0.0.1:2", "--state", folder.path, "--check"];
  const { code, stdout } = await outcome("server", args, { env });
  assert.deepEqual([code, stdout[0]], [0, "listen 127.0.0.1:2 profile=v2 security=pinned"]);
});

processTest("a variable that is set to nothing counts as not set, whatever it is for", [], async () => {
  using folder = new TempFolder();
  const names = [...OPTION_NAMES.filter((name) => name !== "state").map(envName), "SALLYPORT_JOIN", "HTTPS_PROXY"];
  for (const nothing of ["", " "]) {
    const env = Object.fromEntries(names.map((name) => [name, nothing]));
    for (const [role, args] of [["server", []], ["device", DEVICE]] as const) {
      const given = [...args, "--state", folder.path, "--check"];
      const none = { SALLYPORT_ENGINE: "" }; // the suite may have set it
      assert.deepEqual(await outcome(role, given, { env }), await outcome(role, given, { env: none }));
    }
    const text = await succeed("server", ["key", "--state", folder.path], { env });
    assert.match(text[0]!, /^ed25519:/);
  }
});

processTest("a variable with a slip in its name is told with the right one; those of others are not", [], async () => {
  using folder = new TempFolder();
  const env = {
    ...{ SALLYPORT_LISTN: "127.0.0.1:0", SALLYPORT_SERVICE: "ssh=127.0.0.1:22", SALLYPORT_TEST_SKIPS: "", OTHER: "1" },
    ...{ SALLYPORT_SERVICE_HOST: "10.0.0.1", SALLYPORT_SERVICE_PORT: "7443", SALLYPORT_PORT: "tcp://10.0.0.1:7443" },
    ...{ SALLYPORT_PORT_7443_TCP_ADDR: "10.0.0.1", SALLYPORT_EVENT: "online" },
  };
  const says = "the environment has SALLYPORT_LISTN, which means nothing here; did you mean SALLYPORT_LISTEN?";
  const checked = await outcome("server", ["--state", folder.path, "--check"], { env });
  assert.deepEqual([checked.code, checked.stderr], [0, `warning: ${says}`]);
  const key = await outcome("server", ["key", "--state", folder.path], { env });
  assert.equal(key.stderr, `warning: ${says}\nmade a new key in ${folder.path}/server`);
  await using server = await startV2Server(folder.path, [], { env });
  assert.equal((await server.logged(/SALLYPORT_/)).message, says);
  assert.equal(server.log.filter(({ message }) => message.includes("SALLYPORT_")).length, 1);
});

processTest("an empty value on the command line or in a file is a mistake that says so", [], async () => {
  using folder = new TempFolder();
  await mistaken(/: --devices is empty; give it a value, or leave it out$/, "server", ["--devices", "", "--check"]);
  await mistaken(/: --config is empty; name a file/, "server", ["--config", "", "--check"]);
  const file = folder.write("device.toml", 'ca = ""\n');
  await mistaken(/:1:1: "ca": it is empty; give it a value, or take the key out$/, "device", ["--config", file]);
});

processTest("every mistake on a command line is one line of one manner", [], async () => {
  const mistakes: [role: "server" | "device", args: string[], says: string][] = [
    ["server", ["--lisen", "1"], 'unknown option "--lisen"; did you mean "--listen"?'],
    ["server", ["--listen"], '"--listen <ADDRESS>" lacks its value; see sallyport server --help'],
    ["server", ["--stall-timeout", "x"], '--stall-timeout: "x" is not a duration; write one as in 10s, 500ms or 2m'],
    ["server", ["revoke"], 'missing required argument "name"; see sallyport server revoke --help'],
    ["server", ["revoke", "a b"], '"a b" is not a name; write 1 to 63 of a-z A-Z 0-9 . _ -'],
    ["device", ["-R", "2201:localhost:22"], 'unknown option "-R"; that is ssh\'s; here the server says where clients'],
    ["device", ["R:2201:localhost:22"], '"R:2201:localhost:22" is in the words of chisel or ssh; here the server'],
    ["server", ["--reverse"], 'unknown option "--reverse"; that is chisel\'s; here every service is a reverse one'],
  ];
  for (const [role, args, says] of mistakes) {
    const { code, stdout, stderr } = await outcome(role, args);
    const line = stderr.replace(/^sallyport-\w+: /, "sallyport: ").replace(
      /sallyport-(server|device)/g,
      "sallyport $1",
    );
    assert.deepEqual([code, stdout, stderr.split("\n").length], [2, [], 1], stderr);
    assert.ok(line.startsWith(`sallyport: ${says}`), stderr);
  }
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

processTest("a service that stands where an argument would is told to want its option", [], async () => {
  const says = /: too many arguments for "\w+"\..*; services are written with the option: --service NAME=ADDRESS$/;
  await mistaken(says, "server", ["enroll", "gw1", "ssh=0.0.0.0:2201"]);
  await mistaken(says, "device", ["join", "sp2_x", "ssh=127.0.0.1:22"]);
});

processTest("--check reads the files that a server will need", [], async () => {
  using folder = new TempFolder();
  const state = ["--state", folder.path, "--check"];
  const devices = folder.write("devices.toml", "[gw1]\nkee = 1\n");
  await mistaken(/devices\.toml:2:1: unknown key "kee"/, "server", ["--devices", devices, ...state]);
  const nowhere = ["--devices", `${folder.path}/no/devices.toml`];
  const missing = /\/no\/devices\.toml: the folder \S+\/no is not there$/;
  await mistaken(missing, "server", [...nowhere, ...state]);
  await mistaken(missing, "server", [...nowhere, "--listen", "127.0.0.1:0", "--state", folder.path]);
  const enroll = ["enroll", "gw1", "--service", "a=0.0.0.0:0", "--public-address", "relay.example"];
  await mistaken(missing, "server", [...enroll, ...nowhere, "--state", folder.path]);
  const tls = ["--tls-cert", `${folder.path}/no.pem`, "--tls-key", `${folder.path}/no.key`];
  await mistaken(/Cannot read a certificate from \S*no\.pem \(tls-cert\): there is no such file$/, "server", [
    ...tls,
    ...state,
  ]);
});

processTest("a --ca that is no certificate is refused by --check, and by the device's start", [], async () => {
  using folder = new TempFolder();
  const damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  for (
    const [file, says] of [
      [folder.write("rubbish.pem", "rubbish"), /Cannot use .*rubbish\.pem as --ca: it has no certificate as PEM$/],
      [folder.write("damaged.pem", damaged), /Cannot use .*damaged\.pem as --ca: it has a damaged certificate$/],
      [`${folder.path}/none.pem`, /Cannot use \S*none\.pem as --ca: there is no such file$/],
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
    await daemon.logged(/^reloaded: |^SIGHUP: /);
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

processTest("a terminal that goes away ends its server in order", ["script", "/proc"], async () => {
  using folder = new TempFolder();
  const [log, pid] = [`${folder.path}/log`, `${folder.path}/pid`];
  const words = sallyport("server", ["--listen", "127.0.0.1:0", "--state", folder.path]).map((word) => `'${word}'`);
  const command = `echo $$ >'${pid}'; exec ${words.join(" ")} 2>'${log}'`;
  await using terminal = Child.start("terminal", ["script", "-qec", command, "/dev/null"]);
  await terminal.line(/^listening /);
  await terminal.kill();
  const logged = () => Deno.readTextFileSync(log);
  await poll(() => !isRunning(Deno.readTextFileSync(pid).trim()), logged);
  assert.match(logged(), /"SIGHUP: shutting down/);
});

/** Whether a process runs; one that nobody has asked about since its end does not. */
function isRunning(pid: string): boolean {
  try {
    return !/^State:\s*Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
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
