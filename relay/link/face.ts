/**
 * One link of a v2 session as its driver sees it: the session behind it outlives the link.
 *
 * @module
 */

import type { Link } from "../../protocol/link.ts";
import type { V2SessionCore } from "../../protocol/v2/session_core.ts";

/** What the driver of a link sees of the session, until another link takes its place. */
export class LinkFace implements Link {
  readonly deadline = Infinity;
  #session: V2SessionCore | undefined;
  #onHeard: (() => void) | undefined;

  /** `onHeard` is called after each read until it returns true. */
  constructor(session: V2SessionCore, onHeard: (() => boolean) | undefined) {
    this.#session = session;
    this.#onHeard = onHeard && (() => onHeard() && (this.#onHeard = undefined));
  }

  get atBoundary(): boolean {
    return this.#session?.atBoundary ?? true;
  }

  receive(chunk: Uint8Array, now: number): void {
    this.#session?.receive(chunk, now);
    this.#onHeard?.();
  }

  pause(now: number): number {
    return this.#session?.pause(now) ?? 0;
  }

  tick(): void {}

  /** The link is over, which says nothing of the session; what it may still bring is not applied. */
  end(): void {
    this.#session?.detach();
    this.#session = undefined;
  }
}
