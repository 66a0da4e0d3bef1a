/**
 * How many may stand at the doors of a server: a part of the descriptors that it may have, so that strangers leave enough
 * for clients, links and files.
 *
 * @module
 */

import { MAX_HANDSHAKES } from "../../net/limits.ts";
import {
  DOOR_PART,
  MAX_HANDSHAKES_UNDER_WAY,
  MAX_PENDING_LINKS,
  MAX_WAITING_HANDSHAKES,
  MIN_AT_DOOR,
  UNDER_WAY_PART,
} from "./limits.ts";
import { descriptorLimit } from "../../net/kernel/descriptor_room.ts";

/** How many listeners for devices there are, which share the room; a reload may open and close some. */
export interface ListenerCount {
  open: number;
}

/** The bounds of one listener for devices. */
export interface DoorRoom {
  /** Connections in their handshake, on v2. */
  readonly handshakes: number;
  /** Those that wait for its beginning, on v2. */
  readonly waiting: number;
  /** Handshakes of one address that are under way at a time. */
  readonly underWay: number;
  /** Connections on their way to a LISTEN, on v1. */
  readonly links: number;
}

/**
 * The bounds of one listener, as they are while there are so many of them.
 *
 * @param each Descriptors of a connection at this one.
 * @param descriptors What the process may have; unknown: as many as the bounds are meant for.
 */
export function doorRoom(listeners: ListenerCount, each = 1, descriptors = descriptorLimit() ?? Infinity): DoorRoom {
  const part = () => descriptors / DOOR_PART / Math.max(1, listeners.open) / each;
  const scaled = (bound: number) => {
    const scale = Math.min(1, part() / (MAX_HANDSHAKES + MAX_WAITING_HANDSHAKES));
    return Math.max(MIN_AT_DOOR, Math.floor(bound * scale));
  };
  return {
    get handshakes() {
      return scaled(MAX_HANDSHAKES);
    },
    get waiting() {
      return scaled(MAX_WAITING_HANDSHAKES);
    },
    get underWay() {
      return Math.min(MAX_HANDSHAKES_UNDER_WAY, Math.ceil(this.handshakes / UNDER_WAY_PART));
    },
    get links() {
      return Math.max(MIN_AT_DOOR, Math.min(MAX_PENDING_LINKS, Math.floor(part())));
    },
  };
}
