/**
 * Who may come in, and what becomes of who is there: without a socket, in virtual time.
 *
 * @module
 */

import assert from "node:assert/strict";
import { EXPIRY_LOOK_MS } from "../limits.ts";
import { LINK_BURST } from "../door/limits.ts";
import { formatPublicKey } from "../../net/tls/identity.ts";
import type { Goodbye } from "../../protocol/v2/wire/goodbye.ts";
import { HandshakeError, type ResumeOffer, type Welcome } from "../../protocol/v2/wire/handshake.ts";
import { Random } from "../../tests/rig/random.ts";
import { Connection, type End } from "../../tests/rig/sim/connection.ts";
import { DEVICE, greetDevice, greetServer, PARTY } from "../../tests/rig/sim/greeting.ts";
import { transportOf } from "../../tests/rig/sim/internet.ts";
import { Time } from "../../tests/rig/sim/time.ts";
import { Directory } from "../../tests/rig/v2/directory.ts";
import { test } from "../../tests/rig/test.ts";
import type { AuthorizedDevice } from "../devices/authorized_devices.ts";
import type { ServerEvent } from "../events.ts";
import { serverSettings } from "../options.ts";
import { DeviceRegistry } from "./device_registry.ts";
import { describeDevice } from "../handle/device_status.ts";

const EXPIRATION = 10_000;
const KEY = formatPublicKey(DEVICE.publicKey);
const GW1: AuthorizedDevice = { name: "gw1", key: KEY, services: [], disabled: false };

/** What a device heard at the end of its handshake. */
type Heard = { readonly welcome: Welcome; readonly end: End } | { readonly goodbye: Goodbye };

/** A registry, and devices that come over connections in memory. */
class Rig {
  readonly time = new Time();
  readonly directory = new Directory();
  readonly events: ServerEvent[] = [];
  readonly registry: DeviceRegistry;
  #nonces = 0;

  constructor(device: AuthorizedDevice = GW1) {
    this.directory.put(device);
    this.registry = new DeviceRegistry(
      { devices: this.directory },
      serverSettings({ listen: [], clock: this.time.clock, expiration: EXPIRATION }),
      (event) => this.events.push(event),
    );
  }

  get types(): string[] {
    return this.events.map(({ type }) => type);
  }

  /** A device comes; `order` is that of its connection, the next one by default. */
  async come(
    { instance = 1, order = this.registry.nextOrder(), resume, epoch, exporter }: {
      instance?: number;
      order?: number;
      resume?: ResumeOffer;
      /** None by default, as from a device of before there were any. */
      epoch?: number;
      /** What both sides have of their TLS connection. */
      exporter?: Uint8Array;
    } = {},
  ): Promise<Heard> {
    const { time } = this;
    const conn = new Connection(time, new Random(1), { latency: 5, rate: 1_000, late: 0, cuts: false }, false);
    const nonce = ++this.#nonces;
    const serving = greetDevice(conn.accepted, nonce, { exporter }).then((greeting) =>
      this.registry.admit(transportOf(conn.accepted, "192.0.2.7:1"), greeting, order)
    );
    const heard = greetServer(conn.dialled, {
      ...PARTY,
      nonce: new Uint8Array(32).fill(nonce),
      instance: new Uint8Array(16).fill(instance),
      resume: () => resume,
      exporter,
      ...(epoch !== undefined && { nextEpoch: () => epoch }),
    }).then(
      ({ welcome }) => ({ welcome, end: conn.dialled }),
    );
    heard.catch(() => {}); // the server's word counts
    const outcome = serving.then(() => heard, (error) => {
      conn.accepted.close();
      conn.dialled.close();
      if (!(error instanceof HandshakeError)) throw error;
      return { goodbye: error.goodbye };
    });
    await time.run(time.now + 200);
    return await outcome;
  }

  /** The same, let in. */
  async comeIn(how: Parameters<Rig["come"]>[0] = {}): Promise<{ readonly welcome: Welcome; readonly end: End }> {
    const heard = await this.come(how);
    assert.ok("welcome" in heard, JSON.stringify(heard));
    return heard;
  }

