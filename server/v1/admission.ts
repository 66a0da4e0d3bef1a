/**
 * The door of a listener for devices: who is there is settled from the first bytes, within bounds.
 *
 * @module
 */

import { MAX_OPENING } from "../../protocol/limits.ts";
import { detectOpening, type Stranger } from "../../protocol/detect.ts";
import type { RefusalReason } from "../../protocol/reasons.ts";
import type { Clock } from "../../base/clock.ts";
import { Late, within } from "../../base/within.ts";
import { describeError } from "../../base/errors.ts";
import { PROXY_HINT } from "../../net/proxy/read_header.ts";
import type { Transport } from "../../net/transport.ts";

/** Why somebody was turned away: a word, and a line for people. */
export interface Refusal {
  readonly reason: RefusalReason;
  readonly why: string;
}

/** A device's first bytes, or why it was turned away. */
export type Admission = { readonly opening: Uint8Array } | { readonly refused: Refusal };

function strangerAt({ speaks, what }: Stranger): string {
  const hint = speaks === "v2" || speaks === "tls"
    ? "; this listener is for profile v1: a v2 device needs one for v2, or --profile v1"
    : speaks === "proxy"
    ? `; ${PROXY_HINT}`
    : "";
  return `expected LISTEN (00 00 04 00), got ${what}${hint}`;
}

/** Reads until the profile is known; closes the connection of whoever is no device. */
export async function admit(transport: Transport, clock: Clock, timeout: number): Promise<Admission> {
  const { duplex } = transport;
  const buffer = new Uint8Array(MAX_OPENING);
  let fill = 0;
  const refuse = (reason: RefusalReason, why: string): Admission => {
    duplex.close();
    return { refused: { reason: fill === 0 && reason !== "too-late" ? "mute" : reason, why } };
  };
  const read = async (): Promise<Admission> => {
    for (;;) {
      const count = await duplex.read(buffer.subarray(fill));
      if (count === null) {
        return refuse("cut", fill === 0 ? "it closed without a word" : `it closed after ${fill} bytes`);
      }
      fill += count;
      const opening = detectOpening(buffer.subarray(0, fill));
      if (opening.kind === "v1") return { opening: buffer.subarray(0, fill) };
      if (opening.kind === "stranger") return refuse("stranger", strangerAt(opening));
    }
  };
  try {
    return await within(clock, timeout, () => duplex.close(), read);
  } catch (error) {
    if (error instanceof Late) return refuse("too-late", `no LISTEN within ${timeout / 1000} s`);
    return refuse("connection-lost", describeError(error));
  }
}
