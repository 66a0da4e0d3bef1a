/**
 * What a loop over the kernel's readiness has to know of where it runs.
 *
 * @module
 */

import { RUNTIME_TURN_US, SLOW_RUNTIME_TURN_US } from "./limits.ts";

/** What a loop has to know of the machine and the runtime that it runs on. */
export interface Machine {
  /** Whether `struct epoll_event` is packed: on x86-64 only. */
  readonly isPacked: boolean;
  /** Runs promises that are due, without a turn of the runtime's loop, where the runtime has a door to that. */
  readonly runPromises: (() => void) | undefined;
  /** Microseconds of a loop's turns after which the runtime has one with its timers. */
  readonly runtimeTurn: number;
}

/** This one. */
export const THIS_MACHINE: Machine = {
  isPacked: Deno.build.arch === "x86_64",
  runPromises: doorToMicrotasks(),
  runtimeTurn: hasSlowImmediates(Deno.version.deno) ? SLOW_RUNTIME_TURN_US : RUNTIME_TURN_US,
};

/** Whether the immediates of this version of Deno are timers, which come a millisecond late: 2.4's are, 2.9's are not. */
export function hasSlowImmediates(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < 2 || (major === 2 && minor <= 4);
}

function doorToMicrotasks(): (() => void) | undefined {
  const inside: unknown = Reflect.get(Deno, Reflect.get(Deno, "internal") ?? "");
  const core: unknown = typeof inside === "object" && inside !== null ? Reflect.get(inside, "core") : undefined;
  const run: unknown = typeof core === "object" && core !== null ? Reflect.get(core, "runMicrotasks") : undefined;
  return typeof run === "function" ? () => void run.call(core) : undefined;
}
