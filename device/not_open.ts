/**
 * What would do about a service that the server does not open, or that is not offered to it.
 *
 * @module
 */

import { closest } from "../base/closest.ts";
import type { Logger } from "../base/logger.ts";
import { grantedNames, notGrantedWhy } from "../protocol/v2/not_granted.ts";

/** A service, as its status has it. */
export interface NotOpen {
  readonly name: string;
  readonly kind: string;
  readonly localAddress: string;
  /** What the server said. */
  readonly error: string | null | undefined;
}

/** What would do about a service of `device` that has an error, if that is known; `offered`: all that the device has. */
export function notOpenAdvice(
  { name, kind, localAddress, error }: NotOpen,
  device: string,
  offered: readonly string[] = [],
): string | undefined {
  const [code = "", ...rest] = (error ?? "").split(": ");
  const move = (address: string) => `sallyport server service move ${device} ${name}=${address}`;
  switch (code) {
    case "closed":
      return `on the server: sallyport server open ${device}/${name} --for 1h`;
    case "port-unavailable":
      return `on the server: end what has that port (ss -ltnp), or grant another: ${move("HOST:PORT")}`;
    case "not-granted":
      break;
    default:
      return undefined;
  }
  switch (notGrantedWhy(rest.join(": "), name)) {
    case "udp-offered":
      return `on the server: ${move("udp:HOST:PORT")}`;
    case "udp-granted": {
      const there = `on the server: ${move("HOST:PORT")}`;
      return kind === "tcp" ? `here: write ${name}=udp:${localAddress}; or, if it is TCP, ${there}` : there;
    }
    case "defined":
      return `here: leave ${name} out; or, if it is to be the device's, on the server: ` +
        `sallyport server service remove ${device} ${name}, and service add without --local`;
    default: {
      const there = `on the server: sallyport server service add ${device} ${name}=HOST:PORT`;
      const like = closest(name, grantedNames(rest.join(": ")).filter((each) => !offered.includes(each)));
      if (like === undefined) return there;
      const here = `${like}=${kind === "tcp" ? localAddress : "ENDPOINT"}`;
      return `did you mean "${like}"? here: sallyport device service add ${here}, then service remove ${name}; ` +
        `or, if it is "${name}", ${there}`;
    }
  }
}

/** Logs that one of `services` is not open, and what would do if it is not granted to `device`. */
export function tellNotOpen(logger: Logger, name: string, services: readonly NotOpen[], device = "DEVICE"): void {
  const service = services.find((each) => each.name === name)!;
  const { error } = service;
  const level = error?.startsWith("closed: ") ? "info" : "error"; // which is as somebody wants it
  const advice = error?.startsWith("not-granted: ")
    ? notOpenAdvice(service, device, services.map((each) => each.name))
    : undefined;
  const message = "service {service} is not open: {error}";
  logger[level](advice ? `${message}; {advice}` : message, { service: name, error, ...(advice && { advice }) });
}

/** Logs which of `services` are not offered, as they can never be served here. */
export function tellLacks(logger: Logger, services: readonly NotOpen[]): void {
  for (const { name, error } of services) {
    const lacks = lackIn(error);
    if (lacks !== undefined) logger.warn("service {service} is not offered: {error}", { service: name, error: lacks });
  }
}

/** The error of a service that is not offered for what it `lacks`. */
export function notOffered(lacks: string): string {
  return `${NOT_OFFERED}: ${lacks}`;
}

/** What the error of a service says that it lacks, if it is of that kind. */
export function lackIn(error: string | null | undefined): string | undefined {
  return error?.startsWith(`${NOT_OFFERED}: `) ? error.slice(NOT_OFFERED.length + 2) : undefined;
}

/** The first word of the error of a service that is not offered for that. */
const NOT_OFFERED = "not-offered";
