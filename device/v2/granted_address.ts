/**
 * What a server may say of host addresses, and what people hear of it here.
 *
 * @module
 */

import { parseAddress } from "../../protocol/address.ts";
import { looksLikeUdp } from "../../net/udp/address.ts";
import { parseUnixPath } from "../../net/unix_path.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { ServiceGrantResult } from "../../protocol/v2/wire/messages.ts";

/**
 * Passes `results` on: host addresses stand in lines for scripts and terminals, so they have to be addresses.
 *
 * @throws {ProtocolError} `bad-field`.
 */
export function checkGrants(results: ServiceGrantResult[]): ServiceGrantResult[] {
  for (const { number, code, text } of results) {
    if (code === "granted" && text !== "" && !isAddress(text)) {
      throw new ProtocolError("bad-field", `LISTEN grants service ${number} at what is no address`);
    }
  }
  return results;
}

/** Why a service is not open, as the server says, for people at the device; `undefined`: it is, or was taken back. */
export function grantError(service: string, { code, text }: ServiceGrantResult): string | undefined {
  if (code === "granted") return undefined;
  if (code !== "port-unavailable") return `${code}: ${text}`;
  const name = `${service}: `; // which stands in front of this here already
  return `${code}: on the server: ${text.startsWith(name) ? text.slice(name.length) : text}`;
}

function isAddress(text: string): boolean {
  try {
    if (text.startsWith("unix:/")) parseUnixPath(text.slice("unix:".length));
    else parseAddress(looksLikeUdp(text) ? text.slice("udp:".length) : text);
    return true;
  } catch {
    return false;
  }
}
