/**
 * Other stock clients through the relay on v2: telnet, nc, curl, iperf3.
 *
 * @module
 */

import assert from "node:assert/strict";
import { digest, noise } from "../rig/bytes.ts";
import { echoService, Service } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { Child } from "../rig/processes/child.ts";
import { processTest } from "../rig/processes/harness.ts";
import { ncSession } from "../rig/processes/session.ts";
import { freePort } from "../rig/ports.ts";
import { telnetConversation, TelnetServer } from "../rig/processes/telnet_server.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { V2Relay } from "../rig/processes/relay.ts";
import { WebServer } from "../rig/processes/web_server.ts";
import { find } from "../rig/processes/programs.ts";

const MIB = 1024 * 1024;

processTest("v2: telnet holds a conversation with a real telnet server", ["telnet", "telnetd"], async () => {
  await using telnetd = await TelnetServer.start();
  await using relay = await V2Relay.start([`telnet=127.0.0.1:${telnetd.port}`]);
  await telnetConversation(relay.hostPort);
  assert.equal((await relay.server.logged(/^client .* ended/))["reason"], "service-closed");
});

processTest(
  "v2: nc -N ends its side first: the service sees the end, and nc gets the whole answer",
  ["nc"],
  async () => {
    const reply = noise(5 * MIB, 5);
    await using service = new Service(async (stream) => {
      const question = await stream.readToEnd(); // an answer before the end would prove nothing
      assert.equal(new TextDecoder().decode(question), "question?");
      await stream.write(reply);
    });
    await using relay = await V2Relay.start([`ask=127.0.0.1:${service.port}`]);
    const command = `printf 'question?' | nc -N 127.0.0.1 ${relay.hostPort} | sha256sum`;
    await using nc = await Child.run("nc", ["sh", "-c", command]);
    assert.equal(await nc.exited, 0);
    assert.equal(nc.stdout[0]?.split(" ")[0], await digest(reply));
    const ended = await relay.server.logged(/^client .* ended/);
    assert.deepEqual([ended["bytesUp"], ended["bytesDown"]], [9, reply.length]);
  },
);

processTest("v2: what nc sends before it ends arrives whole, 3 times 20 MiB", ["nc"], async () => {
  await using service = new Service();
  await using relay = await V2Relay.start([`sink=127.0.0.1:${service.port}`]);
  await ncSession(relay.hostPort, service);
});

processTest("v2: curl gets pages, one after the other on one connection", ["curl"], async () => {
  await using web = new WebServer();
  await using relay = await V2Relay.start([`web=127.0.0.1:${web.port}`]);
  const url = `http://127.0.0.1:${relay.hostPort}`;
  const options = ["-sS", "--noproxy", "*", "--max-time", "20"];
  const format = ["-w", "%{http_code} %{num_connects} %{size_download}\n", "-o", "/dev/null"];
  await using curl = await Child.run("curl", [
    ...["curl", ...options, ...format, `${url}/bytes/10`],
    ...["--next", ...options, ...format, `${url}/bytes/3000000`],
    ...["--next", ...options, ...format, `${url}/nothing-here`],
  ]);
  assert.equal(await curl.exited, 0);
  assert.deepEqual(curl.stdout, ["200 1 10", "200 0 3000000", "404 0 9"]);
});

processTest("v2: curl uploads a file and gets its digest back", ["curl"], async () => {
  await using web = new WebServer();
  await using relay = await V2Relay.start([`web=127.0.0.1:${web.port}`]);
  using folder = new TempFolder();
  const bytes = noise(8 * MIB, 8);
  await Deno.writeFile(`${folder.path}/file`, bytes);
  await using curl = await Child.run("curl", [
    ...["curl", "-sS", "--noproxy", "*", "--max-time", "20"],
    ...["-T", `${folder.path}/file`, `http://127.0.0.1:${relay.hostPort}/digest`],
  ]);
  assert.deepEqual([await curl.exited, ...curl.stdout], [0, await digest(bytes)]);
});

processTest("v2: curl gets the whole of what an HTTP/1.0 server ends by closing", ["curl"], async () => {
  const body = noise(3 * MIB, 10);
  await using web = new Service(async (stream) => {
    let request = "";
    while (!request.endsWith("\r\n\r\n")) request += await stream.readText(1);
    await stream.write("HTTP/1.0 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n");
    await stream.write(body);
  });
  await using relay = await V2Relay.start([`web=127.0.0.1:${web.port}`]);
  const command = `curl -sS --noproxy '*' --http1.0 --max-time 20 http://127.0.0.1:${relay.hostPort}/ | sha256sum`;
  await using curl = await Child.run("curl", ["sh", "-c", command]);
  assert.equal(curl.stdout[0]?.split(" ")[0], await digest(body));
});

processTest("v2: iperf3 measures with four streams each way", ["iperf3"], async () => {
  const port = freePort("127.0.0.1");
  const listen = ["-s", "-B", "127.0.0.1", "-p", String(port), "--forceflush"];
  await using server = Child.start("iperf3 -s", [find("iperf3")!, ...listen]);
  await using relay = await V2Relay.start([`iperf=127.0.0.1:${port}`]);
  const client = [find("iperf3")!, "-c", "127.0.0.1", "-p", String(relay.hostPort), "-t", "1", "-P", "4", "-J"];
  let from = 0;
  for (const way of [[], ["-R"]]) {
    await server.line(/Server listening/, from); // again after each run: until then it is busy with that one
    from = server.stdout.length;
    await using run = await Child.run("iperf3 -c", [...client, ...way]);
    assert.equal(await run.exited, 0);
    const { end } = JSON.parse(run.stdout.join("\n")) as { end: { streams: { receiver: { bytes: number } }[] } };
    const received = end.streams.map(({ receiver }) => receiver.bytes);
    assert.equal(received.length, 4);
    // It ends its streams when they are written, not when they have arrived.
    assert.ok(Math.min(...received) > MIB, `streams got ${received.join(", ")} bytes`);
  }
});

processTest(
  "v2 over IPv6: the listener, the host port and the service on [::1]",
  ["a whole IPv6 loopback"],
  async () => {
    await using service = echoService({ hostname: "::1" });
    await using relay = await V2Relay.start([`echo=[::1]:${service.port}`], {
      grants: ["echo=[::1]:0"],
      listen: "[::1]:0",
    });
    assert.match(relay.host, /^\[::1\]:\d+$/);
    using client = await Stream.connect(relay.hostPort, "::1");
    const bytes = noise(300_000, 6);
    const [back] = await Promise.all([client.read(bytes.length), client.write(bytes)]);
    assert.equal(await digest(back), await digest(bytes));
    client.close();
    assert.match(String((await relay.server.logged(/^client .* ended/))["client"]), /^\[::1\]:\d+$/);
  },
);
