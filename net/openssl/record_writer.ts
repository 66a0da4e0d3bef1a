/**
 * Writes what a session sends: a single record straight to the socket, and more by way of a ring, many in one send.
 *
 * The caller is told of bytes as taken when their record has left whole, as OpenSSL does it: until then it holds them, and
 * offers them again. So nothing is kept of them but what is encrypted already.
 *
 * @module
 */

import { TlsError } from "./errors.ts";
import { type SslHandle, WANT_WRITE } from "./handle.ts";
import { TLS_SEND_RECORDS } from "./limits.ts";
import { recordSizeOf } from "./session_facts.ts";
import { MAX_RECORD, RECORD_OVERHEAD } from "./record_size.ts";
import { RING_CAPACITY, SendRing } from "./send_ring.ts";

const KEY_UPDATE_NOT_REQUESTED = 0;

/** The writing side of one session. */
export class RecordWriter {
  readonly #handle: SslHandle;
  readonly #recordsPerKey: number;
  #ring: SendRing | undefined;
  /** Whether the ring holds what the socket has not taken. */
  #isBlocked = false;
  /** Bytes of the caller's that are in the ring or were, and how many of them it was told of. */
  #inRing = 0;
  #told = 0;
  /** OpenSSL holds a record that the socket has not taken whole. */
  #isMidRecord = false;
  /** Records since the last change of the key, at most. */
  #records = 0;
  /** Bytes of a full record, once the handshake is done; a ring is made for usual ones. */
  #recordSize = 0;

  /** @param recordsPerKey Records under one key, about. */
  constructor(handle: SslHandle, recordsPerKey: number) {
    this.#handle = handle;
    this.#recordsPerKey = recordsPerKey;
  }

  /** As `TlsSession.write`. */
  write(bytes: Uint8Array<ArrayBuffer>): number {
    if (bytes.length === 0) return 0;
    if (this.#records >= this.#recordsPerKey) this.#changeKey();
    if (this.#recordSize === 0) this.#learnRecordSize();
    return this.#ring || bytes.length > MAX_RECORD && !this.#isMidRecord && this.#recordSize === MAX_RECORD
      ? this.#writeMany(bytes)
      : this.#writeEach(bytes);
  }

  /** Sends what waits in the ring. @returns whether nothing waits any more, there or in OpenSSL. */
  flush(): boolean {
    if (this.#ring) {
      this.#send(this.#ring);
      if (!this.#isBlocked) this.#dropRing();
    }
    return !this.#ring && !this.#isMidRecord;
  }

  /** Gives the ring back, when the session is freed. */
  free(): void {
    this.#ring?.giveBack();
    this.#ring = undefined;
  }

  #learnRecordSize(): void {
    this.#recordSize = recordSizeOf(this.#handle.library, this.#handle.pointer, MAX_RECORD);
  }

  /** A record for each send, until the socket takes no more: who is told of less waits for its word. */
  #writeEach(bytes: Uint8Array<ArrayBuffer>): number {
    const { library: { ssl, crypto }, pointer } = this.#handle;
    for (let taken = 0;;) {
      const size = Math.min(bytes.length - taken, MAX_RECORD);
      const record = size === bytes.length ? bytes : bytes.subarray(taken, taken + size);
      crypto.ERR_clear_error();
      const count = ssl.SSL_write(pointer, record, size);
      this.#isMidRecord = count <= 0;
      this.#records += this.#recordSize === MAX_RECORD ? 1 : Math.ceil(size / this.#recordSize);
      if (count > 0) taken += count;
      else {
        const wants = this.#handle.wants(count);
        return taken > 0 ? taken : wants;
      }
      if (taken === bytes.length) return taken;
    }
  }

  /** One send after the other, until the socket takes no more. */
  #writeMany(bytes: Uint8Array<ArrayBuffer>): number {
    const ring = this.#ring ?? this.#takeRing();
    if (!ring) return this.#writeEach(bytes);
    if (bytes.length < this.#inRing - this.#told) throw new RangeError("what was not taken has to be offered again");
    let taken = this.#isBlocked ? this.#send(ring) : 0;
    while (!this.#isBlocked && taken < bytes.length) {
      const size = Math.min(bytes.length - taken, RING_CAPACITY);
      this.#encrypt(size === bytes.length ? bytes : bytes.subarray(taken, taken + size));
      taken += this.#send(ring);
    }
    if (!this.#isBlocked) this.#dropRing();
    return taken > 0 ? taken : WANT_WRITE;
  }

  /** Into the empty ring, which has room for it. */
  #encrypt(bytes: Uint8Array<ArrayBuffer>): void {
    const { library: { ssl, crypto }, pointer } = this.#handle;
    crypto.ERR_clear_error();
    const count = ssl.SSL_write(pointer, bytes, bytes.length);
    if (count !== bytes.length) {
      this.#handle.wants(count);
      throw this.#handle.fail(new TlsError("OpenSSL does not write into a ring that has room", "protocol"));
    }
    this.#records += TLS_SEND_RECORDS;
    this.#inRing = count;
    this.#told = 0;
  }

  /** Sends what the socket takes. @returns how many more of the caller's bytes have left, in whole records. */
  #send(ring: SendRing): number {
    const left = this.#handle.checked(() => ring.send(this.#handle.fd));
    this.#isBlocked = left > 0;
    const before = this.#told;
    // All records but the last one are full. What OpenSSL put behind them itself counts as if it were the caller's.
    const last = this.#inRing % MAX_RECORD || MAX_RECORD;
    const full = Math.max(0, Math.ceil((left - last - RECORD_OVERHEAD) / (MAX_RECORD + RECORD_OVERHEAD)));
    this.#told = left === 0 ? this.#inRing : Math.max(before, this.#inRing - last - full * MAX_RECORD);
    return this.#told - before;
  }

  /** Puts a ring in the socket's place; none if too many have one. */
  #takeRing(): SendRing | undefined {
    this.#ring = SendRing.take(this.#handle.library);
    if (this.#ring) this.#writeTo(this.#ring.bio);
    this.#inRing = this.#told = 0;
    return this.#ring;
  }

  #dropRing(): void {
    this.#writeTo(this.#handle.socket);
    this.free();
  }

  #writeTo(bio: Deno.PointerValue): void {
    const { library: { ssl, crypto }, pointer } = this.#handle;
    crypto.BIO_up_ref(bio); // the `SSL` lets go of one by itself
    ssl.SSL_set0_wbio(pointer, bio);
  }

  /** Has this side write under a new key from the next record on (RFC 8446 §4.6.3); not while one is half written. */
  #changeKey(): void {
    const { library: { ssl, crypto }, pointer } = this.#handle;
    if (ssl.SSL_key_update(pointer, KEY_UPDATE_NOT_REQUESTED) === 1) this.#records = 0;
    else crypto.ERR_clear_error();
  }
}
