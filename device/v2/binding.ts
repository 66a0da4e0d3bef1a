/**
 * Whether a device's link is bound to its TLS connection: both sides have signed what only its two ends know.
 *
 * @module
 */

import type { Logger } from "../../base/logger.ts";
import type { Transport } from "../../net/transport.ts";

/** The device demands what this link does not give. */
export class UnboundError extends Error {
  /** `lacks` says what is missing. */
  constructor(lacks: string) {
    super(`the link is not bound to its TLS connection, as this device demands: ${lacks}`);
    this.name = "UnboundError";
  }
}

/**
 * The exporter to sign, if there is one.
 *
 * @throws {UnboundError} if there is none, and `required`.
 */
export function exporterOf(transport: Transport, required: boolean): Uint8Array | undefined {
  const exporter = transport.exporter?.();
  if (required && !exporter) throw new UnboundError(whatLacks(transport, exporter));
  return exporter;
}

/** Tells of a link that is up. */
export function tellBinding(
  logger: Logger,
  transport: Transport,
  exporter: Uint8Array | undefined,
  bound: boolean,
): void {
  if (bound) logger.debug("the link is bound to its TLS connection");
  else logger.debug("the link is not bound to a TLS connection: {lacks}", { lacks: whatLacks(transport, exporter) });
}

/** Why a link is not bound. */
export function whatLacks({ kind }: Transport, exporter: Uint8Array | undefined): string {
  if (kind === "tcp") return "it is without TLS";
  return exporter
    ? "the server's TLS does not tell it what to sign"
    : "this side's TLS does not tell it what to sign (RFC 9266)";
}
