/** What Nagle's algorithm (RFC 896) does to a side whose stack has it, in virtual time: bulk to it is not held up. */
import assert from "node:assert/strict";
import { test } from "../../tests/rig/test.ts";
import type { Link, LinkOutput, Sent } from "../link.ts";
import { Pair, type Pipe } from "./_simulation_test.ts";
import { User } from "./_users_test.ts";
import { concat } from "../bytes.ts";

/** Largest segment of a usual path. */
const MSS = 1_448;

/** How long a stack keeps an acknowledgement back, in milliseconds, in the hope that it can go with data. */
const DELAYED_ACK_MS = 40;

/** A side's output behind Nagle's algorithm: one small write at a time is on its way without an acknowledgement of TCP's. */
class Nagled implements LinkOutput, Pick<Link, "receive"> {
  readonly pending = 0;
  readonly #pair: Pair;
  readonly #latency: number;
  readonly #out: Pipe;
  readonly #to: Pick<Link, "receive">;
  #held: Uint8Array[] = [];
  #smallAt: number | undefined;

  /** What the server of `pair` sends and receives goes by way of it from now on. */
  constructor(pair: Pair, latency: number) {
    this.#pair = pair;
    this.#latency = latency;
    this.#out = pair.toDevice;
    this.#to = pair.server;
    pair.server.attach({ output: this, nagle: true });
    pair.toServer.to = this;
  }

  control(frame: Uint8Array): void {
    this.#write(frame);
  }

  data(frame: Uint8Array): Sent {
    this.#write(frame);
    return "copied";
  }

  /** Bytes came: those that set out after the small write had come acknowledge it, too. */
  receive(bytes: Uint8Array, now: number): void {
    if (this.#smallAt !== undefined && now >= this.#smallAt + 2 * this.#latency) this.#acknowledged();
    this.#to.receive(bytes, now);
  }

  #write(frame: Uint8Array): void {
    if (this.#smallAt === undefined) return this.#send(frame);
    this.#held.push(frame.slice());
    if (this.#held.reduce((sum, { length }) => sum + length, 0) >= MSS) this.#flush();
  }

  #send(bytes: Uint8Array): void {
    this.#out.control(bytes);
    if (bytes.length >= MSS) return;
    const { time } = this.#pair;
    const at = this.#smallAt = time.now;
    time.after(2 * this.#latency + DELAYED_ACK_MS, () => this.#smallAt === at && this.#acknowledged());
  }

  #acknowledged(): void {
    this.#smallAt = undefined;
    this.#flush();
  }

  #flush(): void {
    if (this.#held.length > 0) this.#send(concat(this.#held.splice(0)));
  }
}

/** Milliseconds that `total` bytes from a device take, with so many that the server may grant. */
async function took(total: number, bound: number, nagle: boolean): Promise<number> {
  const network = { latency: 1, rate: 250_000, late: 0.1, cuts: false };
  const pair = new Pair(7, network, { bound });
  if (nagle) new Nagled(pair, network.latency);
  pair.onOpen = (channel) => {
    pair.device.accept(channel);
    new User(pair.time, pair.random, channel, 2, 1, 0).send(total, 65_535, 0);
  };
  const client = new User(pair.time, pair.random, pair.server.open(1, "a:1", "b:1")!, 1, 2, 0);
  while (client.received < total && pair.time.now < 60_000) await pair.time.run(pair.time.now + 1);
  pair.check();
  assert.equal(client.received, total);
  pair.lose();
  return pair.time.now;
}

test("bulk to a side behind Nagle's algorithm waits for no delayed acknowledgement of TCP's", async () => {
  for (const bound of [300_000, 64_000_000]) {
    const [held, usual] = [await took(50_000_000, bound, true), await took(50_000_000, bound, false)];
    assert(held <= 2 * usual, `with ${bound} bytes to grant it took ${held} ms in place of ${usual}`);
  }
});
