/**
 * The processes that the demo starts: what they say is waited for line by line, and none is left in the end.
 *
 * @module
 */

import { Child } from "../../tests/rig/processes/child.ts";

/** Something did not come in time, or a process ended when it should not. */
export class DemoError extends Error {
  override readonly name = "DemoError";
}

/** A process whose lines are handed out once each. */
export class Program {
  readonly child: Child;
  readonly #next = { stdout: 0, stderr: 0 };

  /** Takes over a process that has just started. */
  constructor(child: Child) {
    this.child = child;
  }

  /** The next line of stdout that matches; those before it are passed over. Each has to come within `ms`. */
  says(pattern: RegExp, ms: number): Promise<RegExpExecArray> {
    return this.#line("stdout", pattern, ms);
  }

  /** The same of stderr. */
  logs(pattern: RegExp, ms: number): Promise<RegExpExecArray> {
    return this.#line("stderr", pattern, ms);
  }

  /** Ends it in order. @returns its exit code. */
  async stop(): Promise<number> {
    await this.child.stop();
    return await this.child.exited;
  }

  async #line(where: "stdout" | "stderr", pattern: RegExp, ms: number): Promise<RegExpExecArray> {
    const pick = (line: string) => pattern.exec(line) ?? undefined;
    const { found, at } = await this.child.find(where, pick, `${pattern}`, this.#next[where], ms);
    this.#next[where] = at + 1;
    return found;
  }
}

/** What a process said last, for people. */
export function lastWords({ stderr, stdout }: Child): string {
  const line = stderr.findLast(isWord) ?? stdout.findLast(isWord) ?? "it said nothing";
  return /^{.*"message":"(.*?)"[,}]/.exec(line)?.[1] ?? line;
}

function isWord(line: string): boolean {
  return line !== "";
}

/** Starts processes, and ends those that are left. */
export class Processes {
  readonly #running = new Set<Child>();
  #closed = false;

  start(name: string, command: readonly string[]): Program {
    return new Program(this.#start(name, command));
  }

  /** Runs one to its end. @returns its stdout's last line; an error if it fails, or takes longer than `ms`. */
  async run(name: string, command: readonly string[], ms: number): Promise<string> {
    const child = this.#start(name, command);
    try {
      const code = await child.end(ms);
      if (code !== 0) throw new DemoError(`${name} ended with ${code}: ${lastWords(child)}`);
      return child.stdout.findLast(isWord) ?? "";
    } finally {
      child.signal("SIGTERM");
    }
  }

  /** Ends those that are left, the last one first. */
  async stopAll(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running].reverse().map((child) => child.stop()));
  }

  #start(name: string, command: readonly string[]): Child {
    if (this.#closed) throw new DemoError("the demo was ended");
    const child = Child.start(name, command);
    this.#running.add(child);
    child.exited.then(() => this.#running.delete(child));
    return child;
  }
}
