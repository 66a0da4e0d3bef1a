import assert from "node:assert/strict";
import type { Engine } from "../../net/socket.ts";
import type { DatagramConnection } from "../../net/udp/connection.ts";
import { DatagramTotals } from "../../net/udp/counts.ts";
import type { DatagramHandler, DatagramPeer } from "../../net/udp/socket.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { test } from "../../tests/rig/test.ts";
import { MAX_UDP_CLIENTS, UDP_NEW_CLIENTS, UDP_NEW_CLIENTS_PER_ADDRESS, UDP_REFUSED_MS } from "../limits.ts";
import { UdpPort } from "./udp_port.ts";

/** A port without a network. */
class Rig {
  readonly clock = new FakeClock();
  readonly answers: string[] = [];
  readonly clients = new Map<string, DatagramConnection>();
  /** Whether newcomers are turned away. */
  refuses = false;
  turnedAway = 0;
  port!: UdpPort;
  #handler!: DatagramHandler;

  static async open(): Promise<Rig> {
    const rig = new Rig();
    const engine: Pick<Engine, "bindUdp"> = {
      bindUdp: (address, handler) => {
        rig.#handler = handler;
        const send = (_bytes: Uint8Array, to?: DatagramPeer) => {
          rig.answers.push(`${to!.address.host}:${to!.address.port}`);
          return "sent" as const;
        };
        return Promise.resolve({ address, send, unread: 0, close: () => Promise.resolve() });
      },
    };
    const options = { engine: engine as Engine, clock: rig.clock, totals: new DatagramTotals() };
    rig.port = await UdpPort.open({ host: "127.0.0.1", port: 53 }, options, (conn, address) => {
      if (rig.refuses) {
        rig.turnedAway++;
        return conn.reset();
      }
      rig.clients.set(address, conn);
      conn.joined({ stamp: () => 0, isLate: () => false });
    });
    return rig;
  }

  /** Somebody sends. */
  from(host: string, port: number): void {
    this.#handler.onDatagram(Uint8Array.of(1), `${host} ${port}`, () => ({ address: { host, port } }));
  }

  /** Somebody is answered. */
  answer(host: string, port: number): void {
    this.clients.get(`${host}:${port}`)!.writeNow(Uint8Array.of(0, 1, 0, 0, 0, 0, 7));
  }

  isThere(host: string, port: number): boolean {
    const conn = this.clients.get(`${host}:${port}`);
    if (!conn) return false;
    try {
      conn.writeNow(new Uint8Array(0));
      return true;
    } catch {
      return false;
    }
  }

  /** Strangers, each from another address, as fast as they may come. */
  async flood(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      if (n % (UDP_NEW_CLIENTS / 2) === 0) await this.clock.advance(1_000);
      this.from(`10.${n >> 16 & 255}.${n >> 8 & 255}.${n & 255}`, 1);
    }
  }
}

test("strangers make room for each other, and who was answered and sent again for none of them", async () => {
  const rig = await Rig.open();
  for (let n = 1; n <= 100; n++) {
    rig.from("192.0.2.1", n);
    rig.answer("192.0.2.1", n);
    rig.from("192.0.2.1", n);
  }
  await rig.flood(3 * MAX_UDP_CLIENTS);
  assert.equal(rig.port.size, MAX_UDP_CLIENTS);
  for (let n = 1; n <= 100; n++) assert.ok(rig.isThere("192.0.2.1", n));
});

test("the address that crowds a port makes room first", async () => {
  const rig = await Rig.open();
  for (let n = 0; n < MAX_UDP_CLIENTS - 10; n++) {
    if (n % 100 === 0) await rig.clock.advance(1_000);
    rig.from("192.0.2.1", n);
  }
  await rig.flood(50);
  assert.equal(rig.port.size, MAX_UDP_CLIENTS);
  for (let n = 0; n < 50; n++) assert.ok(rig.isThere(`10.0.0.${n}`, 1));
  for (let n = 0; n < 40; n++) assert.ok(!rig.isThere("192.0.2.1", n));
});

test("when all have been answered, the next one has to wait until one goes", async () => {
  const rig = await Rig.open();
  for (let n = 0; n < MAX_UDP_CLIENTS; n++) {
    if (n % 100 === 0) await rig.clock.advance(1_000);
    rig.from("192.0.2.1", n);
    rig.answer("192.0.2.1", n);
    rig.from("192.0.2.1", n);
  }
  rig.from("192.0.2.2", 1);
  assert.ok(!rig.isThere("192.0.2.2", 1));
  rig.clients.get("192.0.2.1:7")!.close();
  rig.from("192.0.2.2", 1);
  assert.ok(rig.isThere("192.0.2.2", 1));
});

test("new clients come at a bounded pace, from one address and in all", async () => {
  const rig = await Rig.open();
  for (let n = 0; n < 1_000; n++) rig.from("192.0.2.1", n);
  assert.equal(rig.port.size, UDP_NEW_CLIENTS_PER_ADDRESS);
  rig.from("192.0.2.2", 1);
  assert.ok(rig.isThere("192.0.2.2", 1));
  for (let n = 0; n < 3_000; n++) rig.from(`10.0.${n >> 8}.${n & 255}`, 1);
  assert.equal(rig.clients.size, UDP_NEW_CLIENTS);
  const { received, overflowed } = rig.port.datagrams;
  assert.equal(received - overflowed, UDP_NEW_CLIENTS);
});

test("who was turned away is not asked for again at once", async () => {
  const rig = await Rig.open();
  rig.refuses = true;
  for (let n = 0; n < 10; n++) rig.from("192.0.2.1", 1);
  assert.equal(rig.turnedAway, 1);
  await rig.clock.advance(UDP_REFUSED_MS + 1);
  rig.from("192.0.2.1", 1);
  assert.equal(rig.turnedAway, 2);
  assert.equal(rig.port.datagrams.overflowed, 11);
});

test("a port that is closed ends its clients, and hears nobody", async () => {
  const rig = await Rig.open();
  rig.from("192.0.2.1", 1);
  const { read } = { read: rig.clients.get("192.0.2.1:1")!.read(new Uint8Array(100)) };
  assert.equal(await read, 7);
  const next = rig.clients.get("192.0.2.1:1")!.read(new Uint8Array(100));
  rig.port.close();
  rig.port.close();
  await rig.port.ended;
  assert.equal(await next, null);
  rig.from("192.0.2.3", 1);
  assert.equal(rig.clients.size, 1);
});
