/**
 * Clients and a bus without sockets or kernels.
 *
 * @module
 */

import { concat } from "../../protocol/bytes.ts";
import type { Duplex } from "../../net/socket.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { ascii } from "../../tests/rig/bytes.ts";
import { settled, within } from "../../tests/rig/wait.ts";
import { type Backend, BusError, type BusListener, type BusSettings } from "../bus/bus.ts";
import type { CanFrame } from "../frame.ts";
import type { WireChoice } from "../wires/detect.ts";
import { ServedClient } from "./client.ts";
import { BusHub } from "./hub.ts";

/** The service's end of a connection, and what the test does at the other one. */
export class TestClient implements Duplex {
  /** What the service has written. */
  out = new Uint8Array(0);
  /** Whether it has ended its side, or closed both. */
  end: "none" | "half" | "closed" = "none";
  /** While it is set, the client takes nothing. */
  stalled = false;

  #in: Uint8Array[] = [];
  #ended = false;
  #reader: PromiseWithResolvers<number | null> | undefined;
  #into: Uint8Array | undefined;
  #writers: { readonly bytes: Uint8Array; readonly done: PromiseWithResolvers<number> }[] = [];

  /** Sends bytes to the service, and lets it have them. */
  async send(bytes: Uint8Array | string): Promise<void> {
    this.#in.push(typeof bytes === "string" ? ascii(bytes) : bytes.slice());
    this.#pump();
    await settled();
  }

  /** Ends the client's side. */
  async finish(): Promise<void> {
    this.#ended = true;
    this.#pump();
    await settled();
  }

  /** Takes again what it did not. */
  async resume(): Promise<void> {
    this.stalled = false;
    for (const { bytes, done } of this.#writers.splice(0)) done.resolve(this.#accept(bytes));
    await settled();
  }

  /** What has come since the last call. */
  take(): Uint8Array<ArrayBuffer> {
    const out = this.out as Uint8Array<ArrayBuffer>;
    this.out = new Uint8Array(0);
    return out;
  }

  /** The same as text. */
  text(): string {
    return new TextDecoder().decode(this.take());
  }

  read(into: Uint8Array): Promise<number | null> {
    this.#reader = Promise.withResolvers();
    this.#into = into;
    const { promise } = this.#reader;
    if (this.end === "closed") this.#reader.reject(new Error("closed"));
    else this.#pump();
    return promise;
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.end !== "none") return Promise.reject(new Error("closed"));
    if (!this.stalled) return Promise.resolve(this.#accept(bytes));
    const done = Promise.withResolvers<number>();
    this.#writers.push({ bytes, done });
    return done.promise;
  }

  closeWrite(): Promise<void> {
    if (this.end === "none") this.end = "half";
    return Promise.resolve();
  }

  close(): void {
    this.end = "closed";
    this.#reader?.reject(new Error("closed"));
    for (const { done } of this.#writers.splice(0)) done.reject(new Error("closed"));
  }

  #accept(bytes: Uint8Array): number {
    this.out = concat([this.out, bytes]);
    return bytes.length;
  }

  #pump(): void {
    if (!this.#reader) return;
    const piece = this.#in.shift();
    if (piece) {
      const count = Math.min(piece.length, this.#into!.length);
      this.#into!.set(piece.subarray(0, count));
      if (count < piece.length) this.#in.unshift(piece.subarray(count));
      this.#reader.resolve(count);
    } else if (this.#ended) {
      this.#reader.resolve(null);
    } else {
      return;
    }
    this.#reader = undefined;
  }
}

/** A bus that does what the test says. */
export class TestBackend implements Backend {
  readonly name = "test0";
  takesBitrate = true;
  /** Why it cannot be opened. */
  broken: string | undefined;
  /** Whether it has no room. */
  full = false;
  /** Why it takes no frame. */
  deaf: string | undefined;
  /** What was sent to it. */
  readonly frames: CanFrame[] = [];
  /** How it was opened, each time. */
  readonly opened: BusSettings[] = [];
  /** Who hears of it, while it is open. */
  listener: BusListener | undefined;

  open(settings: BusSettings, listener: BusListener) {
    if (this.broken !== undefined) return Promise.reject(new BusError(this.broken));
    this.opened.push(settings);
    this.listener = listener;
    return Promise.resolve({
      send: (frame: CanFrame) => {
        if (this.deaf !== undefined) throw new BusError(this.deaf);
        if (!this.full) this.frames.push(frame);
        return !this.full;
      },
      close: () => {
        if (this.listener === listener) this.listener = undefined;
      },
    });
  }
}

/** A bus with clients on it, in a time of its own. */
export class Bench {
  readonly clock = new FakeClock();
  readonly backend = new TestBackend();
  readonly said: string[] = [];
  readonly hub: BusHub;
  /** Why no client may have the bus. */
  barred: string | undefined;
  readonly #running: Promise<string>[] = [];
  readonly #clients: TestClient[] = [];

  constructor({ bitrate, listenOnly = false }: { bitrate?: number; listenOnly?: boolean } = {}) {
    this.hub = new BusHub({
      backend: this.backend,
      bitrate,
      listenOnly,
      fd: false,
      clock: this.clock,
      onOpen: (bitrate) => this.said.push(`open ${bitrate}`),
      onTrouble: (why, gone) => this.said.push(`trouble ${why} ${gone}`),
      onClose: () => this.said.push("closed"),
    });
  }

  /** A new client. */
  async client(choice: WireChoice = "auto"): Promise<TestClient & { served: ServedClient; ended: Promise<string> }> {
    const duplex = new TestClient();
    const served = new ServedClient({
      duplex,
      address: `client-${this.#clients.length}`,
      choice,
      hub: this.hub,
      clock: this.clock,
      barred: () => this.barred,
      onOpen: ({ address }) => this.said.push(`${address} has it`),
      onLoss: ({ address }) => this.said.push(`${address} loses`),
      onMistake: ({ address }, text) => this.said.push(`${address}: ${text}`),
    });
    const ended = served.run();
    this.#running.push(ended);
    this.#clients.push(duplex);
    await settled();
    return Object.assign(duplex, { served, ended: within(ended, "the end of a client") });
  }

  /** One that has the bus, by `opening`; what was answered to that is forgotten. */
  async opened(opening: Uint8Array | string, choice: WireChoice = "auto") {
    const client = await this.client(choice);
    await client.send(opening);
    client.take();
    return client;
  }

  /** The bus says a frame. */
  async hear(...frames: CanFrame[]): Promise<void> {
    for (const frame of frames) this.backend.listener!.frame(frame);
    await settled();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    await Promise.all(this.#running);
    this.hub.close();
  }
}
