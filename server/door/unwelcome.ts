/**
 * Why a device that has proved who it is may not link up.
 *
 * @module
 */

import { type Goodbye, goodbye } from "../../protocol/v2/wire/goodbye.ts";
import { HandshakeError } from "../../protocol/v2/wire/handshake.ts";
import { LINK_BURST } from "./limits.ts";
import { LIMIT_COME_BACK_MS } from "../capacity/limits.ts";
import type { AuthorizedDevice } from "../devices/authorized_devices.ts";

/** A device makes links too often. Whoever tells it had better not hurry. */
export class TooManyLinks extends HandshakeError {
  /** The device may come back after `wait` milliseconds. */
  constructor(device: string, wait: number) {
    const text = `${device} made more than ${LINK_BURST} links in a row; it may make one a second`;
    super({ ...goodbye("too-busy", text), comeBackAfter: wait });
    this.name = "TooManyLinks";
  }
}

/** A limit of the whole server is reached. */
export class ServerFull extends HandshakeError {
  /** `why` says which one. */
  constructor(why: string) {
    super({ ...goodbye("too-busy", why), comeBackAfter: LIMIT_COME_BACK_MS });
    this.name = "ServerFull";
  }
}

/** Why a device may not link up at a time, if it may not. */
export function unwelcomeAt({ name, disabled, expires }: AuthorizedDevice, wallClock: number): Goodbye | undefined {
  if (disabled) return goodbye("disabled", `${name} is disabled`);
  if (expires === undefined || wallClock < expires) return undefined;
  return goodbye("expired", `the grant of ${name} expired on ${new Date(expires).toISOString().slice(0, 10)}`);
}
