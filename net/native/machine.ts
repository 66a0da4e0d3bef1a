/**
 * What a loop over the kernel's readiness has to know of where it runs.
 *
 * @module
 */

/** What a loop has to know of the machine and the runtime that it runs on. */
export interface Machine {
  /** Whether `struct epoll_event` is packed: on x86-64 only. */
  readonly isPacked: boolean;
  /** Runs promises that are due, without a turn of the runtime's loop, where the runtime has a door to that. */
  readonly runPromises: (() => void) | undefined;
}

/** This one. */
export const THIS_MACHINE: Machine = {
  isPacked: Deno.build.arch === "x86_64",
  runPromises: doorToMicrotasks(),
};

function doorToMicrotasks(): (() => void) | undefined {
  const inside: unknown = Reflect.get(Deno, Reflect.get(Deno, "internal") ?? "");
  const core: unknown = typeof inside === "object" && inside !== null ? Reflect.get(inside, "core") : undefined;
  const run: unknown = typeof core === "object" && core !== null ? Reflect.get(core, "runMicrotasks") : undefined;
  return typeof run === "function" ? () => void run.call(core) : undefined;
}
