/**
 * One client of a bus: reads what it wants, and does it.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Duplex } from "../../net/socket.ts";
import { BusError } from "../bus/bus.ts";
import type { CanFilter, CanFrame } from "../frame.ts";
import {
  CAN_LINGER_MS,
  CAN_OPEN_TIMEOUT_MS,
  CAN_READ_SIZE,
  CAN_SEND_RETRY_MS,
  CAN_SEND_TIMEOUT_MS,
  GREETING_WAIT_MS,
} from "../limits.ts";
import { detectWire, greetsSilence, type WireChoice, wireFor, wireOfSilence } from "../wires/detect.ts";
import { type OpenRequest, type Request, SILENCE, type Wire, WireError } from "../wire.ts";
import type { CanClient } from "./events.ts";
import type { BusHub, Member } from "./hub.ts";
import { Outbox } from "./outbox.ts";
import { PeriodicTasks } from "./periodic.ts";

/** What a client is given. */
export interface ClientOptions {
  readonly duplex: Duplex;
  /** Where it comes from, `HOST:PORT`. */
  readonly address: string;
  readonly choice: WireChoice;
  readonly hub: BusHub;
  readonly clock: Clock;
  /** Why it may not have the bus now; `undefined` if it may. */
  barred(): string | undefined;
  /** It has the bus. */
  onOpen(client: ServedClient): void;
  /** It is slow: the first frame was lost. */
  onLoss(client: ServedClient): void;
  /** Something that it said counts for nothing. */
  onMistake(client: ServedClient, text: string): void;
}

/** A client that is served, from its connection to its end. */
export class ServedClient implements CanClient, Member {
  readonly address: string;
  readonly since: number;
  filters: readonly CanFilter[] = [];
  ownFrames = false;
  received = 0;

