/**
 * Three commands from install to the first ssh, and what goes wrong on the way.
 *
 * @module
 */

import assert from "node:assert/strict";
import { goodbye, goodbyeFrame } from "../../protocol/v2/wire/goodbye.ts";
import { loadDevice } from "../../device/cli/state.ts";
import { writeAll } from "../../relay/handshake.ts";
import { echoService } from "../rig/service.ts";
import { Child } from "../rig/processes/child.ts";
import { outcome } from "../rig/processes/commands.ts";
import { startDevice } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { echoSession } from "../rig/processes/session.ts";
import { SshServer } from "../rig/processes/ssh_server.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { echoRelay, enrol, joinArgs, serviceOpen, startV2Server, V2Relay } from "../rig/processes/relay.ts";
import { freePort, portOf } from "../rig/ports.ts";

/** The exit code of a device that the server refused for good. */
const REFUSED = 4;

processTest("server, enroll, join: then ssh reaches the device's machine", ["ssh", "sshd"], async () => {
  await using sshd = await SshServer.start();
  await using relay = await V2Relay.start([`ssh=127.0.0.1:${sshd.port}`]);
  assert.match(relay.server.child.stdout[0]!, /^listening 127\.0\.0\.1:\d+ profile=v2 security=pinned$/);
  // The device may say so first, and each prints for itself.
  const [, opened] = await relay.server.child.line(/^open (\S+) -> gw1\/ssh$/);
  assert.equal(opened, relay.host);
  await relay.device.child.line(/^online .* as gw1$/);
  await using ssh = await Child.run("ssh", sshd.ssh(relay.hostPort, "echo $((6 * 7)); echo aside >&2; exit 9"));
  assert.equal(await ssh.exited, 9);
  assert.deepEqual(ssh.stdout, ["42"]);
  assert.deepEqual(ssh.stderr, ["aside"]);
});

processTest("a string that was used lets no second device in: one clear line, and exit code 4", [], async () => {
  using folder = new TempFolder();
  await using server = await startV2Server(`${folder.path}/server`);
  const text = await enrol(`${folder.path}/server`, server.address, ["echo"]);
  await using first = startDevice(joinArgs(`${folder.path}/first`, text, ["echo=127.0.0.1:9"]));
  await first.child.line(/^online /);
  const second = await outcome("device", joinArgs(`${folder.path}/second`, text, ["echo=127.0.0.1:9"]));
  assert.equal(second.code, REFUSED);
  const last = second.stderr.split("\n").at(-1)!;
  assert.match(last, /^\S+: refused for good: bad-enrolment: this enrolment was used already; ask for a new one$/);
  const refused = await server.logged(/^refused /);
  assert.match(String(refused["why"]), /used already/);
  assert.equal(first.child.stdout.some((line) => line.startsWith("lost ")), false);
});

processTest(
  "a refusal for good by somebody who proves nothing neither ends a device nor changes its exit code",
  [],
  async () => {
    using folder = new TempFolder();
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const text = await enrol(`${folder.path}/server`, `127.0.0.1:${listener.addr.port}`, ["echo"]);
    const join = [...joinArgs(folder.path, text, ["echo=127.0.0.1:9"]), "--no-run"];
    assert.equal((await outcome("device", join)).code, 0);
    await using device = startDevice([
      ...["--state", folder.path, "--plain", "--service", "echo=127.0.0.1:9"],
    ]);
    using conn = await listener.accept();
    await writeAll(conn, goodbyeFrame(goodbye("bad-enrolment", "never \u001b[2J")));
    const refused = await device.logged(/refused this device: bad-enrolment: never .*; next try in /);
    assert.ok(Number(refused["retryIn"]) < 62_000);
    device.child.signal("SIGTERM");
    assert.equal(await device.child.end(), 0);
  },
);

processTest("the device that used its string may do so again", [], async () => {
  using folder = new TempFolder();
  await using service = echoService();
  await using server = await startV2Server(folder.path);
  const text = await enrol(folder.path, server.address, ["echo"]);
  const args = joinArgs(folder.path, text, [`echo=127.0.0.1:${service.port}`]);
  for (let round = 0; round < 2; round++) {
    await using device = startDevice(args);
    await echoSession(portOf(await serviceOpen(device, "echo")));
    device.child.signal("SIGTERM");
    assert.equal(await device.child.end(), 0);
  }
});

