/**
 * The server's side of a link: it hears LISTEN, then opens channels.
 *
 * @module
 */

import { UNCONFIRMED_ID_REST_MS, V1_HEADER_SIZE, V1_MAX_CHANNELS } from "./limits.ts";
import type { Time } from "../../base/clock.ts";
import { type Address, formatAddress } from "../address.ts";
import type { V1Channel } from "./channel.ts";
import { v1Connect } from "./codec.ts";
import { ProtocolError } from "../errors.ts";
import { IdPool } from "./id_pool.ts";
import type { LinkOutput } from "../link.ts";
import { V1Link } from "./link.ts";

/** What the server's side of a link tells its owner. */
export interface V1ServerLinkEvents {
  /** LISTEN came: the device offers its services. Told once. */
  onListening(): void;
  /** A client id has come free. */
  onIdFree?(): void;
}

/** The server's side; see {@linkcode V1Link}. */
export class V1ServerLink extends V1Link {
  protected readonly peerCloseReason = "service-closed";

  readonly #events: V1ServerLinkEvents;
  readonly #ids: IdPool;
  /** Ids that this side closed and the device has not confirmed, oldest first, with the time of their CLOSE. */
  readonly #unconfirmed = new Map<number, { readonly since: number; readonly dataSent: boolean }>();
  #listening = false;

  /** A link that waits for LISTEN, with `ids` client ids. */
  constructor(output: LinkOutput, time: Pick<Time, "now">, events: V1ServerLinkEvents, ids = V1_MAX_CHANNELS) {
    super(output, time);
    this.#events = events;
    this.#ids = new IdPool(ids);
  }

  /** Whether LISTEN has come. */
  get listening(): boolean {
    return this.#listening;
  }

  /** Ids that a new client could get. */
  get freeIds(): number {
    return this.#ids.free;
  }

  /** Ids that come free when the device confirms their CLOSE. */
  get unconfirmedIds(): number {
    return this.#unconfirmed.size;
  }

  get deadline(): number {
    return Infinity; // ids that wait for their confirmation are looked at when one is wanted
  }

  tick(): void {}

  /** Opens a channel to `target` with a CONNECT. @returns `undefined` when all client ids are in use. */
  open(target: Address): V1Channel | undefined {
    const id = this.#takeId();
    if (id === undefined) return undefined;
    this.output.control(v1Connect(id, target));
    return this.addChannel(id, target);
  }

  /** Ids come free whose confirmation is not to be waited for any more. */
  reclaim(): void {
    const now = this.time.now();
    for (const [id, { since }] of this.#unconfirmed) {
      if (since + UNCONFIRMED_ID_REST_MS > now) break;
      this.#unconfirmed.delete(id);
      this.#ids.release(id);
    }
  }

  /**
   * Sends one byte for an id that is not in use. Every known device answers that with CLOSE, so an answer proves life
   * on a profile that has no ping.
   *
   * @returns false if all ids are in use.
   */
  challenge(): boolean {
    const id = this.#takeId();
    if (id === undefined) return false;
    this.sendData(id, new Uint8Array(V1_HEADER_SIZE + 1), 1);
    this.unconfirmed(id, true);
    return true;
  }

  onListen(): void {
    if (this.#listening) {
      this.counters.ignored++;
      return;
    }
    this.#listening = true;
    this.#events.onListening();
  }

  override onData(id: number, bytes: Uint8Array): void {
    if (!this.#listening) throw listenExpected("DATA");
    super.onData(id, bytes);
  }

  override onClose(id: number): void {
    if (!this.#listening) throw listenExpected("CLOSE");
    super.onClose(id);
  }

  override onIgnored(command: number, id: number): void {
    if (!this.#listening) throw listenExpected(`command ${command}`);
    super.onIgnored(command, id);
  }

  onConnect(id: number, target: Address): void {
    throw wrongDirection(`CONNECT to ${formatAddress(target)} for client ${id}`);
  }

  onBadConnect(id: number): void {
    throw wrongDirection(`CONNECT for client ${id}`);
  }

  protected unconfirmed(id: number, dataSent: boolean): void {
    this.#unconfirmed.set(id, { since: this.time.now(), dataSent });
  }

  protected confirmed(channel: V1Channel): void {
    this.#giveBack(channel.id, channel.bytesSent > 0);
  }

  protected strayData(id: number, _bytes: Uint8Array): void {
    this.counters.strayData++;
    // On its way when this side closed, which told the device already; for an id that was never open, say so.
    if (!this.#unconfirmed.has(id)) this.sendClose(id);
  }

  protected strayClose(id: number): void {
    this.counters.strayClose++;
    // The original server answers a frame for an unknown id with CLOSE; devices use that to see whether it lives.
    const closed = this.#unconfirmed.get(id);
    if (!closed) return this.sendClose(id);
    this.#unconfirmed.delete(id);
    this.#giveBack(id, closed.dataSent);
  }

  /** Both sides have closed. Bytes may have crossed the device's CLOSE: the original device answers them with one more. */
  #giveBack(id: number, dataSent: boolean): void {
    if (dataSent) this.#ids.rest(id, this.time.now());
    else this.#ids.release(id);
    this.#events.onIdFree?.();
  }

  #takeId(): number | undefined {
    this.reclaim();
    return this.#ids.take(this.time.now());
  }
}

function listenExpected(what: string): ProtocolError {
  return new ProtocolError("listen-expected", `The first frame has to be LISTEN, and is ${what}`);
}

function wrongDirection(what: string): ProtocolError {
  return new ProtocolError("wrong-direction", `Only a server may send ${what}`);
}
