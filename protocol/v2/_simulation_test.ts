/**
 * A server's and a device's link joined by pipes in virtual time; users are in `_users_test.ts`. No tests here.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Random } from "../../tests/rig/random.ts";
import { Time } from "../../tests/rig/sim/time.ts";
import { type Network, Way } from "../../tests/rig/sim/way.ts";
import type { FrameFate, Link, LinkOutput, Sent } from "../link.ts";
import { WindowBudget } from "./receive_windows.ts";
import { SendLog } from "./send/send_log.ts";
import type { V2Channel } from "./channel.ts";
import { V2DeviceCore } from "./device_core.ts";
import type { V2CoreOptions } from "./session_options.ts";
import { V2ServerCore } from "./server_core.ts";

/** One direction: what one side's link sends, the other's receives. */
export class Pipe implements LinkOutput {
  readonly pending = 0;
  to: Pick<Link, "receive"> | undefined;
  /** Set when the peer broke the protocol. */
  error: unknown;
  readonly #time: Time;
  readonly #random: Random;
  readonly #way: Way;

  constructor(time: Time, random: Random, network: Network) {
    this.#time = time;
    this.#random = random;
    this.#way = new Way(time, random, network, { onBytes: (bytes) => this.#receive(bytes) });
  }

  /** Bytes that went in. */
  get bytes(): number {
    return this.#way.bytes;
  }

  control(frame: Uint8Array): void {
    this.#way.send(frame);
  }

  /** Sometimes the kernel has no room: then a frame that was lent is looked at later, and must not have been touched. */
  data(frame: Uint8Array, fate: FrameFate): Sent {
    this.#way.send(frame);
    if (!this.#random.oneIn(4)) return fate;
    const before = fate === "lent" && frame.slice();
    return new Promise((resolve) => {
      this.#time.after(this.#random.upTo(3), () => {
        if (before && !this.#way.isCut) {
          assert.deepEqual(frame, before, "a frame was touched while it was being written");
        }
        resolve(fate);
      });
    });
  }

  /** The connection is lost: what is under way never comes. */
  cut(): void {
    this.#way.cut();
  }

  #receive(bytes: Uint8Array): void {
    if (!this.to || this.error) return;
    try {
      this.to.receive(bytes, this.#time.now);
    } catch (error) {
      this.error = error;
    }
  }
}

/** A pair of sessions, and the link between them. */
export class Pair {
  readonly time = new Time();
  readonly random: Random;
  readonly serverLog = new SendLog();
  readonly deviceLog = new SendLog();
  toDevice: Pipe;
  toServer: Pipe;
  /** Whether the sessions have ended. */
  over = false;
  readonly #network: Network;
  readonly #nagle: boolean;
  readonly server: V2ServerCore;
  readonly device: V2DeviceCore;
  readonly serverBudget: WindowBudget;
  readonly deviceBudget: WindowBudget;
  /** Called on the device for each CONNECT, with the number of the service. */
  onOpen: (channel: V2Channel, service: number) => void = () => {};
  /** What the device said of refused ones. */
  readonly unreachable: string[] = [];

  /** The device's wall clock runs `clockOffset` milliseconds ahead of the server's. */
  constructor(
    seed: number,
    network: Network,
    { bound = 64 * 1024 * 1024, nagle = false, clockOffset = 0, resumes = true } = {},
  ) {
    this.random = new Random(seed);
    this.#network = network;
    this.#nagle = nagle;
    this.toDevice = this.pipe();
    this.toServer = this.pipe();
    this.serverBudget = new WindowBudget(bound);
    this.deviceBudget = new WindowBudget(bound);
    const events = { onGoodbye: () => {}, onSettings: () => {} };
    const options = (budget: WindowBudget, log: SendLog, offset: number): V2CoreOptions => ({
      budget,
      log: resumes ? log : undefined,
      time: { now: () => this.time.now, wall: () => Math.round(1_700_000_000_000 + this.time.now + offset) },
    });
    this.server = new V2ServerCore(options(this.serverBudget, this.serverLog, 0), 65_536, {
      ...events,
      onOffers: () => {},
      onUnreachable: (_, text) => void this.unreachable.push(text),
    });
    this.device = new V2DeviceCore(options(this.deviceBudget, this.deviceLog, clockOffset), 65_536, {
      ...events,
      onGrants: () => {},
      onOpen: (channel, { service }) => this.onOpen(channel, Number(service)),
    });
    this.attachServer(this.toDevice, this.toServer, 0);
    this.attachDevice(this.toDevice, this.toServer, 0);
  }

  /** A way from one side to the other that nobody uses yet. */
  pipe(): Pipe {
    return new Pipe(this.time, this.random, this.#network);
  }

  /** The server's session goes on with a device that has received all before `position`. */
  attachServer(toDevice: Pipe, toServer: Pipe, position: number): void {
    this.toServer.to = undefined; // fenced: nothing that still comes there is applied
    this.toServer = toServer;
    toServer.to = this.server;
    this.server.attach({ output: toDevice, nagle: this.#nagle }, position);
  }

  /** The device's session goes on with a server that has received all before `position`. */
  attachDevice(toDevice: Pipe, toServer: Pipe, position: number): void {
    this.toDevice.to = undefined;
    this.toDevice = toDevice;
    toDevice.to = this.device;
    this.device.attach({ output: toServer, nagle: this.#nagle }, position);
  }

  /** Fails if a side broke the protocol. */
  check(): void {
    for (const { error } of [this.toDevice, this.toServer]) if (error) throw error;
  }

  /** Cuts the link, and ends both sessions. */
  lose(): void {
    this.over = true;
    this.toDevice.cut();
    this.toServer.cut();
    this.server.end("link-lost");
    this.device.end("link-lost");
  }
}
