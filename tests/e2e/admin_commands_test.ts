/**
 * The commands that ask a server while it runs: what they show, what they do, and what they say if they cannot.
 *
 * @module
 */

import assert from "node:assert/strict";
import { outcome } from "../rig/processes/commands.ts";
import { processTest } from "../rig/processes/harness.ts";
import { sallyport, startDevice } from "../rig/processes/daemons.ts";
import { echoRelay, enrol, serviceOpen, startV2Server } from "../rig/processes/relay.ts";
import { freePort, portOf } from "../rig/ports.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { TempFolder } from "../rig/temp_folder.ts";

processTest(
  "a device is attended and given a service that is opened for a time, and openings and the audit are shown",
  [],
  async () => {
    using folder = new TempFolder();
    await using echo = await echoRelay({ server: ["--audit", `${folder.path}/audit.log`] });
    const { relay } = echo;
    const run = (...args: string[]) => outcome("server", [...args, "--state", relay.folder.path]);
    assert.match((await run("attend", "gw1", "--for", "5m")).stderr, /^"gw1" is looked at closely$/m);
    assert.match((await run("attend", "gw1")).stderr, /^"gw1" is looked at closely$/m, "as long as is usual");
    assert.match((await run("attend", "gw1", "--for", "2h")).stderr, /body\.ms/);
    assert.match((await run("openings")).stderr, /nothing is open for a time now/);
    await relay.command("service", "add", "gw1", "web=127.0.0.1:0", "--local", "127.0.0.1:80", "--closed");
    const text = await Deno.readTextFile(`${relay.folder.path}/server/devices.toml`);
    assert.match(text, /web = \{ listen = "127\.0\.0\.1:0", local = "127\.0\.0\.1:80", closed = true \}/);
    await relay.server.logged(/devices reread: .* 1 changed/);
    await relay.command("open", "gw1/web", "--for", "1h", "--from", "192.0.2.0/24", "--reason", "ticket 7");
    const [head, row] = await relay.command("openings");
    assert.match(head!, /^SERVICE +HOST +LEFT +FROM +BY +REASON$/);
    assert.match(row!, /^gw1\/web +\S+ +(59m|60m|1h|59 ?m).* +192\.0\.2\.0\/24 +.*ticket 7$/);
    assert.equal((JSON.parse((await relay.command("openings", "--json"))[0]!) as unknown[]).length, 1);
    const audit = (...args: string[]) => relay.command("audit", ...args);
    const lines = (await audit("--last", "500", "--json")).map((line) => JSON.parse(line) as { event: string });
    assert.deepEqual([lines[0]!.event, lines.some(({ event }) => event === "service-opened")], ["server-start", true]);
    assert.equal((await audit("--last", "2")).length, 2);
    assert.deepEqual((await audit("--json")).slice(-2).map((line) => JSON.parse(line)), lines.slice(-2));
    const [opened, ...others] = await audit("gw*", "--event", "service-opened", "--since", "1h");
    assert.match(opened!, /^20\S+Z service-opened device=gw1 .*reason="ticket 7" .*service=web$/);
    assert.deepEqual(others, []);
    assert.match((await audit("--event", "act")).join("\n"), /^20\S+Z act .*by=\{"via":"command",/m);
    assert.match((await run("audit", "gw7")).stderr, /^nothing of that is in .*audit\.log$/m);
    assert.match((await run("audit", "--since", "2099-01-31")).stderr, /^nothing of that is in /m);
    assert.match((await run("audit", "--event", "nothing")).stderr, /--event/);
    assert.match((await run("audit", "--since", "yesterday")).stderr, /is neither a date, .*, nor a span, as in 90d/);
  },
);

processTest(
  "who was turned away is shown, with the device and the reason, once however often it comes",
  [],
  async () => {
    await using echo = await echoRelay();
    const { relay } = echo;
    const run = (...args: string[]) => outcome("server", [...args, "--state", relay.folder.path]);
    assert.deepEqual(await relay.command("refusals"), ["nobody was turned away"]);
    assert.deepEqual(await relay.command("refusals", "gw1", "--json"), ["[]"]);
    assert.match((await run("refusals", "gw7")).stderr, /there is no device "gw7"/);
    assert.match((await run("audit")).stderr, /^this server writes no audit; start it with --audit FILE/m);
    for (let n = 0; n < 3; n++) {
      using stranger = await Stream.connect(portOf(relay.server.address));
      await stranger.write("GET /a-strangers-own-words HTTP/1.1\r\n\r\n");
      await stranger.readToItsEnd();
    }
    await relay.command("disable", "gw1");
    await relay.server.logged(/refused \S+ on .*disabled: gw1 is disabled/);
    const [head, ...rows] = await relay.command("refusals");
    assert.match(head!, /^LAST +COUNT +FROM +TO +FOR +REASON +WHY$/);
    assert.match(rows[0]!, /^\d+s +3 +127\.0\.0\.1 +127\.0\.0\.1:\d+ +- +(stranger|tls-failed) +\S/);
    assert.match(rows[1]!, /^\d+s +\d+ +127\.0\.0\.1 +127\.0\.0\.1:\d+ +gw1 +disabled +disabled: gw1 is disabled$/);
    assert.equal(rows.length, 2);
    assert.equal((await relay.command("refusals", "gw*")).length, 2, "the head, and gw1");
    const [text] = await relay.command("refusals", "--json");
    assert.doesNotMatch(text!, /own-words/);
    const [last] = JSON.parse(text!) as { device: string; key: string }[];
    assert.deepEqual([last!.device, last!.key.slice(0, 8)], ["gw1", "ed25519:"]);
  },
);

processTest("status, clients and events show what there is, and acts touch it and nothing else", [], async () => {
  await using echo = await echoRelay();
  const { relay } = echo;
  const run = (...args: string[]) => outcome("server", [...args, "--state", relay.folder.path]);
  using client = await Stream.connect(relay.hostPort);
  await client.write("hello");
  await client.read(5);
  const status = await relay.command("status");
  assert.match(
    status.join("\n"),
    /^devices +1: 1 online, 0 interrupted, 0 offline\nclients +1 now, 1 since it runs\n/m,
  );
  const facts = JSON.parse((await relay.command("status", "--json"))[0]!) as { counts: { clients: number } };
  assert.equal(facts.counts.clients, 1);
  const [head, row] = await relay.command("clients");
  assert.match(head!, /^ID +SERVICE +CLIENT +HOST +STATE +AGE +UP +DOWN$/);
  assert.match(row!, /^1 +gw1\/echo +127\.0\.0\.1:\d+ +127\.0\.0\.1:\d+ +open +\d+s +5 B +5 B$/);

  assert.match((await run("drop", "gw1")).stderr, /^"gw1" has lost its link, and dials again$/m);
  await relay.server.child.line(/^link-resumed gw1 /);
  await client.write("again");
  await client.read(5);
  await relay.command("keepalive", "gw*", "--way", "metered");
  await relay.command("keepalive", "gw*", "--idle-timeout", "30s");
  const [devices] = await relay.command("devices", "--json");
  assert.equal((JSON.parse(devices!) as { online: boolean }[])[0]!.online, true);

  assert.match((await run("close", "gw1/echo")).stderr, /^"1" is ended$/m);
  assert.equal(await client.readSome(), null);
  const events = await relay.command("events", "--device", "gw*", "--type", "link-interrupted,client-end");
  assert.match(events[0]!, /^20\S+Z link-interrupted .*device=gw1 .*reason=dropped /);
  assert.match(events[1]!, /^20\S+Z client-end .*reason=closed-by-admin /);

  await relay.command("mode", "gw1", "config");
  await relay.device.logged(/mode config/);
});

processTest(
  "what cannot be is told with what there is, and an exit code that says whether it may be later",
  [],
  async () => {
    await using echo = await echoRelay();
    const { relay } = echo;
    const run = (...args: string[]) => outcome("server", [...args, "--state", relay.folder.path]);
    const failures: [string[], number, RegExp][] = [
      [["drop", "gw7"], 2, /there is no device "gw7"; there are: gw1$/],
      [["drop", "x*"], 2, /no device matches "x\*"; there are: gw1$/],
      [["drain", "x*"], 2, /no device matches "x\*"; there are: gw1$/],
      [["clients", "gw7"], 2, /there is no device "gw7"; there are: gw1$/],
      [["clients", "tag=x"], 2, /no device matches "tag=x"; there are: gw1$/],
      [["devices", "gw7"], 2, /there is no device "gw7"; there are: gw1$/],
      [["devices", "x*", "--json"], 2, /no device matches "x\*"; there are: gw1$/],
      [["events", "--device", "gw7"], 2, /there is no device "gw7"; there are: gw1$/],
      [["open", "gw1/web", "--for", "1h"], 2, /"gw1" has no service "web"; there are: echo$/],
      [["open", "gw1/echo", "--for", "1h"], 1, /gw1\/echo is not closed, .* echo = \{ listen = .*, closed = true \} /],
      [["open", "gw1/echo", "--for", "5"], 2, /--for: "5" has no unit; write 5s for seconds/],
      [["shut", "gw1/web"], 2, /"gw1" has no service "web"; there are: echo$/],
      [["shut", "gw1/echo"], 1, /gw1\/echo was not opened/],
      [["service", "remove", "gw1", "web"], 2, /"gw1" has no service "web"; there are: echo$/],
      [["close", "99"], 2, /there is no client 99/],
      [["close", "gw1"], 1, /"gw1" has no clients now/],
      [["close", "gw1/echo"], 1, /"gw1\/echo" has no clients now/],
      [["close", "gw1/web"], 2, /"gw1" has no service "web"; there are: echo$/],
      [["close", "gw7"], 2, /there is no device "gw7"; there are: gw1$/],
      [["mode", "gw1", "sleep"], 2, /none of config, run/],
      [["keepalive", "gw1"], 2, /nothing is set/],
      [["keepalive", "gw1", "--way", "fast", "--probe-count", "3"], 2, /--way says it all/],
      [["events", "--type", "nothing"], 2, /^sallyport(-server)?: --type: "nothing" is none of listening, link-up, /m],
    ];
    for (const [args, code, pattern] of failures) {
      const { code: got, stderr } = await run(...args);
      assert.deepEqual([got, pattern.test(stderr)], [code, true], `${args.join(" ")}: ${got} ${stderr}`);
    }
  },
);

processTest(
  "what shows on and on ends with its reader, and lines that cannot be written are a failure",
  [],
  async () => {
    await using echo = await echoRelay();
    const state = ["--state", echo.relay.folder.path];
    const shell = async (script: string, ...args: string[]) => {
      const all = ["-c", script, "sh", ...sallyport("server", [...args, ...state])];
      const { code, stdout, stderr } = await new Deno.Command("sh", { args: all }).output();
      return {
        code,
        lines: new TextDecoder().decode(stdout).trimEnd().split("\n"),
        err: new TextDecoder().decode(stderr),
      };
    };
    const watched = await shell('("$@"; echo "ended with $?" >&2) | head -n 1', "status", "--watch");
    assert.deepEqual([watched.lines.length, watched.err], [1, "ended with 0\n"]);
    const full = await shell('"$@" > /dev/full', "devices");
    assert.deepEqual([full.code, full.err], [5, "cannot write to stdout: No space left on device\n"]);
  },
);

processTest("a drain says until when, and status and devices show it", [], async () => {
  await using echo = await echoRelay();
  const { relay } = echo;
  const run = (...args: string[]) => outcome("server", [...args, "--state", relay.folder.path]);
  const said = async (...args: string[]) => (await run(...args)).stderr.split("\n").at(-1);
  const until = "those who are still there in 5m, at 20\\d\\d-\\S+Z, are ended";
  assert.match((await said("drain", "gw1", "--for", "5m"))!, new RegExp(`^"gw1" takes no new clients; ${until}$`));
  assert.match((await relay.command("devices"))[1]!, / online \d+s, draining /);
  const [row] = JSON.parse((await relay.command("devices", "--json"))[0]!) as { draining: { until: string } }[];
  assert.match(row!.draining.until, /^20\S+Z$/);
  assert.match((await relay.command("status")).join("\n"), /^DRAINING +1 device, as "devices" shows$/m);
  assert.equal(await said("drain", "gw1", "--undo"), '"gw1" lets clients in again');
  assert.equal(await said("drain", "gw1", "--undo"), '"gw1" was not draining');
  assert.match((await said("drain", "--for", "5m"))!, new RegExp(`^the server takes no new clients; ${until}$`));
  assert.match(
    (await relay.command("status")).join("\n"),
    /^DRAINING +for \d+s no new clients are taken; those who are still there in 4m \d+s are ended$/m,
  );
  assert.match((await said("drain"))!, /^the server takes no new clients; those who are there may stay/);
  assert.equal(await said("drain", "--undo"), "the server lets clients in again");
  assert.equal(await said("drain", "--undo"), "the server was not draining");
});

processTest("a pattern that stands for several asks back, and a script says --yes", [], async () => {
  await using echo = await echoRelay();
  const { relay } = echo;
  const clients = [await Stream.connect(relay.hostPort), await Stream.connect(relay.hostPort)];
  for (const client of clients) {
    await client.write("x");
    await client.read(1);
  }
  const args = ["close", "gw*", "--state", relay.folder.path];
  const { code, stderr } = await outcome("server", args);
  assert.equal(code, 2);
  assert.match(stderr, /ends clients: 2 of them \(1, 2\); say --yes if that is meant/);
  await relay.command("close", "gw*", "--yes");
  for (const client of clients) {
    assert.equal(await client.readSome(), null);
    client[Symbol.dispose]();
  }
});

processTest("by TCP the commands need the token, which is told nowhere", [], async () => {
  using folder = new TempFolder();
  const token = "0f".repeat(16);
  const [good, bad, open] = ["good", "bad", "open"].map((name) => `${folder.path}/${name}`);
  await Deno.writeTextFile(good!, `${token}\n`, { mode: 0o600 });
  await Deno.writeTextFile(bad!, "ab".repeat(16), { mode: 0o600 });
  await Deno.writeTextFile(open!, token, { mode: 0o644 });
  const start = (...args: string[]) =>
    outcome("server", ["--listen", "127.0.0.1:0", "--state", folder.path, "--check", ...args]);
  const refusals: [string[], RegExp][] = [
    [["--admin", "127.0.0.1:0"], /needs a token/],
    [["--admin", "0.0.0.0:0", "--admin-token-file", good!], /is for others than this machine/],
    [["--admin", "127.0.0.1:0", "--admin-token-file", open!], /mode 0644/],
    [["--admin", "127.0.0.1:0", "--admin-token-file", `${folder.path}/none`], /make a token/],
    [["--admin-token-file", good!], /is of use with --admin HOST:PORT alone/],
    [["--admin", "somewhere"], /neither unix, nor off, nor HOST:PORT/],
  ];
  for (const [args, pattern] of refusals) {
    const { code, stderr } = await start(...args);
    assert.deepEqual([code, pattern.test(stderr)], [2, true], stderr);
  }
  await using server = await startV2Server(folder.path, ["--admin", "127.0.0.1:0", "--admin-token-file", good!]);
  const [, address] = await server.child.line(/^admin (\S+)$/);
  const ask = (file: string) =>
    outcome("server", ["status", "--admin", address!, "--admin-token-file", file, "--state", "/nowhere"]);
  assert.match((await ask(good!)).stdout.join("\n"), /^listens /m);
  const { code, stderr } = await ask(bad!);
  assert.deepEqual([code, /the token is not the one/.test(stderr)], [2, true], stderr);
  const said = [...server.child.stderr, ...server.child.stdout, stderr].join("\n");
  assert.equal(said.includes(token), false);
  assert.equal(Deno.readTextFileSync(`/proc/${server.child.pid}/cmdline`).includes(token), false);
});

processTest("without a server the commands say so, with exit code 1", [], async () => {
  using folder = new TempFolder();
  await using server = await startV2Server(folder.path);
  await enrol(folder.path, server.address, ["ssh"]);
  server.child.signal("SIGKILL");
  await server.child.end();
  const dead = await outcome("server", ["status", "--state", folder.path]);
  assert.deepEqual(
    [dead.code, /nobody answers at \S+admin\.sock: it does not run; /.test(dead.stderr)],
    [1, true],
    dead.stderr,
  );
  const page = await outcome("server", ["dashboard", "--admin", `127.0.0.1:${freePort("127.0.0.1")}`]);
  assert.deepEqual(
    [page.code, /nobody answers at 127\.0\.0\.1:\d+: .*Connection refused/.test(page.stderr)],
    [1, true],
    page.stderr,
  );
  await using again = await startV2Server(folder.path);
  assert.equal((await outcome("server", ["status", "--state", folder.path])).code, 0);
  await using second = await startV2Server(folder.path);
  await second.logged(/^no admin API: .*another process does/);
  again.child.signal("SIGTERM");
  await again.child.end();
  const gone = await outcome("server", ["status", "--state", folder.path]);
  assert.deepEqual([gone.code, /nobody has a socket at/.test(gone.stderr)], [1, true], gone.stderr);
  await Deno.symlink("/run/docker.sock", `${folder.path}/server/admin.sock`);
  const link = await outcome("server", ["status", "--state", folder.path]);
  assert.deepEqual([link.code, /is a link, and no socket of a server/.test(link.stderr)], [2, true], link.stderr);
});

processTest("connect reaches an address that the device's owner allows, and shut ends it", [], async () => {
  await using target = echoService();
  await using echo = await echoRelay();
  const { relay } = echo;
  const address = `127.0.0.1:${target.port}`;
  relay.device.child.signal("SIGTERM");
  await relay.device.child.end();
  await using willing = startDevice(["--state", relay.folder.path, "--allow", address]);
  await serviceOpen(willing, "echo");
  const [host] = await relay.command(
    "connect",
    "gw1",
    address,
    ...["--listen", "127.0.0.1:0", "--for", "10m"],
    "--reason",
    "ticket 7",
  );
  using client = await Stream.connect(portOf(host!));
  await client.write("hello");
  assert.equal(await client.readText(5), "hello");
  const events = await relay.command("events", "--type", "service-opened");
  assert.match(events[0]!, new RegExp(`service-opened .*to=${address} .*reason="?ticket 7`));
  await relay.command("shut", `gw1/to-${address.replace(":", "-")}`);
  assert.equal(await client.readSome(), null);
  const run = (...args: string[]) => outcome("server", [...args, "--state", relay.folder.path]);
  const failures: [string[], RegExp][] = [
    [["connect", "gw7", address, "--listen", "127.0.0.1:0"], /there is no device "gw7"/],
    [["connect", "gw1", "10.0.0.7"], /10\.0\.0\.7/],
    [["shut", `gw1/none`], /"gw1" has no service "none"; there are: echo/],
    [["open", "gw1/echo", "--for", "1h"], /gw1\/echo is not closed/],
  ];
  for (const [args, pattern] of failures) {
    const { code, stderr } = await run(...args);
    assert.ok(code !== 0 && pattern.test(stderr), `${args.join(" ")}: ${code} ${stderr}`);
  }
});
