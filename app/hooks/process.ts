/**
 * The process that a hook is: no shell, no terminal, none of the daemon's secrets.
 *
 * @module
 */

export interface HookExit {
  /** Its exit code. */
  readonly code: number;
  /** The signal that ended it, if one did. */
  readonly signal: string | null;
}

/** A hook that runs. */
export interface HookProcess {
  /** Resolves when it has ended; never rejects. */
  readonly ended: Promise<HookExit>;
  /** Sends a signal to it and to what it has started; nothing happens if it has ended. */
  kill(signal: "SIGTERM" | "SIGKILL"): void;
}

/** What a hook has of the daemon's environment. */
const INHERITED = ["PATH", "HOME", "LANG"];

/** What a hook's environment has beside its facts. */
export function inheritedEnvironment(): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = variable(name);
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

function variable(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

/** Whether this process was given the permission to run a program. */
export function mayRun(program: string): boolean {
  return Deno.permissions.querySync({ name: "run", command: program }).state === "granted";
}

/** Starts a program with its arguments; throws if it cannot. What it prints goes nowhere. */
export function spawnHook(command: readonly string[], environment: Record<string, string>): HookProcess {
  const [program = "", ...args] = command;
  const child = new Deno.Command(program, {
    args,
    clearEnv: true,
    env: environment,
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true, // a group of its own: what it starts ends with it, and Ctrl-C is not for it
  }).spawn();
  let running = true;
  const kill = (signal: "SIGTERM" | "SIGKILL") => {
    if (!running) return; // its number may be another's
    try {
      Deno.kill(Deno.build.os === "windows" ? child.pid : -child.pid, signal);
    } catch {
      // It has just ended.
    }
  };
  const onUnload = () => kill("SIGKILL"); // a daemon that has to end at once leaves nothing behind
  globalThis.addEventListener("unload", onUnload);
  const ended = child.status.then(({ code, signal }) => {
    running = false;
    globalThis.removeEventListener("unload", onUnload);
    return { code, signal };
  });
  return { ended, kill };
}
