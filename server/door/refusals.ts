/**
 * Who came to a listener for devices and was turned away: a line in the log and an event for each.
 *
 * @module
 */

import { siteOf } from "../../protocol/address_group.ts";
import { MAX_LOOKING_SITES } from "./limits.ts";
import type { Logger } from "../../base/logger.ts";
import type { RefusalReason } from "../../protocol/reasons.ts";
import { formatPublicKey } from "../../net/tls/identity.ts";
import type { DeviceDirectory } from "../options.ts";
import type { RefusedEvent, ServerEvent } from "../events.ts";

/** What is to be done about a device that turned away from the server. */
const OTHER_KEY =
  "it refuses this server's key: it was joined to another one; enroll it again, or put the server's old key back";
const OTHER_CERTIFICATE =
  "it refuses this server's certificate: it knows another CA or name, finds its time over, or was joined to a server's own key";

/** Who somebody says to be. */
export type Claim = Pick<RefusedEvent, "device" | "key" | "proved">;

/** Who shows a key, and whether it is proved. */
export function claimOf(key: Uint8Array | undefined, proved: boolean, devices: Pick<DeviceDirectory, "byKey">): Claim {
  if (!key) return {};
  const device = devices.byKey(key)?.name;
  return { ...(device !== undefined && { device }), key: formatPublicKey(key), proved };
}

/** Tells of those whom one listener turns away. */
export class Refusals {
  readonly #listen: string;
  readonly #log: Logger;
  readonly #emit: (event: ServerEvent) => void;
  readonly #looking = new Set<string>();
  #mute = 0;

  /** For the listener at the address `listen`. */
  constructor(listen: string, log: Logger, emit: (event: ServerEvent) => void) {
    this.#listen = listen;
    this.#log = log;
    this.#emit = emit;
  }

  /**
   * One from `remote` was turned away; `why` is for people, `claim` who it says to be, `isOrderly` that it only looked and
   * said so, as a doctor does: nothing to warn of.
   */
  tell(remote: string, reason: RefusalReason, why: string, claim: Claim = {}, isOrderly = false): void {
    const listen = this.#listen;
    const level = isOrderly || reason === "server-limit" ? "debug" : "warn"; // the limit has its own line, for all of them
    this.#log[level]("refused {remote} on {listen}: {why}", { remote, listen, reason, why, ...claim });
    this.#emit({ type: "refused", listen, remote, reason, why, ...claim });
  }

  /** One from `remote` looks for a server with another key. It comes again and again, and is warned of once. */
  tellOtherKey(remote: string, hasCertificate: boolean): void {
    const listen = this.#listen;
    const site = siteOf(remote) ?? remote;
    const level = this.#looking.has(site) ? "debug" : "warn";
    if (this.#looking.size >= MAX_LOOKING_SITES) this.#looking.clear();
    this.#looking.add(site);
    const [reason, why] = ["tls-failed", hasCertificate ? OTHER_CERTIFICATE : OTHER_KEY] as const;
    this.#log[level]("refused {remote} on {listen}: {why}", { remote, listen, reason, why });
    this.#emit({ type: "refused", listen, remote, reason, why });
  }

  /** One from `remote` ended without a byte, as the health checks of load balancers do all day: nothing to warn of. */
  tellMute(remote: string): void {
    const listen = this.#listen;
    const why = "it closed without a word";
    const count = ++this.#mute;
    this.#log.debug("refused {remote} on {listen}: {why}; {count} such by now", { remote, listen, why, count });
    this.#emit({ type: "refused", listen, remote, reason: "mute", why });
  }
}
