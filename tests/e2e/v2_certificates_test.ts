/**
 * How TLS proves the server: by its key, or by a certificate of a CA for its name.
 *
 * @module
 */

import assert from "node:assert/strict";
import { relative } from "node:path";
import { loadDevice } from "../../device/cli/state.ts";
import { Stream } from "../rig/stream.ts";
import { type CertificateAuthority, makeAuthority } from "../rig/processes/certificates.ts";
import { Child } from "../rig/processes/child.ts";
import { outcome, succeed } from "../rig/processes/commands.ts";
import { startDevice } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { echoSession } from "../rig/processes/session.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { copyDeviceState, echoRelay, enrol, joinArgs, serviceOpen, startV2Server } from "../rig/processes/relay.ts";
import { portOf } from "../rig/ports.ts";

processTest("a device that expects another server key does not tell this one who it is", [], async () => {
  using folder = new TempFolder();
  await using echo = await echoRelay();
  const { relay } = echo;
  const [other] = await succeed("server", ["key", "--state", folder.path]);
  const args = ["--state", folder.path, "--server", relay.server.address, "--service", "echo=127.0.0.1:9"];
  await using device = startDevice([...args, "--server-key", other!]);
  const failed = await device.logged(/^cannot reach/);
  assert.match(failed.message, /proved another key than the one this device was joined to/);
  const refused = await relay.server.logged(/^refused /);
  assert.match(String(refused["why"]), /^it refuses this server's key: .*; enroll it again/);
  assert.equal((await outcome("device", [...args, "--server-key", other!, "doctor"])).code, 1, "which comes once more");
  assert.equal(relay.server.log.filter(({ message }) => message.startsWith("refused ")).length, 1, "said once");
  assert.equal(device.child.stdout.length, 0);
});

processTest(
  "with --pki a certificate of a private CA for the server's name lets the device in",
  ["openssl"],
  async () => {
    await using pki = await start(["DNS:localhost"]);
    const { folder, server, authority } = pki;
    assert.match(server.child.stdout[0]!, / security=pki$/);
    await using echo = await echoRelay();
    const address = `localhost:${portOf(server.address)}`;
    const text = await enrol(folder.path, address, ["echo"]);
    const services = [`echo=127.0.0.1:${echo.service.port}`];
    await succeed("device", [...joinArgs(folder.path, text, services), "--no-run"]);
    await using device = startDevice(["--state", folder.path, "--ca", authority.file]);
    await echoSession(portOf(await serviceOpen(device, "echo")));
  },
);

processTest("enroll says when the certificate is not for the name that devices are to dial", ["openssl"], async () => {
  await using pki = await start(["DNS:localhost", "DNS:*.iot.example"]);
  const enroll = async (name: string, address: string) => {
    const place = ["--public-address", address, "--state", pki.folder.path];
    const { stderr } = await outcome("server", ["enroll", name, "--service", "s=127.0.0.1:0", ...place]);
    return stderr.split("\n").filter((line) => !line.startsWith("clients will reach ")).join("\n");
  };
  const warning = "the server's certificate is for localhost, *.iot.example: devices that dial 127.0.0.1:9 refuse it";
  // The runtime of binaries that were compiled offline cannot read names.
  const canTell = Deno.env.get("SALLYPORT_BINARIES") === undefined;
  const said = await enroll("gw1", "127.0.0.1:9");
  assert.ok(said === warning || !canTell && said === "", said);
  assert.equal(await enroll("gw2", "relay.iot.example:9"), "");
});

processTest("join takes the file of a private CA, and stores where it is", ["openssl"], async () => {
  await using pki = await start(["DNS:localhost"]);
  const { folder, server, authority } = pki;
  const text = await enrol(folder.path, `localhost:${portOf(server.address)}`, ["echo"]);
  const join = (...more: string[]) =>
    outcome("device", [...joinArgs(folder.path, text, ["echo=127.0.0.1:9"]), ...more]);
  const missing = await join("--ca", `${folder.path}/none.pem`);
  assert.match(missing.stderr, /Cannot use \S+none\.pem as --ca: there is no such file$/);
  assert.deepEqual([missing.code, missing.stdout], [2, []], "nothing is stored");
  const { code, stderr } = await join("--ca", relative(Deno.cwd(), authority.file), "--once");
  assert.equal(code, 0, stderr);
  assert.equal(
    (await loadDevice(`${folder.path}/device`))!.ca,
    authority.file,
    "whatever the folder of the next start",
  );
  await using device = startDevice(["--state", folder.path]);
  await device.child.line(/^online /);
});

processTest("--ca beside the string of a server that proves itself by its key is refused", ["openssl"], async () => {
  using folder = new TempFolder();
  const authority = await makeAuthority(folder.path);
  const text = await enrol(folder.path, "127.0.0.1:1", ["echo"]);
  const args = [...joinArgs(folder.path, text, ["echo=127.0.0.1:9"]), "--ca", authority.file];
  const { code, stdout, stderr } = await outcome("device", args);
  assert.deepEqual([code, stdout], [2, []]);
  assert.match(
    stderr,
    /--ca is for a server with a CA's certificate, and that of this string proves itself by its key; /,
  );
});

const WRONG: [what: string, names: string[], dial: string, mine: boolean, says: RegExp][] = [
  [
    "for another name",
    ["DNS:elsewhere.example"],
    "localhost",
    true,
    /the certificate of the server at \S+ is not for localhost/,
  ],
  [
    "for another address",
    ["IP:127.0.0.9"],
    "127.0.0.1",
    true,
    /the certificate of the server at \S+ is not for 127\.0\.0\.1/,
  ],
  [
    "of a CA that it does not know",
    ["DNS:localhost"],
    "localhost",
    false,
    /is from a CA that this device does not know; give that CA's with --ca FILE/,
  ],
];

for (const [what, names, dial, mine, says] of WRONG) {
  processTest(`with --pki a device refuses a certificate ${what}, in one clear line`, ["openssl"], async () => {
    await using pki = await start(names);
    const { folder, server, authority } = pki;
    const text = await enrol(folder.path, `${dial}:${portOf(server.address)}`, ["echo"]);
    await succeed("device", [...joinArgs(folder.path, text, ["echo=127.0.0.1:9"]), "--no-run"]);
    await using device = startDevice(["--state", folder.path, ...(mine ? ["--ca", authority.file] : ["--pki"])]);
    const failed = await device.logged(/^cannot reach/);
    assert.match(failed.message, says);
    assert.equal(device.child.stdout.length, 0);
  });
}

processTest("new PEM files serve new links, and the links that are up stay", ["openssl"], async () => {
  await using pki = await start(["DNS:localhost"]);
  const { folder, server, authority } = pki;
  await using echo = await echoRelay();
  const address = `localhost:${portOf(server.address)}`;
  const text = await enrol(folder.path, address, ["echo"]);
  await succeed("device", [...joinArgs(folder.path, text, [`echo=127.0.0.1:${echo.service.port}`]), "--no-run"]);
  await using device = startDevice(["--state", folder.path, "--ca", authority.file]);
  using client = await Stream.connect(portOf(await serviceOpen(device, "echo")));
  await client.write("before");
  assert.equal(await client.readText(6), "before");
  const before = await serialOf(address);

  // A bad pair first: it is told, and changes nothing.
  const good = await Deno.readTextFile(`${folder.path}/server.key`);
  await Deno.writeTextFile(`${folder.path}/server.key`, "nothing\n");
  await server.logged(/the certificate in use stays$/);
  assert.equal(await serialOf(address), before);
  await Deno.writeTextFile(`${folder.path}/server.key`, good);
  await authority.issue("server", ["DNS:localhost"]);
  await server.logged(/^new connections get the new certificate/);
  const after = await serialOf(address);
  assert.notEqual(after, before);
  await client.write("after");
  assert.equal(await client.readText(5), "after");
  assert.equal(device.child.stdout.some((line) => line.startsWith("lost ")), false);
  await using again = startDevice(["--state", await copyDeviceState(folder.path), "--ca", authority.file]);
  await echoSession(portOf(await serviceOpen(again, "echo")));
});

processTest(
  "a certificate that ends soon is warned of by --check, the server and the device",
  ["openssl"],
  async () => {
    await using pki = await start(["DNS:localhost"]); // its certificates are good for a day
    const { folder, server, authority } = pki;
    const ends = /the certificate in \S+server\.pem ends in less than a day, on \S+: put a new one there/;
    await server.logged(ends);
    const files = ["--tls-cert", `${folder.path}/server.pem`, "--tls-key", `${folder.path}/server.key`];
    const checked = await outcome("server", [...files, "--state", folder.path, "--check"]);
    assert.equal(checked.code, 0);
    assert.match(checked.stderr, /^warning: /);
    assert.match(checked.stderr, ends);
    const text = await enrol(folder.path, `localhost:${portOf(server.address)}`, ["echo"]);
    await succeed("device", [...joinArgs(folder.path, text, ["echo=127.0.0.1:9"]), "--no-run"]);
    await using device = startDevice(["--state", folder.path, "--ca", authority.file]);
    await device.logged(/^the certificate of the server at \S+ ends in less than a day/);
  },
);

processTest("a pair that does not belong together is refused at the start, with exit code 2", ["openssl"], async () => {
  using folder = new TempFolder();
  const authority = await makeAuthority(folder.path);
  await authority.issue("one", ["DNS:localhost"]);
  await authority.issue("two", ["DNS:localhost"]);
  const files = ["--tls-cert", `${folder.path}/one.pem`, "--tls-key", `${folder.path}/two.key`];
  await assert.rejects(startV2Server(folder.path, files), /ended without/);
});

/** A server with a certificate of a CA of its own. */
async function start(names: readonly string[]): Promise<
  AsyncDisposable & {
    readonly folder: TempFolder;
    readonly authority: CertificateAuthority;
    readonly server: Awaited<ReturnType<typeof startV2Server>>;
  }
> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(new TempFolder());
  const authority = await makeAuthority(folder.path);
  await authority.issue("server", names);
  const files = ["--tls-cert", `${folder.path}/server.pem`, "--tls-key", `${folder.path}/server.key`];
  const server = stack.use(await startV2Server(folder.path, files));
  const end = stack.move();
  return { folder, authority, server, [Symbol.asyncDispose]: () => end.disposeAsync() };
}

/** The serial number of the certificate that a stock client is shown. */
async function serialOf(address: string): Promise<string> {
  const command = `openssl s_client -connect ${address} -alpn sallyport/2 </dev/null | openssl x509 -noout -serial`;
  await using child = await Child.run("openssl", ["sh", "-c", command]);
  const serial = child.stdout.find((line) => line.startsWith("serial="));
  assert.ok(serial, "openssl is shown a certificate");
  return serial;
}
