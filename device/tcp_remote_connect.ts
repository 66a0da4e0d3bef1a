/**
 * The ReadyAgent's TCPRemoteConnect command (seed 003, "Examples") as a function.
 *
 * @module
 */

import { formatAddress } from "../protocol/address.ts";
import type { Logger } from "../net/logger.ts";
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
  /** Where log lines go; nowhere by default. */
  readonly logger?: Logger;
}

/** The port that the agent's stock configuration names for the server. */
export const DEFAULT_SERVER_PORT = 2065;

/**
 * Connects one service through the server for the life of one link, as the original does: when the link ends, so does the
 * handle. For a link that comes back see {@linkcode connectDevice}.
 *
 * @throws {SyntaxError} if `localAddress` or `localPort` cannot be one.
 *
 * @example
 * ```ts
 * import { tcpRemoteConnect } from "./tcp_remote_connect.ts";
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
  const { serverAddress, serverPort = DEFAULT_SERVER_PORT, localAddress, localPort, logger } = options;
  return connectDevice({
    profile: "v1",
    server: { host: serverAddress, port: serverPort },
    services: [parseService(formatAddress({ host: localAddress, port: localPort }))],
    reconnect: false,
    ...(logger && { logger }),
  });
}
