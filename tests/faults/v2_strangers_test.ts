/**
 * Whoever else dials a v2 listener: in thousands and silent, with garbage, or with another protocol. Devices and clients
 * do not notice.
 *
 * @module
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { MAX_HANDSHAKES } from "../../net/limits.ts";
import { MAX_WAITING_HANDSHAKES } from "../../server/door/limits.ts";
import { isTlsNative } from "../rig/engine.ts";
import { noise } from "../rig/bytes.ts";
import { Stream } from "../rig/stream.ts";
import { within } from "../rig/wait.ts";
import { Child } from "../rig/processes/child.ts";
import { startDevice } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { portOf } from "../rig/ports.ts";
import { echoSession } from "../rig/processes/session.ts";
import { timed } from "../rig/machines/v2_machines.ts";
import { echoRelay, enrol, joinArgs, serviceOpen } from "../rig/processes/relay.ts";
import { poll } from "../rig/wait.ts";
import { find } from "../rig/processes/programs.ts";

const LORIS = fileURLToPath(new URL("../rig/mains/slow_loris.ts", import.meta.url));

/** Getting in past a crowd at the door, on a busy machine, in milliseconds. */
const GETTING_IN_MS = 5_000;

/** Who is at the door: with `again`, sockets that are closed come back at once. Where devices are, too, that would win. */
const LORISES: [whose: string, from: string, more: string[]][] = [
  ["another address, which come back when they are closed", "127.0.0.2", ["again"]],
  ["the devices' own address", "127.0.0.1", []],
];

for (const [whose, from, more] of LORISES) {
  const name = `5,000 silent sockets from ${whose}: a new device still gets in, and clients still work`;
  processTest(name, ["/proc"], async () => {
    await using echo = await echoRelay();
    const { relay, service } = echo;
    await echoSession(relay.hostPort);
    const before = relay.server.descriptors;
    const text = await enrol(relay.folder.path, relay.server.address, ["more"], { device: "gw2" });
    const command = ["sh", "-c", 'ulimit -n 8192 && exec "$@"', "sh", Deno.execPath(), "run", "--quiet", "-A", LORIS];
    await using loris = Child.start("loris", [...command, relay.server.address, from, "5000", ...more]);
    await loris.line(/^sent 5000$/, 0, 40_000);
    const took = await timed(echoSession(relay.hostPort));
    assert.ok(took < 2_000, `a client needed ${took} ms`);
    await using device = startDevice(joinArgs(`${relay.folder.path}/2`, text, [`more=127.0.0.1:${service.port}`]));
    const inAfter = await timed(device.child.line(/^online /));
    assert.ok(inAfter < GETTING_IN_MS, `the new device was in after ${inAfter} ms`);
    await echoSession(portOf(await serviceOpen(device, "more")));
    const room = MAX_HANDSHAKES + MAX_WAITING_HANDSHAKES;
    // Those that are being closed come on top; the runtime's TLS closes those of silent peers when they end.
    const isBounded = () => !isTlsNative || relay.server.descriptors < before + room + 100;
    await poll(isBounded, () => `${relay.server.descriptors} descriptors`);
    assert.equal(relay.device.child.stdout.some((line) => line.startsWith("lost ")), false);
    device.child.signal("SIGTERM"); // in order, so that its session is not waited for
    await device.child.end();
    await loris.kill();
    await relay.server.descriptorsBackTo(before);
  });
}

const CUT_SHORT = "TLS that is cut short";
const GARBAGE: [what: string, bytes: Uint8Array | string][] = [
  ["HTTP", "GET / HTTP/1.1\r\nHost: relay\r\n\r\n"],
  ["v1", Uint8Array.of(0, 0, 0, 3)],
  ["v2 without TLS", "SALLY2\r\n" + "\0".repeat(100)],
  ["noise", noise(100_000, 3)],
  [CUT_SHORT, Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3)],
];

processTest(
  "garbage of all kinds on the TLS listener is refused, each time with a line, and harms nobody",
  ["/proc"],
  async () => {
    await using echo = await echoRelay();
    const { relay } = echo;
    using client = await Stream.connect(relay.hostPort);
    await client.write("before");
    assert.equal(await client.readText(6), "before");
    const before = relay.server.descriptors;
    for (const [what, bytes] of GARBAGE) {
      if (what === CUT_SHORT && !isTlsNative) continue; // the runtime tells it from no byte at all by nothing
      const from = relay.server.child.stderr.length;
      using stranger = await Stream.connect(relay.server.port);
      await stranger.write(bytes).catch(() => {}); // it may have been cut off by then
      await stranger.closeWrite().catch(() => {});
      await within(stranger.readToEnd().catch(() => {}), `the end of ${what}`, 3_000);
      const refused = await relay.server.logged(/^refused /, from);
      assert.equal(refused.level, "warn", what);
      assert.ok(String(refused["why"]).length > 10, `${what}: ${refused["why"]}`);
    }
    await Promise.all(Array.from({ length: 500 }, async (_, at) => {
      using stranger = await Stream.connect(relay.server.port);
      await stranger.write(noise(2_000, at + 1)).catch(() => {});
      await stranger.readToEnd().catch(() => {});
    }));
    await client.write("after");
    assert.equal(await client.readText(5), "after");
    await relay.server.descriptorsBackTo(before);
    assert.ok(
      relay.server.log.filter(({ level }) => level === "warn").length < 200,
      "lines about strangers are limited",
    );
    await echoSession(relay.hostPort);
  },
);

processTest("a browser on the TLS port gets no page: another protocol is refused by ALPN", ["curl"], async () => {
  await using echo = await echoRelay();
  const { relay } = echo;
  await using curl = await Child.run("curl", ["curl", "-sSk", "--noproxy", "*", `https://${relay.server.address}/`]);
  assert.notEqual(await curl.exited, 0);
  assert.deepEqual(curl.stdout, []);
  await relay.server.logged(/^refused /);
  await echoSession(relay.hostPort);
});

processTest(
  "a stock TLS client is shown TLS 1.3, the protocol's name, and no word about the host",
  ["openssl"],
  async () => {
    await using echo = await echoRelay();
    const { relay } = echo;
    const command = [find("openssl")!, "s_client", "-connect", relay.server.address, "-alpn", "sallyport/2"];
    await using child = await Child.run("openssl", command);
    const text = child.stdout.join("\n");
    assert.match(text, /TLSv1\.3/);
    assert.match(text, /ALPN protocol: sallyport\/2/);
    const names = child.stdout.filter((line) => /^(subject|issuer)=/.test(line));
    assert.equal(names.length, 2);
    for (const name of names) assert.match(name, /^\w+=CN ?= ?relay\.sallyport\.invalid$/); // versions differ in spaces
    const [, base64 = ""] = /-----BEGIN CERTIFICATE-----([^-]+)-----END/.exec(text)!;
    assert.ok(!atob(base64.replaceAll(/\s/g, "")).includes(Deno.hostname()));
    await relay.server.logged(/^refused .* it closed without a word/);
    await echoSession(relay.hostPort);
  },
);
