/**
 * Closing what may be closed already.
 *
 * @module
 */

/** Closes what may be closed already. */
export function closeQuietly(closer: { close(): void } | undefined): void {
  try {
    closer?.close();
  } catch {
    // Closed before, by the peer's reset or by a shutdown: there is nothing left to close.
  }
}
