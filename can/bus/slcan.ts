/**
 * A bus behind an adapter that speaks slcan, over whatever carries its bytes.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import { within } from "../../base/within.ts";
import type { Duplex } from "../../net/socket.ts";
import { at, type CanFrame } from "../frame.ts";
import { CAN_READ_SIZE, MAX_SLCAN_LINE, MAX_SLCAN_OUTPUT, SLCAN_ANSWER_MS } from "../limits.ts";
import { bytesOf } from "../text.ts";
import { MAX_FRAME_LINE, readSlcanFrame, SLCAN_BITRATES, SlcanLines, writeSlcanFrame } from "../wires/slcan_frames.ts";
import { type Backend, type Bus, BusError, type BusListener, type BusSettings } from "./bus.ts";

/** The bus behind what `connect` opens; `name` is for people. */
export function slcanBackend(name: string, connect: () => Promise<Duplex>, clock: Clock): Backend {
  return {
    name,
    takesBitrate: true,
    open: async (settings, listener) => {
      const speed = settings.bitrate === undefined ? undefined : speedOf(settings.bitrate);
      const bus = new SlcanBus(name, await connect(), clock, listener);
      try {
        await bus.setUp(speed, settings);
      } catch (error) {
        bus.close();
        throw error instanceof BusError ? error : new BusError(`${name}: ${describeError(error)}`, { cause: error });
      }
      return bus;
    },
  };
}

/** The digit that stands for a bitrate. */
function speedOf(bitrate: number): number {
  const speed = SLCAN_BITRATES.indexOf(bitrate);
  if (speed >= 0) return speed;
  const known = SLCAN_BITRATES.toSorted((a, b) => a - b).join(", ");
  throw new BusError(`slcan has no bitrate ${bitrate}; there are ${known}`);
}

const REFUSED = "\x07";

class SlcanBus implements Bus {
  readonly #name: string;
  readonly #duplex: Duplex;
  readonly #clock: Clock;
  readonly #listener: BusListener;
  readonly #line = new Uint8Array(MAX_FRAME_LINE);
  readonly #out = new Uint8Array(MAX_SLCAN_OUTPUT);
  #fill = 0;
  #writing = false;
  #answer: ((line: string | undefined) => void) | undefined;
  #open = false;
  #closed = false;

  constructor(name: string, duplex: Duplex, clock: Clock, listener: BusListener) {
    this.#name = name;
    this.#duplex = duplex;
    this.#clock = clock;
    this.#listener = listener;
    this.#readAll();
  }

  /** Closes what an earlier user left open, then opens anew. */
  async setUp(speed: number | undefined, { listenOnly }: BusSettings): Promise<void> {
    this.#queue(bytesOf("\rC\r"));
    await this.#answered(() => false); // whatever there is to that: it is no answer to what comes next
    if (speed !== undefined && await this.#command(`S${speed}\r`) === REFUSED) {
      throw new BusError(`${this.#name} does not take the bitrate ${SLCAN_BITRATES[speed]}`);
    }
    if (await this.#command(listenOnly ? "L\r" : "O\r") === REFUSED) {
      throw new BusError(`${this.#name} does not open its bus`);
    }
    if (this.#closed) throw new BusError(`${this.#name} has hung up`);
    this.#open = true;
  }

  /** The answer to a command; `undefined` from adapters that give none. */
  #command(text: string): Promise<string | undefined> {
    this.#queue(bytesOf(text));
    return this.#answered((line) => line === "" || line === REFUSED);
  }

  /** The next line that is one; `undefined` if none comes in time. */
  #answered(isOne: (line: string) => boolean): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const done = (line: string | undefined) => {
        if (line !== undefined && !isOne(line)) return;
        cancel();
        this.#answer = undefined;
        resolve(line);
      };
      const cancel = this.#clock.after(SLCAN_ANSWER_MS, () => done(undefined));
      this.#answer = done;
    });
  }

  send(frame: CanFrame): boolean {
    if (this.#closed) throw new BusError(`${this.#name} is gone`);
    const size = writeSlcanFrame(frame, this.#line, 0);
    return size === 0 || this.#queue(this.#line.subarray(0, size));
  }

  #queue(bytes: Uint8Array): boolean {
    if (this.#fill + bytes.length > this.#out.length) return false;
    this.#out.set(bytes, this.#fill);
    this.#fill += bytes.length;
    if (!this.#writing) this.#writeAll();
    return true;
  }

  async #writeAll(): Promise<void> {
    this.#writing = true;
    try {
      while (this.#fill > 0 && !this.#closed) {
        const count = await this.#duplex.write(this.#out.subarray(0, this.#fill));
        this.#out.copyWithin(0, count, this.#fill);
        this.#fill -= count;
      }
    } catch (error) {
      this.#ended(describeError(error));
    } finally {
      this.#writing = false;
    }
  }

  async #readAll(): Promise<void> {
    const chunk = new Uint8Array(CAN_READ_SIZE);
    const lines = new SlcanLines(MAX_SLCAN_LINE);
    try {
      for (;;) {
        const count = await this.#duplex.read(chunk);
        if (count === null) return this.#ended("it has hung up");
        for (const line of lines.push(chunk.subarray(0, count))) if (line !== undefined) this.#take(line);
      }
    } catch (error) {
      this.#ended(describeError(error));
    }
  }

  #take(line: string): void {
    const frame = this.#open ? readSlcanFrame(line, true) : undefined;
    if (frame) this.#listener.frame(at(frame, this.#clock.wall() / 1000));
    else this.#answer?.(line);
  }

  #ended(why: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#duplex.close();
    this.#answer?.(undefined);
    if (this.#open) this.#listener.trouble(`${this.#name}: ${why}`, true);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#answer?.(undefined);
    const end = () => this.#duplex.close();
    if (this.#writing || !this.#open) return end();
    // In the adapter's own words, if it takes them now; else the next user says them.
    within(this.#clock, SLCAN_ANSWER_MS, end, async () => await this.#duplex.write(bytesOf("C\r"))).catch(() => {})
      .finally(end);
  }
}