processTest("a string that is too old says so, with exit code 4", [], async () => {
  using folder = new TempFolder();
  await using server = await startV2Server(folder.path);
  const text = await enrol(folder.path, server.address, ["echo"], { more: ["--valid", "1ms"] });
  const { code, stderr } = await outcome("device", joinArgs(folder.path, text, ["echo=127.0.0.1:9"]));
  assert.equal(code, REFUSED);
  assert.match(stderr, /refused for good: bad-enrolment: this enrolment is too old; ask for a new one$/);
});

processTest("join --no-run stores and ends; device alone then runs, time and again", [], async () => {
  using folder = new TempFolder();
  await using service = echoService();
  await using server = await startV2Server(folder.path);
  const text = await enrol(folder.path, server.address, ["echo"]);
  const join = [...joinArgs(folder.path, text, [`echo=127.0.0.1:${service.port}`]), "--no-run"];
  const joined = await outcome("device", join);
  assert.deepEqual([joined.code, ...joined.stdout], [0, `stored ${folder.path}/device`]);
  const hosts = new Set<string>();
  for (let round = 0; round < 2; round++) {
    await using device = startDevice(["--state", folder.path]);
    hosts.add(await serviceOpen(device, "echo"));
    await echoSession(portOf([...hosts][0]!));
    device.child.signal("SIGTERM");
    assert.equal(await device.child.end(), 0);
  }
  assert.equal(hosts.size, 1, "a free port is kept");
});

processTest("join --once proves the device, stores that, and ends with 0; device alone then runs", [], async () => {
  using folder = new TempFolder();
  await using service = echoService();
  await using server = await startV2Server(`${folder.path}/server`);
  const text = await enrol(`${folder.path}/server`, server.address, ["echo"]);
  const state = `${folder.path}/device`;
  const join = [...joinArgs(state, text, [`echo=127.0.0.1:${service.port}`]), "--once"];
  for (let round = 0; round < 2; round++) { // the device that used its string may do so again
    const { code, stdout, stderr } = await outcome("device", join);
    assert.deepEqual([code, stdout], [0, [`stored ${state}/device`, `online ${server.address} as gw1`]], stderr);
    assert.equal((await loadDevice(`${state}/device`))!.enrolment, undefined, "the token is forgotten");
    assert.equal(server.child.stdout.some((line) => line.startsWith("open ")), false, "no client gets in meanwhile");
  }
  await using device = startDevice(["--state", state]);
  await echoSession(portOf(await serviceOpen(device, "echo")));
});

processTest(
  "join --once says once for each service that it is not granted, and what would do; with none it ends with 1",
  [],
  async () => {
    using folder = new TempFolder();
    await using server = await startV2Server(`${folder.path}/server`);
    const text = await enrol(`${folder.path}/server`, server.address, ["ssh", "web"]);
    const state = `${folder.path}/device`;
    const args = ["--once", "--log-format", "text"];
    const join = (...services: string[]) => outcome("device", [...joinArgs(state, text, services), ...args]);
    const slip = /^.*service shh is not open: not-granted: granted to gw1: ssh, web; did you mean "ssh"\? here: /gm;
    const none = await join("shh=127.0.0.1:22");
    assert.deepEqual([none.code, none.stdout], [1, [`stored ${state}/device`, `online ${server.address} as gw1`]]);
    assert.equal(none.stderr.match(slip)?.length, 1, none.stderr);
    assert.match(none.stderr, /service add ssh=127\.0\.0\.1:22, then service remove shh; or, if it is "shh", on the /);
    assert.match(none.stderr, /is let in, and none of its services is granted, as said above; what the string says is/);
    assert.equal((await loadDevice(`${state}/device`))!.enrolment, undefined, "it is let in all the same");
    const some = await join("shh=127.0.0.1:22", "web=127.0.0.1:80,down=refuse");
    assert.equal(some.code, 0, some.stderr);
    assert.equal(some.stderr.match(slip)?.length, 1, some.stderr);
    assert.doesNotMatch(some.stderr, /service web/);
    assert.equal(server.child.stdout.some((line) => line.startsWith("open ")), false, "no client gets in meanwhile");
    await using device = startDevice(["--state", state]);
    await device.logged(/service shh is not open: .*; did you mean "ssh"\? here: sallyport device service add ssh=127/);
  },
);

