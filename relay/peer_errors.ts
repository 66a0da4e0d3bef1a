/**
 * What a call rejects with that needs the other side, while that is not there or does not fit (seed 002,
 * ConnectionLostException and IncompatibleException).
 *
 * @module
 */

/** The other side is not there now. What else there is goes on: status, subscriptions, the end. */
export class ConnectionLostError extends Error {
  /** `who` has no link. */
  constructor(who: string, why = "there is no link now") {
    super(`Cannot reach ${who}: ${why}`);
    this.name = "ConnectionLostError";
  }
}

/** The other side was there last with versions that do not fit. */
export class IncompatibleError extends Error {
  /** The lowest and the highest version that it speaks, if it said so. */
  readonly versions: readonly [number, number] | undefined;

  /** `who` speaks `versions`, and this side speaks others. */
  constructor(who: string, versions: readonly [number, number] | undefined) {
    const what = versions ? `versions ${versions[0]} to ${versions[1]}` : "other versions";
    super(`Cannot use ${who}: it speaks ${what}, and this side does not`);
    this.name = "IncompatibleError";
    this.versions = versions;
  }
}

/** A promise that rejects; whoever does not wait for it is left in peace, as by a call that gave nothing. */
export function quietly(promise: Promise<void>): Promise<void> {
  promise.catch(() => {});
  return promise;
}
