/**
 * The ReadyAgent's TCPRemoteConnect command (seed 003, "Examples") as a function.
 *
 * @module
 */

import { type Address, DEFAULT_PORTS, formatAddress, parseAddress } from "../protocol/address.ts";
import { ConfigError } from "../app/toml/config_error.ts";
import { TomlTable } from "../app/toml/table.ts";
import { describeError } from "../base/errors.ts";
import * as check from "../relay/option_check.ts";
import type { Logger } from "../base/logger.ts";
import type { EngineChoice } from "../net/engines.ts";
import { connectDevice } from "./device.ts";
import type { DeviceHandle } from "./handle.ts";
import { parseService } from "./services.ts";

/** The parameters of TCPRemoteConnect, by their names in the seed. */
export interface TcpRemoteConnectOptions {
  /** Host of the server's listener for devices. @default {as configured} */
  readonly serverAddress?: string;
  /** Its port. @default {with `serverAddress` 2065, else as configured} */
  readonly serverPort?: number;
  /** Host of the service, the only one that may be dialled. @default {as configured, with its port} */
  readonly localAddress?: string;
  /** Its port; it has to be there if its host is. */
  readonly localPort?: number;
  /**
   * The device's configuration, a TOML file with the words of the command line, for what is not given here: `server`, and one
   * `service`. The variables `SALLYPORT_SERVER` and `SALLYPORT_SERVICE` go before it.
   *
   * @default {the file that `SALLYPORT_CONFIG` names}
   */
  readonly config?: string;
  /** The sockets: the best that there are (`auto`), or these and no others. @default {"auto"} */
  readonly engine?: EngineChoice;
  /** Where log lines go; nowhere by default. */
  readonly logger?: Logger;
}

const OPTIONS = check.options<TcpRemoteConnectOptions>({
  serverAddress: check.optional(check.host),
  serverPort: check.optional(check.whole(1, 65_535)),
  localAddress: check.optional(check.text),
  localPort: check.optional(check.whole(1, 65_535)),
  config: check.optional(check.text),
  engine: check.optional(check.engine),
  logger: check.optional(check.logger),
});

/**
 * Connects one service through the server for the life of one link, as the original does: when the link ends, so does the
 * handle. For a link that comes back see {@linkcode connectDevice}.
 *
 * @throws {TypeError} or {RangeError} with the name and the value of an option that cannot be.
 * @throws {SyntaxError} if `localAddress` is not the host of one service. {ConfigError} if something is given neither here nor
 *   in the configuration.
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
export function tcpRemoteConnect(options: TcpRemoteConnectOptions = {}): DeviceHandle {
  OPTIONS(options, "options");
  const { serverAddress, serverPort, localAddress, localPort, engine, logger } = options;
  if ((localAddress === undefined) !== (localPort === undefined)) {
    throw new TypeError("options.localAddress and options.localPort go together; give both, or neither");
  }
  const configured = new Configured(options.config);
  const server = serverAddress === undefined
    ? serverOf(configured.one("server"))
    : { host: serverAddress, port: DEFAULT_PORTS.v1 };
  return connectDevice({
    profile: "v1",
    server: { host: server.host, port: serverPort ?? server.port },
    services: [
      parseService(
        localAddress === undefined
          ? configured.one("service")
          : formatAddress({ host: localAddress, port: localPort! }),
      ),
    ],
    reconnect: false,
    ...(engine && { engine }),
    ...(logger && { logger }),
  });
}

/** A server as it may be configured: with its port, or without. */
function serverOf(text: string): Address {
  return parseAddress(/[^:]:[^:]*$|\]:/.test(text) ? text : `${text}:${DEFAULT_PORTS.v1}`);
}

/** What a device's configuration has, read when something of it is needed. */
class Configured {
  readonly #given: string | undefined;
  #table: TomlTable | undefined;

  constructor(file: string | undefined) {
    this.#given = file;
  }

  /** The one value of a word. @throws {ConfigError} if there is none, or several. */
  one(word: "server" | "service"): string {
    const variable = `SALLYPORT_${word.toUpperCase()}`;
    const values = Deno.env.get(variable)?.split(" ").filter(Boolean) ?? this.#file()?.list(word, (text) => text) ?? [];
    const [value, ...more] = values;
    if (value !== undefined && more.length === 0) return value;
    const where = `${variable}, or "${word}" in the file that "config" or SALLYPORT_CONFIG names`;
    throw new ConfigError(
      value === undefined
        ? `no ${word} is given, nor is one configured: ${where}`
        : `${values.length} are configured as ${word}; v1's command takes one: ${where}`,
    );
  }

  #file(): TomlTable | undefined {
    const file = this.#given ?? Deno.env.get("SALLYPORT_CONFIG");
    if (file === undefined) return undefined;
    try {
      return this.#table ??= TomlTable.parse(file, Deno.readTextFileSync(file));
    } catch (error) {
      throw error instanceof ConfigError ? error : new ConfigError(`cannot read ${file}: ${describeError(error)}`);
    }
  }
}