processTest(
  "join --once that is refused for good ends with 4, one that is cut short with 1 and a line",
  [],
  async () => {
    using folder = new TempFolder();
    await using server = await startV2Server(`${folder.path}/server`);
    const text = await enrol(`${folder.path}/server`, server.address, ["a"], { more: ["--valid", "1ms"] });
    const args = (
      state: string,
      string: string,
    ) => [...joinArgs(`${folder.path}/${state}`, string, ["a=127.0.0.1:9"]), "--once"];
    const refused = await outcome("device", args("one", text));
    assert.equal(refused.code, REFUSED);
    assert.match(refused.stderr, /refused for good: bad-enrolment: this enrolment is too old; ask for a new one$/);

    const nobody = await enrol(`${folder.path}/server`, `127.0.0.1:${freePort("127.0.0.1")}`, ["a"]);
    await using device = startDevice(args("two", nobody));
    await device.logged(/^cannot reach /);
    device.child.signal("SIGTERM");
    assert.equal(await device.child.end(), 1);
    assert.match(
      device.child.stderr.at(-1)!,
      /: ended too early: .*Connection refused.*; what the string says is stored: join/,
    );
    const both = await outcome("device", [...args("three", nobody), "--no-run"]);
    assert.equal(both.code, 2);
    assert.match(both.stderr, /: --once proves this device, and --no-run does not; give one of them$/);
  },
);

processTest("device without join says what to do, with exit code 2", [], async () => {
  using folder = new TempFolder();
  const { code, stderr } = await outcome("device", ["--state", folder.path, "--service", "ssh=127.0.0.1:22"]);
  assert.equal(code, 2);
  assert.match(
    stderr,
    /this device has not joined a server: .*\/device has none; let the server's `enroll` print a string/,
  );
  assert.ok(stderr.includes(`${folder.path}/device`));
  assert.equal(stderr.split("\n").length, 1);
});

processTest("a device that has joined elsewhere keeps to that until it is told to --replace it", [], async () => {
  using folder = new TempFolder();
  const [one, two, state] = ["one", "two", "device"].map((name) => `${folder.path}/${name}`) as [
    string,
    string,
    string,
  ];
  await using first = await startV2Server(one);
  await using second = await startV2Server(two);
  const [textOne, textTwo] = [await enrol(one, first.address, ["a"]), await enrol(two, second.address, ["a"])];
  const join = (text: string, ...more: string[]) =>
    outcome("device", [...joinArgs(state, text, ["a=127.0.0.1:9"]), "--no-run", ...more]);
  assert.equal((await join(textOne)).code, 0);
  const refused = await join(textTwo);
  assert.equal(refused.code, 2);
  assert.ok(refused.stderr.includes(`this device has joined ${first.address} before; --replace forgets that`));
  assert.equal((await join(textTwo, "--replace")).code, 0);
  await using device = startDevice(["--state", state]);
  await device.child.line(new RegExp(`^online ${second.address} as gw1$`));
});

processTest(
  "a device that works is not joined again by mistake, and works on if its new string is refused",
  [],
  async () => {
    using folder = new TempFolder();
    const { path } = folder;
    await using server = await startV2Server(path);
    const online = new RegExp(`^online ${server.address} as gw1$`);
    const text = await enrol(path, server.address, ["a"]);
    const other = await enrol(path, server.address, ["b"], { device: "gw2" });
    const services = ["a=127.0.0.1:9"];
    {
      await using device = startDevice(joinArgs(path, text, services));
      await device.child.line(online);
      // The runtime of binaries that were compiled offline cannot see a lock without waiting for it.
      if (!Deno.env.has("SALLYPORT_BINARIES")) {
        const twin = await outcome("device", ["--state", path]);
        assert.equal(twin.code, 2);
        const line = /another sallyport device runs with the state in \S+; end it, or give this one its own --state$/;
        assert.match(twin.stderr, line);
      }
      device.child.signal("SIGTERM");
      assert.equal(await device.child.end(), 0);
    }
    const mistake = await outcome("device", joinArgs(path, other, services));
    assert.equal(mistake.code, 2);
    assert.ok(mistake.stderr.includes(`this device has joined ${server.address} already; "`), mistake.stderr);
    assert.equal(mistake.stderr.split("\n").length, 1);
    const refused = await outcome("device", [...joinArgs(path, other, services), "--replace"]);
    assert.equal(refused.code, REFUSED);
    assert.ok(refused.stderr.endsWith(`what it had joined before, ${server.address}`), refused.stderr);
    await using device = startDevice(["--state", path]);
    await device.child.line(online);
  },
);

