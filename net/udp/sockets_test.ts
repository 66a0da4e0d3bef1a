import assert from "node:assert/strict";
import { MAX_DATAGRAM } from "../../protocol/v2/limits.ts";
import { noise } from "../../tests/rig/bytes.ts";
import { poll } from "../../tests/rig/wait.ts";
import { UdpPeer } from "../../tests/rig/udp.ts";
import { engineTest } from "../_engines_fixture_test.ts";

engineTest("datagrams of all sizes keep their boundaries, the empty one too", async (engine) => {
  await using echo = await UdpPeer.bind((bytes) => bytes.slice(), engine);
  await using client = await UdpPeer.connect(echo.address.port, "127.0.0.1", engine);
  for (const size of [0, 1, 2, 1_472, 8_192, 65_506, MAX_DATAGRAM]) {
    const sent = noise(size, size) as Uint8Array<ArrayBuffer>;
    client.send(sent);
    assert.deepEqual((await client.next()).bytes, sent, `${size} bytes`);
  }
});

engineTest("one bound socket tells its peers apart, and answers each", async (engine) => {
  await using echo = await UdpPeer.bind((bytes) => bytes.slice(), engine);
  await using stack = new AsyncDisposableStack();
  const clients: UdpPeer[] = [];
  for (let n = 0; n < 20; n++) clients.push(stack.use(await UdpPeer.connect(echo.address.port, "127.0.0.1", engine)));
  clients.forEach((client, n) => client.send(`I am ${n}`));
  for (const [n, client] of clients.entries()) {
    assert.equal(await client.text(), `I am ${n}`);
  }
  assert.equal(new Set(echo.heard.map(({ key }) => key)).size, clients.length);
  const ports = echo.heard.map(({ from }) => from.address.port).toSorted();
  assert.deepEqual(ports, clients.map(({ address }) => address.port).toSorted());
});

engineTest("a port that is in use cannot be bound, and says so", async (engine) => {
  await using first = await UdpPeer.bind(undefined, engine);
  await assert.rejects(() => UdpPeer.bind(undefined, engine, first.address), { code: "EADDRINUSE" });
});

engineTest("a connected socket hears nobody but its peer", async (engine) => {
  await using service = await UdpPeer.bind((bytes) => bytes.slice(), engine);
  await using other = await UdpPeer.bind(undefined, engine);
  await using client = await UdpPeer.connect(service.address.port, "127.0.0.1", engine);
  client.send("a");
  assert.equal(await client.text(), "a");
  const { from } = await service.next();
  other.send("from another", from);
  client.send("b");
  assert.equal(await client.text(), "b");
});

engineTest("what is bound to all addresses answers over IPv4 and IPv6", async (engine) => {
  for (const [at, to] of [["0.0.0.0", "127.0.0.1"], ["::", "::1"], ["::1", "::1"]] as const) {
    await using echo = await UdpPeer.bind((bytes) => bytes.slice(), engine, { host: at, port: 0 });
    await using client = await UdpPeer.connect(echo.address.port, to, engine);
    client.send(to);
    assert.equal(await client.text(), to);
    assert.equal(echo.heard[0]!.from.address.host, to);
  }
});

engineTest("what is bound to all addresses answers from the one that was sent to", async (engine) => {
  if (engine.name === "portable") return; // the runtime does not say which one that was
  await using echo = await UdpPeer.bind((bytes) => bytes.slice(), engine, { host: "0.0.0.0", port: 0 });
  for (const host of ["127.0.0.1", "127.0.0.2", "127.9.9.9"]) {
    await using client = await UdpPeer.connect(echo.address.port, host, engine);
    client.send(host);
    assert.equal(await client.text(), host); // a connected socket hears nobody but its peer
  }
  assert.equal(new Set(echo.heard.map(({ key }) => key)).size, 3);
});

engineTest("nobody there is told by the native engine, and the socket goes on", async (engine) => {
  if (engine.name === "portable") return; // the runtime does not say so
  const gone = await UdpPeer.bind(undefined, engine);
  const { port } = gone.address;
  await gone[Symbol.asyncDispose]();
  await using client = await UdpPeer.connect(port, "127.0.0.1", engine);
  client.send("anybody?");
  await using back = await UdpPeer.bind((bytes) => bytes.slice(), engine, { host: "127.0.0.1", port });
  assert.equal(client.send("a"), "refused");
  client.send("b");
  assert.equal(await client.text(), "b");
  assert.equal(back.heard.length, 1);
});

engineTest("what no packet has room for is said by the native engine to be too large", async (engine) => {
  if (engine.name === "portable") return; // the runtime says so later, if at all
  await using service = await UdpPeer.bind(undefined, engine);
  await using client = await UdpPeer.connect(service.address.port, "127.0.0.1", engine);
  assert.equal(client.send(new Uint8Array(MAX_DATAGRAM + 1)), "oversized");
});

engineTest("what the system drops of a flood is counted by the native engine", async (engine) => {
  if (engine.name === "portable") return; // the runtime does not say so
  await using service = await UdpPeer.bind(undefined, engine);
  await using client = await UdpPeer.connect(service.address.port, "127.0.0.1", engine);
  const count = 5_000;
  for (let n = 0; n < count; n++) client.send(new Uint8Array(1_000)); // nobody reads meanwhile
  assert.ok(service.unread > 0);
  const all = () => service.heard.length + service.unread;
  await poll(() => all() === count, () => `${all()} of ${count}`);
});
