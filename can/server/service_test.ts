/**
 * A whole service on a virtual bus, at a port.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ListenError } from "../../net/listener.ts";
import { ascii } from "../../tests/rig/bytes.ts";
import { Stream } from "../../tests/rig/stream.ts";
import { test } from "../../tests/rig/test.ts";
import { poll } from "../../tests/rig/wait.ts";
import { bytes, hexOf } from "../wires/_wire_fixture_test.ts";
import type { CanEvent } from "./events.ts";
import { serveCan } from "./serve.ts";
import { openCanService } from "./service.ts";
import { TestClient } from "./_server_fixture_test.ts";

const R4 = bytes("01 04 0001e848 0a00");
const HERE = { host: "127.0.0.1", port: 0 };

/** A client of version 4 that has the bus. */
async function client(port: number, name: string): Promise<Stream> {
  const stream = await Stream.connect(port);
  await stream.write(R4);
  assert.equal(
    hexOf(await stream.read(2 + name.length)),
    `02${name.length.toString(16).padStart(2, "0")}${hexOf(ascii(name))}`,
  );
  return stream;
}

test("clients of two services meet on the virtual bus of one name, and on no other", async () => {
  const servers = ["virtual:one", "can:virtual:one", "virtual:two"].map((bus) => serveCan({ bus, ...HERE }));
  using a = await client(servers[0]!.port, "one");
  using b = await client(servers[1]!.port, "one");
  using c = await client(servers[2]!.port, "two");
  await a.write(bytes("03 0000000000000000 00000123 02 00 0102000000000000"));
  await c.write(bytes("03 0000000000000000 00000124 00 00 0000000000000000"));
  const came = hexOf(await b.read(23));
  assert.match(came, /^0341da/, "with the time of the bus");
  assert.match(came, /0000012302000102000000000000$/);
  await b.write(bytes("03 0000000000000000 00000125 00 00 0000000000000000"));
  assert.match(hexOf(await a.read(23)), /0000012500000000000000000000$/);
  await Promise.all(servers.map((server) => server.shutdown()));
});

test("a server tells who comes and goes, lists them, and ends them in order", async () => {
  const events: CanEvent[] = [];
  const server = serveCan({ bus: "virtual:events,max-clients=1", ...HERE });
  server.subscribe((event) => events.push(event));
  using one = await client(server.port, "events");
  assert.deepEqual(server.clients.map(({ wire, isOpen, lost }) => [wire, isOpen, lost]), [["remote-v4", true, 0]]);
  using two = await Stream.connect(server.port);
  await two.write(R4);
  const refusal = await two.readToEnd();
  assert.match(new TextDecoder().decode(refusal.subarray(2)), /has 1 clients, and may have no more/);
  two.close();
  await one.write(bytes("03 0000000000000000 00000123 00 00 0000000000000000"));
  await poll(() => server.clients[0]?.received === 1, () => "the frame did not arrive");
  const shutdown = server.shutdown();
  assert.equal((await one.readToEnd()).length, 0);
  one.close();
  await shutdown;
  await server.closed;
  assert.deepEqual(events.map(({ type }) => type), [
    ...["bus-open", "client", "client-ended"], // the second one's
    ...["bus-closed", "client-ended"],
  ]);
  const [, opened] = events;
  assert.ok(opened?.type === "client" && opened.client.address.startsWith("127.0.0.1:"));
  assert.equal(opened.client.received, 1);
  assert.deepEqual(server.clients, []);
});

test("a bus that cannot be opened is gone in the service's status, with why", async () => {
  const service = openCanService("slcan:/dev/no-such-adapter");
  assert.equal(service.status.state, "closed");
  const client = new TestClient();
  const served = service.serve(client, "10.0.0.7:4000");
  await client.send("CANNELLONIv1");
  await served;
  const { state, trouble, clients } = service.status;
  assert.deepEqual([state, clients], ["gone", 0]);
  assert.match(trouble!, /there is no \/dev\/no-such-adapter/);
  service.close();
});

test("an address that is taken, and a bus that is none, are told at once", async () => {
  const server = serveCan({ bus: "virtual:lab", ...HERE });
  assert.throws(() => serveCan({ bus: "virtual:lab", host: "127.0.0.1", port: server.port }), ListenError);
  assert.throws(() => serveCan({ bus: "kvaser:0", ...HERE }), SyntaxError);
  server.close();
  server.close();
  await server.closed;
});

test("a service takes any duplex, and closes those that come behind its end", async () => {
  const service = openCanService("virtual:duplex");
  const duplex = new TestClient();
  const served = service.serve(duplex, "gw1");
  await duplex.send(R4);
  assert.equal(hexOf(duplex.take()), "0206" + hexOf(ascii("duplex")));
  await duplex.finish();
  await served;
  service.close();
  const late = new TestClient();
  await service.serve(late, "gw2");
  assert.equal(late.end, "closed");
});