processTest("a join while the device runs writes nothing, whatever its string says", [], async () => {
  if (Deno.env.has("SALLYPORT_BINARIES")) return; // their runtime cannot see the lock
  using folder = new TempFolder();
  await using server = await startV2Server(`${folder.path}/server`);
  const text = await enrol(`${folder.path}/server`, server.address, ["a", "b"]);
  const other = await enrol(`${folder.path}/server`, server.address, ["c"], { device: "gw2" });
  const state = `${folder.path}/device`;
  const once = await outcome("device", [...joinArgs(state, text, ["a=127.0.0.1:9", "b=127.0.0.1:9"]), "--once"]);
  assert.equal(once.code, 0, once.stderr);
  await using device = startDevice(["--state", state]);
  await device.child.line(/^online .* as gw1$/);
  const before = await Deno.readTextFile(`${state}/device/device.toml`);
  for (const more of [[text], [other], [other, "--replace"], [text, "--once"]]) {
    const { code, stdout, stderr } = await outcome(
      "device",
      joinArgs(state, more[0]!, ["a=127.0.0.1:9"]).concat(more[1] ?? []),
    );
    assert.deepEqual([code, stdout], [2, []], stderr);
    assert.match(
      stderr,
      /another sallyport device runs with the state in \S+; end it, or give this one its own --state$/,
    );
    assert.equal(await Deno.readTextFile(`${state}/device/device.toml`), before);
  }
});

processTest("a string that waits in the place of what works gives way to no other one unasked", [], async () => {
  using folder = new TempFolder();
  const [server, state] = [`${folder.path}/server`, `${folder.path}/device`];
  const join = async (text: string, ...more: string[]) =>
    await outcome("device", [...joinArgs(state, text, ["a=127.0.0.1:9"]), ...more]);
  const address = await (async () => {
    await using running = await startV2Server(server);
    assert.equal((await join(await enrol(server, running.address, ["a"]), "--once")).code, 0);
    return running.address;
  })();
  const waiting = await enrol(server, address, ["a"], { device: "gw2" });
  assert.equal((await join(waiting, "--no-run", "--replace")).code, 0);
  const refused = await join(await enrol(server, address, ["a"], { device: "gw3" }), "--no-run");
  assert.equal(refused.code, 2);
  assert.ok(refused.stderr.includes(`this device has joined ${address} already; "`), refused.stderr);
  assert.equal((await join(waiting, "--no-run")).code, 0, "the same string is no other one");
});

processTest("what could not run is not stored", [], async () => {
  using folder = new TempFolder();
  await using server = await startV2Server(`${folder.path}/server`, ["--plain"]);
  const text = await enrol(`${folder.path}/server`, server.address, ["a"]);
  const state = `${folder.path}/device`;
  const args = [...joinArgs(state, text, ["a=127.0.0.1:9"]), "--sni", "relay.example"];
  const { code, stdout, stderr } = await outcome("device", args);
  assert.deepEqual([code, stdout], [2, []]);
  assert.match(stderr, /--sni is a name in TLS, and --plain is without; give one$/);
  assert.equal(await loadDevice(`${state}/device`), undefined);
});

processTest("a string that was not used yet gives way to another one of its server", [], async () => {
  using folder = new TempFolder();
  const { path } = folder;
  const join = async (device: string) => {
    const text = await enrol(path, "127.0.0.1:1", ["a"], { device });
    return (await outcome("device", [...joinArgs(path, text, ["a=127.0.0.1:9"]), "--no-run"])).code;
  };
  assert.deepEqual([await join("gw1"), await join("gw2")], [0, 0]);
});

processTest("enroll before the server ever ran: the device gets in once it does", [], async () => {
  using folder = new TempFolder();
  await using service = echoService();
  const address = `127.0.0.1:${freePort("127.0.0.1")}`;
  const text = await enrol(folder.path, address, ["echo"]);
  await using device = startDevice(joinArgs(folder.path, text, [`echo=127.0.0.1:${service.port}`]));
  await device.logged(/^cannot reach/);
  await using _server = await startV2Server(folder.path, [], { listen: address });
  await echoSession(portOf(await serviceOpen(device, "echo")));
});

processTest("a server that is shut down and started again has its device back, at the same host port", [], async () => {
  await using echo = await echoRelay();
  const { relay } = echo;
  await echoSession(relay.hostPort);
  relay.server.child.signal("SIGTERM");
  assert.equal(await relay.server.child.end(), 0);
  await relay.device.child.line(/^lost .* goodbye shutting-down$/);
  const from = relay.device.child.stdout.length;
  await using _again = await startV2Server(relay.folder.path, [], { listen: relay.server.address });
  assert.equal(await serviceOpen(relay.device, "echo", from), relay.host);
  await echoSession(relay.hostPort);
});
