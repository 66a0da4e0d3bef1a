/**
 * What goes out to one client: answers, which are never lost, and frames, of which the oldest are when it is slow.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Duplex } from "../../net/socket.ts";
import { type CanFrame, overflowFrame } from "../frame.ts";
import { CAN_WRITE_SIZE, MAX_CLIENT_ANSWERS, MAX_CLIENT_FRAMES } from "../limits.ts";
import { SILENCE, type Wire } from "../wire.ts";
import { FrameQueue } from "./frame_queue.ts";

interface Answer {
  readonly bytes: Uint8Array;
  readonly pause: number;
}

/** Writes to one client, in one loop. */
export class Outbox {
  /** Frames that were written. */
  sent = 0;
  readonly #duplex: Duplex;
  readonly #clock: Clock;
  readonly #onLoss: () => void;
  readonly #frames = new FrameQueue(MAX_CLIENT_FRAMES);
  #wire: Wire | undefined;
  #told = 0; // of the losses
  #answers: Answer[] = [];
  #waiting = 0; // bytes of answers
  #paused = false;
  #cancelPause: () => void = () => {};
  #ending = false;
  #wake: (() => void) | undefined;
  #drained: (() => void)[] = [];

  /** @param onLoss called when a frame was lost. */
  constructor(duplex: Duplex, clock: Clock, onLoss: () => void) {
    this.#duplex = duplex;
    this.#clock = clock;
    this.#onLoss = onLoss;
  }

  /** Frames that were lost as the client did not take them. */
  get lost(): number {
    return this.#frames.lost;
  }

  /** What frames are written in. */
  set wire(wire: Wire) {
    this.#wire = wire;
  }

  /** Whether so much waits that the client had better be asked nothing more. */
  get isFull(): boolean {
    return this.#waiting > MAX_CLIENT_ANSWERS;
  }

  /** Resolves when there is room for answers, or nothing goes out any more. */
  room(): Promise<void> {
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  /** Says something, ahead of all frames that wait. No frame goes out for `pause` milliseconds behind it. */
  say(bytes: Uint8Array, pause = 0): void {
    if (this.#ending || (bytes.length === 0 && pause === 0)) return;
    this.#answers.push({ bytes, pause });
    this.#waiting += bytes.length;
    this.#wake?.();
  }

  /** Sends a frame when it is its turn. */
  push(frame: CanFrame): void {
    if (this.#ending) return;
    const { lost } = this.#frames;
    this.#frames.push(frame);
    if (this.#frames.lost !== lost) this.#onLoss();
    if (!this.#paused) this.#wake?.();
  }

  /** Sends no frame that waits. */
  drop(): void {
    this.#frames.clear();
  }

  /** Ends when `bytes` and all answers are out; frames that wait are left. */
  end(bytes: Uint8Array = SILENCE): void {
    this.say(bytes);
    this.#ending = true;
    this.#frames.clear();
    this.#cancelPause();
    this.#wake?.();
  }

  /** Writes until {@linkcode Outbox.end}. @throws what the connection throws. */
  async run(): Promise<void> {
    const buffer = new Uint8Array(CAN_WRITE_SIZE);
    try {
      for (;;) {
        const { bytes, pause } = this.#gather(buffer);
        for (let at = 0; at < bytes.length;) at += await this.#duplex.write(at === 0 ? bytes : bytes.subarray(at));
        if (pause > 0) this.#pause(pause);
        if (!this.isFull) this.#tellDrained();
        if (bytes.length > 0 || pause > 0) continue;
        if (this.#ending) return;
        await new Promise<void>((resolve) => this.#wake = resolve);
        this.#wake = undefined;
      }
    } finally {
      this.#ending = true;
      this.#frames.clear();
      this.#answers = [];
      this.#waiting = 0;
      this.#cancelPause();
      this.#tellDrained();
    }
  }

  #tellDrained(): void {
    if (this.#drained.length === 0) return;
    const waiting = this.#drained;
    this.#drained = [];
    for (const resolve of waiting) resolve();
  }

  /** What is next: answers, then frames, as much as there is room for. */
  #gather(buffer: Uint8Array): Answer {
    let fill = 0;
    while (this.#answers.length > 0) {
      const { bytes, pause } = this.#answers[0]!;
      if (fill + bytes.length > buffer.length) {
        if (fill > 0) return { bytes: buffer.subarray(0, fill), pause: 0 };
        this.#answers.shift();
        this.#waiting -= bytes.length;
        return { bytes, pause };
      }
      buffer.set(bytes, fill);
      fill += bytes.length;
      this.#answers.shift();
      this.#waiting -= bytes.length;
      if (pause > 0) return { bytes: buffer.subarray(0, fill), pause };
    }
    if (!this.#paused && this.#wire) fill = this.#gatherFrames(this.#wire, buffer, fill);
    return { bytes: buffer.subarray(0, fill), pause: 0 };
  }

  #gatherFrames(wire: Wire, buffer: Uint8Array, fill: number): number {
    const frames = this.#frames;
    const full = buffer.length - wire.maxFrame;
    while (fill <= full) {
      if (frames.lost !== this.#told) {
        this.#told = frames.lost;
        fill = wire.writeFrame(overflowFrame(this.#clock.wall() / 1000), buffer, fill);
        continue;
      }
      const frame = frames.shift();
      if (!frame) break;
      const end = wire.writeFrame(frame, buffer, fill);
      if (end !== fill) this.sent++;
      fill = end;
    }
    return fill;
  }

  #pause(ms: number): void {
    this.#cancelPause();
    this.#paused = true;
    this.#cancelPause = this.#clock.after(ms, () => {
      this.#paused = false;
      this.#wake?.();
    });
  }
}
