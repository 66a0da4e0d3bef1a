/**
 * For whom a certificate is, and whether a name is among them.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import { ipBytes } from "../../protocol/ip.ts";

/**
 * The names and addresses in a certificate's subjectAltName, which is all that counts for TLS (RFC 9525), as `DNS:` and
 * `IP:` have them.
 *
 * @param pem The certificate first, and what leads to its CA.
 * @returns nothing where the runtime cannot read them.
 * @throws {Error} if it is no certificate.
 */
export function certificateNames(pem: string): string[] | undefined {
  const text: unknown = new X509Certificate(pem).subjectAltName;
  if (text === undefined || text === null) return hasNames(pem) ? undefined : []; // Deno 2.4 reads none
  if (typeof text !== "string") return undefined;
  return text.split(", ").flatMap((entry) => /^(?:DNS|IP Address):(.*)$/.exec(entry)?.[1] ?? []);
}

/** The object identifier of subjectAltName, in DER. */
const SUBJECT_ALT_NAME = "\x06\x03\x55\x1d\x11";

function hasNames(pem: string): boolean {
  const base64 = /-----BEGIN CERTIFICATE-----([^-]*)/.exec(pem)?.[1] ?? "";
  return atob(base64).includes(SUBJECT_ALT_NAME);
}

/** Whether `host`, a name or an IP address, is one of `names`; `*.` stands for one label (RFC 9525 §6.3). */
export function isCertifiedFor(names: readonly string[], host: string): boolean {
  const address = ipBytes(host);
  if (address) return names.some((name) => ipBytes(name)?.join() === address.join());
  const wanted = host.toLowerCase().replace(/\.$/, "");
  const rest = wanted.slice(wanted.indexOf(".") + 1);
  return names.some((name) => {
    const own = name.toLowerCase();
    return own === wanted || own === `*.${rest}` && rest !== wanted;
  });
}
