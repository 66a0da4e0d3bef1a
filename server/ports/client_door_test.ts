import assert from "node:assert/strict";
import { PROXY_HEADER_TIMEOUT_MS } from "../../net/limits.ts";
import { FakeDuplex } from "../../relay/_fakes_test.ts";
import { encodeProxyHeader } from "../../net/proxy/header.ts";
import type { Duplex } from "../../net/socket.ts";
import { MIN_CLIENTS } from "../limits.ts";
import { AccessGate, type Pass } from "../access/gate.ts";
import { Capacity } from "../capacity/capacity.ts";
import { LinkCount } from "../capacity/link_count.ts";
import { ClientRoom, whyCrowded } from "./client_room.ts";
import { ClientDoor } from "./client_door.ts";
import { serverSettings } from "../options.ts";
import { parseGrant, type ServiceGrant } from "../devices/service_grant.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { settled } from "../../tests/rig/wait.ts";
import { test } from "../../tests/rig/test.ts";

/** A door that writes down what becomes of those who come. */
class Doorway {
  readonly clock = new FakeClock();
  readonly served: { readonly duplex: Duplex; readonly address: string; pass: Pass }[] = [];
  readonly refused: string[] = [];
  readonly gate: AccessGate;
  readonly capacity: Capacity;
  readonly door: ClientDoor;

  constructor(limits: Partial<ServiceGrant> = {}, clientRoom = new ClientRoom(Infinity)) {
    this.gate = new AccessGate(limits, this.clock);
    const settings = serverSettings({ listen: [], clock: this.clock });
    this.capacity = new Capacity({ ...settings, limits: () => ({}), links: new LinkCount(), clients: clientRoom });
    this.door = new ClientDoor(
      { ...parseGrant("web=127.0.0.1:80"), ...limits },
      { ...settings, capacity: this.capacity },
      {
        serve: (duplex, address, pass) => void this.served.push({ duplex, address, pass }),
        refused: (address, reason, error) => void this.refused.push(`${address} ${reason} ${error}`),
      },
      this.gate,
    );
  }

  enter(address = "10.0.0.1:5000"): FakeDuplex {
    const duplex = new FakeDuplex();
    this.door.enter(duplex, address);
    return duplex;
  }

  get addresses(): string[] {
    return this.served.map(({ address }) => address);
  }
}

const BALANCED = { proxyFrom: ["10.0.0.0/8", "fd00::/8"] };
const HEADER = encodeProxyHeader(2, { host: "203.0.113.7", port: 4711 }, { host: "192.0.2.1", port: 80 });

test("without limits everybody is served at once, as it came", () => {
  const doorway = new Doorway();
  const clients = Array.from({ length: 500 }, () => doorway.enter());
  assert.deepEqual(doorway.served.map(({ duplex }) => duplex), clients);
  assert.deepEqual([doorway.refused, doorway.clock.pending], [[], 0]);
});

test("beyond the limit clients are closed and refused with the reason, until one has left", () => {
  const doorway = new Doorway({ maxClients: 2 });
  doorway.enter();
  doorway.enter();
  const third = doorway.enter("10.0.0.3:3");
  assert.equal(third.closed, true);
  assert.deepEqual(doorway.refused, ["10.0.0.3:3 too-many-clients 2 clients are the most for this service"]);
  doorway.served[0]!.pass.leave();
  doorway.enter();
  doorway.enter();
  assert.deepEqual([doorway.served.length, doorway.refused.length], [3, 2]);
});

test("a limit that changes holds for those who come after that", () => {
  const doorway = new Doorway();
  for (let n = 0; n < 3; n++) doorway.enter();
  doorway.gate.rules = { maxClients: 3 };
  doorway.enter();
  doorway.served[0]!.pass.leave();
  doorway.enter();
  assert.deepEqual([doorway.served.length, doorway.refused.length], [4, 1]);
});

test("a load balancer's header is taken off, however it is split, and what follows it is not lost", async () => {
  for (const size of [1, 5, HEADER.length - 1, HEADER.length, HEADER.length + 3]) {
    const doorway = new Doorway(BALANCED);
    const client = doorway.enter();
    const bytes = Uint8Array.from([...HEADER, 1, 2, 3]);
    for (let at = 0; at < bytes.length; at += size) {
      client.feed(bytes.subarray(at, at + size));
      await settled();
      if (doorway.served.length > 0 && at + size < bytes.length) {
        client.feed(bytes.subarray(at + size));
        break;
      }
    }
    assert.deepEqual(doorway.addresses, ["203.0.113.7:4711"]);
    const got: number[] = [];
    const buffer = new Uint8Array(8);
    while (got.length < 3) got.push(...buffer.subarray(0, (await doorway.served[0]!.duplex.read(buffer))!));
    assert.deepEqual(got, [1, 2, 3]);
    assert.equal(doorway.clock.pending, 0);
  }
});

