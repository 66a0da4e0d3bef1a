/**
 * `server connect` as a client of its own, on standard input and output: as `nc`, and as a ProxyCommand of ssh.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Child } from "../rig/processes/child.ts";
import { outcome } from "../rig/processes/commands.ts";
import { sallyport, startDevice } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { serviceOpen, V2Relay } from "../rig/processes/relay.ts";
import { SshServer } from "../rig/processes/ssh_server.ts";
import { echoService, Service } from "../rig/service.ts";

/** A relay whose device allows any address of loopback, and nothing else; and the command to one of them, for a shell. */
async function willingRelay() {
  await using stack = new AsyncDisposableStack();
  const relay = stack.use(await V2Relay.start(["none=127.0.0.1:9"]));
  relay.device.child.signal("SIGTERM");
  await relay.device.child.end();
  const device = stack.use(startDevice(["--state", relay.folder.path, "--allow", "127.0.0.1:*"]));
  await serviceOpen(device, "none");
  const command = (address: string) => {
    const words = sallyport("server", ["connect", "gw1", address, "--state", relay.folder.path]);
    return words.map((word) => `'${word}'`).join(" ");
  };
  const end = stack.move();
  return { relay, command, [Symbol.asyncDispose]: () => end.disposeAsync() };
}

const shell = (script: string) => Child.start("sh", ["sh", "-c", script]);

processTest("connect passes what it reads, the end of that, and what comes back, two at once", [], async () => {
  await using willing = await willingRelay();
  await using echo = echoService();
  const to = willing.command(`127.0.0.1:${echo.port}`);
  await using small = shell(`printf hello | ${to}`);
  await using large = shell(`head -c 20000000 /dev/zero | ${to} | wc -c`);
  assert.equal(await small.end(20_000), 0, small.tail);
  assert.deepEqual([small.stdout, small.stderr], [["hello"], []]);
  assert.equal(await large.end(20_000), 0, large.tail);
  assert.equal(large.stdout.join().trim(), "20000000");
  const events = await willing.relay.command("events", "--type", "service-opened");
  assert.match(events[0]!, /listen=|to=127\.0\.0\.1:\d+/);
});

processTest(
  "connect ends when the service does, though its input goes on, and takes a way that is open",
  [],
  async () => {
    await using willing = await willingRelay();
    await using service = new Service(async (stream) => {
      await stream.read(5);
      await stream.write("bye");
    });
    const address = `127.0.0.1:${service.port}`;
    const [host] = await willing.relay.command("connect", "gw1", address, "--listen", "127.0.0.1:0", "--for", "1h");
    await using child = Child.start("sh", ["sh", "-c", willing.command(address)], { input: true });
    await child.type("hello");
    assert.equal(await child.end(20_000), 0, child.tail);
    assert.deepEqual(child.stdout, ["bye"]);
    const [opening] = JSON.parse(
      (await willing.relay.command("connect", "gw1", address, ...["--listen", host!], "--json"))[0]!,
    )
      .hostAddress.split();
    assert.equal(opening, host, "its port is still the same");
  },
);

processTest("connect says in one line and by its exit code why it cannot reach an address", [], async () => {
  await using willing = await willingRelay();
  const run = (...args: string[]) => outcome("server", ["connect", ...args, "--state", willing.relay.folder.path]);
  const barred = await run("gw1", "10.99.0.7:23");
  assert.deepEqual([barred.code, barred.stdout], [1, []]);
  assert.match(barred.stderr, /ended as not-allowed/);
  const nobody = await run("gw1", "127.0.0.1:9");
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /ended as service-(refused|unreachable)/);
  const options: [string[], RegExp][] = [
    [["--for", "1h"], /--for is for a host port; add --listen/],
    [["--json"], /--json is for a host port/],
    [["--from", "10.0.0.0/8"], /--from is for a host port/],
    [["--admin", "127.0.0.1:1"], /reach a server of this machine alone; say --listen/],
  ];
  for (const [more, why] of options) {
    const { code, stderr } = await run("gw1", "127.0.0.1:9", ...more);
    assert.deepEqual([code, why.test(stderr)], [2, true], stderr);
  }
});

processTest("connect is a ProxyCommand for ssh, sftp's bulk included", ["ssh", "sshd"], async () => {
  await using willing = await willingRelay();
  await using sshd = await SshServer.start();
  const proxy = ["-o", `ProxyCommand=${willing.command(`127.0.0.1:${sshd.port}`)}`];
  const run = (...command: string[]) =>
    Child.run("ssh", ["ssh", ...proxy, ...sshd.clientOptions, sshd.destination, ...command], 30_000);
  await using hello = await run("echo hello; exit 7");
  assert.equal(await hello.exited, 7, hello.tail);
  assert.deepEqual(hello.stdout, ["hello"]);
  await using bulk = await run("head -c 30000000 /dev/zero | md5sum; head -c 30000000 /dev/zero | base64 -w0 | wc -c");
  assert.equal(await bulk.exited, 0, bulk.tail);
  assert.equal(bulk.stdout[1], "40000000");
});
