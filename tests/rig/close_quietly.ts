/**
 * Closing what may be closed already.
 *
 * @module
 */

/** Closes what may be closed already: by the peer's reset, or by a shutdown. */
export function closeQuietly(closer: { close(): void } | undefined): void {
  try {
    closer?.close();
  } catch {
    // There is nothing left to close.
  }
}
