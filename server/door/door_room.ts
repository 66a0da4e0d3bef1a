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
} from "../limits.ts";
import { descriptorLimit } from "../../net/kernel/descriptor_room.ts";

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
 * The bounds of one of `listeners`.
 *
 * @param each Descriptors of a connection at this one.
 * @param descriptors What the process may have; unknown: as many as the bounds are meant for.
 */
export function doorRoom(listeners: number, each = 1, descriptors = descriptorLimit() ?? Infinity): DoorRoom {
  const part = descriptors / DOOR_PART / listeners / each;
  const scale = Math.min(1, part / (MAX_HANDSHAKES + MAX_WAITING_HANDSHAKES));
  const scaled = (bound: number) => Math.max(MIN_AT_DOOR, Math.floor(bound * scale));
  const handshakes = scaled(MAX_HANDSHAKES);
  return {
    handshakes,
    waiting: scaled(MAX_WAITING_HANDSHAKES),
    underWay: Math.min(MAX_HANDSHAKES_UNDER_WAY, Math.ceil(handshakes / UNDER_WAY_PART)),
    links: Math.max(MIN_AT_DOOR, Math.min(MAX_PENDING_LINKS, Math.floor(part))),
  };
}
