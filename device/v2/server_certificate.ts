/**
 * What a device says of a server's certificate that ends soon: nobody might read the server's own warnings.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { DailyWarning } from "../../net/tls/validity.ts";
import type { Transport } from "../../net/transport.ts";

/** Looks at each new link's certificate, and warns once a day at most. */
export class ServerCertificateWatch {
  readonly #daily = new DailyWarning();
  readonly #clock: Clock;
  readonly #logger: Logger;

  /** `logger`: where it warns. */
  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** A link whose handshake of TLS is done, if it has one. */
  saw({ peerEnds, remote }: Pick<Transport, "peerEnds" | "remote">): void {
    const ends = peerEnds?.();
    const warning = this.#daily.due(ends, this.#clock.wall());
    if (!warning) return;
    this.#logger.warn("the certificate of the server at {server} {text}: whoever runs it has to renew it", {
      server: remote,
      text: warning.text,
      ends: new Date(ends!).toISOString(),
    });
  }
}
