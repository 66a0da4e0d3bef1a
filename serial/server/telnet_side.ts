/**
 * The telnet of one client: what it says beside its data, and the answers.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { MAX_TELNET_ANSWERS, TELNET_BREAK_MS } from "../limits.ts";
import type { LineErrors, ModemLines } from "../line/line.ts";
import { readComPort } from "../rfc2217/com_port.ts";
import { Negotiation } from "../rfc2217/negotiation.ts";
import { AYT, BINARY, BRK, COM_PORT, ECHO, SGA, type TelnetEvent, TelnetReader } from "../rfc2217/telnet.ts";
import { TelnetWriter } from "../rfc2217/telnet_writer.ts";
import { formatSettings } from "../settings.ts";
import { ByteQueue } from "./byte_queue.ts";
import { ComPortSession, isInOrder, type SessionHost } from "./com_port_session.ts";

/** What is said beside data. */
type Said = Exclude<TelnetEvent, { type: "data" }>;

/** Reads and writes one client's telnet. */
export class TelnetSide {
  readonly reader = new TelnetReader();
  readonly writer = new TelnetWriter();
  readonly #host: SessionHost;
  readonly #clock: Clock;
  readonly #name: string;
  readonly #negotiation = new Negotiation([SGA, ECHO, BINARY, COM_PORT], [SGA, BINARY, COM_PORT]);
  readonly #session: ComPortSession;
  readonly #answers = new ByteQueue(Infinity); // whose reading stops when it is full
  #held: Said | undefined;
  #cancelBreak: (() => void) | undefined;

  /** @param name what people call the line. */
  constructor(host: SessionHost, clock: Clock, name: string) {
    this.#host = host;
    this.#clock = clock;
    this.#name = name;
    this.#session = new ComPortSession(host);
  }

  /** Says which options it would like; the commands of RFC 2217 are the client's to offer. */
  open(): void {
    this.#answers.push(this.#negotiation.opening([COM_PORT]));
  }

  /** Whether the client takes no data for now. */
  get isSuspended(): boolean {
    return this.#session.isSuspended;
  }

  /** Whether the client is asked nothing more for now: answers wait, or something that has to be done in order. */
  get isFull(): boolean {
    return this.#answers.length >= MAX_TELNET_ANSWERS || this.#held !== undefined;
  }

  /** Whether the client speaks RFC 2217, and wants to hear of the modem's lines. */
  get wantsState(): boolean {
    return this.#hasComPort && this.#session.wantsState;
  }

  get #hasComPort(): boolean {
    return this.#negotiation.has(COM_PORT) || this.#negotiation.does(COM_PORT);
  }

  /** Does what the client said, now or when what it sent before has been written. */
  take(said: Said): void {
    if (this.#mustWait(said)) this.#held = said;
    else this.#do(said);
  }

  /** More has been written. */
  proceed(): void {
    const held = this.#held;
    if (!held || this.#mustWait(held)) return;
    this.#held = undefined;
    this.#do(held);
  }

  /** The modem's lines, and errors. */
  tellState(modem: ModemLines, errors: LineErrors | undefined): void {
    for (const bytes of this.#session.news(modem, errors)) this.#answers.push(bytes);
  }

  /** Moves answers into `into`. @returns how many bytes. */
  answersInto(into: Uint8Array): number {
    let at = 0;
    while (at < into.length && this.#answers.length > 0) {
      const piece = this.#answers.peek().subarray(0, into.length - at);
      into.set(piece, at);
      at += piece.length;
      this.#answers.skip(piece.length);
    }
    return at;
  }

  /** The client is gone. */
  close(): void {
    this.#held = undefined;
    this.#endBreak();
  }

  #mustWait(said: Said): boolean {
    const { hub, isUser } = this.#host;
    if (!isUser || said.type !== "subnegotiation" || hub.outputWaiting === 0) return false;
    const request = said.option === COM_PORT ? readComPort(said.payload) : undefined;
    return request !== undefined && isInOrder(request);
  }

  #do(said: Said): void {
    switch (said.type) {
      case "negotiation": {
        const hadComPort = this.#hasComPort;
        this.#answers.push(this.#negotiation.take(said.verb, said.option));
        this.reader.binary = this.#negotiation.has(BINARY);
        this.writer.binary = this.#negotiation.does(BINARY);
        if (!hadComPort && this.wantsState) this.#startState();
        return;
      }
      case "subnegotiation": {
        const request = said.option === COM_PORT && this.#hasComPort ? readComPort(said.payload) : undefined;
        const answer = request && this.#session.answer(request);
        if (answer) this.#answers.push(answer);
        if (this.wantsState) this.#host.hub.watchState();
        return;
      }
      case "command":
        return this.#command(said.code);
    }
  }

  #startState(): void {
    const { hub } = this.#host;
    this.tellState(hub.modem(), hub.errors());
    hub.watchState();
  }

  #command(code: number): void {
    const { hub, isUser } = this.#host;
    if (code === AYT) {
      this.#answers.push(new TextEncoder().encode(`\r\n[${this.#name} ${formatSettings(hub.settings)}]\r\n`));
    }
    if (code !== BRK || !isUser || this.#cancelBreak) return;
    hub.setBreak(true);
    this.#cancelBreak = this.#clock.after(TELNET_BREAK_MS, () => this.#endBreak());
  }

  #endBreak(): void {
    if (!this.#cancelBreak) return;
    this.#cancelBreak();
    this.#cancelBreak = undefined;
    if (this.#host.isUser) this.#host.hub.setBreak(false);
  }
}
