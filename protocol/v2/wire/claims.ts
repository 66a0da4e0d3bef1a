/**
 * What a device claims in AUTH, signed: which of its links this is, and the session that it wants to go on with; `v2.md`,
 * "Handshake" and "Epochs".
 *
 * @module
 */

import { V2_MAX_EPOCH } from "../limits.ts";
import { concat } from "../../bytes.ts";
import { ProtocolError } from "../../errors.ts";
import { CAN_RESUME, HAS_EPOCHS } from "./capabilities.ts";
import { type FieldReader, FieldWriter, readUint, uintOf } from "./fields.ts";

const RESUME = 3;
const EPOCH = 4;
const INITIATOR = 5;

const TAGS_BEFORE_EPOCHS: readonly number[] = [1, 2, RESUME];
const TAGS: readonly number[] = [...TAGS_BEFORE_EPOCHS, EPOCH, INITIATOR];

/** A session that a device wants to go on with. */
export interface ResumeOffer {
  /** Its name among those of its initiator, 16 bytes. */
  readonly session: Uint8Array;
  /** The public key of whoever began it, 32 bytes; where names have one part, the device's, unsaid. */
  readonly initiator?: Uint8Array | undefined;
  /** Position up to which the device has received. */
  readonly received: number;
}

/** What a device claims beside its key. */
export interface Claims {
  /** Of its links this is the one with that number; greater than those of all before. */
  readonly epoch: number | undefined;
  /** The session that it wants to go on with. */
  readonly resume: ResumeOffer | undefined;
}

/** The claims as fields of AUTH, in the order in which they are signed. */
export function claimFields({ epoch, resume }: Claims): Uint8Array {
  const fields = new FieldWriter();
  if (epoch !== undefined) fields.uint(EPOCH, 8, epoch);
  if (resume?.initiator) fields.bytes(INITIATOR, resume.initiator);
  if (resume) fields.bytes(RESUME, concat([resume.session, uintOf(8, resume.received)]));
  return fields.end();
}

/** Tags that AUTH may have between two that have `capabilities`. */
export function authTags(capabilities: number): readonly number[] {
  return (capabilities & HAS_EPOCHS) === 0 ? TAGS_BEFORE_EPOCHS : TAGS;
}

/**
 * The claims in AUTH, and the bytes of them that have to be signed.
 *
 * @throws {ProtocolError} `bad-field` if one is missing, is where none can be, or is none.
 */
export function readClaims(
  fields: FieldReader,
  capabilities: number,
): { readonly claims: Claims; readonly signed: Uint8Array } {
  const hasEpochs = (capabilities & HAS_EPOCHS) !== 0;
  const epoch = hasEpochs ? fields.uint(EPOCH, 8) : undefined;
  if (epoch !== undefined && (epoch === 0 || epoch > V2_MAX_EPOCH)) {
    throw new ProtocolError("bad-field", `AUTH has the epoch ${epoch}, and 1 to ${V2_MAX_EPOCH} can be`);
  }
  const value = fields.optionalBytes(RESUME, 16 + 8);
  const initiator = hasEpochs && value ? fields.bytes(INITIATOR, 32).slice() : undefined;
  if (!value && fields.has(INITIATOR)) throw new ProtocolError("bad-field", "AUTH has an initiator, and no session");
  const signed = new FieldWriter();
  if (epoch !== undefined) signed.uint(EPOCH, 8, epoch);
  if (initiator) signed.bytes(INITIATOR, initiator);
  if (value) signed.bytes(RESUME, value);
  const resume = value && (capabilities & CAN_RESUME) !== 0
    ? { session: value.slice(0, 16), received: readUint(value, 16, 8), ...(initiator && { initiator }) }
    : undefined;
  return { claims: { epoch, resume }, signed: signed.end() };
}
