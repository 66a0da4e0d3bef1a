/**
 * A service that a device offers and may open, and what is said of it.
 *
 * @module
 */

import { type Authenticated, CAN_NAME_ADDRESSES } from "../../protocol/v2/wire/handshake.ts";
import type { Turns } from "../../base/slices.ts";
import type { ServiceGrantResult, ServiceOffer, ServiceTarget } from "../../protocol/v2/wire/messages.ts";
import { grantedText, notGrantedText } from "../../protocol/v2/not_granted.ts";
import type { ChannelPump } from "../../relay/channel_pump.ts";
import type { Connection } from "../../net/socket.ts";
import type { AuthorizedDevice } from "../devices/authorized_devices.ts";
import type { DatagramCounts } from "../../net/udp/counts.ts";
import type { Opening } from "../access/openings.ts";
import type { Pass } from "../access/gate.ts";
import type { ClientDoor } from "../ports/client_door.ts";
import type { ClientEntry } from "../ports/client_table.ts";
import type { Waiter } from "../ports/fair_line.ts";
import type { ServerEvent } from "../events.ts";
import type { HostPort } from "../ports/host_port.ts";
import type { KeptPort } from "../ports/kept_ports.ts";
import type { ServerSettings } from "../options.ts";
import type { V2Session } from "./session.ts";
import {
  eachService,
  formatGrantedAddress,
  isUdp,
  namesOf,
  parseGrantedAddress,
  rangeOf,
  type ServiceGrant,
} from "../devices/service_grant.ts";
import { isUnixHost } from "../ports/unix_host.ts";

/** What the services of a device need. */
export interface DeviceServicesOptions {
  /** Who the device is, and what it may open. */
  readonly device: AuthorizedDevice;
  readonly settings: ServerSettings;
  /** The device's link, if it is up. */
  link(): V2Session | undefined;
  /** Whether its owner lets the server name addresses, as it said with its link. */
  namesAddresses(): boolean;
  /** When a host port may be opened: a fleet that comes back wants all of its own at once. */
  readonly turns: Turns;
  /** The port that a service's free port or range came to. */
  kept(service: string): KeptPort;
  emit(event: ServerEvent): void;
}

/** A service that is open, or is to be, with the host address really bound. */
export interface ServedService {
  /** Its name. */
  readonly name: string;
  /** Where clients reach it: what was really bound, or what was asked for. */
  readonly hostAddress: string;
  /** Whether its host port is open. */
  readonly open: boolean;
  /** Why not, if it is not. */
  readonly error: string | undefined;
  /** Until when it is open, in milliseconds since 1970, if it is for a time. */
  readonly until?: number;
  /** What became of its datagrams, if it is one of UDP. */
  readonly datagrams?: DatagramCounts;
}

/** The clients of a service, and where they came to. They outlive its host port: a device that withdraws it serves on. */
export interface ServiceClients {
  readonly listen: string;
  readonly pumps: Set<ChannelPump>;
}

/** A service that the device offers and may open. */
export interface OpenService {
  /** How CONNECT names it: the device's number of it on this link, or as it is defined here; not said yet on a new link. */
  at: number | ServiceTarget | undefined;
  readonly port: HostPort;
  readonly door: ClientDoor;
  readonly clients: ServiceClients;
}

/** A client that waits for a link, or for the number of its service on it. */
export interface WaitingClient extends Waiter {
  /** The service's name. */
  readonly service: string;
  /** Its connection, which nobody reads yet. */
  readonly duplex: Connection;
  /** Its address, as text. */
  readonly address: string;
  /** What let it in. */
  readonly pass: Pass;
  /** What is shown of it. */
  readonly entry: ClientEntry;
  /** Says that it has gone. */
  left(): void;
}

/** A service as it is shown. */
export function statusOf(name: string, port: HostPort, until?: number): ServedService {
  const { datagrams } = port;
  return {
    name,
    hostAddress: port.address,
    open: port.isOpen,
    error: port.isOpen ? undefined : port.error,
    ...(until !== undefined && { until }),
    ...(datagrams && { datagrams }),
  };
}

