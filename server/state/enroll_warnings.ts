/**
 * What `server enroll` warns of: services whose host address cannot be had here, and names that the certificate has not.
 *
 * @module
 */

import { ENROLL_LOOKUP_MS } from "../limits.ts";
import { type Address, formatAddress } from "../../protocol/address.ts";
import { parseIP } from "../../protocol/ip.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { describeError, errorCode } from "../../base/errors.ts";
import { listed } from "../../base/format.ts";
import { lookup } from "../../net/dial/lookup.ts";
import { certificateNames, isCertifiedFor } from "./certificate_names.ts";
import { readPemFile } from "../../net/tls/pem_file.ts";
import type { ServerFacts } from "./facts.ts";
import { formatGrantedAddress, type GrantedAddress, type ServiceGrant } from "../devices/service_grant.ts";
import { isUnixHost } from "../ports/unix_host.ts";

/** What is asked of the machine. */
export interface Machine {
  /** The addresses of a name. */
  lookup(name: string): Promise<readonly string[]>;
  /** Whether a port can be opened at an IP address; true where that cannot be told. */
  has(address: string): boolean;
  readonly clock: Clock;
}

const MACHINE: Machine = { lookup: (name) => lookup(name, systemClock), has: isOwn, clock: systemClock };

/** A line for each service that cannot open where it is to, as far as that can be told now. */
export async function serviceWarnings(
  services: readonly ServiceGrant[],
  facts: ServerFacts | undefined,
  machine: Machine = MACHINE,
): Promise<string[]> {
  const lines = await Promise.all(services.map(async ({ name, listen }) => {
    if (isUnixHost(listen)) return undefined;
    const at = formatGrantedAddress(listen);
    if (isTaken(listen, facts)) return `the server itself listens at the port of ${at}: "${name}" cannot open there`;
    const why = await whyNotHere(listen.host, machine);
    return why && `${why}: "${name}" cannot open at ${at} on this host`;
  }));
  return lines.filter((line) => line !== undefined);
}

/** A line if the certificate of a server that has one of a CA is not for all that devices are to dial. */
export function certificateWarning(addresses: readonly Address[], facts: ServerFacts | undefined): string | undefined {
  if (facts?.security !== "pki" || facts.certificate === undefined) return undefined;
  let names: readonly string[] | undefined;
  try {
    names = certificateNames(readPemFile(facts.certificate));
  } catch {
    return undefined; // the server has said so, or does when it starts; others may not be allowed to read it
  }
  const known = names;
  const others = known && addresses.filter(({ host }) => !isCertifiedFor(known, host));
  if (!known || !others || others.length === 0) return undefined;
  const dialled = listed(others.map(formatAddress));
  return `the server's certificate is for ${
    known.join(", ") || "no name at all"
  }: devices that dial ${dialled} refuse it`;
}

/** Whether nobody but this machine has an address. */
export function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || /^[0:]+$/.test(host) && host.includes(":");
}

/** Whether a server's own listener has the one port that a service is to have. */
function isTaken({ host, from, to, udp }: GrantedAddress, facts: ServerFacts | undefined): boolean {
  if (udp) return false;
  const meets = (own: string) => own === host || isWildcard(own) || isWildcard(host);
  return from === to && (facts?.addresses ?? []).some((own) => own.port === from && meets(own.host));
}

/** Why a port at a host address cannot be opened here, if that is so. */
async function whyNotHere(host: string, machine: Machine): Promise<string | undefined> {
  if (parseIP(host)) return machine.has(host) ? undefined : `${host} is no address of this host`;
  let cancel = () => {};
  const late = new Promise<string>((resolve) => {
    cancel = machine.clock.after(ENROLL_LOOKUP_MS, () => resolve(`the address of ${host} is not found in time`));
  });
  const found = machine.lookup(host).then(
    ([address]) =>
      address === undefined || machine.has(address) ? undefined : `${host} is ${address}, no address of this host`,
    (error: unknown) => describeError(error),
  );
  const why = await Promise.race([found, late]);
  cancel();
  return why;
}

/** Tries it at a free port: an address may be this machine's by a route, or by a setting, too. */
function isOwn(hostname: string): boolean {
  try {
    Deno.listen({ hostname, port: 0 }).close();
    return true;
  } catch (error) {
    return errorCode(error) !== "EADDRNOTAVAIL" && !(error instanceof Deno.errors.AddrNotAvailable);
  }
}