  readonly #options: ClientOptions;
  readonly #clock: Clock;
  readonly #outbox: Outbox;
  readonly #tasks: PeriodicTasks;
  #wire: Wire | undefined;
  #first: number[] = []; // bytes that do not say yet which wire it is
  #joined = false;
  #open = false;
  #listenOnly = false;
  #ended: string | undefined;
  #cancelGreeting: () => void = () => {};
  #cancelOpening: () => void = () => {};
  #cancelLinger: () => void = () => {};

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.address = options.address;
    this.since = options.clock.wall();
    let hasLost = false;
    this.#outbox = new Outbox(options.duplex, options.clock, () => {
      if (hasLost) return;
      hasLost = true;
      options.onLoss(this);
    });
    this.#tasks = new PeriodicTasks(options.clock, options.hub.budget, (frame) => this.#sendPeriodic(frame));
  }

  get wire() {
    return this.#wire?.name;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  get sent(): number {
    return this.#outbox.sent;
  }

  get lost(): number {
    return this.#outbox.lost;
  }

  /** Serves it to its end. Never rejects. @returns why it ended, for people. */
  async run(): Promise<string> {
    const { choice, duplex } = this.#options;
    const written = this.#writeAll();
    this.#cancelOpening = this.#clock.after(CAN_OPEN_TIMEOUT_MS, () => this.#openedLate());
    if (greetsSilence(choice)) {
      this.#cancelGreeting = this.#clock.after(GREETING_WAIT_MS, () => {
        if (!this.#wire && this.#first.length === 0) this.#speak(wireOfSilence());
      });
    }
    const wire = wireFor(choice);
    if (wire) this.#speak(wire);
    await this.#readAll();
    await written;
    this.#cancelLinger();
    duplex.close();
    return this.#ended!;
  }

  /** Ends it in order: what there is to say at the end is said. */
  shutdown(why: string): void {
    this.#end(why, this.#wire?.lastWords());
  }

  /** Ends it at once. */
  cut(): void {
    this.#end("cut off");
    this.#options.duplex.close();
  }

  deliver(frame: CanFrame): void {
    if (this.#open) this.#outbox.push(frame);
  }

  trouble(why: string, gone: boolean): void {
    if (!this.#open) return;
    const said = this.#wire!.troubled(why, gone);
    if (said.end || gone) this.#end(why, said.bytes);
    else this.#outbox.say(said.bytes);
  }

  /** Writes what there is, then ends this side, at once. */
  async #writeAll(): Promise<void> {
    try {
      await this.#outbox.run();
      await this.#options.duplex.closeWrite();
    } catch (error) {
      this.#end(describeError(error));
      this.#options.duplex.close();
    }
  }

  /** Reads to the client's end; what comes behind this side's counts for nothing. */
  async #readAll(): Promise<void> {
    const chunk = new Uint8Array(CAN_READ_SIZE);
    try {
      for (;;) {
        const count = await this.#options.duplex.read(chunk);
        if (count === null) return this.#end("the client has ended", this.#wire?.lastWords());
        if (this.#ended === undefined) await this.#take(chunk.subarray(0, count));
      }
    } catch (error) {
      this.#end(describeError(error));
    }
  }

  /** Takes bytes; those of no wire end the client. */
  async #take(bytes: Uint8Array): Promise<void> {
    try {
      await this.#obey(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#end(error.message, error.lastWords);
    }
  }

  async #obey(bytes: Uint8Array): Promise<void> {
    let wire = this.#wire;
    if (!wire) {
      if (this.#first.length > 0) bytes = Uint8Array.from([...this.#first, ...bytes]);
      wire = detectWire(bytes, this.#options.choice);
      if (!wire) return void (this.#first = [...bytes]); // a few at most
      this.#first = [];
      this.#speak(wire);
    }
    for (const request of wire.push(bytes)) {
      const done = this.#do(request);
      if (done) await done;
      if (this.#ended !== undefined) return;
      if (this.#outbox.isFull) await this.#outbox.room();
    }
  }

  #speak(wire: Wire): void {
    this.#cancelGreeting();
    this.#wire = wire;
    this.#outbox.wire = wire;
    if (!wire.opensSoon) this.#cancelOpening();
    this.#outbox.say(wire.greeting());
  }

  /** @returns what to wait for before the next request, if there is something. */
  #do(request: Request): Promise<void> | undefined {
    switch (request.type) {
      case "frame":
        return this.#send(request.frame);
      case "open":
        return this.#join(request);
      case "filters":
        this.filters = request.filters;
        return undefined;
      case "periodic-start":
        if (this.#open) this.#try(request.frame, () => this.#tasks.start(request));
        return undefined;
      case "periodic-stop":
        return void this.#tasks.stop(request.key);
      case "detach":
        return void this.#detach();
      case "answer":
        return void this.#outbox.say(request.bytes, request.pause);
      case "mistake":
        this.#options.onMistake(this, request.text);
        return void this.#outbox.say(request.bytes);
      case "end":
        return void this.#end(request.why ?? "the client has ended", request.bytes);
    }
  }

  async #join(request: OpenRequest): Promise<void> {
    const { hub, barred, onOpen } = this.#options;
    const wire = this.#wire!;
    this.filters = request.filters ?? [];
    this.ownFrames = request.ownFrames === true;
    this.#listenOnly = request.listenOnly === true;
    try {
      const why = barred();
      if (why !== undefined) throw new BusError(why);
      this.#joined = true;
      await hub.join(this, request.bitrate);
    } catch (error) {
      const why = describeError(error);
      this.#joined = false;
      const { bytes, end } = wire.refused(why);
      if (end) return this.#end(why, bytes);
      this.#options.onMistake(this, why);
      return this.#outbox.say(bytes);
    }
    if (this.#ended !== undefined) return hub.leave(this);
    this.#cancelOpening();
    this.#open = true;
    this.#outbox.say(wire.opened(hub.name));
    onOpen(this);
  }

  #detach(): void {
    this.#tasks.stopAll();
    if (this.#joined) this.#options.hub.leave(this);
    this.#joined = this.#open = false;
    this.#outbox.drop();
  }

  /** @returns what to wait for, if the bus had no room. */
  #send(frame: CanFrame): Promise<void> | undefined {
    if (!this.#open) return undefined;
    if (this.#try(frame, () => this.#put(frame))) return undefined;
    return this.#sendLater(frame);
  }

  /** @returns whether there was room. @throws {BusError} */
  #put(frame: CanFrame): boolean {
    if (this.#listenOnly) throw new BusError("this client has the bus to listen only");
    const isIn = this.#options.hub.send(this, frame);
    if (isIn) {
      this.received++;
      this.#outbox.say(this.#wire!.sent(frame));
    }
    return isIn;
  }

  /** Tries on for a while. */
  async #sendLater(frame: CanFrame): Promise<void> {
    const end = this.#clock.now() + CAN_SEND_TIMEOUT_MS;
    while (this.#open && this.#clock.now() < end) {
      await new Promise<void>((resolve) => void this.#clock.after(CAN_SEND_RETRY_MS, resolve));
      if (!this.#open || this.#try(frame, () => this.#put(frame))) return;
    }
    if (this.#open) this.#outbox.say(this.#wire!.notSent(frame, "the bus takes no more: is anything else on it?"));
  }

  /** Tells the client what goes wrong. @returns false if it may be tried again. */
  #try(frame: CanFrame, work: () => boolean | void): boolean {
    try {
      return work() !== false;
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      if (!this.#outbox.isFull) this.#outbox.say(this.#wire!.notSent(frame, error.message));
      return true;
    }
  }

  /** One that finds no room is left out, as the next one comes. */
  #sendPeriodic(frame: CanFrame): void {
    this.#try(frame, () => void this.#put(frame));
  }

  #openedLate(): void {
    if (!this.#open) this.#end(`it did not open the bus within ${CAN_OPEN_TIMEOUT_MS / 1000} s`);
  }

  /** The first reason stays. */
  #end(why: string, lastWords: Uint8Array = SILENCE): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    this.#cancelGreeting();
    this.#cancelOpening();
    this.#detach();
    this.#outbox.end(lastWords);
    // A read that is pending ends with the client's end, or when its time is up.
    this.#cancelLinger = this.#clock.after(CAN_LINGER_MS, () => this.#options.duplex.close());
  }
}
