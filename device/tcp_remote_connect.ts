/**
 * The ReadyAgent's TCPRemoteConnect command (seed 003, "Examples") as a function.
 *
 * @module
 */

import { DEFAULT_PORTS, formatAddress } from "../protocol/address.ts";
import * as check from "../relay/option_check.ts";
import type { Logger } from "../base/logger.ts";
import type { EngineChoice } from "../net/engines.ts";
import { connectDevice } from "./device.ts";
import type { DeviceHandle } from "./handle.ts";
import { parseService } from "./services.ts";

/** The parameters of TCPRemoteConnect, by their names in the seed. */
export interface TcpRemoteConnectOptions {
  /** Host of the server's listener for devices. */
  readonly serverAddress: string;
  /** Its port. @default {2065} */
  readonly serverPort?: number;
  /** Host of the service, the only one that may be dialled. */
  readonly localAddress: string;
  /** Its port. */
  readonly localPort: number;
  /** The sockets: the best that there are (`auto`), or these and no others. @default {"auto"} */
  readonly engine?: EngineChoice;
  /** Where log lines go; nowhere by default. */
  readonly logger?: Logger;
}

const OPTIONS = check.options<TcpRemoteConnectOptions>({
  serverAddress: check.host,
  serverPort: check.optional(check.whole(1, 65_535)),
  localAddress: check.text,
  localPort: check.whole(1, 65_535),
  engine: check.optional(check.engine),
  logger: check.optional(check.logger),
});

/**
 * Connects one service through the server for the life of one link, as the original does: when the link ends, so does the
 * handle. For a link that comes back see {@linkcode connectDevice}.
 *
 * @throws {TypeError} or {RangeError} with the name and the value of an option that cannot be.
 * @throws {SyntaxError} if `localAddress` is not the host of one service.
 *
 * @example
 * ```ts
 * import { tcpRemoteConnect } from "@sallyport/sallyport";
 *
 * const remote = tcpRemoteConnect({
 *   serverAddress: "127.0.0.1",
 *   serverPort: 2065,
 *   localAddress: "10.41.51.152",
 *   localPort: 23,
 * });
 * remote.subscribe((event) => event.type === "channel-end" && event.reason);
 * remote.close();
 * await remote.closed;
 * ```
 */
export function tcpRemoteConnect(options: TcpRemoteConnectOptions): DeviceHandle {
  OPTIONS(options, "options");
  const { serverAddress, serverPort = DEFAULT_PORTS.v1, localAddress, localPort, engine, logger } = options;
  return connectDevice({
    profile: "v1",
    server: { host: serverAddress, port: serverPort },
    services: [parseService(formatAddress({ host: localAddress, port: localPort }))],
    reconnect: false,
    ...(engine && { engine }),
    ...(logger && { logger }),
  });
}
