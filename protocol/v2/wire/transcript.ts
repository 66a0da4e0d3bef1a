/**
 * What each side of a v2 handshake signs, and what the secret of an enrolment proves; `v2.md`, "Handshake".
 *
 * @module
 */

import { concat } from "../../bytes.ts";

/** Bytes of the field with the server's signature, which stands last in CHALLENGE. */
export const SIGNATURE_FIELD_SIZE = 3 + 64;

/** Bytes of the exporter of a TLS connection (RFC 9266, `tls-exporter`). */
export const EXPORTER_SIZE = 32;

const SERVER_LABEL = new TextEncoder().encode("sallyport v2 server\0");
const DEVICE_LABEL = new TextEncoder().encode("sallyport v2 device\0");
const ENROL_LABEL = new TextEncoder().encode("sallyport v2 enrol\0");

const NONE = new Uint8Array(0);

/** All that was said before AUTH, and the connection that it was said on, where both sides know that. */
export interface Transcript {
  /** The preamble and HELLO, as they were sent. */
  readonly hello: Uint8Array;
  /** CHALLENGE, as it was sent. */
  readonly challenge: Uint8Array;
  /** 32 bytes that nobody has who is not at an end of this TLS connection; none if the link is not bound to it. */
  readonly exporter: Uint8Array | undefined;
}

/** What the server signs: its signature, the last field of CHALLENGE, is left out. */
export function signedByServer({ hello, challenge, exporter = NONE }: Transcript): Uint8Array {
  return concat([SERVER_LABEL, hello, challenge.subarray(0, challenge.length - SIGNATURE_FIELD_SIZE), exporter]);
}

/** What the device signs. `claims` are the fields of AUTH that it states beside. */
export function signedByDevice({ hello, challenge, exporter = NONE }: Transcript, claims: Uint8Array): Uint8Array {
  return concat([DEVICE_LABEL, hello, challenge, exporter, claims]);
}

/** What the secret of an enrolment proves. */
export function provedByToken({ hello, challenge, exporter = NONE }: Transcript): Uint8Array {
  return concat([ENROL_LABEL, hello, challenge, exporter]);
}
