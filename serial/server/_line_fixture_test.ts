/**
 * A line that the test plays, and a service on it.
 *
 * @module
 */

import { FakeClock } from "../../tests/rig/clock.ts";
import { settled } from "../../tests/rig/wait.ts";
import type { Connection } from "../../net/socket.ts";
import { parseSerialEndpoint } from "../endpoint.ts";
import { type LineErrors, type ModemLines, SerialError, type SerialLine } from "../line/line.ts";
import type { LineSettings } from "../settings.ts";
import { openSerialService, type SerialService } from "./service.ts";

/** A line in memory. */
export class TestLine implements SerialLine {
  settings: LineSettings;
  /** What was done to it, in order. */
  readonly said: string[] = [];
  /** Whether it takes nothing. */
  stalled = false;
  lines: ModemLines | undefined = { cts: true, dsr: true, ri: false, cd: false, dtr: true, rts: true };
  counts: LineErrors = { framing: 0, overrun: 0, parity: 0, breaks: 0 };
  /** How many bytes have been read from it. */
  count = 0;
  #incoming: Uint8Array[] = [];
  #reading: { into: Uint8Array; resolve: (count: number | null) => void } | undefined;
  #writing: (() => void) | undefined;
  #hungUp = false;

  constructor(settings: LineSettings) {
    this.settings = settings;
  }

  set(settings: LineSettings): LineSettings {
    this.said.push(
      `set ${settings.baud} ${settings.dataBits}${settings.parity[0]}${settings.stopBits} ${settings.flow}`,
    );
    return this.settings = settings;
  }
  setBreak(on: boolean): void {
    this.said.push(`break ${on ? "on" : "off"}`);
  }
  setModem(which: "dtr" | "rts", on: boolean): void {
    this.said.push(`${which} ${on ? "on" : "off"}`);
    if (this.lines) this.lines = { ...this.lines, [which]: on };
  }
  modem(): ModemLines | undefined {
    return this.lines;
  }
  errors(): LineErrors {
    return this.counts;
  }
  purge(received: boolean, toSend: boolean): void {
    this.said.push(`purge${received ? " received" : ""}${toSend ? " to-send" : ""}`);
  }
  read(into: Uint8Array): Promise<number | null> {
    return new Promise((resolve) => {
      this.#reading = { into, resolve };
      this.#pass();
    });
  }
  async write(bytes: Uint8Array): Promise<number> {
    const copy = bytes.slice();
    if (this.stalled) await new Promise<void>((resolve) => this.#writing = resolve);
    if (this.#hungUp) throw new Error("Input/output error");
    this.said.push(`> ${new TextDecoder("latin1").decode(copy)}`);
    return copy.length;
  }
  close(): Promise<void> {
    this.said.push("closed");
    return Promise.resolve();
  }
  cut(): void {
    this.said.push("cut");
  }

  /** Sends from the far end. */
  send(bytes: Uint8Array | string): void {
    this.#incoming.push(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
    this.#pass();
  }

  /** It takes bytes again. */
  resume(): void {
    this.stalled = false;
    this.#writing?.();
  }

  /** It is pulled out. */
  hangUp(): void {
    this.#hungUp = true;
    this.#pass();
    this.resume();
  }

  #pass(): void {
    const reading = this.#reading;
    const next = this.#incoming[0];
    if (!reading || (!next && !this.#hungUp)) return;
    this.#reading = undefined;
    if (!next) return reading.resolve(null);
    const part = next.subarray(0, reading.into.length);
    reading.into.set(part);
    this.count += part.length;
    if (part.length < next.length) this.#incoming[0] = next.subarray(part.length);
    else this.#incoming.shift();
    reading.resolve(part.length);
  }
}

/** A service on lines that the test plays. */
export class Bench {
  readonly clock = new FakeClock();
  readonly service: SerialService;
  /** Those that were opened, the last one last. */
  readonly lines: TestLine[] = [];
  /** Why none can be opened now. */
  trouble: string | undefined;

  constructor(options: string) {
    this.service = openSerialService(parseSerialEndpoint(`/dev/ttyS9,${options}`), {
      clock: this.clock,
      open: (settings) => {
        if (this.trouble !== undefined) throw new SerialError(this.trouble);
        const line = new TestLine(settings);
        this.lines.push(line);
        return line;
      },
    });
  }

  /** The line that was opened last. */
  get line(): TestLine {
    return this.lines.at(-1)!;
  }

  /** A client that reads all there is for it, until it is told to pause. */
  async client(address = "10.0.0.5:4000"): Promise<TestUser> {
    return new TestUser(await this.service.connect(address));
  }
}

/** A client that reads, and keeps what it reads. */
export class TestUser {
  readonly conn: Connection;
  /** How its connection has ended. */
  end: string | undefined;
  #got: number[] = [];
  #pause: Promise<void> = Promise.resolve();
  #resume: () => void = () => {};

  constructor(conn: Connection) {
    this.conn = conn;
    this.#run();
  }

  /** Reads nothing more, but for what is being read. */
  pause(): void {
    this.#pause = new Promise((resolve) => this.#resume = resolve);
  }

  /** Reads again. */
  resume(): void {
    this.#resume();
  }

  /** What was read since the last time, as Latin-1. */
  async text(): Promise<string> {
    return new TextDecoder("latin1").decode(await this.bytes());
  }

  /** What was read since the last time. */
  async bytes(): Promise<Uint8Array> {
    await settled();
    const got = Uint8Array.from(this.#got);
    this.#got = [];
    return got;
  }

  /** Writes all of it. */
  async write(bytes: Uint8Array | string): Promise<void> {
    const all = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    for (let at = 0; at < all.length;) at += await this.conn.write(all.subarray(at));
    await settled();
  }

  async #run(): Promise<void> {
    const into = new Uint8Array(65_536);
    try {
      for (;;) {
        await this.#pause;
        const count = await this.conn.read(into);
        if (count === null) return void (this.end = "end");
        for (const byte of into.subarray(0, count)) this.#got.push(byte);
      }
    } catch (error) {
      this.end = error instanceof Deno.errors.ConnectionReset ? "reset" : "closed";
    }
  }
}
