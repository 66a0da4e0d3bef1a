/**
 * A relay of two processes at work: started together, watched, and ended together.
 *
 * @module
 */

import type { Child } from "../tests/rig/processes/child.ts";
import { startChild } from "./child.ts";
import type { Machine, RunningTarget, TargetContext } from "./targets/target.ts";

let instances = 0;

/** The two sides of a relay. */
export type Role = "server" | "device";

/** What is to be run. */
export interface Launch {
  /** What people know it by. */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Environment variables on top of ours. */
  readonly env?: Record<string, string>;
}

/** The processes of one target, with a folder for their files. */
export class Instance {
  /** For its files; removed at its end. */
  readonly folder: string;
  readonly #context: TargetContext;
  readonly #atEnd: (instance: Instance) => void;
  readonly #children: Child[] = [];
  #stopping = false;

  /** `atEnd` is called when all processes have ended, while the folder is still there. */
  constructor(context: TargetContext, atEnd: (instance: Instance) => void = () => {}) {
    this.#context = context;
    this.#atEnd = atEnd;
    this.folder = `${context.directory}/instance-${++instances}`;
    Deno.mkdirSync(this.folder, { mode: 0o700 });
  }

  /** Where a role runs. */
  machine(role: Role): Machine {
    return this.#context[role];
  }

  /** Starts a process that belongs to the relay. */
  spawn(role: Role, { name, program, args, env = {} }: Launch): Child {
    const command = [...this.machine(role).prefix, program, ...args];
    const child = startChild(name, command, { stderrFile: this.logFile(role), env });
    this.#children.push(child);
    return child;
  }

  /** Runs a process to its end. @returns what it printed. */
  async run(role: Role, { name, program, args, env = {} }: Launch): Promise<string[]> {
    const child = startChild(name, [...this.machine(role).prefix, program, ...args], { env });
    if (await child.exited !== 0) throw new Error(`${name}: ${child.tail}`);
    return child.stdout;
  }

  /** Where the stderr of a role goes. */
  logFile(role: Role): string {
    return `${this.folder}/${role}.log`;
  }

  /** What a role has written to stderr, line by line. */
  log(role: Role): string[] {
    try {
      return Deno.readTextFileSync(this.logFile(role)).split("\n").filter((line) => line !== "");
    } catch {
      return []; // it was never started
    }
  }

  /** Ends the processes; the server last, since the device would report its loss. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    for (const child of this.#children.toReversed()) {
      if (!await child.stop()) this.#context.note(`${child.name} did not end within 7 s of SIGTERM`);
    }
    this.#atEnd(this);
    Deno.removeSync(this.folder, { recursive: true });
  }

  /** The relay as the bench sees it, with clients at `hostPort`. */
  running(hostPort: number): RunningTarget {
    return {
      hostPort,
      pids: this.#children.map((child) => child.pid),
      failure: () => {
        const dead = this.#children.find((child) => !child.running);
        return dead && `${dead.name} ended: ${dead.tail}; ${this.#lastWords()}`;
      },
      deviceLog: () => this.log("device"),
      stop: () => this.stop(),
    };
  }

  /** Runs `start`, which resolves to the port of the clients; if it fails, nothing is left behind. */
  async start(start: (instance: Instance) => Promise<number>): Promise<RunningTarget> {
    try {
      return this.running(await start(this));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const words = this.#lastWords();
      await this.stop();
      throw new Error(`${why}; ${words}`, { cause: error });
    }
  }

  #lastWords(): string {
    const words = (["server", "device"] as const).map((role) => [role, this.log(role).at(-1)] as const);
    return words.filter(([, line]) => line !== undefined).map(([role, line]) => `${role} log: ${line}`).join("; ") ||
      "no word in the logs";
  }
}
