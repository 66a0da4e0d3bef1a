/**
 * WELCOME: what a server says at the end of the handshake; `v2.md`, "Handshake".
 *
 * @module
 */

import { V2_MAX_NAME } from "../limits.ts";
import { ProtocolError } from "../../errors.ts";
import { parseName } from "../../name.ts";
import { V2Command } from "./commands.ts";
import { v2Frame } from "./codec.ts";
import { FieldReader, FieldWriter, readUint } from "./fields.ts";

/** Why a session was not resumed, by its number on the wire. */
export const RESUME_REFUSALS = ["unknown-session", "bad-position"] as const;

/** One of {@linkcode RESUME_REFUSALS}. */
export type ResumeRefusal = (typeof RESUME_REFUSALS)[number];

const TAGS: readonly number[] = [1, 2, 3, 4, 5, 6, 7];
const INITIATOR = 8;

/** What a server says when all is well. */
export interface Welcome {
  /** 16 bytes that name the session among those of its initiator. */
  readonly session: Uint8Array;
  /** The public key of whoever began it, 32 bytes; not said where names have one part. */
  readonly initiator?: Uint8Array | undefined;
  /** The device's name on the server. */
  readonly name: string;
  /** Channels at most. */
  readonly maxChannels: number;
  /** The device's address as the server sees it. */
  readonly remote: string;
  /** Milliseconds that the session outlives its link; 0: not at all. */
  readonly expiration?: number | undefined;
  /** Position up to which the server has received, if the session that was offered goes on; or why it does not. */
  readonly resumed?: number | ResumeRefusal | undefined;
}

export function welcomeFrame(welcome: Welcome): Uint8Array {
  const { session, initiator, name, maxChannels, remote, expiration, resumed } = welcome;
  const fields = new FieldWriter().bytes(1, session).text(2, name, V2_MAX_NAME).uint(3, 4, maxChannels).text(4, remote);
  if (expiration) fields.uint(5, 4, Math.min(expiration, 0xffff_ffff));
  if (typeof resumed === "number") fields.uint(6, 8, resumed);
  else if (resumed) fields.uint(7, 1, RESUME_REFUSALS.indexOf(resumed) + 1);
  if (initiator) fields.bytes(INITIATOR, initiator);
  return v2Frame(V2Command.WELCOME, 0, fields.end());
}

/** What WELCOME says. `hasEpochs`: names of sessions have two parts, as both sides have epochs. */
export function readWelcome(payload: Uint8Array, hasEpochs = false): Welcome {
  const fields = new FieldReader("WELCOME", payload, hasEpochs ? [...TAGS, INITIATOR] : TAGS);
  const position = fields.optionalBytes(6, 8);
  const refusal = fields.optionalBytes(7, 1)?.[0];
  const refused = refusal === undefined ? undefined : RESUME_REFUSALS[refusal - 1] ?? RESUME_REFUSALS[0];
  return {
    session: fields.bytes(1, 16).slice(),
    ...(hasEpochs && { initiator: fields.bytes(INITIATOR, 32).slice() }),
    name: readName(fields.text(2, V2_MAX_NAME)),
    maxChannels: fields.uint(3, 4),
    remote: fields.text(4),
    expiration: fields.optionalUint(5, 4) ?? 0,
    resumed: position ? readUint(position, 0, 8) : refused,
  };
}

/** A name stands in lines for scripts and terminals: it has to be one. */
function readName(text: string): string {
  try {
    return parseName(text);
  } catch {
    throw new ProtocolError("bad-field", "WELCOME gives this device a name that is none");
  }
}
