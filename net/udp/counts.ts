/**
 * What became of datagrams: of a client, of its service, and of all services.
 *
 * @module
 */

/** Of a client or a service since it is there, or of all services since the process runs. */
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
  /** Dropped as they were too large, for a channel or for the way they had to go. */
  oversized: number;
  /** The system had no room for them. */
  unsent: number;
  /** The system dropped them before they were received, as its own queue was full; 0 where it does not say, and of a server's client. */
  unread: number;
}

/** What is counted, by its words. */
export const DATAGRAM_WORDS = [
  "received",
  "sent",
  "overflowed",
  "aged",
  "late",
  "refused",
  "oversized",
  "unsent",
  "unread",
] as const satisfies readonly (keyof DatagramCounts)[];

/** None yet. */
export function noDatagrams(): DatagramCounts {
  return { received: 0, sent: 0, overflowed: 0, aged: 0, late: 0, refused: 0, oversized: 0, unsent: 0, unread: 0 };
}

/** Counts what becomes of a client's: each for itself, and for all of its service. */
export class ClientDatagrams {
  /** Its own. */
  readonly own = noDatagrams();
  readonly #all: DatagramCounts;

  /** None yet; `all` are those of its service. */
  constructor(all: DatagramCounts) {
    this.#all = all;
  }

  /** One more of them. */
  add(word: keyof DatagramCounts): void {
    this.own[word]++;
    this.#all[word]++;
  }
}

/** Those of all services, also of such as are no more. */
export class DatagramTotals {
  readonly #services = new Set<() => DatagramCounts>();
  readonly #ended = noDatagrams();

  /** A service is there, whose own `counts` tells. @returns what to call when it is no more. */
  enter(counts: () => DatagramCounts): () => void {
    this.#services.add(counts);
    return () => {
      if (this.#services.delete(counts)) addTo(this.#ended, counts());
    };
  }

  /** As they are now. */
  get all(): DatagramCounts {
    const all = { ...this.#ended };
    for (const counts of this.#services) addTo(all, counts());
    return all;
  }
}

function addTo(sum: DatagramCounts, more: DatagramCounts): void {
  for (const word of DATAGRAM_WORDS) sum[word] += more[word];
}
