/**
 * Dialling with a deadline.
 *
 * @module
 */

import type { Address } from "../../protocol/address.ts";
import type { Clock } from "../../base/clock.ts";
import { connect } from "./connect.ts";
import { DIAL_WAIT_MS, MAX_DIALS } from "../limits.ts";
import { closeQuietly, tuneSocket } from "../transport.ts";

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
  /** The limit is {@linkcode MAX_DIALS}. */
  constructor() {
    super(`${MAX_DIALS} others are under way`);
    this.name = "DialLimit";
  }
}

let underWay = 0;

/** Dials that wait for their turn, in the order in which they came. */
const waiting = new Set<() => void>();

/**
 * Connects to `address`, names included: to the first of its addresses that answers.
 *
 * @throws {DialLimit} if its turn does not come within `DIAL_WAIT_MS`, or `timeout` if that is less; {DialTimeout} after
 * `timeout` milliseconds; what the runtime throws; the signal's reason when it aborts.
 */
export function dial(address: Address, clock: Clock, timeout: number, signal: AbortSignal): Promise<Deno.TcpConn> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const attempt = new AbortController();
    let settled = false;
    const settle = (): boolean => {
      if (settled) return false;
      settled = true;
      cancel();
      cancelWait();
      waiting.delete(begin);
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
    const cancel = clock.after(timeout, () => giveUp(begun ? new DialTimeout(timeout) : new DialLimit()));
    signal.addEventListener("abort", onAbort);
    let cancelWait = () => {};
    const begin = () => {
      begun = true;
      cancelWait();
      underWay++;
      connect(address, clock, attempt.signal).finally(letNextBegin).then(
        (conn) => {
          if (!settle()) return closeQuietly(conn);
          tuneSocket(conn);
          resolve(conn);
        },
        (error) => settle() && reject(error),
      );
    };
    if (underWay < MAX_DIALS) return begin();
    waiting.add(begin);
    cancelWait = clock.after(DIAL_WAIT_MS, () => giveUp(new DialLimit()));
  });
}

/** A dial has come to its end. */
function letNextBegin(): void {
  underWay--;
  const [next] = waiting;
  if (!next) return;
  waiting.delete(next);
  next();
}
