/**
 * Other stock clients through the relay: telnet, nc, curl.
 *
 * @module
 */

import assert from "node:assert/strict";
import { digest, noise } from "../rig/bytes.ts";
import { Service } from "../rig/service.ts";
import { Child } from "../rig/processes/child.ts";
import { V1Relay } from "../rig/processes/relay.ts";
import { telnetConversation, TelnetServer } from "../rig/processes/telnet_server.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { processTest } from "../rig/processes/harness.ts";
import { ncSession } from "../rig/processes/session.ts";
import { WebServer } from "../rig/processes/web_server.ts";

const MIB = 1024 * 1024;

processTest("v1: telnet holds a conversation with a real telnet server", ["telnet", "telnetd"], async () => {
  await using telnetd = await TelnetServer.start();
  await using relay = await V1Relay.start([`127.0.0.1:${telnetd.port}`]);
  await telnetConversation(relay.hostPort);
  const ended = await relay.server.logged(/^client .* ended/);
  assert.equal(ended["reason"], "service-closed");
});

processTest("v1: what nc sends before it ends arrives whole, 3 times 20 MiB", ["nc"], async () => {
  await using service = new Service();
  const soon = { server: ["--half-close-timeout", "200ms"] }; // it could still get a reply so long
  await using relay = await V1Relay.start([`127.0.0.1:${service.port}`], soon);
  await ncSession(relay.hostPort, service);
});

processTest("v1: nc ends its side, and still gets the whole of a long reply", ["nc"], async () => {
  const reply = noise(5 * MIB, 5);
  await using service = new Service(async (stream) => {
    // v1 cannot say that the client has finished writing: the service answers when it has its question.
    assert.equal(await stream.readText(9), "question?");
    await stream.write(reply);
  });
  await using relay = await V1Relay.start([`127.0.0.1:${service.port}`]);
  await using nc = Child.start("nc", [
    "sh",
    "-c",
    `printf 'question?' | nc -N 127.0.0.1 ${relay.hostPort} | sha256sum`,
  ]);
  assert.equal(await nc.end(), 0);
  assert.equal(nc.stdout[0]?.split(" ")[0], await digest(reply));
});

processTest("v1: curl gets pages, one after the other on one connection", ["curl"], async () => {
  await using web = new WebServer();
  await using relay = await V1Relay.start([`127.0.0.1:${web.port}`]);
  const url = `http://127.0.0.1:${relay.hostPort}`;
  const format = ["-w", "%{http_code} %{num_connects} %{size_download}\n", "-o", "/dev/null"];
  await using curl = await Child.run("curl", [
    ...["curl", "-sS", "--noproxy", "*", "--max-time", "20"],
    ...[...format, `${url}/bytes/10`],
    ...["--next", "-sS", "--noproxy", "*", ...format, `${url}/bytes/3000000`],
    ...["--next", "-sS", "--noproxy", "*", ...format, `${url}/nothing-here`],
  ]);
  assert.equal(await curl.exited, 0);
  assert.deepEqual(curl.stdout, ["200 1 10", "200 0 3000000", "404 0 9"]);
});

processTest("v1: curl uploads a file and gets its digest back", ["curl"], async () => {
  await using web = new WebServer();
  await using relay = await V1Relay.start([`127.0.0.1:${web.port}`]);
  using folder = new TempFolder();
  const bytes = noise(8 * MIB, 8);
  await Deno.writeFile(`${folder.path}/file`, bytes);
  await using curl = await Child.run("curl", [
    ...["curl", "-sS", "--noproxy", "*", "--max-time", "20"],
    ...["-T", `${folder.path}/file`, `http://127.0.0.1:${relay.hostPort}/digest`],
  ]);
  assert.deepEqual([await curl.exited, ...curl.stdout], [0, await digest(bytes)]);
});
