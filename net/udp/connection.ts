/**
 * A client's datagrams as a connection: what its channel carries are records, one for each. `protocol/v2/v2.md`, "Datagrams".
 *
 * @module
 */

import { closedError, LocalConnection } from "../local_connection.ts";
import { DATAGRAM_BATCH } from "../limits.ts";
import { MAX_DATAGRAM } from "../../protocol/v2/limits.ts";
import type { Time } from "../../base/clock.ts";
import type { DatagramClock } from "../../protocol/channel.ts";
import { RECORD_HEADER, RecordReader, writeRecordHeader } from "../../protocol/v2/wire/records.ts";
import type { Soon } from "../socket.ts";
import { ClientDatagrams, type DatagramCounts } from "./counts.ts";
import { type DatagramPool, DatagramQueue } from "./queue.ts";
import type { SendFate } from "./socket.ts";

/** What such a connection stands on. */
export interface DatagramConnectionOptions {
  readonly clock: Time;
  /** Milliseconds that a datagram may be old, when it goes on a channel and when it comes from one. */
  readonly maxAge: number;
  readonly pool: DatagramPool;
  /** What became of all datagrams of its service. */
  readonly counts: DatagramCounts;
  /** Those that the system dropped before they were received, if it can say that of this client. */
  unread?(): number;
  /** Sends one to the network. */
  send(bytes: Uint8Array): SendFate;
  /** It is closed. Called once. */
  onClose(): void;
}

/** Reads what came from the network as records, and sends what is written to it as datagrams. Nothing of it waits for anybody. */
export class DatagramConnection extends LocalConnection {
  readonly endsWhole = true;
  readonly #options: DatagramConnectionOptions;
  readonly #queue: DatagramQueue;
  readonly #counts: ClientDatagrams;
  readonly #reader = new RecordReader((datagram, stamp) => this.#send(datagram, stamp));
  #clock: DatagramClock | undefined;
  /** A record that did not fit into what was read: what is still to be read of it. */
  #rest: Uint8Array | undefined;
  #reading: { readonly into: Uint8Array; readonly ready: PromiseWithResolvers<number | null> } | undefined;
  #state: "open" | "ended" | "closed" = "open";
  /** Whether anything was sent to the network. */
  hasSent = false;

  /** Nothing has come yet. */
  constructor(options: DatagramConnectionOptions) {
    super();
    this.#options = options;
    this.#counts = new ClientDatagrams(options.counts);
    this.#queue = new DatagramQueue(options.pool, this.#counts, options.maxAge);
  }

  /** One came from the network. */
  deliver(datagram: Uint8Array): void {
    if (this.#state !== "open") return;
    this.#counts.add("received");
    if (datagram.length > MAX_DATAGRAM) return this.#counts.add("oversized");
    this.#queue.push(datagram, this.#options.clock.now());
    const reading = this.#reading;
    if (!reading) return;
    const count = this.#fill(reading.into);
    if (count === 0) return;
    this.#reading = undefined;
    reading.ready.resolve(count);
  }

  /** What became of this client's. */
  get datagrams(): DatagramCounts {
    return { ...this.#counts.own, unread: this.#options.unread?.() ?? 0 };
  }

  /** Nobody was there for one of before, as the other machine says. */
  refused(): void {
    this.#counts.add("refused");
  }

  joined(clock: DatagramClock | undefined): void {
    this.#clock = clock;
  }

  read(into: Uint8Array): Soon<number | null> {
    if (this.#state === "closed") return Promise.reject(closedError());
    const count = this.#fill(into);
    if (count > 0) return count;
    if (this.#state === "ended") return null;
    const ready = Promise.withResolvers<number | null>();
    this.#reading = { into, ready };
    return ready.promise;
  }

  write(bytes: Uint8Array): Soon<number> {
    try {
      return this.writeNow(bytes);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  writeNow(bytes: Uint8Array): number {
    if (this.#state === "closed") throw closedError();
    this.#reader.push(bytes);
    return bytes.length;
  }

  /** The other side has ended: so has this one. */
  closeWrite(): Promise<void> {
    if (this.#state === "open") this.#state = "ended";
    this.#reading?.ready.resolve(null);
    this.#reading = undefined;
    return Promise.resolve();
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#queue.clear();
    this.#rest = undefined;
    this.#reading?.ready.reject(closedError());
    this.#reading = undefined;
    this.#options.onClose();
  }

  /** Writes whole records into `into`, and of one that is larger the beginning. @returns how many bytes. */
  #fill(into: Uint8Array): number {
    const most = Math.min(into.length, DATAGRAM_BATCH);
    let filled = 0;
    if (this.#rest) {
      filled = Math.min(into.length, this.#rest.length);
      into.set(this.#rest.subarray(0, filled));
      this.#rest = filled < this.#rest.length ? this.#rest.subarray(filled) : undefined;
      return filled;
    }
    const now = this.#options.clock.now();
    for (let next = this.#queue.first(now); next; next = this.#queue.first(now)) {
      const { bytes, at } = next;
      const size = RECORD_HEADER + bytes.length;
      const stamp = this.#clock?.stamp(at) ?? 0;
      if (filled > 0 && filled + size > most) break;
      this.#queue.shift();
      if (size <= into.length) {
        writeRecordHeader(into, filled, bytes.length, stamp);
        into.set(bytes, filled + RECORD_HEADER);
        filled += size;
        continue;
      }
      const record = new Uint8Array(size);
      writeRecordHeader(record, 0, bytes.length, stamp);
      record.set(bytes, RECORD_HEADER);
      into.set(record.subarray(0, into.length));
      this.#rest = record.subarray(into.length);
      return into.length;
    }
    return filled;
  }

  #send(datagram: Uint8Array, stamp: number): void {
    const { maxAge, send } = this.#options;
    if (this.#clock?.isLate(stamp, maxAge)) return this.#counts.add("late");
    this.hasSent = true;
    let fate = send(datagram);
    if (fate === "refused") {
      this.refused(); // that was for one before
      fate = send(datagram);
    }
    this.#counts.add(fate === "sent" || fate === "oversized" ? fate : "unsent");
  }
}
