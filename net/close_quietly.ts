/**
 * Closing what may be closed already.
 *
 * @module
 */

import { forgetSocket } from "./kernel/descriptors.ts";

/** Closes what may be closed already. */
export function closeQuietly(closer: { close(): void } | undefined): void {
  if (!closer) return;
  forgetSocket(closer);
  try {
    closer.close();
  } catch {
    // Closed before, by the peer's reset or by a shutdown: there is nothing left to close.
  }
}
