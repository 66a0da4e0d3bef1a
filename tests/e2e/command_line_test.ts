/**
 * The command lines: help, exit codes, `--check`, the environment, and files.
 *
 * @module
 */

import assert from "node:assert/strict";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { Child, type ChildOptions } from "../rig/processes/child.ts";
import { sallyport, startDevice, startServer, v1DeviceArgs, v1ServerArgs } from "../rig/processes/daemons.ts";
import { engineInWords, isNative, isTlsNative } from "../rig/engine.ts";
import { V1Relay } from "../rig/processes/relay.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { processTest } from "../rig/processes/harness.ts";

/** The names of the compiled binaries of a single role. */
const SUFFIX = Deno.env.has("SALLYPORT_BINARIES") ? "-server" : "";

interface Outcome {
  readonly code: number;
  readonly stdout: string[];
  readonly stderr: string;
}

async function run(role: "server" | "device", args: readonly string[], options?: ChildOptions): Promise<Outcome> {
  await using child = Child.start(role, sallyport(role, args), options);
  const code = await child.end();
  return { code, stdout: child.stdout, stderr: child.stderr.join("\n") };
}

for (const role of ["server", "device"] as const) {
  processTest(`${role} --help teaches by examples, and --version is one line; both exit with 0`, [], async () => {
    const help = await run(role, ["--help"]);
    assert.equal(help.code, 0);
    const shown = help.stdout.join("\n");
    assert.match(shown, /server enroll gw1 --service ssh=0\.0\.0\.0:2201 --public-address [^]*device join 'sp2_/);
    assert.match(shown, new RegExp(`More examples:[^]*${role} --profile v1`));
    const version = await run(role, ["--version"]);
    assert.equal(version.code, 0);
    assert.match(version.stdout.join("|"), /^\d+\.\d+\.\d+$/);
  });
}

const WRONG: [what: string, role: "server" | "device", args: string[], says: RegExp][] = [
  ["an unknown option", "server", ["--forwrad", "1"], /unknown option "--forwrad"; did you mean "--forward"\?$/],
  [
    "no profile",
    "server",
    ["--listen", "127.0.0.1:0", "--forward", "127.0.0.1:0=127.0.0.1:1"],
    /--forward: .* are for profile v1/,
  ],
  [
    "no options at all",
    "device",
    [],
    /has not joined a server: \/no\/such\/folder\/device has none; let the server's `enroll` /,
  ],
  [
    "a server without its key",
    "device",
    ["--server", "a"],
    /--server is given without --server-key, which "sallyport server key" prints/,
  ],
  ["a server's key that is none", "device", ["--server-key", "x"], /not a public key; .* as "server key" prints it/],
  ["no server", "device", ["--profile", "v1", "--service", "a:1"], /--server is missing; for example: --server/],
  ["no service", "device", ["--profile", "v1", "--server", "a"], /--service is missing; for example: --service/],
  ["an unknown profile", "device", ["--profile", "v7"], /"v7" is none of v1/],
  ["a forward without a service", "server", ["--forward", "127.0.0.1:80"], /write HOST_ADDRESS:HOST_PORT=/],
  ["a duration that is none", "server", ["--stall-timeout", "soon"], /"soon" is not a duration; write one as in 10s/],
  ["a count beyond its bounds", "device", ["--probe-count", "128"], /"128" is not a whole number from 0 to 127/],
  ["an uplink that is none", "device", ["--via", "eth0:1"], /"eth0:1" is neither an IP address nor an interface/],
  ["an uplink on the portable engine", "device", [
    ...v1DeviceArgs("a", ["b:1"]),
    ...["--engine", "portable", "--via", "eth0"],
  ], /--via takes the native engine, and another one was asked for/],
  ["a bound link on the portable engine", "device", [
    ...["--server", "a", "--server-key", "ed25519:48zjAWukORAAVe-hLFUprfiT0zIy9Du6_Db-rrl2caM", "--service", "ssh=b:1"],
    ...["--engine", "portable", "--require-binding"],
  ], /--require-binding takes the native engine, and another one was asked for/],
  [
    "an argument that nobody asked for",
    "device",
    ["stray"],
    /unknown command "stray"; there are: .*join, service, key/,
  ],
  [
    "an option in the place of a value",
    "server",
    ["open", "gw1/ssh", "--for", "--reason", "x"],
    /--for lacks its value: --reason stands in its place$/,
  ],
  ["a command with a slip, and its options", "server", ["opne", "gw1/ssh", "--for", "1h"], /did you mean "open"\?/],
  ["a command with a slip", "server", ["enrol", "gw1"], /unknown command "enrol"; did you mean "enroll"\?/],
  ["a file that is not there", "server", ["--config", "/no/such.toml"], /\/no\/such\.toml: there is no such file/],
];

for (const [what, role, args, says] of WRONG) {
  processTest(`${role}: ${what} ends it with 2 and says what would do`, [], async () => {
    const env = { SALLYPORT_STATE: "/no/such/folder" }; // whatever this machine has joined
    const { code, stdout, stderr } = await run(role, args, { env });
    assert.equal(code, 2);
    assert.match(stderr, says);
    assert.deepEqual(stdout, []);
  });
}

const SECTION = '[[listen]]\naddress = "127.0.0.1:0"\nforward = ["127.0.0.1:0=127.0.0.1:22"]\nprofile = "v1"\n';

const BAD_FILES: [what: string, text: string, says: string][] = [
  [
    "an unknown key",
    `stall-timeuot = "10s"\n${SECTION}`,
    `1:1: unknown key "stall-timeuot"; did you mean "stall-timeout"?`,
  ],
  ["a bad value in the second section", SECTION + SECTION.replace("v1", "v9"), `8:1: "profile": "v9" is none of v1`],
  ["a section with a word missing", `# none\n${SECTION.replace("address", "# ")}`, `2:1: "address" is missing`],
  ["what is no TOML", `${SECTION}log-level = \n`, "5:13: not TOML"],
  ["a text without quotes", "log-level = debug\n", "1:13: not TOML: invalid value; a line is KEY = VALUE, with quotes"],
  [
    "a key that stands twice",
    'log-level = "info"\nlog-level = "warn"\n',
    "2:1: not TOML: trying to redefine an already defined table or value; it stands there already; write it once",
  ],
  [
    "an address beside the sections",
    'address = "a:1"\n',
    '1:1: unknown key "address"; it belongs in a [[listen]] section',
  ],
  [
    "what a device's file has",
    'server = "a"\n',
    '1:1: unknown key "server"; that is an option of the device; give this',
  ],
];

for (const [what, text, says] of BAD_FILES) {
  processTest(`${what} in a file is shown with line, column and caret, and exit code 2`, [], async () => {
    using folder = new TempFolder();
    const file = folder.write("server.toml", text);
    const { code, stderr } = await run("server", ["--config", file, "--check"]);
    assert.equal(code, 2);
    assert.ok(stderr.startsWith(`sallyport${SUFFIX}: ${file}:${says}`), stderr);
    assert.match(stderr, /\n {2}\d \| .*\n +\^$/);
  });
}

processTest("a server's file that a device is given is told to be one", [], async () => {
  const { code, stderr } = await run("device", [
    "--config",
    "examples/server.toml",
    "--profile",
    "v1",
    "--server",
    "a",
  ]);
  assert.equal(code, 2);
  assert.match(stderr, /server\.toml:\d+:1: unknown key "listen"; that is an option of the server; give this file to /);
});

processTest("a port in use ends the server with 3 and names the port", [], async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const { code, stdout, stderr } = await run("server", v1ServerArgs(["127.0.0.1:1"], `127.0.0.1:${port}`));
  assert.equal(code, 3);
  assert.match(stderr, new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${port}: the port is in use`));
  assert.deepEqual(stdout, []);
});

processTest("a host port in use is told, and opens when it comes free", [], async () => {
  await using service = echoService();
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const local = `127.0.0.1:${service.port}`;
  try {
    await using server = await startServer(v1ServerArgs([`127.0.0.1:${port}=${local}`]));
    await using _device = startDevice(v1DeviceArgs(server.address, [local]));
    const failed = await server.logged(/the port is in use.*clients cannot reach/);
    assert.equal(failed.level, "error");
    taken.close();
    assert.equal(await server.hostPort(local), port);
    await echoes(port);
  } finally {
    try {
      taken.close();
    } catch {
      // Closed above.
    }
  }
});

processTest("--check prints what is in force, opens nothing, and exits with 0", [], async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const listen = `127.0.0.1:${taken.addr.port}`;
  const server = await run("server", [...v1ServerArgs(["[::1]:2201=localhost:22"], listen), "--check"]);
  assert.deepEqual(server, {
    code: 0,
    stdout: [
      `listen ${listen} profile=v1 security=plain`,
      "  forward [::1]:2201 -> localhost:22",
      `engine ${engineInWords}`,
      "idle-timeout 15s",
      "probe-interval 5s",
      "probe-count 3",
      "tcp-keep-alive 2m",
      "stall-timeout 10s",
      "half-close-timeout 5s",
      "link-write-timeout 1m",
      "log-format auto",
      "log-level info",
    ],
    stderr: "",
  });
  const device = await run("device", [...v1DeviceArgs("relay.example", ["10.0.0.0/24:*"]), "--check"]);
  assert.deepEqual(device, {
    code: 0,
    stdout: [
      "server relay.example:2065 profile=v1 security=plain",
      "service 10.0.0.0/24:*",
      `engine ${engineInWords}`,
      "connect-timeout 10s",
      "tcp-keep-alive 2m",
      "stall-timeout 10s",
      "link-write-timeout 1m",
      "idle-timeout 15s",
      "probe-interval 5s",
      "probe-count 3",
      "log-format auto",
      "log-level info",
    ],
    stderr: "",
  });
});

processTest(
  "--check shows endpoints and Unix host addresses as they were written, and says what is wrong",
  [],
  async () => {
    const services = ['a=exec:["/bin/sh","-c","echo hi, you"],pty', "b=can:can0,500000,max-clients=3", "c=unix:/run/x"];
    using folder = new TempFolder();
    const [key] = (await run("server", ["key", "--state", folder.path])).stdout;
    const args = ["--server", "relay.example", "--server-key", key!, "--state", folder.path, "--check"];
    const anyEngine = { SALLYPORT_ENGINE: "" }; // a terminal takes the native one
    const options = services.flatMap((service) => ["--service", service]);
    const given = await run("device", [...args, ...options], { env: anyEngine });
    const inOne = await run("device", args, { env: { ...anyEngine, SALLYPORT_SERVICE: services.join(",") } });
    for (const { code, stdout, stderr } of [given, inOne]) {
      assert.equal(code, 0, stderr);
      assert.deepEqual(stdout.slice(1, 4), services.map((service) => `service ${service}`));
    }
    const wrong = await run("device", [...args, "--service", "a=unix:docker.sock"]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /--service: "unix:docker.sock" is no Unix socket; write its whole path/);
    const forward = "unix:/run/x.sock,mode=0660,group=ssh=127.0.0.1:22";
    const v1 = ["--profile", "v1", "--listen", "127.0.0.1:0", "--check", "--forward", forward];
    assert.deepEqual((await run("server", v1)).stdout.slice(1, 2), [
      "  forward unix:/run/x.sock,mode=0660,group=ssh -> 127.0.0.1:22",
    ]);
  },
);

processTest("--check shows by which way each server is dialled, and no password", [], async () => {
  using folder = new TempFolder();
  const [key] = (await run("server", ["key", "--state", folder.path])).stdout;
  const args = ["--server", "relay.example", "--server", "192.0.2.7:1", "--server-key", key!, "--state", folder.path];
  const check = async (more: string[], env: Record<string, string>) => {
    const { code, stdout, stderr } = await run("device", [...args, "--service", "a=b:1", ...more, "--check"], { env });
    assert.equal(code, 0, stderr);
    return stdout.filter((line) => line.startsWith("server "));
  };
  const env = { HTTPS_PROXY: "http://me:secret@proxy.lan:3128", NO_PROXY: "192.0.2.0/24" };
  if (isNative) {
    assert.deepEqual(await check(["--via", "wwan0"], { ...env, SALLYPORT_VIA: "eth0" }), [
      "server relay.example:7443 profile=v2 security=pinned proxy=http://…@proxy.lan:3128 via=wwan0",
      "server 192.0.2.7:1 profile=v2 security=pinned via=wwan0",
    ]);
  }
  assert.deepEqual(await check(["--sni", "www.example"], env), [
    "server relay.example:7443 profile=v2 security=pinned sni=www.example proxy=http://…@proxy.lan:3128",
    "server 192.0.2.7:1 profile=v2 security=pinned sni=www.example",
  ]);
  if (isTlsNative) {
    assert.match((await check(["--require-binding", "--pki"], {}))[0]!, / security=pki binding=required$/);
  }
  const plain = await run("device", [...args, "--service", "a=b:1", "--plain", "--require-binding", "--check"]);
  assert.equal(plain.code, 2);
  assert.match(plain.stderr, /--require-binding is about TLS, and --plain is without; give one$/);
  assert.deepEqual((await check(["--proxy", "none"], env))[0], "server relay.example:7443 profile=v2 security=pinned");
  assert.match((await check(["--proxy", "proxy.lan:1"], {}))[1]!, / security=pinned proxy=http:\/\/proxy\.lan:1$/);
  const wrong = await run("device", [...args, "--service", "a=b:1", "--check"], { env: { HTTPS_PROXY: "foo" } });
  assert.equal(wrong.code, 2);
  assert.match(
    wrong.stderr,
    /: HTTPS_PROXY: "http:\/\/foo" is no proxy: .* has no port.*; --proxy none dials directly$/,
  );
});

processTest("the command line goes before the environment, and that before the file", [], async () => {
  const v1 = "profile=v1 security=plain";
  using folder = new TempFolder();
  const file = folder.write("device.toml", 'server = "file:1"\nprofile = "v1"\nservice = ["file:1", "file:2"]\n');
  const env = { SALLYPORT_CONFIG: file };
  const fromFile = await run("device", ["--check"], { env });
  assert.deepEqual(fromFile.stdout.slice(0, 3), [`server file:1 ${v1}`, "service file:1", "service file:2"]);
  const fromEnv = await run("device", ["--check"], { env: { ...env, SALLYPORT_SERVICE: "env:3,env:4" } });
  assert.deepEqual(fromEnv.stdout.slice(0, 3), [`server file:1 ${v1}`, "service env:3", "service env:4"]);
  const blank = await run("device", ["--check"], { env: { ...env, SALLYPORT_SERVICE: "env:3 env:4" } });
  assert.equal(blank.code, 2);
  assert.match(blank.stderr, /SALLYPORT_SERVICE: "env:3 env:4" has a blank; write a comma between several$/);
  const args = ["--check", "--server", "line:5"];
  const fromLine = await run("device", args, { env: { ...env, SALLYPORT_SERVER: "env:6" } });
  assert.deepEqual(fromLine.stdout.slice(0, 3), [`server line:5 ${v1}`, "service file:1", "service file:2"]);
});

processTest(
  "--state and --devices of a subcommand go before the environment, as all of the command line does",
  [],
  async () => {
    using folder = new TempFolder();
    const [there, here] = [`${folder.path}/there`, `${folder.path}/here`];
    const options = { env: { SALLYPORT_STATE: there, SALLYPORT_DEVICES: `${there}.toml` } };
    const key = async (role: "server" | "device", ...args: string[]) => (await run(role, args, options)).stdout[0]!;
    const inEnvironment = await key("device", "key");
    const onLine = await key("device", "key", "--state", here);
    assert.notEqual(onLine, inEnvironment);
    assert.equal(await key("device", "--state", here, "key"), onLine);
    assert.equal(
      await key("device", "--state", here, "key", "--state", there),
      inEnvironment,
      "the nearest goes first",
    );
    assert.notEqual(await key("server", "key", "--state", here), await key("server", "key"));

    const gw1 = `[gw1]\nkey = "${onLine}"\n`;
    folder.write("there.toml", gw1);
    const file = folder.write("here.toml", gw1.replace("gw1", "gw2"));
    const place = ["--state", here, "--devices", file];
    const names = async (...args: string[]) =>
      JSON.parse((await run("server", ["devices", "--json", ...args], options)).stdout[0]!)
        .map(({ name }: { name: string }) => name);
    assert.deepEqual(await names(), ["gw1"]);
    assert.deepEqual(await names(...place), ["gw2"]);
    const enroll = ["enroll", "gw3", "--service", "ssh=0.0.0.0:0", "--public-address", "127.0.0.1", ...place];
    const { stdout: [text] } = await run("server", enroll, options);
    assert.deepEqual([await names(), await names(...place)], [["gw1"], ["gw2", "gw3"]]);
    assert.equal((await run("server", ["revoke", "gw2", ...place], options)).code, 0);
    assert.deepEqual([await names(), await names(...place)], [["gw1"], ["gw3"]]);

    const join = ["join", text!, "--service", "ssh=127.0.0.1:9", "--no-run", "--state", here];
    assert.deepEqual((await run("device", join, options)).stdout, [`stored ${here}/device`]);
  },
);

processTest("a file with several listeners gives each device its own host ports", [], async () => {
  await using one = echoService();
  await using two = echoService();
  using folder = new TempFolder();
  const section = (port: number) =>
    `[[listen]]\naddress = "127.0.0.1:0"\nprofile = "v1"\nforward = ["127.0.0.1:0=127.0.0.1:${port}"]\n`;
  const file = folder.write("server.toml", section(one.port) + section(two.port));
  await using server = await startServer(["--config", file], { listeners: 2 });
  await using _first = startDevice(v1DeviceArgs(server.addresses[0]!, [`127.0.0.1:${one.port}`]));
  await echoes(await server.hostPort(`127.0.0.1:${one.port}`));
  await using second = startDevice(v1DeviceArgs(server.addresses[1]!, [`127.0.0.1:${two.port}`]));
  const hostPort = await server.hostPort(`127.0.0.1:${two.port}`);
  await echoes(hostPort);
  assert.deepEqual([one.accepted, two.accepted], [1, 1]);

  await second.child.kill();
  await server.logged(/^link down/);
  await assert.rejects(Stream.connect(hostPort), Deno.errors.ConnectionRefused);
  await echoes(await server.hostPort(`127.0.0.1:${one.port}`), "the other device's link is untouched");
});

processTest("the log has one JSON line for each client: why it ended, bytes both ways, how long", [], async () => {
  await using service = echoService();
  await using relay = await V1Relay.start([`127.0.0.1:${service.port}`], { server: ["--half-close-timeout", "0"] });
  for (const size of [1, 2, 3]) await echoes(relay.hostPort, "x".repeat(size));
  for (const daemon of [relay.server, relay.device]) {
    await daemon.logged(/^client .* 3 B up, 3 B down/);
    const lines = daemon.log.filter(({ message }) => message.startsWith("client "));
    assert.deepEqual(lines.map((line) => [line["bytesUp"], line["bytesDown"]]), [[1, 1], [2, 2], [3, 3]]);
    for (const line of lines) {
      assert.equal(line.level, "info");
      assert.equal(line["reason"], "client-closed");
      assert.ok(Number.isInteger(line["duration"]), "the duration is in milliseconds");
      assert.ok(!Number.isNaN(Date.parse(line.time)), "the time is a time");
    }
  }
});

processTest("stdout has the stable lines and nothing else; with --log-format json they are events", [], async () => {
  await using service = echoService();
  const local = `127.0.0.1:${service.port}`;
  {
    await using relay = await V1Relay.start([local]);
    await echoes(relay.hostPort);
    await relay.device.child.line(/^online /);
    relay.server.child.signal("SIGTERM");
    await relay.device.child.line(/^lost /);
    const { address } = relay.server;
    assert.deepEqual(relay.server.child.stdout, [
      `listening ${address} profile=v1`,
      `open 127.0.0.1:${relay.hostPort} -> ${local}`,
    ]);
    assert.deepEqual(relay.device.child.stdout, [`online ${address}`, `lost ${address} peer-closed`]);
  }
  const json = ["--log-format", "json"];
  await using server = Child.start("server", sallyport("server", [...v1ServerArgs([local]), ...json]));
  const [listening] = await server.line(/^\{.*"type":"listening".*\}$/);
  const { address } = JSON.parse(listening!) as { address: string };
  await using device = startDevice([...v1DeviceArgs(address, [local]), ...json]);
  const [online] = await device.child.line(/^\{.*"type":"online".*\}$/);
  assert.equal((JSON.parse(online!) as { server: string }).server, address);
  const [open] = await server.line(/^\{.*"type":"host-open".*\}$/);
  assert.equal((JSON.parse(open!) as { localAddress: string }).localAddress, local);
});

/** A client's round trip. */
async function echoes(port: number, text = "hello"): Promise<void> {
  using client = await Stream.connect(port);
  await client.write(text);
  assert.equal(await client.readText(text.length), text);
}
