/**
 * How an enrolment is made: what its string says, and where devices dial.
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import { MAX_ENROLMENT_ADDRESSES } from "../../protocol/limits.ts";
import { type Address, formatAddress, isHost, notAHost, parseAddress } from "../../protocol/address.ts";
import { encodeEnrolment } from "../../protocol/enrolment.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import { loadIdentity } from "../../app/files/state.ts";
import { parseTimeOrSpan } from "../../app/values.ts";
import type { EnrolmentRequest } from "./enrolment_store.ts";
import { isWildcard } from "./enroll_warnings.ts";
import type { Enrolments } from "./enrolments.ts";
import type { ServerFacts } from "./facts.ts";

/** An enrolment that was made. */
export interface MadeEnrolment {
  /** The string, which is a secret until it has been used. */
  readonly text: string;
  /** Until when it can be used, in milliseconds since 1970. */
  readonly validUntil: number;
  /** Whether a string that was made for the device before is void now. */
  readonly voided: boolean;
}

/**
 * Makes an enrolment, and its string.
 *
 * @param addresses Where devices dial.
 * @param valid Milliseconds for which it can be used; by default as {@linkcode Enrolments.create}.
 * @throws {ConfigError} or {MachineError} if it could not be redeemed, or there are too many.
 */
export async function makeEnrolment(
  folder: string,
  enrolments: Enrolments,
  facts: ServerFacts | undefined,
  addresses: readonly Address[],
  request: EnrolmentRequest,
  valid?: number,
): Promise<MadeEnrolment> {
  const { publicKey: serverKey } = await loadIdentity(folder);
  const { tokenId, tokenSecret, validUntil, voided } = await enrolments.create(request, valid);
  const security = facts?.security ?? "pinned";
  return { text: encodeEnrolment({ serverKey, tokenId, tokenSecret, security, addresses }), validUntil, voided };
}

/** Parses until when a device may link up: a date, or a span from now. */
export function parseExpiry(text: string): number {
  const expires = parseTimeOrSpan(text, systemClock.wall());
  if (expires <= systemClock.wall()) throw new SyntaxError(`"${text}" is past; the device could never link up`);
  return expires;
}

/** Where devices dial; without a port it is the one where the server listens. */
export interface PublicAddress {
  readonly host: string;
  readonly port?: number;
}

/** Parses `HOST:PORT`, or `HOST`. */
export function parsePublicAddress(text: string): PublicAddress {
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  if (!bare.includes(":") && /[^\0-\x7f]/.test(bare)) throw notAHost(bare, text);
  const address: PublicAddress = isHost(bare) && !/^\d+$/.test(bare) ? { host: bare } : parseAddress(text);
  if (address.port === 0 || isWildcard(address.host)) {
    throw new SyntaxError(`"${text}" is nothing to dial; write what devices dial, as in relay.example:7443`);
  }
  return address;
}

/** Where devices dial: as given, else where the server listens, by this host's name if it listens everywhere. */
export function publicAddresses(
  given: readonly Address[] | undefined,
  facts: ServerFacts | undefined,
  hostname: () => string = Deno.hostname,
): Address[] {
  const addresses = given ?? facts?.addresses.map(({ host, port }) => ({
    host: isWildcard(host) ? nameOfHost(hostname) : host,
    port,
  }));
  if (!addresses || addresses.length === 0) {
    throw new ConfigError(
      "no server has run with this state yet, so nobody knows its address; " +
        "say what devices dial: --public-address relay.example:7443",
    );
  }
  const distinct = [...new Map(addresses.map((address) => [formatAddress(address), address])).values()];
  if (distinct.length > MAX_ENROLMENT_ADDRESSES) {
    throw new ConfigError(
      `${distinct.length} addresses are too many; ${MAX_ENROLMENT_ADDRESSES} have room in the string`,
    );
  }
  return distinct;
}

function nameOfHost(hostname: () => string): string {
  try {
    const name = hostname();
    if (isHost(name)) return name;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
  }
  throw new ConfigError("Cannot tell this host's name; say what devices dial: --public-address relay.example:7443");
}
