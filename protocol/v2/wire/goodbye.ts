/**
 * Why one side takes its leave, and when the device may come back; `v2.md`, "Goodbyes".
 *
 * @module
 */

import { V2Command } from "./commands.ts";
import { v2Frame } from "./codec.ts";
import { FieldReader, FieldWriter } from "./fields.ts";

/** Codes by their number, from 1. */
export const GOODBYE_CODES = [
  "shutting-down",
  "replaced",
  "revoked",
  "disabled",
  "expired",
  "unknown-device",
  "bad-credentials",
  "bad-enrolment",
  "incompatible",
  "duplicate",
  "too-busy",
  "protocol-error",
] as const;

/** One of {@linkcode GOODBYE_CODES}. */
export type GoodbyeCode = (typeof GOODBYE_CODES)[number];

/** Says "never by itself". */
const NEVER = 0xffff_ffff;

/** The last word of a side. */
export interface Goodbye {
  /** Why. */
  readonly code: GoodbyeCode;
  /** More for people. */
  readonly text: string;
  /** Milliseconds after which the device may come back; `Infinity` for never, `undefined` for at its own pace. */
  readonly comeBackAfter: number | undefined;
  /** Versions that would do, lowest and highest. */
  readonly versions?: readonly [number, number] | undefined;
  /** The greatest epoch that the server has seen of the device, which has to come with a greater one. */
  readonly epoch?: number | undefined;
}

const MINUTE = 60_000;

/** When a device may come back after each code, in milliseconds. */
const COME_BACK_AFTER: Partial<Record<GoodbyeCode, number>> = {
  "revoked": 10 * MINUTE,
  "disabled": MINUTE,
  "expired": 10 * MINUTE,
  "unknown-device": MINUTE,
  "bad-credentials": MINUTE,
  "bad-enrolment": Infinity,
  "incompatible": MINUTE,
  "duplicate": MINUTE,
  "too-busy": 5_000,
};

/** A goodbye with the usual time to come back. */
export function goodbye(code: GoodbyeCode, text: string, versions?: readonly [number, number]): Goodbye {
  return { code, text, comeBackAfter: COME_BACK_AFTER[code], versions };
}

export function goodbyeFrame({ code, text, comeBackAfter, versions, epoch }: Goodbye): Uint8Array {
  const fields = new FieldWriter().uint(1, 1, GOODBYE_CODES.indexOf(code) + 1).text(2, text);
  if (comeBackAfter !== undefined) fields.uint(3, 4, Math.min(NEVER, comeBackAfter));
  if (versions) fields.bytes(4, Uint8Array.of(...versions));
  if (epoch !== undefined) fields.uint(5, 8, epoch);
  return v2Frame(V2Command.GOODBYE, 0, fields.end());
}

/** What GOODBYE says; an unknown code counts as `shutting-down`. */
export function readGoodbye(payload: Uint8Array): Goodbye {
  const fields = new FieldReader("GOODBYE", payload, [1, 2, 3, 4, 5]);
  const after = fields.optionalUint(3, 4);
  const versions = fields.optionalBytes(4, 2);
  const epoch = fields.optionalUint(5, 8);
  return {
    code: GOODBYE_CODES[fields.uint(1, 1) - 1] ?? "shutting-down",
    text: fields.text(2),
    comeBackAfter: after === NEVER ? Infinity : after,
    versions: versions && [versions[0]!, versions[1]!],
    ...(epoch !== undefined && { epoch }),
  };
}
