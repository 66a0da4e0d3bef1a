/**
 * What `server doctor` advises about a service that is not open.
 *
 * @module
 */

import { notGrantedWhy } from "../../protocol/v2/not_granted.ts";

/** A service that is not open. */
export interface NotOpen {
  /** The device's name. */
  readonly device: string;
  /** The service's. */
  readonly name: string;
  /** Why it is not, as the admin API has it. */
  readonly error: string;
}

/** What would do. */
export function notOpenAdvice({ device, name, error }: NotOpen): string {
  if (error.startsWith("closed")) return `sallyport server open ${device}/${name} --for 1h`;
  const move = (address: string) => `sallyport server service move ${device} ${name}=${address}`;
  switch (notGrantedWhy(error, name)) {
    case "udp-offered":
      return move("udp:HOST:PORT");
    case "udp-granted":
      return `at the device: ${name}=udp:HOST:PORT; or, if it is TCP, here: ${move("HOST:PORT")}`;
    case "no-address":
      return "at the device: --allow, with what the server may name, as in 10.0.0.0/24:23";
    default:
      return `end what has the port (ss -ltnp), or grant another: ${move("HOST:PORT")}`;
  }
}
