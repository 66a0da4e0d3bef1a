/**
 * Both sides of a v1 relay in one process, with events: a client reaches a service through them.
 *
 *     deno run --allow-net examples/library_v1.ts
 *
 * @module
 */

import { connectDevice, formatAddress, parseAddress, parseService, serve } from "../mod.ts";

const say = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
const anyPort = parseAddress("127.0.0.1:0");

// A service on the device's side, which nobody else can reach; here, on the same machine.
const service = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const localAddress = { host: "127.0.0.1", port: service.addr.port };
const served = service.accept().then(async (conn) => {
  const question = new Uint8Array(64);
  const count = await conn.read(question);
  await conn.write(question.subarray(0, count ?? 0));
  conn.close();
});

// The public host.
const hostOpen = Promise.withResolvers<string>();
const clientEnd = Promise.withResolvers<void>();
await using server = serve({
  listen: [{ address: anyPort, profile: "v1", forwards: [{ hostAddress: anyPort, localAddress }] }],
});
server.subscribe((event) => {
  say(`server: ${event.type}`);
  if (event.type === "host-open") hostOpen.resolve(event.hostAddress);
  if (event.type === "client-end") {
    say(`  ${event.reason}, ${event.bytesUp} B up, ${event.bytesDown} B down`);
    clientEnd.resolve();
  }
});
await server.ready;

// The gateway: dials out, and again for ever when the link is lost.
await using device = connectDevice({
  profile: "v1",
  server: parseAddress(server.addresses[0]!),
  services: [parseService(formatAddress(localAddress))],
});
device.subscribe((event) => say(`device: ${event.type}`));
await device.ready;

// Any TCP client, from anywhere.
const { host, port } = parseAddress(await hostOpen.promise);
const client = await Deno.connect({ hostname: host, port });
await client.write(new TextEncoder().encode("hello through the relay"));
const reply = new Uint8Array(64);
const count = await client.read(reply);
say(`client: ${new TextDecoder().decode(reply.subarray(0, count ?? 0))}`);
client.close();

await served;
await clientEnd.promise;
service.close(); // server and device end in order as they go out of scope
