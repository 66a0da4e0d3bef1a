/**
 * One line, its user, and who watches. It is opened for the first of them, and closed behind the last.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import {
  BAUD_TOLERANCE,
  MAX_REPLUG_MS,
  MAX_SERIAL_WATCHERS,
  MIN_REPLUG_MS,
  MODEM_POLL_MS,
  SERIAL_READ_SIZE,
} from "../limits.ts";
import { type LineErrors, type LineOpener, type ModemLines, SerialError, type SerialLine } from "../line/line.ts";
import { formatSettings, type LineSettings } from "../settings.ts";
import { LineOutput } from "./line_output.ts";

/** Who is at a line. */
export interface Member {
  /** Whether it has ended its own side, and only stays for an answer: whoever comes has the line. */
  readonly isLeaving: boolean;
  /** Whether it wants to hear of the modem's lines and of errors. */
  readonly wantsState: boolean;
  /** Bytes that it has room for without a loss. */
  readonly room: number;
  /** Takes what came from the line; never waits. The bytes are its own only until it returns. */
  deliver(bytes: Uint8Array): void;
  /** Hears how the modem's lines are, and how many errors there have been. */
  tellState(modem: ModemLines, errors: LineErrors | undefined): void;
  /** As the user: more of what it sent has been written. */
  proceed(): void;
  /** Ends it: the line is gone, or another has it. */
  dismiss(why: string): void;
}

/** What a hub stands on. */
export interface HubOptions {
  /** What people call the line. */
  readonly name: string;
  /** How it is set when a user gets it. */
  readonly settings: LineSettings;
  readonly open: LineOpener;
  /** Whether clients that come while it is in use may watch. */
  readonly isShared: boolean;
  /** Whether clients are kept while the line is gone. */
  readonly keeps: boolean;
  readonly clock: Clock;
  /** The line was opened, or is back. */
  onOpen(settings: LineSettings, isBack: boolean): void;
  /** It is gone. */
  onGone(why: string): void;
  /** It was closed, behind the last one. */
  onClose(): void;
}

const NO_MODEM: ModemLines = { cts: false, dsr: false, ri: false, cd: false, dtr: false, rts: false };

