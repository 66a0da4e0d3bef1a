/**
 * One bus and who is on it. It is opened for the first client and closed behind the last.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import { type Backend, type Bus, BusError } from "../bus/bus.ts";
import { at, type CanFilter, type CanFrame, ERROR, passes } from "../frame.ts";
import { PeriodicBudget } from "./periodic.ts";

/** Who is on a bus. */
export interface Member {
  /** Only what passes one of these; none: everything. */
  readonly filters: readonly CanFilter[];
  /** Whether it sees what it sends itself. */
  readonly ownFrames: boolean;
  /** Takes a frame; never waits. */
  deliver(frame: CanFrame): void;
  /** Hears of trouble. */
  trouble(why: string, gone: boolean): void;
}

/** What a hub stands on. */
export interface HubOptions {
  readonly backend: Backend;
  /** Bits per second, whatever members ask for. */
  readonly bitrate: number | undefined;
  readonly listenOnly: boolean;
  /** Whether the bus has to have CAN FD. */
  readonly fd: boolean;
  readonly clock: Clock;
  /** The bus was opened, at this bitrate if it was told one. */
  onOpen(bitrate: number | undefined): void;
  /** See {@linkcode Member.trouble}. */
  onTrouble(why: string, gone: boolean): void;
  /** The bus was closed. */
  onClose(): void;
}

/** Joins members with their bus, and with each other. */
export class BusHub {
  /** What all members may send periodically. */
  readonly budget = new PeriodicBudget();
  readonly #options: HubOptions;
  readonly #members = new Set<Member>();
  #bus: Bus | undefined;
  #opening: Promise<void> | undefined;
  #probing: Promise<void> | undefined;
  #bitrate: number | undefined;
  #failure: string | undefined;
  #closed = false;

  constructor(options: HubOptions) {
    this.#options = options;
  }

  /** What people call the bus. */
  get name(): string {
    return this.#options.backend.name;
  }

  /** Why it could not be opened, when that was tried last. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Whether the bus is open. */
  get isOpen(): boolean {
    return this.#bus !== undefined;
  }

  /** The bitrate that the bus was told; `undefined` if none was. */
  get bitrate(): number | undefined {
    return this.#bitrate;
  }

  /** Lets a member in. @param bitrate what it would like, which counts where it is the first. @throws {BusError} */
  async join(member: Member, bitrate: number | undefined): Promise<void> {
    if (this.#closed) throw new BusError(`${this.name} is closed`);
    this.#members.add(member);
    try {
      if (!this.#bus) await (this.#opening ??= this.#open(bitrate));
    } catch (error) {
      this.leave(member);
      throw error;
    }
    if (!this.#bus) throw new BusError(`${this.name} is closed`);
  }

  async #open(wish: number | undefined): Promise<void> {
    const { backend, bitrate: fixed, listenOnly, fd, onOpen } = this.#options;
    const bitrate = fixed ?? (backend.takesBitrate ? wish : undefined);
    let bus: Bus | undefined;
    const isOurs = () => bus === undefined || this.#bus === bus;
    try {
      await this.#probing?.catch(() => {}); // what it found is found again
      bus = await backend.open({ bitrate, listenOnly, fd }, {
        frame: (frame) => isOurs() && this.#deliver(frame, undefined),
        trouble: (why, gone) => isOurs() && this.#trouble(why, gone),
      });
      this.#failure = undefined;
    } catch (error) {
      this.#failure = describeError(error);
      throw error;
    } finally {
      this.#opening = undefined;
    }
    if (this.#closed || this.#members.size === 0) return bus.close();
    this.#bus = bus;
    this.#bitrate = bitrate;
    onOpen(bitrate);
  }

  /** Lets a member go. */
  leave(member: Member): void {
    if (this.#members.delete(member) && this.#members.size === 0) this.#closeBus();
  }

  /**
   * Sends a member's frame to the bus, and to the others on it.
   *
   * @returns whether there was room for it.
   * @throws {BusError} if it cannot go out.
   */
  send(from: Member, frame: CanFrame): boolean {
    if (this.#options.listenOnly) throw new BusError(`${this.name} is offered to listen only`);
    if (frame.flags & ERROR) throw new BusError("a frame that tells of an error cannot be sent");
    if (!this.#bus) throw new BusError(`${this.name} is closed`);
    if (!this.#bus.send(frame)) return false;
    this.#deliver(at(frame, this.#options.clock.wall() / 1000), from);
    return true;
  }

  #deliver(frame: CanFrame, from: Member | undefined): void {
    for (const member of this.#members) {
      if (member === from && !member.ownFrames) continue;
      if (passes(member.filters, frame)) member.deliver(frame);
    }
  }

  #trouble(why: string, gone: boolean): void {
    this.#options.onTrouble(why, gone);
    for (const member of [...this.#members]) member.trouble(why, gone);
    if (gone) this.#closeBus();
  }

  #closeBus(): void {
    const bus = this.#bus;
    if (!bus) return;
    this.#bus = undefined;
    this.#bitrate = undefined;
    bus.close();
    this.#options.onClose();
  }

  /** Opens the bus and closes it, if nobody is on it; who comes meanwhile waits. @throws {BusError} if that fails. */
  async probe(): Promise<void> {
    if (this.#members.size > 0 || this.#probing) return;
    const { backend, bitrate, listenOnly, fd } = this.#options;
    const probing = backend.open({ bitrate, listenOnly, fd }, { frame: () => {}, trouble: () => {} })
      .then((bus) => bus.close()).finally(() => this.#probing = undefined);
    this.#probing = probing;
    await probing;
  }

  /** Closes the bus, for good; members are told nothing. */
  close(): void {
    this.#closed = true;
    this.#closeBus();
  }
}
