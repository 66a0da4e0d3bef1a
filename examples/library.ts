/**
 * Both sides of a v2 relay in one process, with keys, TLS and events: a client reaches a service through them.
 *
 *     deno run --allow-net examples/library.ts
 *
 * @module
 */

import {
  connectDevice,
  createIdentity,
  DeviceList,
  formatAddress,
  formatPublicKey,
  identityFromPem,
  identityToPem,
  parseAddress,
  parseGrant,
  parseNamedService,
  parsePublicKey,
  serve,
} from "../mod.ts";

const say = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));

// A service on the device's side, which nobody else can reach; here, on the same machine.
const service = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const localAddress = formatAddress({ host: "127.0.0.1", port: service.addr.port });
const served = service.accept().then(async (conn) => {
  const question = new Uint8Array(64);
  const count = await conn.read(question);
  await conn.write(question.subarray(0, count ?? 0));
  conn.close();
});

// Keys are made once and kept, as PEM; public keys are exchanged as text.
const serverIdentity = await createIdentity();
const deviceIdentity = await identityFromPem(await identityToPem(await createIdentity()));
const serverKey = formatPublicKey(serverIdentity.publicKey);
const deviceKey = formatPublicKey(deviceIdentity.publicKey);

// The public host: one device may link up, and open any free port for its service `echo`.
const devices = new DeviceList([
  { name: "gw1", key: deviceKey, services: [parseGrant("echo=127.0.0.1:0")], disabled: false },
]);
const clientEnd = Promise.withResolvers<void>();
await using server = serve({
  listen: [{
    profile: "v2",
    address: parseAddress("127.0.0.1:0"),
    security: { kind: "pinned", keyPair: serverIdentity.keyPair },
  }],
  v2: { identity: serverIdentity, devices },
});
server.subscribe((event) => {
  say(`server: ${event.type}`);
  if (event.type !== "client-end") return;
  say(`  ${event.device}/${event.localAddress}: ${event.reason}, ${event.bytesUp} B up, ${event.bytesDown} B down`);
  clientEnd.resolve();
});
await server.ready;

// The gateway: dials out, checks the server's key, and dials again for ever when the link is lost.
const open = Promise.withResolvers<string>();
await using device = connectDevice({
  profile: "v2",
  server: parseAddress(server.addresses[0]!),
  serverKey: parsePublicKey(serverKey),
  identity: deviceIdentity,
  services: [parseNamedService(`echo=${localAddress}`)],
});
device.subscribe((event) => {
  say(`device: ${event.type}`);
  if (event.type === "service" && event.hostAddress) open.resolve(event.hostAddress);
});
await device.ready;

// Any TCP client, from anywhere.
const { host, port } = parseAddress(await open.promise);
const client = await Deno.connect({ hostname: host, port });
await client.write(new TextEncoder().encode("hello through the relay"));
const reply = new Uint8Array(64);
const count = await client.read(reply);
say(`client: ${new TextDecoder().decode(reply.subarray(0, count ?? 0))}`);
client.close();

await served;
await clientEnd.promise;
say(`server: ${server.devices().map(({ name, online }) => `${name} ${online ? "online" : "offline"}`).join()}`);

// Whoever is taken off the list loses its link, and is told why.
const lost = Promise.withResolvers<string>();
device.subscribeConnectionLost(({ reason, detail }) => lost.resolve(`${reason}, ${detail}`));
devices.remove(deviceKey);
say(`device: ${await lost.promise}`);
service.close(); // server and device end in order as they go out of scope
