/**
 * A program that runs for one client: its process, and its end.
 *
 * @module
 */

import { EXEC_HANG_UP_MS, EXEC_LAST_MS, EXEC_TERMINATE_MS } from "../limits.ts";
import type { Clock } from "../../base/clock.ts";
import type { ProgramSpec } from "./exec.ts";

/** How a program ended. */
export interface ProgramExit {
  /** Its exit code. */
  readonly code: number;
  /** The signal that ended it, if one did. */
  readonly signal: string | null;
}

/** A shell that gives a program the terminal `$0` as its own, or one output for both, and is replaced by it. */
const SHELL = "/bin/sh";
const ON_TERMINAL = 'exec "$@" <>"$0" >&0 2>&0';
const ONE_OUTPUT = 'exec "$@" 2>&1';

/** What the program of `spec` is started by, with its arguments. */
export function commandOf(
  { command, stderr }: ProgramSpec,
  terminal: string | undefined,
): readonly [string, ...string[]] {
  if (terminal !== undefined) return [SHELL, "-c", ON_TERMINAL, terminal, ...command];
  return stderr === "client" ? [SHELL, "-c", ONE_OUTPUT, SHELL, ...command] : command;
}

/** A process that leads a session, and so a group, of its own. */
export class Program {
  readonly child: Deno.ChildProcess;
  /** Resolves when it has ended; never rejects. */
  readonly ended: Promise<ProgramExit>;
  readonly #clock: Clock;
  #running = true;
  #cancel: () => void = () => {};
  #isLast = false;
  #isHungUp = false;

  /** Starts it. @throws What the runtime says. */
  constructor(
    [program, ...args]: readonly [string, ...string[]],
    env: Record<string, string>,
    piped: boolean,
    clock: Clock,
  ) {
    const how = piped ? "piped" : "null";
    const streams = { stdin: how, stdout: how, stderr: how } as const;
    this.child = new Deno.Command(program, { args, clearEnv: true, env, ...streams, detached: true }).spawn();
    this.#clock = clock;
    const onUnload = () => this.signal("SIGKILL"); // a device that has to end at once leaves nothing behind
    globalThis.addEventListener("unload", onUnload);
    this.ended = this.child.status.then(({ code, signal }) => {
      this.#running = false;
      this.#cancel();
      globalThis.removeEventListener("unload", onUnload);
      return { code, signal };
    });
  }

  /** Sends a signal to it and to what it has started; nothing happens if it has ended. */
  signal(signal: Deno.Signal): void {
    if (this.#running) signalGroup(this.child.pid, signal); // later, its number may be another's
  }

  /** Its client has gone: it is told by SIGHUP, then by SIGTERM, and ended by SIGKILL. Idempotent. */
  hangUp(): void {
    if (!this.#running || this.#isHungUp) return;
    this.#isHungUp = true;
    this.signal("SIGHUP");
    this.#cancel = this.#clock.after(this.#isLast ? 0 : EXEC_HANG_UP_MS, () => this.#terminate());
  }

  /** The device ends: there is less time for all that. */
  hurry(): void {
    if (this.#isLast) return;
    this.#isLast = true;
    if (!this.#isHungUp || !this.#running) return;
    this.#cancel();
    this.#terminate();
  }

  #terminate(): void {
    this.signal("SIGTERM");
    this.#cancel = this.#clock.after(this.#isLast ? EXEC_LAST_MS : EXEC_TERMINATE_MS, () => this.signal("SIGKILL"));
  }
}

/** Sends a signal to a group of processes, if it is there. */
export function signalGroup(leader: number, signal: Deno.Signal): void {
  try {
    Deno.kill(-leader, signal);
  } catch {
    // It has just ended.
  }
}