/** What opens a service that is closed until somebody does, for a time. */
export function opensIt(device: string, service: string): string {
  return `"server open ${device}/${service} --for 1h" opens it for a time`;
}

/** Such a service as it is shown. */
export function shutStatus(device: string, grant: ServiceGrant): ServedService {
  return unopened(grant, `closed: ${opensIt(device, grant.name)}`);
}

/** One that is not open since the device has it otherwise, if so; `namesNone`: it lets the server name no address. */
export function unlikeStatus(
  grant: ServiceGrant,
  offer: ServiceOffer | undefined,
  namesNone: boolean,
): ServedService | undefined {
  const none = namesNone ? notGrantedText("no-address", grant.name) : undefined;
  const error = grant.local === undefined ? offer && mismatch(grant, offer) : none;
  return error === undefined ? undefined : unopened(grant, error);
}

function unopened({ name, listen }: ServiceGrant, error: string): ServedService {
  return { name, hostAddress: formatGrantedAddress(listen), open: false, error };
}

/** What the device hears of it, under the `number` that it gave it. */
export function answerOf(name: string, number: number, port: HostPort): ServiceGrantResult {
  if (port.isOpen) return { number, code: "granted", text: port.address };
  return { number, code: "port-unavailable", text: `${name}: ${port.error ?? "not open"}` };
}

/** Why a service cannot be had as it is offered, if so: by UDP on one side alone. */
export function mismatch({ name, listen }: ServiceGrant, { datagrams }: ServiceOffer): string | undefined {
  if (isUdp(listen) === (datagrams === true)) return undefined;
  return notGrantedText(datagrams ? "udp-offered" : "udp-granted", name);
}

/** The device's grant for a service, if it has one. */
export function grantOf({ services }: AuthorizedDevice, name: string): ServiceGrant | undefined {
  return eachService(services).find((grant) => grant.name === name);
}

/** What to say of a service that a device offers and is not granted. */
export function notGranted({ name: device, services }: AuthorizedDevice, name: string): string {
  const range = services.find((grant) => name.startsWith(`${grant.name}-`) && isFreeOfRange(grant.listen));
  const hint = range
    ? `; ${range.name} is one free port of ${
      formatGrantedAddress(range.listen)
    }: with ",each" behind it, it is all of them`
    : "";
  return grantedText(device, namesOf(services)) + hint;
}

function isFreeOfRange(listen: ServiceGrant["listen"]): boolean {
  return !isUnixHost(listen) && listen.from !== listen.to && !listen.each;
}

/** What to say of one of {@linkcode partsOffered}. */
export const PART_OFFERED =
  "device {device} offers {offered} of the {count} ports of {service}; the ranges of both sides have to be as long";

/** Ranges of which a device offers a part alone, with how many. */
export function partsOffered(
  { services }: AuthorizedDevice,
  names: ReadonlySet<string>,
): { readonly service: string; readonly offered: number; readonly count: number }[] {
  return services.flatMap((grant) => {
    const { name: service, local } = grant;
    const count = rangeOf(grant) ?? 0;
    const offered = eachService([grant]).filter(({ name }) => names.has(name)).length;
    return local === undefined && offered > 0 && offered < count ? [{ service, offered, count }] : [];
  });
}

/** Where clients reach an address that somebody asked for, if he does not say. */
export const CONNECT_LISTEN = "127.0.0.1:0";

/** What stands for a grant while an address can be reached that somebody asked for. */
export function grantOfOpening({ service, to, listen }: Opening): ServiceGrant | undefined {
  if (to === undefined) return undefined;
  return { name: service, listen: parseGrantedAddress(listen ?? CONNECT_LISTEN), local: to, closed: true };
}

/** The same for it: its port is nobody's afterwards. */
export function forgottenPort(kept: KeptPort): KeptPort {
  return { ...kept, get: () => undefined, set: () => {} };
}

/** Whether the owner of a device lets the server name addresses. */
export function namesAddresses(hello: Pick<Authenticated, "capabilities"> | undefined): boolean {
  return ((hello?.capabilities ?? 0) & CAN_NAME_ADDRESSES) !== 0;
}
