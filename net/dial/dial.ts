/**
 * Dialling with a deadline, and within bounds.
 *
 * @module
 */

import { DIAL_WAIT_MS } from "../limits.ts";
import { type Address, formatAddress } from "../../protocol/address.ts";
import type { Clock } from "../../base/clock.ts";
import { isShortOfDescriptors } from "../kernel/descriptor_room.ts";
import { connect } from "./connect.ts";
import { DialTurns } from "./turns.ts";
import type { Engine, Socket } from "../socket.ts";

/** Nobody answered within the time given. */
export class DialTimeout extends Error {
  /** After `ms` milliseconds. */
  constructor(ms: number) {
    super(`no answer within ${ms / 1000} s`);
    this.name = "DialTimeout";
  }
}

/** Too many dials are under way, and none of them came to an end. */
export class DialLimit extends Error {
  /** `why` says which. */
  constructor(why: string) {
    super(why);
    this.name = "DialLimit";
  }
}

/**
 * Before a service is dialled for a client: the last descriptors are for the link, which may have to be made anew.
 *
 * @throws {DialLimit} if only those are left.
 */
export function leaveRoomForLink(isShort: () => boolean = () => isShortOfDescriptors("client")): void {
  if (isShort()) {
    throw new DialLimit("Too many open files: the last ones are for the link; raise the limit with ulimit -n");
  }
}

/** How an address is dialled. */
export interface DialOptions {
  /** What makes the connection. */
  readonly engine: Engine;
  readonly clock: Clock;
  /** Milliseconds for all of it. */
  readonly timeout: number;
  /** Gives it up. */
  readonly signal: AbortSignal;
  /** See {@linkcode ConnectOptions.maxSegment}. */
  readonly maxSegment?: number | undefined;
  /** See {@linkcode ConnectOptions.uplink}. */
  readonly uplink?: string | undefined;
}

/** Those of the whole process: what they share are its descriptors. */
const turns = new DialTurns();

/**
 * Connects to `address`, names included: to the first of its addresses that answers.
 *
 * @throws {DialLimit} if its turn does not come within `DIAL_WAIT_MS`, or `timeout` if that is less; {DialTimeout} after
 * `timeout` milliseconds; what the runtime throws; the signal's reason when it aborts.
 */
export function dial(address: Address, options: DialOptions): Promise<Socket> {
  const { clock, timeout, signal } = options;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const attempt = new AbortController();
    const to = formatAddress(address).toLowerCase();
    let settled = false;
    const settle = (): boolean => {
      if (settled) return false;
      settled = true;
      cancel();
      cancelWait();
      turns.withdraw(to, begin);
      signal.removeEventListener("abort", onAbort);
      return true;
    };
    const giveUp = (reason: unknown) => {
      if (!settle()) return;
      reject(reason);
      attempt.abort(); // frees the half-open socket, where the runtime can; otherwise it is closed when it opens
    };
    const onAbort = () => giveUp(signal.reason);
    let begun = false;
    const tooMany = () => new DialLimit(turns.reason(to));
    const cancel = clock.after(timeout, () => giveUp(begun ? new DialTimeout(timeout) : tooMany()));
    signal.addEventListener("abort", onAbort);
    let cancelWait = () => {};
    const begin = () => {
      begun = true;
      cancelWait();
      connect(address, { ...options, signal: attempt.signal }).finally(() => turns.leave(to)).then(
        (socket) => {
          if (!settle()) return socket.close();
          resolve(socket);
        },
        (error) => settle() && reject(error),
      );
    };
    turns.enter(to, begin);
    if (!begun) cancelWait = clock.after(DIAL_WAIT_MS, () => giveUp(tooMany()));
  });
}
