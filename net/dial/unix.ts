/**
 * Dialling a Unix socket of this machine.
 *
 * @module
 */

import { MAX_UNIX_RETRY_MS, UNIX_RETRY_MS } from "../limits.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError, errorCode, isExhaustion } from "../../base/errors.ts";
import type { Engine, UnixConnection } from "../socket.ts";
import { DialTimeout } from "./dial.ts";

/** How a socket is dialled. */
export interface UnixDialOptions {
  /** What makes the connection. */
  readonly engine: Engine;
  readonly clock: Clock;
  /** Milliseconds for all of it. */
  readonly timeout: number;
  /** Gives it up. */
  readonly signal: AbortSignal;
}

/** A Unix socket could not be reached; the message says why. */
export class UnixDialError extends Error {
  /** Tells it from others. */
  override readonly name = "UnixDialError";
  /** The system's word for it, such as `ECONNREFUSED`. */
  readonly code: string | undefined;

  /** With what the runtime threw. */
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.code = errorCode(cause);
  }
}

/**
 * Connects to a path, or behind `@` to an abstract name. Where too many wait to be accepted already, it is tried again.
 *
 * @throws {UnixDialError} with one line about why not; {DialTimeout} after `timeout` milliseconds; the signal's reason.
 */
export async function dialUnix(path: string, options: UnixDialOptions): Promise<UnixConnection> {
  const { engine, clock, timeout, signal } = options;
  const giveUpAt = clock.now() + timeout;
  for (let pause = UNIX_RETRY_MS;; pause = Math.min(MAX_UNIX_RETRY_MS, pause * 2)) {
    signal.throwIfAborted();
    let conn: UnixConnection;
    try {
      conn = await engine.connectUnix(path);
    } catch (error) {
      if (isExhaustion(error)) throw error;
      if (errorCode(error) !== "EAGAIN") throw new UnixDialError(await explain(path, error), error);
      const left = giveUpAt - clock.now();
      if (left <= 0) throw new DialTimeout(timeout);
      await sleep(clock, Math.min(pause, left), signal);
      continue;
    }
    if (!signal.aborted) return conn;
    conn.close();
    throw signal.reason;
  }
}

function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.after(ms, () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

async function explain(path: string, error: unknown): Promise<string> {
  switch (errorCode(error)) {
    case "ENOENT":
    case "ENOTDIR":
      return `there is no socket ${path}; is its program running?`;
    case "EACCES":
    case "EPERM":
      return `no permission for the socket ${path}: its owner, group and mode have to let this user write to it`;
    case "EPROTOTYPE":
      return `the socket ${path} is of another kind; it has to be one that streams`;
    case "ECONNREFUSED":
      return await isSocket(path)
        ? `nobody listens at the socket ${path}: its file is left over, and its program does not run`
        : `${path} is no socket`;
    default:
      if (error instanceof Deno.errors.NotCapable) {
        return `the socket ${path} takes permissions: --allow-read=${path} --allow-write=${path} --allow-net=unix:${path}`;
      }
      return `the socket ${path} cannot be reached: ${describeError(error)}`;
  }
}

/** Also where that cannot be told. */
async function isSocket(path: string): Promise<boolean> {
  if (path.startsWith("@")) return true;
  try {
    return (await Deno.stat(path)).isSocket !== false;
  } catch {
    return true;
  }
}
