/**
 * Where records are gathered, so that many leave in one send: half of a pair of OpenSSL's BIOs, which is a ring of bytes.
 *
 * A session holds one only while it writes, and while its socket takes no more. So there are few of them, however many
 * sessions there are.
 *
 * @module
 */

import { socketError } from "./errors.ts";
import { MSG_NOSIGNAL, type OpenSsl } from "./library.ts";
import { MAX_SPARE_TLS_RINGS, MAX_TLS_RINGS, TLS_SEND_RECORDS } from "./limits.ts";
import { MAX_RECORD, RECORD_OVERHEAD } from "./record_size.ts";

/** What a ring takes at once, in bytes before they are encrypted. */
export const RING_CAPACITY = TLS_SEND_RECORDS * MAX_RECORD;
/** Room for what OpenSSL sends on its own: changes of keys, alerts. */
const RING_SLACK = 1_024;
const RING_SIZE = TLS_SEND_RECORDS * (MAX_RECORD + RECORD_OVERHEAD) + RING_SLACK;
/** The other direction is not used. */
const UNUSED_SIZE = 1;

const EINTR = 4;
const EAGAIN = 11;

/** Those of this thread that nobody has. */
const spare: SendRing[] = [];
let inUse = 0;

/** A ring, of one session at a time. */
export class SendRing {
  /** The end that OpenSSL writes to. */
  readonly bio: Deno.PointerValue;
  readonly #library: OpenSsl;
  /** The end that is sent from. */
  readonly #outlet: Deno.PointerValue;
  /** Where it begins; what was written to an empty ring stands there. */
  readonly #start: Deno.PointerValue;
  readonly #startAddress: bigint;
  /** Where the library says an address. */
  readonly #at = new BigUint64Array(1);

  private constructor(library: OpenSsl) {
    const { crypto } = this.#library = library;
    const [bio, outlet] = [new BigUint64Array(1), new BigUint64Array(1)];
    if (crypto.BIO_new_bio_pair(bio, BigInt(RING_SIZE), outlet, BigInt(UNUSED_SIZE)) !== 1) {
      throw new Error("OpenSSL has no room for a ring");
    }
    this.bio = Deno.UnsafePointer.create(bio[0]!);
    this.#outlet = Deno.UnsafePointer.create(outlet[0]!);
    crypto.BIO_nwrite0(this.bio, this.#at);
    this.#startAddress = this.#at[0]!;
    this.#start = Deno.UnsafePointer.create(this.#startAddress);
  }

  /** One that is empty, or `undefined` if too many are in use. */
  static take(library: OpenSsl): SendRing | undefined {
    if (inUse >= MAX_TLS_RINGS) return undefined;
    const ring = spare.pop() ?? new SendRing(library);
    inUse++;
    return ring;
  }

  /** Gives it back; nobody may point to it any more. */
  giveBack(): void {
    inUse--;
    if (this.size === 0 && spare.length < MAX_SPARE_TLS_RINGS) return void spare.push(this);
    this.#library.crypto.BIO_free(this.bio);
    this.#library.crypto.BIO_free(this.#outlet);
  }

  /** Bytes in it. */
  get size(): number {
    return this.#library.crypto.BIO_ctrl_pending(this.#outlet);
  }

  /**
   * Sends from it what the socket takes.
   *
   * @returns how many bytes are left.
   * @throws {TlsError} if the socket has failed.
   */
  send(fd: number): number {
    const { crypto, libc, errno } = this.#library;
    for (;;) {
      const size = crypto.BIO_nread0(this.#outlet, this.#at);
      if (size <= 0) return 0;
      const address = this.#at[0]!;
      const from = address === this.#startAddress ? this.#start : Deno.UnsafePointer.create(address);
      const sent = libc.send(fd, from, size, MSG_NOSIGNAL);
      if (sent >= 0) {
        crypto.BIO_nread(this.#outlet, this.#at, sent);
        continue;
      }
      const number = errno.getInt32();
      if (number === EAGAIN) return this.size;
      if (number !== EINTR) throw socketError(number);
    }
  }
}
