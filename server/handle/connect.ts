/**
 * The command from outside (seed 003, "CommandParser receives, extracts and executes the TCPRemoteConnect command"): a device is
 * asked to reach an address that is not among its services, within what its owner allows, for a time.
 *
 * @module
 */

import { CONNECT_FOR_MS, CONNECT_OPEN_MS } from "../limits.ts";
import { V2_MAX_NAME } from "../../protocol/v2/limits.ts";
import type { Opening } from "../access/openings.ts";
import { checkConnectOptions } from "../check_options.ts";
import { parseLocal } from "../devices/grant_table.ts";
import { formatGrantedAddress, parseGrantedAddress } from "../devices/service_grant.ts";
import type { ServerEvent } from "../events.ts";
import type { ServerSettings } from "../options.ts";
import { CONNECT_LISTEN, grantOf, namesAddresses } from "../v2/open_service.ts";
import type { RegisteredDevice } from "../v2/registered_device.ts";

/** How an address of a device's network is to be reached. */
export interface ConnectOptions extends Pick<Opening, "from" | "reason" | "by" | "keepClients"> {
  /** Milliseconds for which it can be. @default {CONNECT_FOR_MS, an hour} */
  readonly for?: number;
  /** Where clients reach it on the server: `HOST:PORT`, `HOST:0`, or a range. @default {"127.0.0.1:0"} */
  readonly listen?: string;
}

/** An address of a device's network, while it can be reached. */
export interface RemoteConnection {
  /** What it is called in events, in lists of clients, and for `closeService`. */
  readonly service: string;
  /** What the device dials. */
  readonly to: string;
  /** Where clients reach it, as it was really bound. */
  readonly hostAddress: string;
  /** Until when, in milliseconds since 1970. */
  readonly until: number;
  /** Ends it, and its clients, before. @returns whether it was open. */
  close(by?: string): boolean;
}

/** A device cannot be asked for an address, or its host port cannot be opened. */
export class ConnectError extends Error {
  /** With one line for people. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ConnectError";
  }
}

/** What it takes. */
export interface ConnectSurroundings {
  readonly settings: ServerSettings;
  subscribe(subscriber: (event: ServerEvent) => void): () => void;
}

/**
 * Has a device that is linked reach `address`, `HOST:PORT`, for clients at a host port.
 *
 * @throws {SyntaxError}, {TypeError} or {RangeError} for what cannot be. {ConnectError} if the device, or the server, cannot.
 */
export async function connectThrough(
  device: RegisteredDevice,
  address: string,
  options: ConnectOptions,
  { settings, subscribe }: ConnectSurroundings,
): Promise<RemoteConnection> {
  checkConnectOptions(options);
  const { for: ms = CONNECT_FOR_MS, listen: place = CONNECT_LISTEN, ...rest } = options;
  const to = parseLocal(address);
  const listen = formatGrantedAddress(parseGrantedAddress(place));
  const { deviceName: name } = device;
  demandWilling(device);
  const service = serviceNameOf(to);
  const { openings, clock } = settings;
  const before = openings.get(name, service);
  if (grantOf(device.device, service) || before && before.to !== to) {
    throw new ConnectError(`"${name}" has a service that is called ${service}; close it first`);
  }
  const since = clock.wall();
  const opening: Opening = { device: name, service, since, until: since + ms, to, listen, ...rest };
  const opened = Promise.withResolvers<void>();
  opened.promise.catch(() => {}); // whoever gives up before does not wait for it
  const end = subscribe((event) => {
    if (!("localAddress" in event) || event.localAddress !== service || event.device !== name) return;
    if (event.type === "host-open") opened.resolve();
    if (event.type === "host-failed") opened.reject(new ConnectError(`${event.hostAddress}: ${event.error}`));
    if (event.type === "service-closed") opened.reject(new ConnectError("it was closed meanwhile"));
  });
  const bound = () => device.services.find((each) => each.name === service && each.open)?.hostAddress;
  try {
    openings.open(opening);
    if (bound() === undefined) {
      const late = () => opened.reject(new ConnectError(`its host port was not open within ${CONNECT_OPEN_MS} ms`));
      const cancel = clock.after(CONNECT_OPEN_MS, late);
      await opened.promise.finally(cancel);
    }
    const hostAddress = bound();
    if (hostAddress === undefined) throw new ConnectError("the device has gone meanwhile");
    const close = (by?: string) => openings.get(name, service) === opening && openings.close(name, service, by);
    return { service, to, hostAddress, until: opening.until, close };
  } catch (error) {
    if (openings.get(name, service) === opening) openings.close(name, service, rest.by);
    throw error instanceof ConnectError
      ? new ConnectError(`Cannot reach ${to} through "${name}": ${error.message}`)
      : error;
  } finally {
    end();
  }
}

/** Whether it can be asked at all. What it allows, it says when a client comes. */
function demandWilling({ deviceName: name, peer, mode }: RegisteredDevice): void {
  if (!namesAddresses(peer)) {
    throw new ConnectError(
      `"${name}" lets the server name no address; its owner says which it may: --allow 10.0.0.0/24:23`,
    );
  }
  if (mode !== "run") throw new ConnectError(`"${name}" is in mode ${mode}, in which it serves nobody`);
}

/** `to-10.0.0.7-23`. */
function serviceNameOf(to: string): string {
  return `to-${to.replaceAll(/[^A-Za-z0-9._]+/g, "-").replace(/^-/, "")}`.slice(0, V2_MAX_NAME);
}
