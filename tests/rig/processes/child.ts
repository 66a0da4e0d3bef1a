/**
 * Processes that tests start: their lines are kept, waited for and shown when a test fails, and none outlives its test.
 *
 * @module
 */

import { TextLineStream } from "./lines.ts";
import { within } from "../wait.ts";

/** How a process is started. */
export interface ChildOptions {
  /** Set on top of what this process has; `SALLYPORT_…` is never handed down, nor is this machine's HTTP proxy. */
  readonly env?: Record<string, string>;
}

/** What is not handed down: it would change what a process does. */
const NOT_INHERITED = /^(SALLYPORT_.*|(https?|all|no)_proxy)$/i;

/** Processes since the last {@linkcode forgetChildren}, whose lines are shown when a test fails. */
const started: Child[] = [];

/** A running process. Disposing of it kills it, if it still runs, and waits for its end. */
export class Child implements AsyncDisposable {
  /** What it is called in messages. */
  readonly name: string;
  /** Its process id. */
  readonly pid: number;
  /** Lines of its stdout so far. */
  readonly stdout: string[] = [];
  /** Lines of its stderr so far. */
  readonly stderr: string[] = [];
  /** Resolves to its exit code when it has ended and everything that it said was read. */
  readonly exited: Promise<number>;

  readonly #process: Deno.ChildProcess;
  #running = true;
  #wake = Promise.withResolvers<void>();

  private constructor(name: string, process: Deno.ChildProcess) {
    this.name = name;
    this.#process = process;
    this.pid = process.pid;
    this.exited = Promise.all([
      process.status,
      this.#collect(process.stdout, this.stdout),
      this.#collect(process.stderr, this.stderr),
    ]).then(([{ code }]) => {
      this.#running = false;
      this.#notify();
      return code;
    });
    started.push(this);
  }

  /** Starts `command`, its arguments behind it. */
  static start(name: string, command: readonly string[], options: ChildOptions = {}): Child {
    const inherited = Object.entries(Deno.env.toObject()).filter(([key]) => !NOT_INHERITED.test(key));
    const [program = "", ...args] = command;
    const process = new Deno.Command(program, {
      args,
      clearEnv: true,
      env: { ...Object.fromEntries(inherited), ...options.env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return new Child(name, process);
  }

  /** Runs `command` to its end, which has to come within `ms`. */
  static async run(name: string, command: readonly string[], ms?: number): Promise<Child> {
    const child = Child.start(name, command);
    await child.end(ms);
    return child;
  }

  /** The first match among the lines of stdout from line `from` on, those to come, each within `ms`, included. */
  line(pattern: RegExp, from = 0, ms?: number): Promise<RegExpExecArray> {
    return this.#find(this.stdout, from, (line) => pattern.exec(line) ?? undefined, `${pattern} on stdout`, ms);
  }

  /** As {@linkcode Child.line}, for stderr; `pick` gives `undefined` for a line that is not meant. */
  logLine<T>(pick: (line: string) => T | undefined, what: string, from = 0): Promise<T> {
    return this.#find(this.stderr, from, pick, `${what} in the log`);
  }

  /** Sends a signal; nothing happens if it has ended. */
  signal(signal: Deno.Signal): void {
    if (!this.#running) return;
    try {
      this.#process.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has just ended, and what it said is still being read
    }
  }

  /** Its exit code; it has to end within `ms`. */
  end(ms?: number): Promise<number> {
    return within(this.exited, `the end of ${this.name}`, ms);
  }

  /** Kills it as nobody can who wants an orderly end. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #find<T>(
    lines: readonly string[],
    from: number,
    pick: (line: string) => T | undefined,
    what: string,
    ms?: number,
  ): Promise<T> {
    for (let at = from;; at++) {
      while (at >= lines.length) {
        if (!this.#running) throw new Error(`${this.name} ended without ${what}`);
        await within(this.#wake.promise, `${what} of ${this.name}`, ms);
      }
      const found = pick(lines[at]!);
      if (found !== undefined) return found;
    }
  }

  async #collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>, lines: string[]): Promise<void> {
    for await (const line of stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())) {
      lines.push(line);
      this.#notify();
    }
  }

  #notify(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }
}

/** Forgets the processes of earlier tests. */
export function forgetChildren(): void {
  started.length = 0;
}

/** What the processes of this test said, for the message of its failure. */
export function childrenSaid(): string {
  return started.filter(({ stdout, stderr }) => stdout.length + stderr.length > 0).map((
    { name, pid, stdout, stderr },
  ) => [`--- ${name} (${pid})`, ...stdout.slice(-15), ...stderr.slice(-15).map((line) => `! ${line}`)].join("\n")).join(
    "\n",
  );
}