/** Joins a line with its clients. */
export class LineHub {
  readonly #options: HubOptions;
  readonly #watchers = new Set<Member>();
  readonly #out = new LineOutput(
    () => this.#user?.proceed(),
    (line, error) => this.#gone(line, describeError(error)),
  );
  #user: Member | undefined;
  #line: SerialLine | undefined;
  #wanted: LineSettings;
  #modem: { dtr: boolean | undefined; rts: boolean | undefined } = { dtr: undefined, rts: undefined };
  #closing: Promise<void> = Promise.resolve();
  #isBroken = false;
  #closed = false;
  #onTaken: (() => void) | undefined;
  #cancelPoll: (() => void) | undefined;
  #cancelReplug: (() => void) | undefined;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#wanted = options.settings;
  }

  /** Whether the line is open, gone and waited for, or not in use. */
  get state(): "open" | "gone" | "closed" {
    return this.#line ? "open" : this.#cancelReplug ? "gone" : "closed";
  }

  /** How the line is set, or will be. */
  get settings(): LineSettings {
    return this.#line?.settings ?? this.#wanted;
  }

  /** Lets a client in. @returns its part. @throws {SerialError} */
  async join(member: Member): Promise<"user" | "watcher"> {
    const { name, isShared } = this.#options;
    await this.#closing;
    if (this.#closed) throw new SerialError(`${name} is offered no more`);
    const leaving = this.#user?.isLeaving ? this.#user : undefined;
    if (leaving) {
      this.#user = undefined;
      this.#reset();
      leaving.dismiss("another client has come");
    }
    if (this.#user && !isShared) throw new SerialError(`${name} is in use by another client`, { isBusy: true });
    if (this.#user && this.#watchers.size >= MAX_SERIAL_WATCHERS) {
      throw new SerialError(`${name} has ${MAX_SERIAL_WATCHERS} watchers, and takes no more`, { isBusy: true });
    }
    if (this.#user) {
      this.#watchers.add(member);
      return "watcher";
    }
    this.#user = member; // there may be something for it as soon as the line is open
    try {
      if (this.state === "closed") this.#start(false); // one that is gone is waited for
    } catch (error) {
      this.#user = undefined;
      throw error;
    }
    return "user";
  }

  /** Lets a client go. */
  leave(member: Member): void {
    if (this.#user === member) {
      this.#user = undefined;
      this.#onTaken?.();
      if (this.#watchers.size > 0) this.#reset();
    } else if (!this.#watchers.delete(member)) return;
    if (!this.#user && this.#watchers.size === 0) this.#stop();
  }

  /** Opens the line and closes it, if nobody has it. @throws {SerialError} */
  async probe(): Promise<void> {
    await this.#closing;
    if (this.state === "closed" && !this.#closed) this.#options.open(this.#options.settings).cut();
  }

  /** Ends all clients, and closes the line. */
  close(): void {
    this.#closed = true;
    for (const member of this.#members()) member.dismiss(`${this.#options.name} is offered no more`);
    if (this.state !== "closed") this.#stop();
  }

  /** Bytes that the line takes now. */
  get outputRoom(): number {
    return this.#out.room;
  }

  /** Bytes that have not been given to the system. */
  get outputWaiting(): number {
    return this.#out.waiting;
  }

  /** Sends bytes, for which there has to be room. */
  send(bytes: Uint8Array): void {
    this.#out.push(bytes);
  }

  /** The user has room again. */
  taken(): void {
    this.#onTaken?.();
  }

  /** Sets the line. @returns how it is set then. */
  set(change: Partial<LineSettings>): LineSettings {
    const wanted = { ...this.#wanted, ...change };
    if (!this.#line) return this.#wanted = wanted;
    try {
      this.#line.set(wanted);
      this.#wanted = wanted;
    } catch (error) {
      if (!(error instanceof SerialError)) throw error; // what it does not take, or it is gone: it is as it was
    }
    return this.#line.settings;
  }

  /** Whether a break is being sent. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Begins or ends a break. */
  setBreak(on: boolean): void {
    this.#isBroken = on;
    this.#line?.setBreak(on);
  }

  /** Sets one of the lines of this side. */
  setModem(which: "dtr" | "rts", on: boolean): void {
    this.#modem[which] = on;
    this.#line?.setModem(which, on);
  }

  /** The modem's lines; where there are none, what this side was told to do with its own, which are on by default. */
  modem(): ModemLines {
    const { dtr = true, rts = true } = this.#modem;
    return this.#line ? this.#line.modem() ?? { ...NO_MODEM, dtr, rts } : NO_MODEM;
  }

  /** Errors since the line was opened. */
  errors(): LineErrors | undefined {
    return this.#line?.errors();
  }

  /** Throws away what waits: of what was received, in the system; of what is to be sent, here, too. */
  purge(received: boolean, toSend: boolean): void {
    if (toSend) this.#out.drop();
    this.#line?.purge(received, toSend);
  }

  /** Somebody wants to hear of the modem's lines. */
  watchState(): void {
    if (this.#line && !this.#line.modem() && !this.#line.errors()) return; // there is nothing to hear
    this.#cancelPoll ??= this.#options.clock.after(MODEM_POLL_MS, this.#poll);
  }

  readonly #poll = (): void => {
    this.#cancelPoll = undefined;
    const wanting = this.#members().filter((member) => member.wantsState);
    if (wanting.length === 0) return;
    const modem = this.modem();
    const errors = this.errors();
    for (const member of wanting) member.tellState(modem, errors);
    this.watchState();
  };

  #members(): Member[] {
    return [...(this.#user ? [this.#user] : []), ...this.#watchers];
  }

  /** @throws {SerialError} */
  #start(isBack: boolean): void {
    const { open, onOpen } = this.#options;
    const line = open(this.#wanted);
    this.#line = line;
    for (const which of ["dtr", "rts"] as const) {
      const on = this.#modem[which];
      if (on !== undefined) line.setModem(which, on);
    }
    if (this.#isBroken) line.setBreak(true);
    onOpen(line.settings, isBack);
    this.#readAll(line);
    this.#out.line = line;
  }

  /** As the next user wants to find it. */
  #reset(): void {
    this.#out.drop();
    if (this.#isBroken) this.setBreak(false);
    for (const which of ["dtr", "rts"] as const) if (this.#modem[which] === false) this.setModem(which, true);
    this.#modem = { dtr: undefined, rts: undefined };
    this.set(this.#options.settings);
  }

  #stop(): void {
    const line = this.#line;
    this.#line = this.#out.line = undefined;
    this.#cancelPoll?.();
    this.#cancelReplug?.();
    this.#cancelPoll = this.#cancelReplug = undefined;
    this.#out.drop();
    if (line && this.#closed) line.cut();
    this.#closing = line?.close() ?? Promise.resolve();
    this.#wanted = this.#options.settings;
    this.#modem = { dtr: undefined, rts: undefined };
    this.#isBroken = false;
    this.#options.onClose();
  }

  async #readAll(line: SerialLine): Promise<void> {
    const chunk = new Uint8Array(SERIAL_READ_SIZE);
    try {
      while (this.#line === line) {
        if (this.#mustWait()) {
          await new Promise<void>((resolve) => this.#onTaken = resolve);
          this.#onTaken = undefined;
          continue;
        }
        const soon = line.read(chunk);
        const count = typeof soon === "object" && soon !== null ? await soon : soon;
        if (count === null || count === 0) return this.#gone(line, "it has hung up");
        this.#user?.deliver(chunk.subarray(0, count));
        for (const watcher of this.#watchers) watcher.deliver(chunk.subarray(0, count));
      }
    } catch (error) {
      this.#gone(line, describeError(error));
    }
  }

  /** With flow control the line waits for its user; without, waiting would lose what comes, and not what is old. */
  #mustWait(): boolean {
    return this.#user !== undefined && this.settings.flow !== "none" && this.#user.room < SERIAL_READ_SIZE;
  }

  #gone(line: SerialLine, why: string): void {
    if (this.#line !== line) return;
    const { name, keeps, onGone } = this.#options;
    this.#line = this.#out.line = undefined;
    line.cut();
    onGone(why);
    if (keeps) return this.#awaitReplug(MIN_REPLUG_MS);
    for (const member of this.#members()) member.dismiss(`${name}: ${why}`);
  }

  #awaitReplug(ms: number): void {
    this.#cancelReplug = this.#options.clock.after(ms, () => {
      this.#cancelReplug = undefined;
      try {
        this.#start(true);
      } catch (error) {
        if (!(error instanceof SerialError)) throw error;
        this.#awaitReplug(Math.min(2 * ms, MAX_REPLUG_MS));
      }
    });
  }
}

/** Whether a line is set as it was asked to be, as far as that counts. */
export function isAsAsked(asked: LineSettings, actual: LineSettings): boolean {
  const { baud } = asked;
  return Math.abs(actual.baud - baud) <= BAUD_TOLERANCE * baud &&
    formatSettings({ ...actual, baud }) === formatSettings(asked);
}
