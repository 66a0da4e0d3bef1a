/**
 * A server's and a device's link joined by pipes, under any interleaving of what users do and what a network does.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { V1Channel as Channel } from "./channel.ts";
import { V1DeviceLink } from "./device_link.ts";
import type { FrameFate, LinkOutput } from "../link.ts";
import type { V1Link as Link } from "./link.ts";
import type { ChannelEndReason } from "../reasons.ts";
import { V1ServerLink } from "./server_link.ts";
import { concat } from "../bytes.ts";
import { hex } from "../../tests/rig/bytes.ts";
import { test } from "../../tests/rig/test.ts";

/** Few ids, so that they are used again and again. */
const IDS = 5;

/** Bytes on their way to one link. */
class Pipe implements LinkOutput {
  readonly pending = 0;
  #bytes: Uint8Array = new Uint8Array(0);

  control(frame: Uint8Array): void {
    this.#bytes = concat([this.#bytes, frame]);
  }

  data(frame: Uint8Array, fate: FrameFate): FrameFate {
    this.#bytes = concat([this.#bytes, frame]);
    return fate;
  }

  get length(): number {
    return this.#bytes.length;
  }

  deliver(to: Link, count: number): void {
    const chunk = this.#bytes.slice(0, count);
    this.#bytes = this.#bytes.slice(count);
    if (chunk.length > 0) to.receive(chunk);
  }
}

/** One side of one client's connection. */
class Side {
  readonly channel: Channel;
  readonly sent: number[] = [];
  readonly received: number[] = [];
  ended: ChannelEndReason | undefined;
  closed = false;

  constructor(channel: Channel) {
    this.channel = channel;
    channel.receiver = {
      onData: (bytes) => {
        assert.equal(this.ended, undefined, "bytes came after the end");
        assert.equal(this.closed, false, "bytes came after the own close");
        this.received.push(...bytes);
      },
      onEnd: (reason) => {
        assert.equal(this.ended, undefined, "it ended twice");
        this.ended = reason;
      },
    };
  }

  get over(): boolean {
    return this.closed || this.ended !== undefined;
  }

  send(bytes: number[]): void {
    if (this.over) return;
    const frame = Uint8Array.of(0, 0, 0, 0, ...bytes);
    this.channel.send(frame, bytes.length);
    this.sent.push(...bytes);
  }

  close(): void {
    if (this.over) return;
    this.closed = true;
    this.channel.close();
  }
}

type Action =
  | { readonly do: "open" | "challenge" }
  | { readonly do: "send"; readonly from: "client" | "service"; readonly which: number; readonly size: number }
  | { readonly do: "close"; readonly from: "client" | "service"; readonly which: number }
  | { readonly do: "deliver"; readonly to: "device" | "server"; readonly count: number };

class World {
  readonly clients: Side[] = [];
  readonly services = new Map<number, Side>(); // by the number of the client
  now = 0;
  readonly #time = { now: () => this.now };
  readonly #toDevice = new Pipe();
  readonly #toServer = new Pipe();
  readonly #server = new V1ServerLink(this.#toDevice, this.#time, { onListening: () => {} }, IDS);
  readonly #device = new V1DeviceLink(this.#toServer, this.#time, {
    onOpen: (channel, early) => {
      assert.equal(early.length, 0, "bytes of another channel were given to this one");
      this.services.set(channel.target.port, new Side(channel));
    },
    onGone: (id) => assert.fail(`a CLOSE of before was taken for one of client ${id}`),
    onBadConnect: (_, why) => assert.fail(why),
  });
  #byte = 0;

  constructor() {
    this.#device.listen();
    this.deliverAll();
  }

  act(action: Action): void {
    this.now++;
    this.tick();
    switch (action.do) {
      case "open": {
        const channel = this.#server.open({ host: "a", port: this.clients.length + 1 });
        if (channel) this.clients.push(new Side(channel));
        else assert(!this.idle, "all ids were free, and none was given");
        return;
      }
      case "challenge":
        this.#server.challenge();
        return;
      case "send":
        return this.side(action.from, action.which)?.send(
          Array.from({ length: action.size }, () => this.#byte++ & 255),
        );
      case "close":
        return this.side(action.from, action.which)?.close();
      case "deliver":
        if (action.to === "device") this.#toDevice.deliver(this.#device, action.count);
        else this.#toServer.deliver(this.#server, action.count);
    }
  }

  /** One of the latest clients, or its service if it has one by now. */
  side(from: "client" | "service", which: number): Side | undefined {
    const n = this.clients.length - which % (IDS + 2);
    return from === "client" ? this.clients[n - 1] : this.services.get(n);
  }

  /** Whether nobody is connected, nothing under way, and no challenge unanswered. */
  get idle(): boolean {
    return this.clients.every((client) => !client.channel.open) &&
      this.#toServer.length + this.#toDevice.length === 0 && this.#device.deadline === Infinity;
  }

  tick(): void {
    if (this.#device.deadline <= this.now) this.#device.tick();
  }

  deliverAll(): void {
    while (this.#toDevice.length + this.#toServer.length > 0) {
      this.#toDevice.deliver(this.#device, Infinity);
      this.#toServer.deliver(this.#server, Infinity);
    }
  }

  /** The network catches up, challenges are answered, clients go home. */
  finish(): void {
    this.deliverAll();
    this.now += 1_000;
    this.tick();
    this.deliverAll();
    for (const client of this.clients) client.close();
    this.deliverAll();
    assert.equal(this.#server.channelCount, 0);
    assert.equal(this.#device.channelCount, 0);
    assert.equal(this.#server.freeIds, IDS, "an id was lost");
  }
}

const which = fc.nat(IDS + 1);
const from = fc.constantFrom("client" as const, "service" as const);
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Action>({ do: "open" }) },
  { weight: 1, arbitrary: fc.constant<Action>({ do: "challenge" }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("send" as const), from, which, size: fc.integer({ min: 1, max: 30 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("close" as const), from, which }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("deliver" as const),
      to: fc.constantFrom("device" as const, "server" as const),
      count: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant(1_000)),
    }),
  },
);

function assertPrefix(received: number[], sent: number[]): void {
  assert.equal(hex(Uint8Array.from(received)), hex(Uint8Array.from(sent.slice(0, received.length))));
}

test("any interleaving delivers exactly what was sent on each channel, in order, and ends every channel", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 150, size: "max" }), (actions) => {
      const world = new World();
      for (const action of actions) world.act(action);
      world.finish();
      for (const [at, client] of world.clients.entries()) {
        const service = world.services.get(at + 1);
        assert(service, "a client never reached its service");
        assert(client.over && service.over);
        assert.equal(client.ended ?? "service-closed", "service-closed");
        assert.equal(service.ended ?? "client-closed", "client-closed");
        assertPrefix(service.received, client.sent);
        assertPrefix(client.received, service.sent);
        // Whoever did not close first has everything that was sent to it.
        if (!service.closed) assert.equal(service.received.length, client.sent.length);
        if (!client.closed) assert.equal(client.received.length, service.sent.length);
        assert.equal(client.channel.bytesSent, client.sent.length);
        assert.equal(service.channel.bytesReceived, service.received.length);
      }
    }),
    { numRuns: 300 },
  );
});
