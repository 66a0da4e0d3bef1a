/**
 * Sockets of UDP, whichever engine makes them.
 *
 * @module
 */

import type { Address } from "../../protocol/address.ts";

/** Who sent a datagram, and where an answer to it goes. */
export interface DatagramPeer {
  /** Where it came from. */
  readonly address: Address;
}

/**
 * What became of a datagram: it was handed to the system, or nobody was there for one before, or it is too large for its way,
 * which not every engine can say, or there was no room for it.
 */
export type SendFate = "sent" | "refused" | "oversized" | "lost";

/** Who is told what comes. */
export interface DatagramHandler {
  /**
   * One came. The view is valid during the call. `key` tells senders apart, and to which of this machine's addresses they
   * send; `peer` gives the one of this datagram, during the call.
   */
  onDatagram(bytes: Uint8Array, key: string, peer: () => DatagramPeer): void;
  /** Nobody is there for what was sent before, as the other machine says (ICMP). */
  onRefused(): void;
}

/** A socket of UDP. Its owner closes it. */
export interface DatagramSocket {
  /** The address really bound. */
  readonly address: Address;
  /** Datagrams that the system dropped so far, as its own queue was full; 0 where it does not say. */
  readonly unread: number;
  /** Sends a datagram: of a bound socket to a peer that it was given, of a connected one to its own. It never waits. */
  send(bytes: Uint8Array, to?: DatagramPeer): SendFate;
  /** Closes it; nothing more is told. Idempotent. @returns when its port is free. */
  close(): Promise<void>;
}
