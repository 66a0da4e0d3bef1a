/**
 * `sallyport canserver` as a process of its own.
 *
 * @module
 */

import { Child } from "./child.ts";
import { Daemon, MAIN } from "./daemons.ts";

/** Its command line. */
export function canserver(args: readonly string[]): string[] {
  const binaries = Deno.env.get("SALLYPORT_BINARIES");
  if (binaries) return [`${Deno.realPathSync(binaries)}/sallyport`, "canserver", ...args];
  return [Deno.execPath(), "run", "--quiet", "-A", MAIN, "canserver", ...args];
}

/** A CAN server in a process, and the port where it listens. */
export class CanServerDaemon extends Daemon {
  readonly port: number;

  private constructor(child: Child, port: number) {
    super(child);
    this.port = port;
  }

  /** Starts one on a free port of this machine, and waits until it listens. */
  static async start(args: readonly string[]): Promise<CanServerDaemon> {
    const more = ["--host", "127.0.0.1", "--port", "0", "--log-format", "json"];
    const child = Child.start("canserver", canserver([...args, ...more]));
    const [, port] = await child.line(/"address":"127\.0\.0\.1:(\d+)"/);
    return new CanServerDaemon(child, Number(port));
  }
}
