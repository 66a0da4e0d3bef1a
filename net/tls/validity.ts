/**
 * Until when a certificate is good, and what is said before that.
 *
 * @module
 */

import { CERTIFICATE_WARNING_MS } from "../limits.ts";
import { contentsOf, GENERALIZED_TIME, SEQUENCE, UTC_TIME, VERSION } from "./certificate.ts";

/** Where the dates stand in a certificate's body, its version left out: behind number, algorithm and issuer. */
const VALIDITY = 3;

const DAY_MS = 86_400_000;

/** When a certificate as DER ends (RFC 5280 §4.1.2.5), in milliseconds since 1970; `undefined` if it is damaged. */
export function certificateEnd(certificate: Uint8Array): number | undefined {
  const body = contentsOf(contentsOf([certificate], 0, SEQUENCE), 0, SEQUENCE);
  const fields = body?.[0]?.[0] === VERSION ? body.slice(1) : body; // left out in X.509 v1
  const end = contentsOf(fields, VALIDITY, SEQUENCE)?.[1];
  if (!end || end[0] !== UTC_TIME && end[0] !== GENERALIZED_TIME) return undefined;
  const text = new TextDecoder().decode(end.subarray(2));
  const full = end[0] === GENERALIZED_TIME ? text : `${Number(text.slice(0, 2)) >= 50 ? "19" : "20"}${text}`;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full);
  if (!parts) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number);
  return Date.UTC(year!, month! - 1, day, hour, minute, second);
}

/** When the first certificate in a PEM text ends, in milliseconds since 1970; `undefined` if there is none, or a damaged one. */
export function pemEnd(pem: string): number | undefined {
  const [, base64] = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/.exec(pem) ?? [];
  if (base64 === undefined) return undefined;
  try {
    return certificateEnd(Uint8Array.from(atob(base64.replaceAll(/\s+/g, "")), (char) => char.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

/** What is to be said of a certificate. */
export interface EndWarning {
  /** It has ended. */
  readonly isOver: boolean;
  /** Such as `ends in 12 days, on 2026-12-11`. */
  readonly text: string;
}

/** Words for a certificate that has ended, or will within {@linkcode CERTIFICATE_WARNING_MS}; `wall`: what time it is. */
export function endWarning(ends: number | undefined, wall: number): EndWarning | undefined {
  if (ends === undefined || ends - wall > CERTIFICATE_WARNING_MS) return undefined;
  const date = new Date(ends).toISOString().slice(0, 10);
  if (ends <= wall) return { isOver: true, text: `ended on ${date}` };
  const days = Math.floor((ends - wall) / DAY_MS);
  const left = days === 0 ? "less than a day" : days === 1 ? "1 day" : `${days} days`;
  return { isOver: false, text: `ends in ${left}, on ${date}` };
}

/** Lets a warning through when it is new, and once a day after that. */
export class DailyWarning {
  #said: { readonly isOver: boolean; readonly at: number } | undefined;

  /** @returns what is to be said now, if anything is. */
  due(ends: number | undefined, wall: number): EndWarning | undefined {
    const warning = endWarning(ends, wall);
    const said = this.#said;
    if (!warning) this.#said = undefined;
    // A clock that was set back counts from where it is then.
    else if (said?.isOver !== warning.isOver || Math.abs(wall - said.at) >= DAY_MS) {
      this.#said = { isOver: warning.isOver, at: wall };
      return warning;
    }
    return undefined;
  }
}
