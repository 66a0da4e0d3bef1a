/**
 * What became of the datagrams of a service.
 *
 * @module
 */

/** Since the service is there. */
export interface DatagramCounts {
  /** Came from the network, for the other side. */
  received: number;
  /** Were sent to the network. */
  sent: number;
  /** Dropped as too many waited: of a client the oldest, or whoever came when there was no room at all. */
  overflowed: number;
  /** Dropped on this side, as they had waited for too long. */
  aged: number;
  /** Dropped as they came from the other side too late. */
  late: number;
  /** Sent, and nobody was there, as the other machine said. */
  refused: number;
  /** The system had no room for them, or they were too large for it. */
  unsent: number;
  /** The system dropped them before they were received, as its own queue was full; 0 where it does not say. */
  unread: number;
}

/** None yet. */
export function noDatagrams(): DatagramCounts {
  return { received: 0, sent: 0, overflowed: 0, aged: 0, late: 0, refused: 0, unsent: 0, unread: 0 };
}