  /** Ends everything; nothing may be left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.registry.close();
    await this.time.run(this.time.now + 60_000);
    await this.registry.ended();
    assert.equal(this.time.pending, 0);
  }
}

test("registry: a device on the list is welcome by its name, and a stranger hears what key nobody authorized", async () => {
  await using rig = new Rig();
  assert.equal((await rig.comeIn()).welcome.name, "gw1");
  assert.deepEqual(rig.types, ["link-up"]);
  await using other = new Rig({ ...GW1, key: `${KEY.slice(0, -2)}B8` });
  const heard = await other.come();
  assert.ok("goodbye" in heard);
  assert.equal(heard.goodbye.code, "unknown-device");
  assert.ok(heard.goodbye.text.startsWith(`nobody authorized ${KEY} (`), heard.goodbye.text);
});

test("registry: who is barred is asked to come back soon, and who has long been barred later and later", async () => {
  await using rig = new Rig({ ...GW1, disabled: true });
  const waits: number[] = [];
  for (let n = 0; n < 4; n++) {
    const heard = await rig.come();
    assert.ok("goodbye" in heard);
    assert.equal(heard.goodbye.code, "disabled");
    waits.push(heard.goodbye.comeBackAfter!);
    await rig.time.run(rig.time.now + 60_000);
  }
  assert.deepEqual(waits, waits.toSorted((a, b) => a - b));
  assert.ok(waits[0]! < waits.at(-1)!, `${waits}`);
  rig.directory.put(GW1);
  await rig.comeIn();
});

test("registry: a second link of the same process takes the place of the first, whose session is over", async () => {
  await using rig = new Rig();
  await rig.comeIn();
  const { link } = rig.registry.session("gw1")!;
  const second = await rig.comeIn();
  assert.deepEqual(rig.types, ["link-up", "link-down", "link-up"]);
  assert.equal((await link!.links.over).reason, "replaced");
  assert.deepEqual(rig.registry.session("gw1")!.link!.id, second.welcome.session);
});

test("registry: a link that was accepted before the one that is up is refused", async () => {
  await using rig = new Rig();
  const early = rig.registry.nextOrder();
  await rig.comeIn();
  const late = await rig.come({ order: early });
  assert.ok("goodbye" in late);
  assert.equal(late.goodbye.code, "replaced");
  assert.deepEqual(rig.types, ["link-up"]);
});

test("registry: a session goes on over another link within its expiration, and not after it", async () => {
  await using rig = new Rig();
  const { welcome, end } = await rig.comeIn();
  end.reset();
  await rig.time.run(rig.time.now + EXPIRATION / 2);
  assert.deepEqual(rig.types, ["link-up", "link-interrupted"]);
  const again = await rig.comeIn({ resume: { session: welcome.session, received: 0 } });
  assert.equal(typeof again.welcome.resumed, "number");
  assert.deepEqual(again.welcome.session, welcome.session);
  again.end.reset();
  await rig.time.run(rig.time.now + EXPIRATION + 1_000);
  const late = await rig.comeIn({ resume: { session: welcome.session, received: 0 } });
  assert.equal(late.welcome.resumed, "unknown-session");
  assert.deepEqual(rig.types.slice(2), ["link-resumed", "link-interrupted", "link-down", "link-up"]);
});

test("registry: a grant that expires ends its link when its time has come, by the wall clock", async () => {
  await using rig = new Rig();
  rig.directory.put({ ...GW1, expires: rig.time.clock.wall() + 5_000 });
  await rig.comeIn();
  const down = rig.registry.session("gw1")!.link!.links.over;
  assert.deepEqual(rig.types, ["link-up"]);
  await rig.time.run(5_000 + EXPIRY_LOOK_MS);
  assert.equal((await down).reason, "revoked");
  const heard = await rig.come();
  assert.equal("goodbye" in heard && heard.goodbye.code, "expired");
});

test("registry: who makes links too often is told when the next may come", async () => {
  await using rig = new Rig();
  for (let n = 0; n < 3 * LINK_BURST; n++) {
    const heard = await rig.come();
    if ("welcome" in heard) continue;
    assert.equal(heard.goodbye.code, "too-busy");
    assert.ok(heard.goodbye.comeBackAfter! > 0);
    return;
  }
  assert.fail("it was never told");
});

test("registry: who comes while the server shuts down is told so", async () => {
  await using rig = new Rig();
  rig.registry.close();
  const heard = await rig.come();
  assert.equal("goodbye" in heard && heard.goodbye.code, "shutting-down");
});

test("registry: of links with epochs the greatest counts, whenever they were accepted, and a lesser one hears of it", async () => {
  await using rig = new Rig();
  const early = rig.registry.nextOrder();
  await rig.comeIn({ epoch: 70 });
  for (const epoch of [1, 69, 70]) {
    const heard = await rig.come({ epoch });
    assert.ok("goodbye" in heard);
    assert.deepEqual([heard.goodbye.code, heard.goodbye.epoch], ["replaced", 70]);
  }
  assert.equal(rig.registry.session("gw1")!.link!.links.online, true, "the link that is up goes on");
  await rig.comeIn({ epoch: 71, order: early });
  assert.deepEqual(rig.types, ["link-up", "link-down", "link-up"]);
});

test("registry: a device that is not let in leaves no epoch behind", async () => {
  await using rig = new Rig({ ...GW1, disabled: true });
  assert.ok("goodbye" in await rig.come({ epoch: 1_000 }));
  rig.directory.put(GW1);
  await rig.comeIn({ epoch: 5 });
});

test("registry: a session goes by both parts of its name, and by the one that devices of before know", async () => {
  await using rig = new Rig();
  const { welcome } = await rig.comeIn({ epoch: 1 });
  assert.deepEqual(welcome.initiator, DEVICE.publicKey);
  const { session } = welcome;
  const second = await rig.comeIn({ epoch: 2, resume: { session, received: 0 } });
  assert.equal(typeof second.welcome.resumed, "number");
  const third = await rig.comeIn({ resume: { session, received: 0 } });
  assert.equal(typeof third.welcome.resumed, "number");
  assert.equal(third.welcome.initiator, undefined);
  const another = new Uint8Array(32).fill(8);
  const gw1 = rig.registry.session("gw1")!;
  assert.equal(gw1.fence({ session, initiator: another, received: 0 }), "unknown-session");
  assert.equal(gw1.link!.links.online, true, "and the link was not fenced for it");
});

test("registry: the status says of each link whether it is bound to its TLS connection", async () => {
  await using rig = new Rig();
  const bound = () => describeDevice(rig.registry.session("gw1")!).bound;
  const { welcome: { session } } = await rig.comeIn({ exporter: new Uint8Array(32).fill(1) });
  assert.equal(bound(), true);
  await rig.comeIn({ resume: { session, received: 0 } });
  assert.equal(bound(), false);
  await rig.comeIn({ resume: { session, received: 0 }, exporter: new Uint8Array(32).fill(2) });
  assert.equal(bound(), true);
});