test("IPv6 in a header is written in brackets; a header without an address leaves the balancer's own", async () => {
  const doorway = new Doorway(BALANCED);
  doorway.enter().feed(encodeProxyHeader(1, { host: "2001:db8::1", port: 9 }, { host: "::1", port: 80 }));
  await settled();
  doorway.enter("[fd00::5]:77").feed(encodeProxyHeader(1));
  await settled();
  assert.deepEqual(doorway.addresses, ["[2001:db8::1]:9", "[fd00::5]:77"]);
});

test("whoever is in none of the networks is served as it came, header or not", async () => {
  const doorway = new Doorway(BALANCED);
  const client = doorway.enter("192.0.2.9:1");
  client.feed(HEADER);
  await settled();
  assert.deepEqual(doorway.addresses, ["192.0.2.9:1"]);
  assert.equal(client.isRead, false, "the door has not touched it");
});

test("a client that sends no header, half of one, or fails is closed and refused, and its place is free", async () => {
  const doorway = new Doorway({ ...BALANCED, maxClients: 1 });
  const steps: [feed: (client: FakeDuplex) => void, why: RegExp][] = [
    [(client) => client.feed(new TextEncoder().encode("GET / HTTP/1.1\r\n")), /expected a PROXY header/],
    [(client) => client.feed(null), /before its PROXY protocol header was whole/],
    [(client) => (client.feed(HEADER.subarray(0, 20)), client.feed(null)), /was whole/],
    [(client) => client.feed(new Error("reset by peer")), /reset by peer/],
  ];
  for (const [feed, why] of steps) {
    const client = doorway.enter();
    feed(client);
    await settled();
    assert.equal(client.closed, true);
    assert.match(doorway.refused.pop()!, why);
    assert.equal(doorway.clock.pending, 0);
  }
  doorway.enter().feed(HEADER);
  await settled();
  assert.equal(doorway.served.length, 1);
});

test("a header that does not come in time is not waited for", async () => {
  const doorway = new Doorway(BALANCED);
  const client = doorway.enter();
  client.feed(HEADER.subarray(0, 10));
  await doorway.clock.advance(PROXY_HEADER_TIMEOUT_MS - 1);
  assert.equal(client.closed, false);
  await doorway.clock.advance(1);
  assert.equal(client.closed, true);
  assert.match(doorway.refused[0]!, /^10\.0\.0\.1:5000 client-closed no PROXY protocol header within 5 s$/);
});

test("when the door is closed, those who are saying their header are turned away, and those inside stay", async () => {
  const doorway = new Doorway(BALANCED);
  const inside = doorway.enter("192.0.2.9:1");
  const saying = doorway.enter();
  await settled();
  doorway.door.close();
  await settled();
  assert.deepEqual([inside.closed, saying.closed], [false, true]);
  assert.equal(doorway.refused.length, 1);
  assert.equal(doorway.clock.pending, 0);
});

test("a door that is opened again counts those who came in before", () => {
  const gate = new AccessGate({ maxClients: 1 }, new FakeClock());
  const refused: string[] = [];
  const inside: Pass[] = [];
  const open = () =>
    new ClientDoor(
      parseGrant("web=127.0.0.1:80"),
      serverSettings({ listen: [], clock: new FakeClock() }),
      {
        serve: (_duplex, _address, pass) => void inside.push(pass),
        refused: (_address, reason) => void refused.push(reason),
      },
      gate,
    );
  const [before, after] = [open(), open()];
  before.enter(new FakeDuplex(), "10.0.0.1:1");
  before.close();
  after.enter(new FakeDuplex(), "10.0.0.1:2");
  assert.deepEqual(refused, ["too-many-clients"]);
  inside[0]!.leave();
  after.enter(new FakeDuplex(), "10.0.0.1:3");
  assert.equal(refused.length, 1);
});

test("a client for which there is no room in the process is closed and refused with the reason", () => {
  const doorway = new Doorway({}, new ClientRoom(0));
  for (let n = 0; n < MIN_CLIENTS; n++) doorway.enter();
  assert.equal(doorway.enter("10.0.0.3:3").closed, true);
  assert.deepEqual(doorway.refused, [`10.0.0.3:3 server-limit ${whyCrowded("all")}`]);
  assert.deepEqual([...doorway.capacity.refused], [["sockets", 1]]);
  doorway.served[0]!.pass.leave();
  assert.equal(doorway.enter().closed, false);
  doorway.capacity.close();
});

test("a client that is over its service's or its address's own share has reached no limit of the server", () => {
  const room = new ClientRoom(100);
  const doorway = new Doorway({}, room);
  while (doorway.refused.length === 0) doorway.enter("10.0.0.3:3");
  assert.deepEqual(doorway.refused, [`10.0.0.3:3 too-many-clients ${whyCrowded("service")}`]);
  const other = new Doorway({}, room);
  while (other.refused.length === 0) other.enter("10.0.0.3:3");
  assert.deepEqual(other.refused, [`10.0.0.3:3 too-many-clients ${whyCrowded("address")}`]);
  assert.equal(other.enter("10.0.0.4:4").closed, false);
  for (const { capacity } of [doorway, other]) assert.equal(capacity.refused.size, 0);
});
