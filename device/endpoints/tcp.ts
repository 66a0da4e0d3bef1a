/**
 * `HOST:PORT`: a service over TCP.
 *
 * @module
 */

import { type Address, formatAddress, parseAddress } from "../../protocol/address.ts";
import { dial } from "../../net/dial/dial.ts";
import type { Endpoint, EndpointKind } from "./endpoint.ts";

/** The kind of all endpoints that name no other. */
export const tcpKind: EndpointKind = {
  name: "tcp",
  example: "HOST:PORT",
  keys: [],
  takesHeader: true,
  isLookedAt: true,
  parse: (text) => tcpEndpoint(parseTcp(text)),
};

/** Parses `HOST:PORT`. @throws {SyntaxError} with what was wrong and what would do. */
export function parseTcp(text: string): Address {
  const address = parseAddress(text);
  if (address.port === 0) throw new SyntaxError(`the port in "${text}" is 0; write one from 1 to 65535`);
  return address;
}

/** An address, dialled for each client. */
export function tcpEndpoint(address: Address): Endpoint {
  return {
    address: formatAddress(address),
    open: ({ engine, clock }) => ({
      connect: (_client, timeout, signal) => dial(address, { engine, clock, timeout, signal }),
      look: async (timeout, signal) => (await dial(address, { engine, clock, timeout, signal })).close(),
      close: () => {},
    }),
  };
}
