/**
 * Lines of an audit: one JSON object each, with the time in front.
 *
 * @module
 */

import { MAX_AUDIT_TEXT } from "../limits.ts";

/** What is told. What is `undefined` is left out. */
export interface AuditFacts {
  /** What happened, in one word. */
  readonly event: string;
  readonly [fact: string]: unknown;
}

/** The line, with its end; `time` in milliseconds since 1970. */
export function auditLine(time: number, facts: AuditFacts): string {
  return JSON.stringify({ time: new Date(time).toISOString(), ...facts }, shorten) + "\n";
}

function shorten(_key: string, value: unknown): unknown {
  return typeof value === "string" && value.length > MAX_AUDIT_TEXT
    ? `${value.slice(0, MAX_AUDIT_TEXT).toWellFormed()}…`
    : value;
}
